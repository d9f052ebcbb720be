// Reads OpenAPI documents, one a line, and answers each with a text: an empty
// one when the official schemas accept it, else what is wrong with it.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { Validator } = await import(pathToFileURL(`${process.argv[2]}/@seriousme/openapi-schema-validator/index.js`));
const validator = new Validator();
for await (const line of createInterface({ input: process.stdin })) {
    let answer = '';
    try {
        const result = await validator.validate(JSON.parse(line));
        if (!result.valid) {
            answer = typeof result.errors === 'string' ? result.errors
                : result.errors.map((e) => `${e.instancePath} ${e.schemaPath} ${e.message} ${JSON.stringify(e.params)}`).join('; ');
        }
    } catch (e) {
        answer = `thrown: ${e.message}`;
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
