"""Categories found by everyday words, as residents type them; `static/complaint.js` finds the same on the phone."""

import re
import unicodedata
from typing import Final

from survey_app.complaints.categories import Categories, Category, Group

MOST_FOUND: Final = 6
_SHORTEST_LATIN: Final = 3
_BETWEEN_WORDS: Final = re.compile(r"[\s,，、。;；/]+")


def find_categories(categories: Categories, typed: str) -> tuple[tuple[Group, Category], ...]:
    """Return the categories whose words fit best what was typed, with their groups, the best first.

    A typed word fits a known one that holds it, or, since 小区乱停车 is one word, that it holds; so many characters as
    they share count. At equal counts the shorter known word is closer, and then the order of the file decides.
    """
    words = [word for word in _BETWEEN_WORDS.split(_plain(typed)) if word]
    scored = [
        (*_fit(words, words_of(group, category)), group, category)
        for group in categories.groups
        for category in group.categories
    ]
    fitting = sorted((each for each in scored if each[0] < 0), key=lambda each: each[:2])
    return tuple((group, category) for _shared, _length, group, category in fitting[:MOST_FOUND])


def words_of(group: Group, category: Category) -> tuple[str, ...]:
    """Return all words that a category is found by: its names, those of its group, and the everyday ones."""
    names = (*category.name.data.values(), *group.name.data.values())
    return tuple(_plain(word) for word in (*names, *category.search))


def _fit(typed: list[str], known: tuple[str, ...]) -> tuple[int, int]:
    """Return how many characters are shared, negative, and how long the known words are: the smaller the better."""
    best = [min((-_shared(word, other), len(other)) for other in known) for word in typed]
    return sum(shared for shared, _length in best), sum(length for shared, length in best if shared)


def _shared(word: str, known: str) -> int:
    if word.isascii():
        if len(word) < _SHORTEST_LATIN:
            return 0
        if f" {word}" in f" {known}":
            return len(word)
        return len(known) if len(known) >= _SHORTEST_LATIN and word.startswith(known) else 0
    if word in known:
        return len(word)
    return len(known) if len(known) > 1 and known in word else 0


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
