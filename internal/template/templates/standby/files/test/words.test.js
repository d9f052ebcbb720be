import assert from 'node:assert/strict';
import { test } from 'node:test';

import { countWords } from '../src/words.js';

test('the most frequent words come first', () => {
    assert.deepEqual(countWords('One two, ONE: été!'), [
        { word: 'one', count: 2 },
        { word: 'two', count: 1 },
        { word: 'été', count: 1 },
    ]);
});

test('a text without words has none', () => {
    assert.deepEqual(countWords(' …! '), []);
});
