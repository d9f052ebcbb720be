import { createSession, PROTOCOL_VERSIONS } from './mcp.js';

/** The longest message that is taken, in bytes. */
const MAX_BYTES = 4_000_000;
const MCP_PATH = '/mcp';

/**
 * Makes the request handler of an HTTP server that speaks MCP's transport
 * "streamable HTTP" at /mcp. No call takes long here, so that every answer is
 * plain JSON: there are no event streams, and no sessions to remember.
 *
 * @see https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
 */
export function createHandler(server) {
    const answerMessage = createSession(server);

    const handle = async (request, response) => {
        // The platform asks like this whether the server is ready for requests.
        if (request.headers['x-apify-container-server-readiness-probe']) {
            send(response, 200, { ready: true });
            return;
        }
        const [pathname] = request.url.split('?');
        if (pathname !== MCP_PATH) {
            send(response, pathname === '/' ? 200 : 404, { mcp: MCP_PATH });
            return;
        }
        if (!isOwnOrigin(request)) {
            send(response, 403, { error: 'Requests of other web sites are not answered' });
            return;
        }
        if (request.method !== 'POST') {
            response.setHeader('allow', 'POST');
            send(response, 405, { error: 'Messages are sent with POST' });
            return;
        }
        const version = request.headers['mcp-protocol-version'];
        if (version && !PROTOCOL_VERSIONS.includes(version)) {
            send(response, 400, { error: `MCP-Protocol-Version must be one of ${PROTOCOL_VERSIONS.join(', ')}` });
            return;
        }
        const text = await readText(request);
        if (text === null) {
            send(response, 413, { error: `A message has ${MAX_BYTES} bytes at most` });
            return;
        }
        const { status, answer } = await answerMessage(text);
        if (answer === null) {
            response.writeHead(status).end();
        } else {
            send(response, status, answer);
        }
    };
    return (request, response) => {
        // Clients that go away while they send must not end the server.
        handle(request, response).catch((error) => {
            console.error(error);
            response.destroy();
        });
    };
}

/** Whether no web page of somewhere else has made a browser send this. */
function isOwnOrigin({ headers: { origin, host } }) {
    return !origin || (URL.canParse(origin) && new URL(origin).host === host);
}

function send(response, status, body) {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
}

/** The request's body, or null when it is too long. */
async function readText(request) {
    const chunks = [];
    let bytes = 0;
    for await (const chunk of request) {
        bytes += chunk.length;
        // The rest is read and dropped: who still sends does not see an answer.
        if (bytes <= MAX_BYTES) chunks.push(chunk);
    }
    if (bytes > MAX_BYTES) return null;
    return Buffer.concat(chunks).toString('utf8');
}
