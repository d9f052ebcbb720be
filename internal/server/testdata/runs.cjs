// Drives every method that the official JavaScript client has for runs, their
// lists, logs and the user against the server at $BASE_URL.
const assert = require('node:assert/strict');
const { ApifyClient } = require('apify-client');

const client = new ApifyClient({ baseUrl: process.env.BASE_URL, token: process.env.TOKEN, maxRetries: 0 });
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Notes what was called, so that no method is forgotten when the client gets more.
const called = new Set();
const known = new Set();
for (const example of [client.run('x'), client.runs(), client.log('x'), client.user('me')]) {
    const proto = Object.getPrototypeOf(example);
    for (const name of Object.getOwnPropertyNames(proto)) {
        if (name === 'constructor' || name.startsWith('_') || typeof proto[name] !== 'function') continue;
        const original = proto[name];
        const full = `${proto.constructor.name}.${name}`;
        known.add(full);
        proto[name] = function (...args) { called.add(full); return original.apply(this, args); };
    }
}

const says = async (run, pattern, times = 1) => {
    for (let i = 0; i < 500; i++) {
        const found = [...((await run.log().get()) ?? '').matchAll(pattern)];
        if (found.length >= times) return found.at(-1)[1];
        await sleep(20);
    }
    throw new Error(`the log does not say ${pattern}`);
};

(async () => {
    const actor = client.actor('me/scripted');
    const started = await actor.start({ a: 1 }, { memory: 256, timeout: 500, maxTotalChargeUsd: 5, maxItems: 9, restartOnError: true });
    const run = client.run(started.id);
    assert.equal((await run.get()).options.maxTotalChargeUsd, 5);
    assert.deepEqual((await run.keyValueStore().getRecord('INPUT')).value, { a: 1 });

    const token = await says(run, /token (\S+)/g);
    const own = new ApifyClient({ baseUrl: process.env.BASE_URL, token, maxRetries: 0 }).run(started.id);
    await own.charge({ eventName: 'page', count: 2, idempotencyKey: 'one' });
    await own.charge({ eventName: 'page', count: 2, idempotencyKey: 'one' });
    await assert.rejects(own.charge({ eventName: 'nothing' }), (e) => e.statusCode === 400);
    await assert.rejects(run.charge({ eventName: 'page' }), (e) => e.statusCode === 403);
    assert.equal((await run.get()).chargedEventCounts.page, 2);

    assert.equal((await run.update({ statusMessage: 'Half way' })).statusMessage, 'Half way');
    assert.equal((await run.reboot()).status, 'RUNNING');
    await says(run, /token (\S+)/g, 2);
    assert.equal((await run.get()).stats.rebootCount, 1);
    const morphed = await run.metamorph('me/scripted', { b: 2 }, { build: 'latest' });
    assert.equal(morphed.metamorphs[0].inputKey, 'INPUT-METAMORPH-1');
    await says(run, /token (\S+)/g, 3);
    await run.dataset().pushItems([{ n: 1 }]);
    await run.requestQueue().addRequest({ url: 'http://example.com', uniqueKey: 'a' });

    const stream = await client.log(started.id).stream();
    const streamed = (async () => { let text = ''; for await (const piece of stream) text += piece; return text; })();
    const lines = [];
    const quiet = { info: (line) => lines.push(line), prefix: '' };
    const followed = await run.getStreamedLog({ toLog: quiet, fromStart: true });
    await followed?.start();
    await run.abort({ gracefully: true });
    assert.equal((await run.waitForFinish({ waitSecs: 30 })).status, 'ABORTED');
    await followed?.stop();
    assert.match(await streamed, /aborted gracefully/);
    assert.equal((await run.dataset().listItems()).items.length, 1);

    const again = await run.resurrect({ memory: 512, timeout: 100 });
    assert.equal(again.status, 'RUNNING');
    assert.equal(again.options.memoryMbytes, 512);
    await run.abort();
    assert.equal((await run.waitForFinish()).stats.resurrectCount, 1);

    const list = await client.runs().list({ desc: true, limit: 5, status: ['ABORTED'], startedAfter: '2020-01-01T00:00:00Z' });
    assert.equal(list.items[0].id, started.id);
    assert.equal((await actor.lastRun({ status: 'ABORTED' }).get()).id, started.id);

    const limits = await client.user('me').limits();
    assert.equal(limits.limits.maxActorMemoryGbytes, 8);
    assert((await client.user('me').monthlyUsage()).totalUsageCreditsUsdAfterVolumeDiscount > 0);
    assert.equal((await client.user('me').get()).username, 'me');
    await assert.rejects(client.user('me').updateLimits({ maxMonthlyUsageUsd: 5 }), (e) => e.statusCode === 501);

    await run.delete();
    assert.equal(await run.get(), undefined);
    assert.deepEqual([...known].filter((name) => !called.has(name)), [], 'methods that nothing calls');
    console.log('ok');
})().catch((e) => { console.error(e); process.exit(1); });
