// Judges input schemas and inputs with the platform's own library, and encrypts
// and decrypts with it: JSON lines in, JSON lines out, in the same order.
const crypto = require('node:crypto');
const path = require('node:path');
const readline = require('node:readline');
const { createRequire } = require('node:module');

const load = createRequire(path.join(process.env.GREENROOM_TEST_JUDGES, 'judge.cjs'));
const { validateInputSchema, validateInputUsingValidator } = load('@apify/input_schema');
const secrets = load('@apify/input_secrets');
const Ajv = load('ajv/dist/2019').default;

const options = { strict: false, unicodeRegExp: false, logger: false };

// The library compiles the parts of its schema anew for every field. They are
// told apart by their titles, so each needs to be compiled but once.
const ajv = new Ajv(options);
const compiled = new Map();
const validator = {
    errors: null,
    getSchema: (id) => ajv.getSchema(id),
    validate(schema, value) {
        const key = `${schema.title} ${schema.$id}`;
        if (!compiled.has(key)) compiled.set(key, ajv.compile(schema));
        const valid = compiled.get(key)(value);
        this.errors = compiled.get(key).errors;
        return valid;
    },
};

// Inputs are judged in full: every error is listed.
const inputs = new Ajv({ ...options, allErrors: true });

const read = ({ privateKey, passphrase }) => ({ key: privateKey, passphrase });

const judges = {
    schema({ schema }) {
        try {
            validateInputSchema(validator, schema);
        } catch (error) {
            return { message: error.message, crash: error.constructor !== Error };
        }
        // The name of another schema language is something to look up, for Ajv.
        delete schema.$schema;
        try {
            inputs.compile(schema);
        } catch (error) {
            return { message: null, useless: error.message };
        } finally {
            inputs.removeSchema(schema);
        }
        return { message: null };
    },
    input({ schema, input }) {
        // As the platform does before it asks the library.
        for (const name of schema.required ?? []) {
            const field = schema.properties[name];
            if (field.type === 'array' && field.default === undefined && field.minItems === undefined) field.minItems = 1;
        }
        try {
            return { errors: validateInputUsingValidator(inputs.compile(schema), schema, input) };
        } catch (error) {
            return { crash: error.message };
        } finally {
            inputs.removeSchema(schema);
        }
    },
    encrypt({ schema, input, ...key }) {
        const publicKey = crypto.createPublicKey(read(key));
        return { input: secrets.encryptInputSecrets({ inputSchema: schema, input, publicKey }) };
    },
    decrypt({ input, ...key }) {
        return { input: secrets.decryptInputSecrets({ input, privateKey: crypto.createPrivateKey(read(key)) }) };
    },
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const request = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(judges[request.do](request))}\n`);
});
