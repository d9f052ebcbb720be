#!/usr/bin/env node
const { program, Option } = require('commander');

program
    .name('slugs')
    .description('Makes slugs of titles')
    .version('2.1.0')
    .argument('<titles...>', 'the titles to make slugs of')
    .option('-s, --separator <text>', 'what stands between words', '-')
    .option('-m, --max-length <n>', 'cut slugs after this many characters', (n) => Number(n), 80)
    .option('-n, --numbered', 'put a number before each slug')
    .addOption(new Option('--case <case>', 'upper or lower case').choices(['lower', 'upper']).default('lower'))
    .option('-p, --prefix <prefix...>', 'words to put before each slug');

program.parse();

const options = program.opts();
const slugs = program.args.map((title, index) => {
    const words = [...(options.prefix ?? []), ...title.split(/[^\p{L}\p{N}]+/u)].filter(Boolean);
    let slug = words.join(options.separator).slice(0, options.maxLength);
    slug = options.case === 'upper' ? slug.toUpperCase() : slug.toLowerCase();
    return { title, slug: options.numbered ? `${index + 1}${options.separator}${slug}` : slug };
});
console.log(JSON.stringify(slugs, null, 2));
