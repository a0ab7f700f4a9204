"""Words of a caption, with their characters: what a person marks, and the unit of agreement.

    words("Three dogs, 3.5 m.")  # Three · dogs · 3.5 · m

Punctuation around a word is not part of it; an apostrophe, hyphen, point or comma inside is. Chinese and
Japanese characters are words of their own, because no spaces tell where theirs end.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

_JOINERS = frozenset("'’-‐‑.,:/@")
_OWN_WORD = ((0x2E80, 0x2FDF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


class Word(NamedTuple):
    """Characters ``start`` to ``end`` of a text, 0-based, the end excluded."""

    start: int
    end: int


def words(text: str) -> list[Word]:
    """Words of a text in order; symbols and emoji count as words.

    Args:
        text: any text.

    Returns:
        Words, apart from each other, each at least one character long.
    """
    found: list[Word] = []
    start: int | None = None
    for at, character in enumerate(text):
        if _stands_alone(character):
            if start is not None:
                found.append(Word(start, at))
                start = None
            found.append(Word(at, at + 1))
        elif _in_word(character) or (start is not None and _joins(text, at)):
            start = at if start is None else start
        elif start is not None:
            found.append(Word(start, at))
            start = None
    if start is not None:
        found.append(Word(start, len(text)))
    return found


def touched(found: Iterable[Word], start: int, end: int) -> range:
    """Indices of the words that share a character with ``start`` to ``end``."""
    hit = [index for index, word in enumerate(found) if word.start < end and word.end > start]
    return range(hit[0], hit[-1] + 1) if hit else range(0)


def _in_word(character: str) -> bool:
    category = unicodedata.category(character)
    # Marks belong to the letter before them, format characters (Cf) join emoji.
    return category[0] in "LNMS" or category in ("Pc", "Cf")


def _joins(text: str, at: int) -> bool:
    after = text[at + 1 : at + 2]
    return text[at] in _JOINERS and bool(after) and _in_word(after) and not _stands_alone(after)


def _stands_alone(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in _OWN_WORD)
