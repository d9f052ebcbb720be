import { createCheerioRouter } from '@crawlee/cheerio';
import { Actor } from 'apify';

/** An item of the dataset, as .actor/dataset_schema.json describes it. */
type Page = {
    url: string;
    title: string;
    description: string | null;
};

/** What to do with a page. Give requests labels to treat some pages otherwise. */
export const router = createCheerioRouter();

router.addDefaultHandler(async ({ request, $, enqueueLinks, log }) => {
    const page: Page = {
        url: request.loadedUrl ?? request.url,
        title: $('title').first().text().trim(),
        description: $('meta[name="description"]').attr('content') ?? null,
    };

    log.info(page.title, { url: page.url });
    await Actor.pushData(page);

    // Follows the links to the same host; those seen before are left out.
    await enqueueLinks();
});
