import { countWords } from './words.js';

/**
 * @typedef {object} Tool what agents can call
 * @property {string} name
 * @property {string} title
 * @property {string} description what agents choose by: say what it is good for
 * @property {object} inputSchema JSON schema of the arguments
 * @property {object} outputSchema JSON schema of the result
 * @property {object} annotations hints, such as that a tool changes nothing
 * @property {(args: object) => object | Promise<object>} call what it throws is told to the agent
 */

/** @type {Tool[]} */
export const tools = [
    {
        name: 'count_words',
        title: 'Count words',
        description: 'Counts the words of a text and tells which are the most frequent.',
        inputSchema: {
            type: 'object',
            properties: {
                text: { type: 'string', description: 'The text' },
                limit: { type: 'integer', minimum: 1, description: 'How many words to report at most (10)' },
            },
            required: ['text'],
        },
        outputSchema: {
            type: 'object',
            properties: {
                words: { type: 'integer' },
                different: { type: 'integer' },
                top: {
                    type: 'array',
                    items: {
                        type: 'object',
                        properties: { word: { type: 'string' }, count: { type: 'integer' } },
                        required: ['word', 'count'],
                    },
                },
            },
            required: ['words', 'different', 'top'],
        },
        annotations: { readOnlyHint: true },
        call({ text, limit = 10 }) {
            if (typeof text !== 'string') throw new Error('text must be a string');
            if (!Number.isInteger(limit) || limit < 1) throw new Error('limit must be a positive integer');
            const counts = countWords(text);
            const words = counts.reduce((sum, { count }) => sum + count, 0);
            return { words, different: counts.length, top: counts.slice(0, limit) };
        },
    },
    {
        name: 'make_slug',
        title: 'Make a slug',
        description: 'Makes of a title what can be part of an address: "Crème brûlée!" becomes "creme-brulee".',
        inputSchema: {
            type: 'object',
            properties: { title: { type: 'string', description: 'The title' } },
            required: ['title'],
        },
        outputSchema: {
            type: 'object',
            properties: { slug: { type: 'string' } },
            required: ['slug'],
        },
        annotations: { readOnlyHint: true },
        call({ title }) {
            if (typeof title !== 'string') throw new Error('title must be a string');
            const plain = title.normalize('NFD').replace(/\p{M}+/gu, '').toLowerCase();
            const slug = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
            if (slug === '') throw new Error('the title has no letters or digits to make a slug of');
            return { slug };
        },
    },
];
