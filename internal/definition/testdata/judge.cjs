// Judges definitions, one a line, with the platform's own validator, and answers
// one line each.
const { getActorSchemaValidator } = require('@apify/json_schemas');
const readline = require('node:readline');

const validate = getActorSchemaValidator();

readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const valid = validate(JSON.parse(line));
    const why = (validate.errors || []).map((e) => `${e.instancePath} ${e.message}`).join('; ');
    process.stdout.write(`${JSON.stringify({ valid, why })}\n`);
});
