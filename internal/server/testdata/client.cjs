// Drives every storage call of the official JavaScript client against the
// server at $BASE_URL, and fails where an answer is not what the client needs.
const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { ApifyClient } = require('apify-client');

const client = new ApifyClient({ baseUrl: process.env.BASE_URL, token: process.env.TOKEN, maxRetries: 0 });
const collect = async (iterable) => { const all = []; for await (const one of iterable) all.push(one); return all; };

async function datasets() {
    const { id } = await client.datasets().getOrCreate('js-items');
    assert.equal((await client.datasets().getOrCreate('js-items')).id, id);
    const dataset = client.dataset(id);
    await dataset.pushItems({ n: 0 });
    await dataset.pushItems([{ n: 1 }, '{"n":2}']);
    await dataset.pushItems(Array.from({ length: 500 }, (_, i) => ({ n: i + 3, text: 'x'.repeat(100) }))); // compressed
    const page = await dataset.listItems({ offset: 1, limit: 2, desc: false, fields: ['n'], clean: true });
    assert.deepEqual(page, { items: [{ n: 1 }, { n: 2 }], total: 503, offset: 1, count: 2, limit: 2, desc: false });
    assert.equal((await dataset.listItems()).items.length, 503);
    assert.equal((await collect(dataset.listItems({ chunkSize: 200 }))).length, 503);
    assert.equal((await dataset.downloadItems('csv', { fields: ['n'], limit: 1, bom: false })).toString(), 'n\n0\n');
    assert.equal((await dataset.get()).itemCount, 503);
    assert((await dataset.get()).createdAt instanceof Date);
    assert.equal((await dataset.update({ name: 'js-renamed' })).name, 'js-renamed');
    assert((await client.datasets().list()).items.some((d) => d.name === 'js-renamed'));
    assert((await collect(client.datasets().list({ unnamed: true }))).length >= 1);
    await dataset.delete();
    assert.equal(await dataset.get(), undefined);
    assert.equal(await client.dataset('nobody/nothing').get(), undefined);
}

async function keyValueStores() {
    const { id } = await client.keyValueStores().getOrCreate('js-values');
    const store = client.keyValueStore(id);
    await store.setRecord({ key: 'object', value: { a: [1.5, null] } });
    await store.setRecord({ key: 'big', value: { text: 'y'.repeat(5000) } });
    await store.setRecord({ key: "odd(k)e'y!", value: 'text', contentType: 'text/plain; charset=utf-8' });
    await store.setRecord({ key: 'image.png', value: Buffer.from([0, 255, 1, 254]), contentType: 'image/png' });
    await store.setRecord({ key: 'stream', value: Readable.from(['a'.repeat(70000), 'b']), contentType: 'text/plain' });
    assert.deepEqual((await store.getRecord('object')).value, { a: [1.5, null] });
    assert.equal((await store.getRecord('big')).value.text.length, 5000);
    assert.equal((await store.getRecord("odd(k)e'y!")).value, 'text');
    const image = await store.getRecord('image.png', { buffer: true });
    assert.deepEqual([...image.value, image.contentType], [0, 255, 1, 254, 'image/png']);
    assert.equal((await collect((await store.getRecord('stream', { stream: true })).value)).join('').length, 70001);
    assert.equal(await store.getRecord('missing'), undefined);
    assert.equal(await store.recordExists('object'), true);
    assert.equal(await store.recordExists('missing'), false);
    const keys = await store.listKeys({ limit: 2 });
    assert.equal(keys.items.length, 2);
    assert.equal(keys.isTruncated, true);
    assert.equal((await store.listKeys()).nextExclusiveStartKey, null);
    assert.equal((await collect(store.listKeys({ limit: 2 }))).length >= 2, true);
    assert.deepEqual((await collect(store.listKeys({ prefix: 'im' }))).map((k) => k.key), ['image.png']);
    await store.deleteRecord('object');
    await store.deleteRecord('object');
    assert.equal((await store.update({ name: 'js-values-2' })).name, 'js-values-2');
    assert((await client.keyValueStores().list()).total >= 1);
    await assert.rejects(store.setRecord({ key: 'sp ace', value: 'x' }));
    await store.delete();
}

async function requestQueues() {
    const { id } = await client.requestQueues().getOrCreate('js-todo');
    const queue = client.requestQueue(id, { clientKey: 'js-client' });
    const added = await queue.addRequest({ url: 'http://example.com/a', uniqueKey: 'a', userData: { deep: { x: 1 } } }, { forefront: true });
    assert.equal(added.wasAlreadyPresent, false);
    const batch = await queue.batchAddRequests(Array.from({ length: 60 }, (_, i) => ({ url: `http://example.com/${i}`, uniqueKey: `k${i}`, method: 'POST', payload: 'p' })));
    assert.equal(batch.processedRequests.length, 60);
    assert.equal(batch.unprocessedRequests.length, 0);
    assert.equal((await queue.listHead({ limit: 3 })).items[0].id, added.requestId);
    const locked = await queue.listAndLockHead({ limit: 5, lockSecs: 30 });
    assert.equal(locked.items.length, 5);
    assert.equal(locked.queueHasLockedRequests, true);
    assert((await queue.prolongRequestLock(added.requestId, { lockSecs: 60 })).lockExpiresAt instanceof Date);
    const request = await queue.getRequest(added.requestId);
    assert.deepEqual([request.method, request.retryCount, request.noRetry, request.userData.deep.x], ['GET', 0, false, 1]);
    assert(!('handledAt' in request) && !('loadedUrl' in request) && !('payload' in request));
    const handled = await queue.updateRequest({ ...request, handledAt: new Date().toISOString() });
    assert.deepEqual([handled.wasAlreadyHandled, handled.wasAlreadyPresent], [false, true]);
    await queue.deleteRequestLock(locked.items[1].id, { forefront: true });
    assert.equal((await queue.unlockRequests()).unlockedCount, 3);
    assert.equal(await queue.getRequest('nothing'), undefined);
    assert.equal((await collect(queue.paginateRequests({ maxPageLimit: 25 }))).flatMap((p) => p.items).length, 61);
    assert.equal((await queue.listRequests({ limit: 10 })).items.length, 10);
    await queue.batchDeleteRequests([{ uniqueKey: 'k1' }, { id: locked.items[1].id }]);
    await queue.deleteRequest(added.requestId);
    const info = await queue.get();
    assert.equal(info.totalRequestCount >= 58, true);
    assert.equal(info.hadMultipleClients, false);
    await queue.update({ name: 'js-todo-2' });
    assert((await client.requestQueues().list()).items.length >= 1);
    await queue.delete();
}

(async () => {
    assert.equal((await client.user('me').get()).username, 'me');
    await datasets();
    await keyValueStores();
    await requestQueues();
    assert.equal(await client.run('nothing').get(), undefined);
    assert.equal(await client.log('nothing').get(), undefined);
    assert.deepEqual((await client.runs().list()).items, []);
    await assert.rejects(client.store().list(), { statusCode: 501, type: 'not-implemented' });
    console.log('ok');
})().catch((error) => { console.error(error); process.exit(1); });
