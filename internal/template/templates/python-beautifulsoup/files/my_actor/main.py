"""Where the Actor starts: reads the input, sets up the crawler."""

from apify import Actor
from crawlee import Request
from crawlee.crawlers import BeautifulSoupCrawler

from .routes import router


async def main() -> None:
    """Crawl from the input's start URLs."""
    async with Actor:
        # Fields that the input leaves out have the defaults of .actor/input_schema.json.
        actor_input = await Actor.get_input()
        if not actor_input:
            raise ValueError('There is no input; "apify run" makes one from .actor/input_schema.json.')

        crawler = BeautifulSoupCrawler(
            request_handler=router,
            max_requests_per_crawl=actor_input['maxPages'],
            max_request_retries=2,
        )
        start = [Request.from_url(source['url']) for source in actor_input['startUrls']]
        statistics = await crawler.run(start)

        pages, failed = statistics.requests_finished, statistics.requests_failed
        await Actor.set_value('OUTPUT', {'pages': pages, 'failed': failed})
        if pages == 0:
            await Actor.fail(status_message='No page could be visited')
            return
        await Actor.exit(status_message=f'Visited {pages} pages, {failed} failed')
