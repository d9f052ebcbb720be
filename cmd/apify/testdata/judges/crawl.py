"""Crawls the site at $SITE with $CONCURRENCY requests at once, from a queue and
into a dataset that lie on the server at $APIFY_API_BASE_URL. Started again with the
client key of a crawl that was killed, it goes on where that stopped."""

import asyncio
import os
import sys

from apify import Actor
from apify.storage_clients import ApifyStorageClient
from apify_client import ApifyClientAsync
from crawlee import ConcurrencySettings
from crawlee.crawlers import BeautifulSoupCrawler, BeautifulSoupCrawlingContext
from crawlee.storages import Dataset, RequestQueue


async def main():
    concurrency = int(os.environ['CONCURRENCY'])
    async with Actor:
        client = ApifyStorageClient()
        queue = await RequestQueue.open(name='crawl', storage_client=client)
        dataset = await Dataset.open(name='crawl', storage_client=client)
        if killed := sys.argv[1:]:
            # What a platform does when it starts a run's code again.
            api = ApifyClientAsync(os.environ['APIFY_TOKEN'], api_url=os.environ['APIFY_API_BASE_URL'])
            await api.request_queue(queue.id, client_key=killed[0]).unlock_requests()
        print('client ' + os.environ['ACTOR_RUN_ID'][:32], flush=True)
        await queue.add_request(os.environ['SITE'] + '/0')
        crawler = BeautifulSoupCrawler(
            request_manager=queue,
            max_request_retries=20,
            concurrency_settings=ConcurrencySettings(
                min_concurrency=concurrency, desired_concurrency=concurrency, max_concurrency=concurrency
            ),
        )

        @crawler.router.default_handler
        async def handle(context: BeautifulSoupCrawlingContext):
            links = await context.extract_links()
            await queue.add_requests(links, wait_for_all_requests_to_be_added=True)
            await dataset.push_data({'url': context.request.loaded_url, 'title': context.soup.title.string})

        statistics = await crawler.run()
        assert not statistics.requests_failed, f'{statistics.requests_failed} requests failed'
        print('finished', flush=True)


asyncio.run(main())
