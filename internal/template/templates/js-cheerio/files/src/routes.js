import { createCheerioRouter } from '@crawlee/cheerio';
import { Actor } from 'apify';

let pages = 0;

/** How many pages were visited so far. */
export const visited = () => pages;

/** What to do with a page. Give requests labels to treat some pages otherwise. */
export const router = createCheerioRouter();

router.addDefaultHandler(async ({ request, $, enqueueLinks, log }) => {
    const url = request.loadedUrl ?? request.url;
    const title = $('title').first().text().trim();
    const description = $('meta[name="description"]').attr('content') ?? null;

    log.info(title, { url });
    await Actor.pushData({ url, title, description });
    pages += 1;

    // Follows the links to the same host; those seen before are left out.
    await enqueueLinks();
});
