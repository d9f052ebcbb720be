"""What is done with a page: change this to take what you need."""

from apify import Actor
from crawlee.crawlers import BeautifulSoupCrawlingContext
from crawlee.router import Router

router = Router[BeautifulSoupCrawlingContext]()


@router.default_handler
async def handle_page(context: BeautifulSoupCrawlingContext) -> None:
    """Store what a page says about itself, and follow its links."""
    url = context.request.loaded_url or context.request.url
    title = context.soup.title.get_text(strip=True) if context.soup.title else ''
    meta = context.soup.find('meta', attrs={'name': 'description'})
    description = meta.get('content') if meta else None

    context.log.info(f'{title} ({url})')
    await Actor.push_data({'url': url, 'title': title, 'description': description})

    # Follows the links to the same host; those seen before are left out.
    await context.enqueue_links()
