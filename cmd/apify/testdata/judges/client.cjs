// Calls every method that the official JavaScript client has for storages, on the
// server at $APIFY_API_BASE_URL, and fails where an answer is not what the method
// promises, or where a method was not called.
const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const official = require('apify-client');

const { ApifyClient, DownloadItemsFormat } = official;
const url = process.env.APIFY_API_BASE_URL;
const token = process.env.APIFY_TOKEN;
const client = new ApifyClient({ baseUrl: url, publicBaseUrl: url, token, maxRetries: 0 });
const stranger = new ApifyClient({ baseUrl: url, maxRetries: 0 }); // has no token
const collect = async (iterable) => { const all = []; for await (const one of iterable) all.push(one); return all; };
const range = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const rejected = (promise, statusCode, type) => assert.rejects(promise, (error) => {
    assert.equal(error.statusCode, statusCode, error.message);
    if (type) assert.equal(error.type, type);
    return true;
});

// What is called is noted by methods that take the place of the client's.
const storageClasses = ['DatasetClient', 'DatasetCollectionClient', 'KeyValueStoreClient', 'KeyValueStoreCollectionClient',
    'RequestQueueClient', 'RequestQueueCollectionClient'];
const methods = new Set(), called = new Set();
for (const name of storageClasses) {
    for (let p = official[name].prototype; p !== Object.prototype; p = Object.getPrototypeOf(p)) {
        for (const [method, { value }] of Object.entries(Object.getOwnPropertyDescriptors(p))) {
            // An underscore begins what is not for callers.
            if (typeof value !== 'function' || method === 'constructor' || method.startsWith('_')) continue;
            methods.add(`${name}.${method}`);
            official[name].prototype[method] = function noted(...args) {
                called.add(`${name}.${method}`);
                return value.apply(this, args);
            };
        }
    }
}

async function datasets() {
    const schema = { actorSpecification: 1, fields: { type: 'object', properties: { n: { type: 'integer' } } }, views: {} };
    const { id } = await client.datasets().getOrCreate('js-items', { schema });
    assert.equal((await client.datasets().getOrCreate('js-items')).id, id);
    const unnamed = await client.datasets().getOrCreate();
    assert.notEqual(unnamed.id, id);
    const dataset = client.dataset(id);
    await dataset.pushItems({ n: 0 });
    await dataset.pushItems([{ n: 1 }, '{"n":2}']);
    await dataset.pushItems('{"n":3}');
    await dataset.pushItems(range(500, (i) => ({ n: i + 4, '#hidden': i, deep: { a: { b: i } }, list: [{ x: 1 }, { x: 2 }], text: 'x'.repeat(100) })));
    await rejected(dataset.pushItems({ n: 'seven' }), 400, 'schema-validation-error');
    await rejected(dataset.pushItems('[1]'), 400);

    const page = await dataset.listItems({ offset: 1, limit: 2, desc: false, fields: ['n'], clean: true });
    assert.deepEqual(page, { items: [{ n: 1 }, { n: 2 }], total: 504, offset: 1, count: 2, limit: 2, desc: false });
    assert.deepEqual((await dataset.listItems({ desc: true, limit: 1, omit: ['text', 'list', 'deep'] })).items, [{ n: 503, '#hidden': 499 }]);
    assert.deepEqual((await dataset.listItems({ offset: 4, limit: 1, unwind: ['list'], fields: ['n', 'x'] })).items, [{ n: 4, x: 1 }, { n: 4, x: 2 }]);
    assert.deepEqual((await dataset.listItems({ offset: 4, limit: 1, flatten: ['deep'], skipHidden: true, omit: ['text', 'list'] })).items, [{ n: 4, 'deep.a.b': 0 }]);
    assert.deepEqual((await dataset.listItems({ limit: 1, fields: ['nothing'], skipEmpty: true })).items, []);
    assert.equal((await dataset.listItems()).items.length, 504);
    assert.deepEqual((await collect(dataset.listItems({ chunkSize: 100 }))).map((i) => i.n), range(504, (n) => n));
    assert.deepEqual((await collect(dataset.listItems({ chunkSize: 7, offset: 490, limit: 10 }))).map((i) => i.n), range(10, (n) => n + 490));

    for (const format of Object.values(DownloadItemsFormat)) {
        const bytes = await dataset.downloadItems(format, { limit: 10, attachment: true });
        assert(bytes.length > 0, format);
    }
    assert.equal((await dataset.downloadItems('csv', { fields: ['n'], limit: 1, bom: false, delimiter: ';' })).toString(), 'n\n0\n');
    assert.equal((await dataset.downloadItems('csv', { fields: ['n'], limit: 1, skipHeaderRow: true, bom: true })).toString(), '\ufeff0\n');
    assert((await dataset.downloadItems('xml', { limit: 1, xmlRoot: 'all', xmlRow: 'one' })).toString().includes('<all>\n<one><n>0</n></one>\n</all>'));
    await assert.rejects(dataset.downloadItems('pdf'));

    const info = await dataset.get();
    assert.deepEqual([info.id, info.name, info.itemCount], [id, 'js-items', 504]);
    for (const at of ['createdAt', 'modifiedAt', 'accessedAt']) assert(info[at] instanceof Date, at);
    {
        const { fieldStatistics } = await dataset.getStatistics();
        assert.deepEqual([fieldStatistics.n.min, fieldStatistics.n.max], [0, 503]);
    }
    {
        const link = await dataset.createItemsPublicUrl({ limit: 2, fields: ['n'], expiresInSecs: 60 });
        assert.deepEqual(await (await fetch(link)).json(), [{ n: 0 }, { n: 1 }]);
        assert.equal((await fetch(link.replace(/signature=./, 'signature=_'))).ok, false);
        assert.equal((await fetch(await dataset.createItemsPublicUrl())).status, 200);
    }
    assert.equal((await fetch(`${url}/v2/datasets/${id}/items`)).ok, false);
    await rejected(stranger.dataset(id).listItems(), 401);

    assert.equal((await dataset.update({ name: 'js-renamed' })).name, 'js-renamed');
    assert.equal((await client.dataset('js-renamed').get()).id, id);
    assert.equal((await client.dataset(`${(await client.user().get()).username}/js-renamed`).get()).id, id);
    assert.equal(await client.dataset('js-items').get(), undefined);
    await rejected(client.dataset(unnamed.id).update({ name: 'js-renamed' }), 409);
    await collections('datasets');
    await dataset.delete();
    assert.equal(await dataset.get(), undefined);
    await rejected(dataset.pushItems({ n: 1 }), 404, 'record-not-found');
    await client.dataset(unnamed.id).delete();
}

// collections lists storages of a kind, of which some have names.
async function collections(kind) {
    const made = [];
    for (let i = 0; i < 5; i++) made.push((await client[kind]().getOrCreate(`js-many-${i}`)).id);
    const page = await client[kind]().list({ limit: 2, offset: 1, desc: false });
    assert.deepEqual([page.items.length, page.count, page.limit, page.offset, page.desc], [2, 2, 2, 1, false]);
    const named = await collect(client[kind]().list({ desc: true }));
    assert.deepEqual(named.slice(0, 5).map((s) => s.name), range(5, (i) => `js-many-${4 - i}`));
    assert.equal(page.total, named.length);
    const one = await client[kind]().getOrCreate();
    const all = await collect(client[kind]().list({ unnamed: true }));
    assert(all.length > named.length && all.some((s) => s.id === one.id));
    assert.equal((await collect(client[kind]().list({ limit: 3 }))).length, 3);
    assert.equal((await client[kind]().list({ ownership: 'sharedWithMe' })).items.length, 0);
    await assert.rejects(client[kind]().getOrCreate('no name/at all'));
    const single = { datasets: 'dataset', keyValueStores: 'keyValueStore', requestQueues: 'requestQueue' }[kind];
    for (const id of [...made, one.id]) await client[single](id).delete();
    assert.equal(await client[single](one.id).get(), undefined);
}

async function keyValueStores() {
    const { id } = await client.keyValueStores().getOrCreate('js-values');
    const store = client.keyValueStore(id);
    await store.setRecord({ key: 'object', value: { a: [1.5, null, 'é'] } });
    await store.setRecord({ key: 'big', value: { text: 'y'.repeat(300_000) } });
    await store.setRecord({ key: "odd(k)e'y!.-_", value: 'text', contentType: 'text/plain; charset=utf-8' }, { timeoutSecs: 30 });
    await store.setRecord({ key: 'image.png', value: Buffer.from([0, 255, 1, 254]), contentType: 'image/png' });
    await store.setRecord({ key: 'empty', value: Buffer.alloc(0), contentType: 'application/octet-stream' });
    await store.setRecord({ key: 'stream', value: Readable.from(['a'.repeat(700_000), 'b']), contentType: 'text/plain' });
    await store.setRecord({ key: 'page.html', value: '<h1>x</h1>', contentType: 'text/html' });
    await assert.rejects(store.setRecord({ key: 'sp ace', value: 'x' }));
    await rejected(store.setRecord({ key: 'k'.repeat(257), value: 'x' }), 400, 'invalid-record-key');

    assert.deepEqual((await store.getRecord('object')).value, { a: [1.5, null, 'é'] });
    assert.equal((await store.getRecord('big')).value.text.length, 300_000);
    assert.deepEqual(await store.getRecord("odd(k)e'y!.-_"), { key: "odd(k)e'y!.-_", value: 'text', contentType: 'text/plain; charset=utf-8' });
    const image = await store.getRecord('image.png', { buffer: true });
    assert.deepEqual([...image.value, image.contentType], [0, 255, 1, 254, 'image/png']);
    assert.equal((await store.getRecord('empty', { buffer: true })).value.length, 0);
    assert.equal((await collect((await store.getRecord('stream', { stream: true })).value)).join('').length, 700_001);
    assert.equal(await store.getRecord('missing'), undefined);
    assert.deepEqual([await store.recordExists('object'), await store.recordExists('missing')], [true, false]);
    await store.setRecord({ key: 'object', value: 'replaced' });
    assert.equal((await store.getRecord('object')).value, 'replaced');

    const keys = await store.listKeys({ limit: 2 });
    assert.deepEqual([keys.items.map((k) => k.key), keys.isTruncated, keys.limit, keys.count], [['big', 'empty'], true, 2, 2]);
    assert.equal(keys.nextExclusiveStartKey, 'empty');
    const next = await store.listKeys({ exclusiveStartKey: 'empty', limit: 1 });
    assert.deepEqual(next.items.map((k) => [k.key, k.size]), [['image.png', 4]]);
    const whole = await store.listKeys();
    assert.deepEqual([whole.nextExclusiveStartKey, whole.isTruncated, whole.items.length], [null, false, 7]);
    assert.deepEqual((await collect(store.listKeys({ limit: 1000 }))).length, 7);
    assert.deepEqual((await collect(store.listKeys({ prefix: 's' }))).map((k) => k.key), ['stream']);
    await rejected(store.listKeys({ collection: 'none' }), 400, 'invalid-collection');

    {
        const link = await store.getRecordPublicUrl('image.png');
        assert.deepEqual([...Buffer.from(await (await fetch(link)).arrayBuffer())], [0, 255, 1, 254]);
        assert.equal((await fetch(link.replace('image.png', 'stream'))).ok, false);
    }
    {
        const link = await store.createKeysPublicUrl({ limit: 1, prefix: 'i', expiresInSecs: 60 });
        assert.deepEqual((await (await fetch(link)).json()).data.items.map((k) => k.key), ['image.png']);
        assert.equal((await fetch(await store.createKeysPublicUrl())).status, 200);
    }
    assert.equal((await fetch(`${url}/v2/key-value-stores/${id}/records/object`)).ok, false);

    await store.deleteRecord('object');
    await store.deleteRecord('object');
    assert.equal(await store.recordExists('object'), false);
    assert.equal((await store.update({ name: 'js-values-2' })).name, 'js-values-2');
    const info = await store.get();
    assert.deepEqual([info.id, info.name], [id, 'js-values-2']);
    assert(info.modifiedAt instanceof Date);
    await collections('keyValueStores');
    await store.delete();
    assert.equal(await store.get(), undefined);
    await rejected(store.setRecord({ key: 'late', value: 1 }), 404);
}

async function requestQueues() {
    const { id } = await client.requestQueues().getOrCreate('js-todo');
    const queue = client.requestQueue(id, { clientKey: 'js-client', timeoutSecs: 60 });
    const request = (n) => ({ url: `http://example.com/${n}`, uniqueKey: `k${n}`, method: 'POST', payload: 'p', headers: { a: 'b' }, userData: { n } });
    const last = await queue.addRequest(request(0));
    assert.deepEqual([last.wasAlreadyPresent, last.wasAlreadyHandled], [false, false]);
    assert.equal((await queue.addRequest(request(0))).wasAlreadyPresent, true);
    const first = await queue.addRequest({ url: 'http://example.com/a', uniqueKey: 'a' }, { forefront: true });
    const batch = await queue.batchAddRequests(range(110, (i) => request(i)), { maxParallel: 3 });
    assert.equal(batch.processedRequests.length, 110);
    assert.equal(batch.processedRequests.filter((r) => r.wasAlreadyPresent).length, 1);
    assert.deepEqual(batch.unprocessedRequests, []);
    await queue.batchAddRequests([{ url: 'http://example.com/f', uniqueKey: 'f' }], { forefront: true });

    const head = await queue.listHead({ limit: 3 });
    assert.deepEqual(head.items.map((r) => r.uniqueKey), ['f', 'a', 'k0']);
    assert.deepEqual([head.limit, head.hadMultipleClients], [3, false]);
    assert(head.queueModifiedAt instanceof Date);
    const locked = await queue.listAndLockHead({ limit: 5, lockSecs: 60 });
    assert.deepEqual(locked.items.slice(0, 2).map((r) => r.uniqueKey), ['f', 'a']);
    assert.deepEqual([locked.items.length, locked.lockSecs, locked.queueHasLockedRequests, locked.clientKey], [5, 60, true, 'js-client']);
    assert(locked.items.every((r) => new Date(r.lockExpiresAt) > new Date()));
    const other = client.requestQueue(id, { clientKey: 'other' });
    await rejected(other.prolongRequestLock(first.requestId, { lockSecs: 1 }), 403);
    await rejected(other.deleteRequestLock(first.requestId), 403);
    assert((await queue.prolongRequestLock(first.requestId, { lockSecs: 120, forefront: true })).lockExpiresAt > new Date(Date.now() + 100_000));

    const one = await queue.getRequest(last.requestId);
    assert.deepEqual([one.method, one.payload, one.headers, one.userData, one.retryCount, one.noRetry], ['POST', 'p', { a: 'b' }, { n: 0 }, 0, false]);
    assert(!('handledAt' in one) && !('loadedUrl' in one));
    assert.equal(await queue.getRequest('nothing'), undefined);
    const handled = await queue.updateRequest({ ...one, handledAt: new Date().toISOString(), retryCount: 1, errorMessages: ['e'] });
    assert.deepEqual([handled.wasAlreadyHandled, handled.wasAlreadyPresent], [false, true]);
    const seen = await queue.getRequest(last.requestId);
    assert(seen.handledAt instanceof Date && seen.retryCount === 1);
    assert.equal((await queue.updateRequest({ ...one, handledAt: new Date().toISOString() })).wasAlreadyHandled, true);

    await queue.deleteRequestLock(locked.items[3].id, { forefront: true });
    assert.equal((await queue.listHead({ limit: 1 })).items[0].id, locked.items[3].id);
    assert.deepEqual((await queue.listRequests({ filter: ['locked'] })).items.map((r) => r.id).sort(),
        [locked.items[0], locked.items[1], locked.items[4]].map((r) => r.id).sort());
    assert.equal((await queue.unlockRequests()).unlockedCount, 3);
    assert.equal((await queue.listRequests({ filter: ['locked'] })).items.length, 0);

    const page = await queue.listRequests({ limit: 10 });
    assert.equal(page.items.length, 10);
    const following = await queue.listRequests({ limit: 10, cursor: page.nextCursor });
    assert.equal(new Set([...page.items, ...following.items].map((r) => r.id)).size, 20);
    assert.equal((await queue.listRequests({ limit: 5, exclusiveStartId: page.items[9].id })).items[0].id, following.items[0].id);
    assert.equal(new Set((await collect(queue.listRequests())).map((r) => r.id)).size, 112);
    assert.equal((await collect(queue.listRequests({ limit: 25, filter: ['pending'] }))).length, 25);
    assert.deepEqual((await collect(queue.paginateRequests({ maxPageLimit: 50 }))).map((p) => p.items.length), [50, 50, 12]);
    assert.equal((await collect(queue.paginateRequests({ limit: 30, maxPageLimit: 20 }))).flatMap((p) => p.items).length, 30);

    const deleted = await queue.batchDeleteRequests([{ uniqueKey: 'k1' }, { id: locked.items[4].id }]);
    assert.equal(deleted.processedRequests.length, 2);
    await queue.deleteRequest(first.requestId);
    assert.equal(await queue.getRequest(first.requestId), undefined);
    const info = await queue.get();
    assert.deepEqual([info.totalRequestCount, info.handledRequestCount, info.pendingRequestCount, info.hadMultipleClients], [109, 1, 108, true]);
    assert.equal((await queue.update({ name: 'js-todo-2' })).name, 'js-todo-2');
    await collections('requestQueues');
    await queue.delete();
    assert.equal(await queue.get(), undefined);
    await rejected(queue.addRequest(request(1)), 404);
}

(async () => {
    await datasets();
    await keyValueStores();
    await requestQueues();
    const forgotten = [...methods].filter((m) => !called.has(m));
    assert.deepEqual(forgotten, [], 'methods of the client that were not called');
    console.log(`called ${called.size} of ${methods.size} methods`);
})().catch((error) => { console.error(error); process.exit(1); });
