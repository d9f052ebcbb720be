import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createSession } from '../src/mcp.js';
import { tools } from '../src/tools.js';

const answerMessage = createSession({ name: 'test', version: '1', tools });
const call = async (method, params) =>
    (await answerMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).answer;

test('clients can find and call the tools', async () => {
    const { result } = await call('initialize', { protocolVersion: '2025-03-26' });
    assert.equal(result.protocolVersion, '2025-03-26');
    assert.deepEqual(
        (await call('tools/list')).result.tools.map(({ name }) => name),
        ['count_words', 'make_slug'],
    );
    const slug = await call('tools/call', { name: 'make_slug', arguments: { title: 'Crème brûlée!' } });
    assert.deepEqual(slug.result.structuredContent, { slug: 'creme-brulee' });
});

test('what goes wrong in a tool is told to the agent', async () => {
    const { result } = await call('tools/call', { name: 'make_slug', arguments: {} });
    assert.equal(result.isError, true);
    assert.equal(result.content[0].text, 'title must be a string');
});

test('what is no request is refused', async () => {
    assert.equal((await call('tools/call', { name: 'nothing' })).error.code, -32602);
    assert.equal((await call('constructor')).error.code, -32601);
    assert.equal((await answerMessage('{')).answer.error.code, -32700);
    assert.equal((await answerMessage('[]')).status, 400);
    assert.deepEqual(await answerMessage('{"jsonrpc": "2.0", "method": "notifications/initialized"}'), {
        status: 202,
        answer: null,
    });
});
