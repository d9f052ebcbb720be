/** A word and how often it stands in a text. */
export type WordCount = {
    word: string;
    count: number;
};

/**
 * Counts the words of a text: runs of letters and digits, upper and lower case
 * being the same. The most frequent come first, equally frequent ones in
 * alphabetical order.
 */
export function countWords(text: string): WordCount[] {
    const counts = new Map<string, number>();
    for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
        counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return [...counts]
        .map(([word, count]) => ({ word, count }))
        .sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
}
