import { CheerioCrawler, type Source } from '@crawlee/cheerio';
import { Actor } from 'apify';

import { router } from './routes.js';

/** What .actor/input_schema.json describes. */
interface Input {
    startUrls: Source[];
    maxPages: number;
}

await Actor.init();

// Fields that the input leaves out have the defaults of the schema.
const input = await Actor.getInput<Input>();
if (!input) {
    throw new Error('There is no input; "apify run" makes one from .actor/input_schema.json.');
}

const crawler = new CheerioCrawler({
    requestHandler: router,
    maxRequestsPerCrawl: input.maxPages,
    maxRequestRetries: 2,
});

const { requestsFinished: pages, requestsFailed: failed } = await crawler.run(input.startUrls);
await Actor.setValue('OUTPUT', { pages, failed });

if (pages === 0) {
    await Actor.fail('No page could be visited');
}
await Actor.exit(`Visited ${pages} pages, ${failed} failed`);
