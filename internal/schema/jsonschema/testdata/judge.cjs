// Reads cases as JSON lines and writes what AJV says as JSON lines:
//   {"draft": 7 or 2019, "formats": bool, "allErrors": bool, "schema": ..., "values": [...]}
//   {"refused": "why"} or {"errors": [null or [...], ...]}
const { createRequire } = require('node:module');
const judges = createRequire(process.env.GREENROOM_TEST_JUDGES + '/');
const Ajv = { 7: judges('ajv').default, 2019: judges('ajv/dist/2019').default };
const addFormats = judges('ajv-formats').default;

const made = {};
const judge = (draft, formats, allErrors) => {
    const key = JSON.stringify([draft, formats, allErrors]);
    if (!made[key]) {
        made[key] = new Ajv[draft]({ strict: false, allErrors, logger: false, validateFormats: formats });
        if (formats) addFormats(made[key]);
    }
    return made[key].removeSchema();
};

const answer = ({ draft, formats, allErrors, schema, values }) => {
    const ajv = judge(draft, formats, allErrors);
    let validate;
    try {
        validate = ajv.compile(schema);
    } catch (err) {
        return { refused: String(err.message) };
    }
    return {
        errors: (values ?? []).map((value) => {
            try {
                return validate(value) ? null : validate.errors;
            } catch (err) {
                return [{ message: `thrown: ${err.message}` }];
            }
        }),
    };
};

let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
});
