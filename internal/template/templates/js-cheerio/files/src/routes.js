import { createCheerioRouter } from '@crawlee/cheerio';
import { Actor } from 'apify';

/** What to do with a page. Give requests labels to treat some pages otherwise. */
export const router = createCheerioRouter();

router.addDefaultHandler(async ({ request, $, enqueueLinks, log }) => {
    const url = request.loadedUrl ?? request.url;
    const title = $('title').first().text().trim();
    const description = $('meta[name="description"]').attr('content') ?? null;

    log.info(title, { url });
    await Actor.pushData({ url, title, description });

    // Follows the links to the same host; those seen before are left out.
    await enqueueLinks();
});
