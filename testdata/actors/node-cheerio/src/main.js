import { CheerioCrawler } from '@crawlee/cheerio';
import { Actor } from 'apify';

await Actor.init();

const { startUrls = [], maxPages = 20 } = (await Actor.getInput()) ?? {};
let pages = 0;
let failed = 0;

const crawler = new CheerioCrawler({
    maxRequestsPerCrawl: maxPages,
    // One page at a time: the items come in the order of the links.
    maxConcurrency: 1,
    maxRequestRetries: 1,
    async requestHandler({ request, $, enqueueLinks }) {
        await Actor.pushData({ url: request.loadedUrl, title: $('title').text() });
        await enqueueLinks();
        pages += 1;
        await Actor.setStatusMessage(`Visited ${pages} pages`);
    },
    failedRequestHandler() {
        failed += 1;
    },
});

await crawler.run(startUrls);
await Actor.setValue('OUTPUT', { pages, failed });

if (failed > 0) {
    await Actor.fail(`${failed} pages could not be visited`);
}
await Actor.exit(`Visited ${pages} pages`);
