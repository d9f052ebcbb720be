import { Actor, log } from 'apify';

import { createServer } from './server.js';

await Actor.init();

// The input is that of the run, not of a request: every request of this run
// sees the same.
const { limit = 10 } = (await Actor.getInput()) ?? {};

const server = createServer({
    limit,
    // Called with what was counted, once for each request.
    async onCounted(counted) {
        await Actor.pushData(counted);
    },
});

// The platform sends requests to the port that it names here, and the run lasts
// until it is aborted: the SDK then ends the process.
const port = Number(process.env.ACTOR_WEB_SERVER_PORT ?? 4321);
server.listen(port, async () => {
    const url = process.env.ACTOR_WEB_SERVER_URL ?? `http://localhost:${port}`;
    log.info(`Listening at ${url}`);
    await Actor.setStatusMessage(`Listening at ${url}`);
});
