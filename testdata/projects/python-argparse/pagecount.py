#!/usr/bin/env python3
"""Counts how often words stand in texts."""

import argparse
import json
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description="Counts how often words stand in texts.")
    parser.add_argument("texts", nargs="+", help="the texts to look at")
    parser.add_argument("-w", "--word", action="append", required=True, help="a word to count; may be given multiple times")
    parser.add_argument("--at-least", type=int, default=1, metavar="N", help="leave out words that are rarer (default: %(default)s)")
    parser.add_argument("--weight", type=float, default=0.5, help="what each occurrence counts")
    parser.add_argument("--case", choices=["keep", "lower", "upper"], default="lower", help="how words are compared")
    parser.add_argument("--stop-words", type=argparse.FileType("r"), metavar="FILE", help="words to pass over, one a line")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is done")
    args = parser.parse_args()

    stop = set(args.stop_words.read().split()) if args.stop_words else set()
    change = {"keep": str, "lower": str.lower, "upper": str.upper}[args.case]
    for number, text in enumerate(args.texts, 1):
        if args.verbose:
            print(f"looking at text {number}", file=sys.stderr)
        words = [change(word) for word in text.split() if word not in stop]
        for word in args.word:
            count = words.count(change(word))
            if count >= args.at_least:
                print(json.dumps({"text": number, "word": word, "count": count, "score": count * args.weight}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
