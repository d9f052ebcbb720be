// Downloads the items of a dataset in every format with the official JavaScript
// client from the server at $BASE_URL.
const assert = require('node:assert/strict');
const { ApifyClient, DownloadItemsFormat } = require('apify-client');

const client = new ApifyClient({ baseUrl: process.env.BASE_URL, token: process.env.TOKEN, maxRetries: 0 });

(async () => {
    const { id } = await client.datasets().getOrCreate('js-formats');
    const dataset = client.dataset(id);
    await dataset.pushItems([
        { name: 'Paul <P>', '#debug': 1, offers: [{ n: 1 }, { n: 2 }] },
        { name: 'é;', size: { cm: { w: 1 } } },
        {},
    ]);
    const text = async (format, options) => (await dataset.downloadItems(format, options)).toString();
    const html = '<table><tr><th>name</th></tr>\n<tr><td>Paul &lt;P&gt;</td></tr>\n<tr><td>é;</td></tr></table>\n';
    const item = '<item><name>Paul &lt;P&gt;</name><offers><n>1</n></offers><offers><n>2</n></offers></item>\n';
    const wanted = {
        json: [{ fields: ['n', 'name'], unwind: 'offers', limit: 1 }, '[{"n":1,"name":"Paul <P>"},{"n":2,"name":"Paul <P>"}]'],
        jsonl: [{ omit: ['offers'], clean: true, desc: true, flatten: ['size'] }, '{"name":"é;","size.cm.w":1}\n{"name":"Paul <P>"}\n'],
        csv: [{ bom: false, delimiter: ';', fields: ['name', 'size'], skipHeaderRow: true, offset: 1 }, '"é;";1\n;\n'],
        html: [{ fields: ['name'], skipEmpty: true, bom: true }, '\ufeff' + html],
        xml: [{ xmlRoot: 'people', xmlRow: 'item', limit: 1, skipHidden: true }, '<?xml version="1.0" encoding="UTF-8"?>\n<people>\n' + item + '</people>\n'],
    };
    for (const [format, [options, want]] of Object.entries(wanted)) {
        assert.equal(await text(format, options), want, format);
    }
    const feed = await text('rss', { limit: 1, clean: true, attachment: true });
    assert(feed.includes('<title>Dataset js-formats</title>'), feed);
    assert(feed.includes(`<description>Items in dataset with id &#34;${id}&#34;.</description>`), feed);
    assert(feed.includes(item), feed);
    const book = await dataset.downloadItems('xlsx', { clean: true });
    assert.equal(book.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
    for (const format of Object.values(DownloadItemsFormat ?? {})) {
        assert((await dataset.downloadItems(format)).length > 0, format);
    }
    assert.equal((await text('csv'))[0], '\ufeff');
    const page = await dataset.listItems({ unwind: ['offers'], fields: ['n'], skipEmpty: true, limit: 2 });
    assert.deepEqual(page, { items: [{ n: 1 }, { n: 2 }], total: 3, offset: 0, count: 2, limit: 2, desc: false });
    await assert.rejects(dataset.downloadItems('yaml'));
    await assert.rejects(dataset.downloadItems('xml', { xmlRoot: 'a b' }), { type: 'invalid-value' });
    await dataset.delete();
    console.log('ok');
})().catch((error) => { console.log(error); process.exit(1); });
