import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createServer } from '../src/server.js';

test('the server counts words', async (t) => {
    const counted = [];
    const server = createServer({ limit: 1, onCounted: async (item) => counted.push(item) });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const base = `http://127.0.0.1:${server.address().port}`;

    const answer = await fetch(`${base}/words`, { method: 'POST', body: 'one two one' });
    assert.deepEqual(await answer.json(), { words: 3, different: 2, top: [{ word: 'one', count: 2 }] });
    assert.deepEqual(counted, [{ words: 3, different: 2 }]);

    assert.equal((await fetch(`${base}/words?limit=0`, { method: 'POST', body: 'one' })).status, 400);
    assert.equal((await fetch(`${base}/words`, { method: 'POST', body: ' '.repeat(1_000_001) })).status, 413);
    assert.equal((await fetch(`${base}/nowhere`)).status, 404);
    assert.equal((await fetch(`${base}/`)).status, 200);
});
