// One call at a time; prints calls a second of each kind.
import { Actor } from 'apify';

const calls = Number(process.env.BENCH_CALLS);
await Actor.init();
const queue = await Actor.openRequestQueue();
const dataset = await Actor.openDataset();
const store = await Actor.openKeyValueStore();

const measure = async (call) => {
    for (let i = 0; i < calls / 10; i++) await call(`warm-${i}`);
    const start = performance.now();
    for (let i = 0; i < calls; i++) await call(i);
    return calls / ((performance.now() - start) / 1000);
};

const result = {
    pushData: await measure((i) => dataset.pushData({ n: i, url: `https://example.com/${i}`, title: `Page ${i}` })),
    setValue: await measure((i) => store.setValue(`key-${i}`, { n: i, text: 'some value' })),
    addRequest: await measure((i) => queue.addRequest({ url: `https://example.com/page/${i}` })),
};
console.log(`BENCH ${JSON.stringify(result)}`);
await Actor.exit();
