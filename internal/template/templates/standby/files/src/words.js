/**
 * Counts the words of a text: runs of letters and digits, upper and lower case
 * being the same.
 *
 * @param {string} text
 * @returns {{ word: string, count: number }[]} the most frequent first, equally
 *     frequent ones in alphabetical order
 */
export function countWords(text) {
    const counts = new Map();
    for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return [...counts]
        .map(([word, count]) => ({ word, count }))
        .sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
}
