// Drives every method that the official JavaScript client has for Actors, their
// versions, variables and builds against the server at $BASE_URL.
const assert = require('node:assert/strict');
const { ApifyClient } = require('apify-client');

const client = new ApifyClient({ baseUrl: process.env.BASE_URL, token: process.env.TOKEN, maxRetries: 0 });
const collect = async (iterable) => { const all = []; for await (const one of iterable) all.push(one); return all; };

// Notes what was called, so that no method is forgotten when the client gets more.
const called = new Set();
const known = new Set();
for (const example of [
    client.actor('x'), client.actors(), client.actor('x').version('0.1'), client.actor('x').versions(),
    client.actor('x').version('0.1').envVar('A'), client.actor('x').version('0.1').envVars(), client.build('x'), client.builds(),
]) {
    const proto = Object.getPrototypeOf(example);
    for (const name of Object.getOwnPropertyNames(proto)) {
        if (name === 'constructor' || name.startsWith('_') || typeof proto[name] !== 'function') continue;
        const original = proto[name];
        const full = `${proto.constructor.name}.${name}`;
        known.add(full);
        proto[name] = function (...args) { called.add(full); return original.apply(this, args); };
    }
}

const files = (script) => [
    { name: '.actor/actor.json', format: 'TEXT', content: JSON.stringify({
        actorSpecification: 1, name: 'js-actor', version: '0.1', scripts: { run: 'sh main.sh' },
        input: { title: 'I', type: 'object', schemaVersion: 1, properties: { n: { title: 'N', type: 'integer', description: 'd' } } },
    }) },
    { name: 'main.sh', format: 'TEXT', content: script },
];

(async () => {
    const created = await client.actors().create({
        name: 'js-actor', title: 'JS', versions: [{ versionNumber: '0.1', sourceType: 'SOURCE_FILES', buildTag: 'latest', sourceFiles: files('echo running') }],
    });
    assert(created.createdAt instanceof Date);
    const actor = client.actor(created.id);
    assert.equal((await client.actor('me/js-actor').get()).id, created.id);
    assert.equal(await client.actor('me/nobody').get(), undefined);
    assert.equal((await actor.update({ description: 'Described', defaultRunOptions: { memoryMbytes: 512 } })).defaultRunOptions.memoryMbytes, 512);
    assert((await client.actors().list({ my: true, desc: true, limit: 10 })).items.some((a) => a.id === created.id));
    assert.equal((await collect(client.actors().list())).length, 1);

    const versions = actor.versions();
    await versions.create({ versionNumber: '0.2', sourceType: 'SOURCE_FILES', sourceFiles: files('echo two') });
    assert.equal((await versions.list()).total, 2);
    assert.equal((await collect(versions.list())).length, 2);
    const version = actor.version('0.2');
    assert.equal((await version.get()).sourceFiles[1].content, 'echo two');
    assert.equal((await version.update({ buildTag: 'two' })).buildTag, 'two');

    const envVars = version.envVars();
    await envVars.create({ name: 'PLAIN', value: 'p' });
    assert.equal((await envVars.create({ name: 'SECRET', value: 's', isSecret: true })).value, undefined);
    assert.equal((await envVars.list()).items.length, 2);
    assert.equal((await collect(envVars.list())).length, 2);
    const envVar = version.envVar('PLAIN');
    assert.equal((await envVar.update({ name: 'PLAIN', value: 'q' })).value, 'q');
    assert.equal((await envVar.get()).value, 'q');
    await envVar.delete();
    assert.equal(await envVar.get(), undefined);

    const build = await actor.build('0.1', { useCache: true, waitForFinish: 60 });
    assert.equal(build.status, 'SUCCEEDED');
    assert(build.finishedAt instanceof Date);
    assert.equal((await actor.defaultBuild()).id, build.id);
    assert.equal((await client.build(build.id).get({ waitForFinish: 1 })).buildNumber, '0.1.1');
    assert.equal((await client.build(build.id).waitForFinish({ waitSecs: 1 })).status, 'SUCCEEDED');
    assert.match(await client.build(build.id).log().get(), /Build finished/);
    assert.equal((await client.build(build.id).getOpenApiDefinition()).openapi, '3.1.0');
    assert.equal((await client.build(build.id).abort()).status, 'SUCCEEDED');
    assert.equal((await actor.builds().list()).items[0].id, build.id);
    assert.equal((await collect(client.builds().list({ desc: true }))).length, 1);
    const tagged = await actor.build('0.2', { tag: 'extra', waitForFinish: 60 });
    await actor.update({ taggedBuilds: { beta: { buildId: tagged.id }, extra: null } });
    assert.deepEqual(Object.keys((await actor.get()).taggedBuilds).sort(), ['beta', 'latest']);
    await assert.rejects(client.build(build.id).delete(), (e) => e.type === 'deleting-default-build' && e.statusCode === 400);
    await client.build(tagged.id).delete();

    assert.equal(await actor.validateInput({ n: 1 }, { build: 'latest' }), true);
    await assert.rejects(actor.validateInput({ n: 'one' }), (e) => e.type === 'invalid-input');
    const run = await actor.call({ n: 1 }, { memory: 256, waitSecs: 30, log: null });
    assert.equal(run.status, 'SUCCEEDED');
    const started = await actor.start({ n: 2 }, { build: '0.1.1', waitForFinish: 30 });
    assert.equal(started.buildNumber, '0.1.1');
    assert.equal((await actor.runs().list()).total, 2);
    assert.equal((await actor.lastRun({ status: 'SUCCEEDED' }).get()).id, started.id);
    assert(actor.webhooks());

    await version.delete();
    await actor.delete();
    assert.equal(await actor.get(), undefined);
    assert.deepEqual([...known].filter((name) => !called.has(name)), [], 'methods that nothing calls');
    console.log('ok');
})().catch((e) => { console.error(e); process.exit(1); });
