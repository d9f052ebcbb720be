// Fills templates with the platform's own library: JSON lines in, JSON lines out,
// in the same order. An answer is the JSON that is sent, "undefined" for none, or
// begins with "!" for a template that is refused.
const { WebhookPayloadTemplate } = require('@apify/utilities');
const lines = require('node:fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
const answers = lines.map((line) => {
    const { template, interpolate, variables } = JSON.parse(line);
    try {
        return String(JSON.stringify(WebhookPayloadTemplate.parse(
            template, new Set(Object.keys(variables)), variables, { interpolateStrings: interpolate },
        )));
    } catch (error) {
        if (error.constructor.name === 'InvalidVariableError') return '! variable';
        return error.constructor.name === 'InvalidJsonError' ? '! JSON' : `! ${error}`;
    }
});
process.stdout.write(answers.map((a) => JSON.stringify(a)).join('\n'));
