import { CheerioCrawler } from '@crawlee/cheerio';
import { Actor } from 'apify';

import { router, visited } from './routes.js';

await Actor.init();

// Fields that the input leaves out have the defaults of .actor/input_schema.json.
const input = await Actor.getInput();
if (!input) {
    throw new Error('There is no input; "apify run" makes one from .actor/input_schema.json.');
}

let failed = 0;
const crawler = new CheerioCrawler({
    requestHandler: router,
    maxRequestsPerCrawl: input.maxPages,
    maxRequestRetries: 2,
    // Called once a page has failed for the last time.
    failedRequestHandler() {
        failed += 1;
    },
});

await crawler.run(input.startUrls);
await Actor.setValue('OUTPUT', { pages: visited(), failed });

if (visited() === 0) {
    await Actor.fail('No page could be visited');
}
await Actor.exit(`Visited ${visited()} pages, ${failed} failed`);
