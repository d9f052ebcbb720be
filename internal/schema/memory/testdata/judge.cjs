// Calculates memory with the platform's own evaluator: JSON lines in, JSON lines
// out, in the same order.
const { calculateRunDynamicMemory } = require('@apify/actor-memory-expression');
const lines = require('node:fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
(async () => {
    const answers = [];
    for (const line of lines) {
        const { expression, input, options } = JSON.parse(line);
        try {
            answers.push(String(await calculateRunDynamicMemory(expression, { input, runOptions: options })));
        } catch (error) {
            answers.push('! ' + error.message);
        }
    }
    process.stdout.write(answers.map((a) => JSON.stringify(a)).join('\n'));
})();
