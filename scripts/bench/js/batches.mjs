// Many at once; prints how many seconds each kind took.
import { Actor } from 'apify';

const [items, adds, fetches] = ['ITEMS', 'ADDS', 'FETCHES'].map((name) => Number(process.env[`BENCH_${name}`]));
await Actor.init();
const dataset = await Actor.openDataset();
const queue = await Actor.openRequestQueue();

const measure = async (work) => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
};

const result = {
    pushData: await measure(() => dataset.pushData(
        Array.from({ length: items }, (_, i) => ({ n: i, url: `https://example.com/${i}`, title: `Page ${i}` })))),
    addRequests: await measure(() => queue.addRequests(
        Array.from({ length: adds }, (_, i) => ({ url: `https://example.com/page/${i}` })))),
    fetchAndHandle: await measure(async () => {
        for (let handled = 0; handled < fetches;) {
            const request = await queue.fetchNextRequest();
            if (!request) throw new Error(`the queue was empty after ${handled} requests`);
            await queue.markRequestHandled(request);
            handled += 1;
        }
    }),
};

const info = await dataset.getInfo();
if (info.itemCount !== items) throw new Error(`${info.itemCount} items arrived, want ${items}`);
console.log(`BENCH ${JSON.stringify(result)}`);
await Actor.exit();
