// Calls every method that the official JavaScript client has for tasks, schedules,
// webhooks and their dispatches, on the server at $BASE_URL, and fails where an
// answer is not what the method promises, or where a method was not called.
const assert = require('node:assert/strict');
const official = require('apify-client');

const client = new official.ApifyClient({ baseUrl: process.env.BASE_URL, token: process.env.TOKEN, maxRetries: 0 });
const collect = async (iterable) => { const all = []; for await (const one of iterable) all.push(one); return all; };

// What is called is noted by methods that take the place of the client's.
const methods = new Set(), called = new Set();
for (const name of ['TaskClient', 'TaskCollectionClient', 'ScheduleClient', 'ScheduleCollectionClient',
    'WebhookClient', 'WebhookCollectionClient', 'WebhookDispatchClient', 'WebhookDispatchCollectionClient']) {
    const { prototype } = official[name];
    for (const [method, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        if (typeof value !== 'function' || method === 'constructor' || method.startsWith('_')) continue;
        methods.add(`${name}.${method}`);
        prototype[method] = function noted(...args) {
            called.add(`${name}.${method}`);
            return value.apply(this, args);
        };
    }
}

async function tasks() {
    const { id } = await client.tasks().create({
        actId: 'me/scripted', name: 'js-task', input: { a: 1 }, title: 'T', options: { memoryMbytes: 256, timeoutSecs: 60 },
        actorStandby: { isEnabled: false },
    });
    const task = client.task('me/js-task');
    const got = await task.get();
    assert.deepEqual([got.id, got.input, got.options.memoryMbytes, got.title], [id, { a: 1 }, 256, 'T']);
    assert(got.createdAt instanceof Date);
    assert.equal(await client.task('nothing').get(), undefined);
    assert.equal((await task.update({ title: 'U', options: { memoryMbytes: 512 } })).options.timeoutSecs, 60);
    assert.equal((await task.publish()).isPublic, true);
    assert.equal((await task.unpublish()).isPublic, false);
    assert.deepEqual(await task.getInput(), { a: 1 });
    assert.deepEqual(await task.updateInput({ b: 2 }), { a: 1, b: 2 });
    const webhooks = [{ eventTypes: ['ACTOR.RUN.SUCCEEDED'], requestUrl: process.env.RECEIVER_URL }];
    const started = await task.start({ b: 3 }, { memory: 128, timeout: 30, waitForFinish: 60, webhooks });
    assert.deepEqual([started.actorTaskId, started.options.memoryMbytes, started.status], [id, 128, 'SUCCEEDED']);
    const record = await client.keyValueStore(started.defaultKeyValueStoreId).getRecord('INPUT');
    assert.deepEqual(record.value, { a: 1, b: 3 });
    const finished = await task.call();
    assert.equal(finished.status, 'SUCCEEDED');
    assert.equal((await task.lastRun({ status: 'SUCCEEDED' }).get()).id, finished.id);
    assert.deepEqual((await task.runs().list({ desc: true })).items.map((r) => r.id), [finished.id, started.id]);
    await client.webhooks().create({ eventTypes: ['ACTOR.RUN.FAILED'], condition: { actorTaskId: id }, requestUrl: process.env.RECEIVER_URL });
    assert.equal((await task.webhooks().list()).total, 1);
    assert.equal((await client.tasks().list({ limit: 1, desc: true })).items[0].actName, 'scripted');
    assert.equal((await collect(client.tasks().list())).length, 1);
    return id;
}

async function schedules(taskId) {
    const { id } = await client.schedules().create({
        name: 'js-schedule', cronExpression: '0 8 * * 1-5', timezone: 'Europe/Prague', isEnabled: true, isExclusive: false, description: 'D',
        actions: [{ type: 'RUN_ACTOR_TASK', actorTaskId: taskId, input: { c: 1 } }, { type: 'RUN_ACTOR', actorId: 'me/scripted', runInput: { body: '{}', contentType: 'application/json' } }],
    });
    const schedule = client.schedule(id);
    const got = await schedule.get();
    assert(got.nextRunAt instanceof Date);
    assert.deepEqual([got.actions.length, got.actions[0].input, got.lastRunAt], [2, { c: 1 }, null]);
    assert.equal(await client.schedule('nothing').get(), undefined);
    const changed = await schedule.update({ ...got, isEnabled: false });
    assert.deepEqual([changed.isEnabled, changed.actions[0].id], [false, got.actions[0].id]);
    assert.deepEqual(await schedule.getLog(), []);
    assert.equal((await client.schedules().list()).total, 1);
    assert.equal((await collect(client.schedules().list({ limit: 5 }))).length, 1);
    await schedule.delete();
    assert.equal(await schedule.get(), undefined);
}

async function webhooks(taskId) {
    const settings = {
        eventTypes: ['ACTOR.RUN.SUCCEEDED', 'ACTOR.RUN.FAILED'], requestUrl: process.env.RECEIVER_URL, condition: { actorTaskId: taskId },
        payloadTemplate: '{"type":"{{eventType}}"}', headersTemplate: '{"X-A":"b"}', shouldInterpolateStrings: true, idempotencyKey: 'js', description: 'D',
    };
    const created = await client.webhooks().create(settings);
    assert.equal((await client.webhooks().create(settings)).id, created.id);
    const webhook = client.webhook(created.id);
    assert.equal((await webhook.get()).payloadTemplate, settings.payloadTemplate);
    assert.equal(await client.webhook('nothing').get(), undefined);
    assert.equal((await webhook.update({ doNotRetry: true })).doNotRetry, true);
    const test = await webhook.test();
    assert.equal(test.eventType, 'TEST');
    let dispatch;
    do dispatch = await client.webhookDispatch(test.id).get(); while (dispatch.status === 'ACTIVE');
    assert.deepEqual([dispatch.status, dispatch.calls[0].responseStatus, dispatch.calls[0].responseBody], ['SUCCEEDED', 200, 'received']);
    assert.equal(await client.webhookDispatch('nothing').get(), undefined);
    assert.equal((await webhook.dispatches().list()).total, 1);
    assert((await client.webhookDispatches().list({ desc: true })).total >= 1);
    assert.equal((await collect(webhook.dispatches().list())).length, 1);
    assert((await client.webhooks().list({ limit: 1 })).total >= 2);
    await webhook.delete();
    assert.equal(await webhook.get(), undefined);
}

(async () => {
    const id = await tasks();
    await schedules(id);
    await webhooks(id);
    await client.task(id).delete();
    assert.equal(await client.task(id).get(), undefined);
    assert.deepEqual([...methods].filter((m) => !called.has(m)), [], 'methods that were not called');
    console.log('ok');
})().catch((error) => { console.error(error); process.exit(1); });
