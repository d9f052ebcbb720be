"""Run these with: python3 -m unittest discover tests."""

import unittest

from my_actor.words import count_words


class TestCountWords(unittest.TestCase):
    """What counts as a word, and in which order words come."""

    def test_most_frequent_first(self) -> None:
        self.assertEqual(count_words('One two, ONE: été!'), [('one', 2), ('two', 1), ('été', 1)])

    def test_no_words(self) -> None:
        self.assertEqual(count_words(' …! '), [])


if __name__ == '__main__':
    unittest.main()
