// Makes public URLs with the official JavaScript client and opens them without
// a token.
const assert = require('node:assert/strict');
const { ApifyClient } = require('apify-client');

const baseUrl = process.env.BASE_URL;
const client = new ApifyClient({ baseUrl, publicBaseUrl: baseUrl, token: process.env.TOKEN, maxRetries: 0 });
const open = async (url, status) => {
    const response = await fetch(url);
    assert.equal(response.status, status, `${url}: ${response.status}`);
    return response.text();
};

(async () => {
    const { id } = await client.keyValueStores().getOrCreate('js-urls');
    const store = client.keyValueStore(id);
    await store.setRecord({ key: "a-(b)'!", value: { n: 1 } });
    await store.setRecord({ key: 'other', value: 'text' });
    const record = await store.getRecordPublicUrl("a-(b)'!");
    assert.deepEqual(JSON.parse(await open(record, 200)), { n: 1 });
    await open(record.replace('a-(b)', 'b-(b)'), 403);
    await open(`${baseUrl}/v2/key-value-stores/${id}/records/other?${new URL(record).searchParams}`, 403);
    await open(record.split('?')[0], 401);
    const keys = JSON.parse(await open(await store.createKeysPublicUrl({ limit: 1 }), 200)).data;
    assert.equal(keys.items.length, 1);
    assert.equal(keys.isTruncated, true);
    assert.deepEqual(JSON.parse(await open(keys.items[0].recordPublicUrl, 200)), { n: 1 });
    await open(await store.createKeysPublicUrl({ expiresInSecs: 3600 }), 200);
    const brief = await store.createKeysPublicUrl({ expiresInSecs: 1 });
    const dataset = client.dataset((await client.datasets().getOrCreate('js-urls')).id);
    await dataset.pushItems([{ n: 1 }, { n: 2 }]);
    assert.equal(await open(await dataset.createItemsPublicUrl({ limit: 1 }), 200), '[{"n":1}]');
    const items = await dataset.createItemsPublicUrl({ expiresInSecs: 3600 });
    assert.equal(await open(items, 200), '[{"n":1},{"n":2}]');
    await open(items.replace('signature=', 'signature=x'), 403);
    await open((await dataset.get()).itemsPublicUrl, 200);
    await open((await store.get()).keysPublicUrl, 200);
    await new Promise((resolve) => { setTimeout(resolve, 1100); });
    await open(brief, 403);
    assert.equal((await dataset.getStatistics()).fieldStatistics.n.max, 2);
    console.log('ok');
})().catch((error) => { console.error(error); process.exit(1); });
