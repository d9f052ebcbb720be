import http from 'node:http';

import { countWords } from './words.js';

/** The longest text that is taken, in bytes. */
const MAX_BYTES = 1_000_000;
const MAX_LIMIT = 1000;

/** An error that is the client's: it is answered with a status and a message. */
class RequestError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

/**
 * Makes the web server; .actor/web_server_schema.json describes what it answers.
 *
 * @param {object} options
 * @param {number} options.limit how many words to report when a request does not say it
 * @param {(counted: { words: number, different: number }) => Promise<void>} options.onCounted
 */
export function createServer({ limit, onCounted }) {
    const routes = {
        'GET /': async () => ({
            title: 'Word counting API',
            usage: 'POST a text to /words, with ?limit= for how many words to report',
        }),
        'POST /words': async (request, url) => {
            const most = url.searchParams.has('limit') ? parseLimit(url.searchParams.get('limit')) : limit;
            const counts = countWords(await readText(request));
            const words = counts.reduce((sum, { count }) => sum + count, 0);
            await onCounted({ words, different: counts.length });
            return { words, different: counts.length, top: counts.slice(0, most) };
        },
    };

    return http.createServer(async (request, response) => {
        // The platform asks like this whether the server is ready for requests.
        if (request.headers['x-apify-container-server-readiness-probe']) {
            answer(response, 200, { ready: true });
            return;
        }
        try {
            const url = new URL(`http://localhost${request.url}`);
            const route = routes[`${request.method} ${url.pathname}`];
            if (!route) {
                throw new RequestError(404, `There is nothing at ${request.method} ${url.pathname}`);
            }
            answer(response, 200, await route(request, url));
        } catch (error) {
            if (error instanceof RequestError) {
                answer(response, error.status, { error: error.message });
                return;
            }
            console.error(error);
            answer(response, 500, { error: 'The server failed; its log says why' });
        }
    });
}

function answer(response, status, body) {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(`${JSON.stringify(body)}\n`);
}

function parseLimit(text) {
    const limit = Number(text);
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
        throw new RequestError(400, `limit must be a number between 1 and ${MAX_LIMIT}`);
    }
    return limit;
}

async function readText(request) {
    const chunks = [];
    let bytes = 0;
    for await (const chunk of request) {
        bytes += chunk.length;
        // The rest is read and dropped: who still sends does not see an answer.
        if (bytes <= MAX_BYTES) chunks.push(chunk);
    }
    if (bytes > MAX_BYTES) {
        throw new RequestError(413, `The text has more than ${MAX_BYTES} bytes`);
    }
    return Buffer.concat(chunks).toString('utf8');
}
