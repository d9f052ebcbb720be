import http from 'node:http';

import { createHandler } from './http.js';
import { tools } from './tools.js';

// The platform sends requests to the port that it names here.
const port = Number(process.env.ACTOR_WEB_SERVER_PORT ?? 4321);
const url = process.env.ACTOR_WEB_SERVER_URL ?? `http://localhost:${port}`;

const server = http.createServer(createHandler({ name: 'my-actor', version: '0.1.0', tools }));
server.listen(port, () => console.log(`MCP server at ${url}/mcp`));

// The run lasts until it is aborted: answer what has begun, and end.
for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
        server.close(() => process.exit(0));
        server.closeIdleConnections();
    });
}
