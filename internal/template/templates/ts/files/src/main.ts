import { Actor, log } from 'apify';

import { countWords } from './words.js';

/** What .actor/input_schema.json describes. */
interface Input {
    text: string;
    limit: number;
}

await Actor.init();

// Fields that the input leaves out have the defaults of the schema.
const input = await Actor.getInput<Input>();
if (!input) {
    throw new Error('There is no input; "apify run" makes one from .actor/input_schema.json.');
}

const counts = countWords(input.text);
const words = counts.reduce((sum, { count }) => sum + count, 0);
log.info('Counted the words', { words, different: counts.length });

// Items of the dataset are the results: a table that everybody can download.
await Actor.pushData(counts.slice(0, input.limit));
// The key-value store keeps anything else, under names of your choice.
await Actor.setValue('OUTPUT', { words, different: counts.length });

await Actor.exit(`Counted ${words} words, ${counts.length} of them different`);
