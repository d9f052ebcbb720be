// Does what the input's mode says, with the official SDK.
import { Actor } from 'apify';

await Actor.init();
const { mode } = await Actor.getInput();
switch (mode) {
    case 'abort': {
        let told = 0;
        Actor.on('persistState', () => { told += 1; });
        Actor.on('aborting', async () => {
            await Actor.pushData({ event: 'aborting', told });
        });
        await Actor.setValue('READY', true);
        await new Promise((resolve) => { setTimeout(resolve, 60_000); });
        break;
    }
    case 'info': {
        const info = await new Promise((resolve) => { Actor.on('systemInfo', resolve); });
        await Actor.pushData({ memory: info.memCurrentBytes > 0, overloaded: info.isCpuOverloaded });
        break;
    }
    case 'reboot':
        await Actor.pushData({ start: (await Actor.openDataset().then((d) => d.getInfo())).itemCount + 1 });
        if (!(await Actor.getValue('REBOOTED'))) {
            await Actor.setValue('REBOOTED', true);
            await Actor.reboot();
        }
        break;
    case 'call': {
        const run = await Actor.call(process.env.ACTOR_FULL_NAME, { mode: 'child' });
        const { items } = await Actor.newClient().dataset(run.defaultDatasetId).listItems();
        await Actor.pushData({ status: run.status, own: run.id !== process.env.ACTOR_RUN_ID, items });
        break;
    }
    case 'child':
        console.log('child speaking');
        await Actor.pushData({ child: true });
        break;
    case 'storages': {
        const named = await Actor.openKeyValueStore('my-store');
        const big = Buffer.alloc(3_000_000, 'x');
        await named.setValue('big', big, { contentType: 'application/octet-stream' });
        await named.setValue('gone', 1);
        await named.setValue('gone', null);
        const keys = [];
        await named.forEachKey((key) => { keys.push(key); });
        const queue = await Actor.openRequestQueue('my-queue');
        await queue.addRequests([1, 2, 3].map((n) => ({ url: `http://example.com/${n}` })));
        await queue.addRequest({ url: 'http://example.com/0' }, { forefront: true });
        const urls = [];
        for (let request = await queue.fetchNextRequest(); request; request = await queue.fetchNextRequest()) {
            urls.push(request.url.slice(-1));
            await queue.markRequestHandled(request);
        }
        const dataset = await Actor.openDataset('my-data');
        await dataset.pushData([{ a: 1 }, { a: 2 }]);
        await Actor.pushData({
            size: (await named.getValue('big')).length, keys, urls: urls.join(''),
            finished: await queue.isFinished(), items: (await dataset.getData({ desc: true })).items,
        });
        break;
    }
    default:
        throw new Error(`unknown mode ${mode}`);
}
await Actor.exit(`did ${mode}`);
