/** The versions of the protocol that are spoken, the preferred one first. */
export const PROTOCOL_VERSIONS = ['2025-06-18', '2025-03-26'];

// JSON-RPC's codes.
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

/** An error that is answered with a code of JSON-RPC. */
class RpcError extends Error {
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}

/**
 * Makes a function that answers MCP messages: requests of the JSON-RPC protocol.
 *
 * @param {object} server
 * @param {string} server.name
 * @param {string} server.version
 * @param {import('./tools.js').Tool[]} server.tools
 * @returns {(text: string) => Promise<{ status: number, answer: object | null }>}
 *     an HTTP status, and the answer, null for messages that get none
 */
export function createSession({ name, version, tools }) {
    const methods = {
        initialize: ({ protocolVersion }) => ({
            protocolVersion: PROTOCOL_VERSIONS.includes(protocolVersion) ? protocolVersion : PROTOCOL_VERSIONS[0],
            capabilities: { tools: {} },
            serverInfo: { name, version },
        }),
        ping: () => ({}),
        'tools/list': () => ({ tools: tools.map(({ call, ...description }) => description) }),
        'tools/call': ({ name: wanted, arguments: args = {} }) => {
            const tool = tools.find((candidate) => candidate.name === wanted);
            if (!tool) throw new RpcError(INVALID_PARAMS, `There is no tool ${wanted}`);
            return callTool(tool, args);
        },
    };

    return async (text) => {
        let message;
        try {
            message = JSON.parse(text);
        } catch {
            return failure(400, null, PARSE_ERROR, 'The message is no JSON');
        }
        if (message?.jsonrpc !== '2.0' || (message.method !== undefined && typeof message.method !== 'string')) {
            return failure(400, null, INVALID_REQUEST, 'The message is no JSON-RPC 2.0');
        }
        // Notifications, and answers to requests: nothing is to be said.
        if (message.id === undefined || message.method === undefined) {
            return { status: 202, answer: null };
        }
        if (!Object.hasOwn(methods, message.method)) {
            return failure(200, message.id, METHOD_NOT_FOUND, `There is no method ${message.method}`);
        }
        try {
            const result = await methods[message.method](message.params ?? {});
            return { status: 200, answer: { jsonrpc: '2.0', id: message.id, result } };
        } catch (error) {
            if (error instanceof RpcError) return failure(200, message.id, error.code, error.message);
            console.error(error);
            return failure(200, message.id, INTERNAL_ERROR, 'The server failed; its log says why');
        }
    };
}

/** Calls a tool. What it throws is told to the agent, which can try otherwise. */
async function callTool(tool, args) {
    try {
        const result = await tool.call(args);
        return { content: [{ type: 'text', text: JSON.stringify(result) }], structuredContent: result };
    } catch (error) {
        return { content: [{ type: 'text', text: error.message }], isError: true };
    }
}

function failure(status, id, code, message) {
    return { status, answer: { jsonrpc: '2.0', id, error: { code, message } } };
}
