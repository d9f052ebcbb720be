"""The work itself, without anything about Actors, so that it is easy to test."""

import re
from collections import Counter


def count_words(text: str) -> list[tuple[str, int]]:
    """Count the words of a text: runs of letters and digits, case ignored.

    The most frequent come first, equally frequent ones in alphabetical order.
    """
    counts = Counter(re.findall(r'[^\W_]+', text.lower()))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
