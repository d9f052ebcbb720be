// Crawls the site at $SITE with $CONCURRENCY requests at once, from a queue and
// into a dataset that lie on the server at $APIFY_API_BASE_URL. Started again
// with the client key of a crawl that was killed, it goes on where that stopped.
import { Actor } from 'apify';
import { CheerioCrawler } from '@crawlee/cheerio';

const [killed] = process.argv.slice(2);
const concurrency = Number(process.env.CONCURRENCY);
await Actor.init();
const queue = await Actor.openRequestQueue('crawl', { forceCloud: true });
const dataset = await Actor.openDataset('crawl', { forceCloud: true });
if (killed) {
    // What a platform does when it starts a run's code again.
    await Actor.apifyClient.requestQueue(queue.id, { clientKey: killed }).unlockRequests();
}
console.log(`client ${queue.clientKey}`);
await queue.addRequest({ url: `${process.env.SITE}/0` });
const crawler = new CheerioCrawler({
    requestQueue: queue,
    minConcurrency: concurrency,
    maxConcurrency: concurrency,
    maxRequestRetries: 20,
    async requestHandler({ request, $, enqueueLinks }) {
        await enqueueLinks({ requestQueue: queue });
        await dataset.pushData({ url: request.loadedUrl, title: $('title').text() });
    },
});
await crawler.run();
const { requestsFailed } = crawler.stats.state;
if (requestsFailed) throw new Error(`${requestsFailed} requests failed`);
console.log('finished');
await Actor.exit();
