"""Which words of a text were changed in its correction, for data that comes as pairs of texts.

Labels from an edit are exact; these are a guess, and the fallback where nobody noted the edit. Words are
compared by a longest common subsequence, in time and memory of the product of the two lengths, whatever the
texts are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from modgap._errors import InputError

from ._example import TypedSpan

MOST_WORDS = 3000
"""Longest text that is compared, in words (our choice: 18 MB)."""

WORD = re.compile(r"\w+|[^\w\s]")
"""A word, or a sign of its own."""


def diff_spans(
    text: str, correction: str, type_: str, *, min_match: int = 1, omissions: bool = True
) -> tuple[TypedSpan, ...]:
    """The words of a text that its correction does not have.

    Args:
        text: with errors.
        correction: the same without.
        type_: of the spans.
        min_match: fewest words in a row that count as unchanged between two changes; fewer become part of one
            change. 1 keeps all.
        omissions: whether words that only the correction has are marked, by an empty span.

    Returns:
        Spans in ``text``; ``truth`` is what the correction says there.

    Raises:
        InputError: if a text has more than ``MOST_WORDS`` words, or ``min_match`` is below 1.
    """
    if min_match < 1:
        raise InputError(f"min_match {min_match} is not accepted; give 1 or more")
    old, new = list(WORD.finditer(text)), list(WORD.finditer(correction))
    if max(len(old), len(new)) > MOST_WORDS:
        raise InputError(
            f"a text of {max(len(old), len(new)):,} words is too long to compare; give up to {MOST_WORDS:,}"
        )
    found = []
    for i, j, k, m in _changes([word[0] for word in old], [word[0] for word in new], min_match):
        truth = correction[new[k].start() : new[m - 1].end()] if k < m else ""
        if i < j:
            found.append(TypedSpan(old[i].start(), old[j - 1].end(), type_, 1.0, truth))
        elif omissions:
            at = old[i].start() if i < len(old) else len(text)
            found.append(TypedSpan(at, at, type_, 1.0, truth))
    return tuple(found)


def _changes(old: list[str], new: list[str], min_match: int) -> Iterator[tuple[int, int, int, int]]:
    """Where two lists differ: start and end in the old, start and end in the new."""
    matches = _blocks(old, new)
    inner = [block for block in matches if block[2] >= min_match or _is_at_end(block, old, new)]
    i = k = 0
    for start, other, length in [*inner, (len(old), len(new), 0)]:
        if i < start or k < other:
            yield i, start, k, other
        i, k = start + length, other + length


def _is_at_end(block: tuple[int, int, int], old: list[str], new: list[str]) -> bool:
    """Whether an unchanged block has a change on one side only."""
    start, other, length = block
    return (start, other) == (0, 0) or (start + length, other + length) == (len(old), len(new))


def _blocks(old: list[str], new: list[str]) -> list[tuple[int, int, int]]:
    """Runs of a longest common subsequence: start in the old, start in the new, length."""
    table = _lengths(old, new)
    blocks: list[tuple[int, int, int]] = []
    i = k = 0
    while i < len(old) and k < len(new):
        if old[i] == new[k] and table[i, k] == table[i + 1, k + 1] + 1:
            if blocks and blocks[-1][0] + blocks[-1][2] == i and blocks[-1][1] + blocks[-1][2] == k:
                blocks[-1] = (*blocks[-1][:2], blocks[-1][2] + 1)
            else:
                blocks.append((i, k, 1))
            i, k = i + 1, k + 1
        elif table[i + 1, k] >= table[i, k + 1]:
            i += 1
        else:
            k += 1
    return blocks


def _lengths(old: list[str], new: list[str]) -> Any:
    """Length of the longest common subsequence of what follows, (words of old + 1, words of new + 1)."""
    codes = {word: number for number, word in enumerate(dict.fromkeys((*old, *new)))}
    b = np.array([codes[word] for word in new], dtype=np.int32)
    table = np.zeros((len(old) + 1, len(new) + 1), dtype=np.int16)
    for i in range(len(old) - 1, -1, -1):
        best = np.maximum(table[i + 1, :-1], table[i + 1, 1:] + (b == codes[old[i]]))
        table[i, :-1] = np.maximum.accumulate(best[::-1])[::-1]
    return table
