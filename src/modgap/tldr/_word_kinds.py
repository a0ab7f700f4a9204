"""What kind of error a wrong word would be, and what could stand in its place: a list of words, no model.

    kind_of("Two red cats.", 4, 7)          # "attribute"
    alternatives("Two red cats.", 4, 7)     # ["orange", "yellow", ...]

Kinds are those of ``perturb/``. Words of one row exclude each other, so that a wrong one suggests the others.
A binding error is an attribute of another object, and looks like an attribute error.
"""

from __future__ import annotations

from modgap.scenes import BACKGROUND_SHAPES, COLORS, FILLS, SHAPES, SIZES
from modgap.scenes._phrases import NUMBERS, plural

_COLORS = tuple(dict.fromkeys((*COLORS, "pink", "brown", "gray", "white")))
ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("counting", tuple(NUMBERS[1:])),
    ("attribute", _COLORS),
    ("attribute", (*SIZES, "tiny", "huge")),
    ("attribute", (*FILLS, "dotted", "checkered")),
    ("attribute", ("wooden", "metal", "glass", "plastic", "stone", "leather", "paper")),
    ("object", SHAPES),
    ("small", BACKGROUND_SHAPES),
    ("object", ("dog", "cat", "horse", "cow", "sheep", "bird")),
    ("object", ("man", "woman", "boy", "girl")),
    ("object", ("car", "bus", "truck", "train", "bicycle", "motorcycle")),
    ("spatial", ("left", "right")),
    ("spatial", ("above", "below")),
    ("spatial", ("top", "center", "bottom")),
    ("spatial", ("over", "under")),
    ("spatial", ("nearer", "farther")),
    ("spatial", ("nearest", "farthest")),
    ("spatial", ("inside", "outside")),
)
"""Kind, and words that exclude each other."""

_NEGATIONS = frozenset({"no", "not", "none", "nothing", "never", "without", "nobody"})
_SILENT = frozenset(
    (
        "a",
        "an",
        "the",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "there",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "of",
        "to",
        "in",
        "on",
        "at",
        "and",
        "or",
        "with",
        "for",
        "as",
        "by",
        "from",
        "picture",
        "image",
        "photo",
        "shows",
        "show",
        "has",
        "have",
    )
)
_QUOTES = {'"': '"', "“": "”", "«": "»"}
_BY_WORD = {word: (kind, row) for kind, row in reversed(ROWS) for word in row}


def kind_of(text: str, start: int, end: int) -> str:
    """The kind of error that a span would be: that of its first word of a known kind, else ``object``.

    Args:
        text: the caption.
        start, end: characters of the span, the end excluded.

    Returns:
        One of ``counting``, ``attribute``, ``object``, ``small``, ``spatial``, ``text``, ``counterfactual``;
        empty if there are only words without content, such as "the".
    """
    if _is_quoted(text, start):
        return "text"
    said = text[start:end].lower().split()
    for word in said:
        if word in _NEGATIONS or word.endswith("n't"):
            return "counterfactual"
        if word.isdigit():
            return "counting"
        if found := _BY_WORD.get(_singular(word)[0]):
            return found[0]
    return "object" if any(word not in _SILENT for word in said) else ""


def alternatives(text: str, start: int, end: int) -> list[str]:
    """Words that could stand in place of one, in its case and number; none if its row is not known."""
    word = text[start:end]
    one, is_plural = _singular(word.lower())
    if one not in _BY_WORD or _is_quoted(text, start):
        return []
    others = [plural(other) if is_plural else other for other in _BY_WORD[one][1] if other != one]
    return [other.capitalize() if word[0].isupper() else other for other in others]


def _singular(word: str) -> tuple[str, bool]:
    """A word of a row, and whether it was its plural; the word itself if it is in none."""
    for ending in ("", "s", "es"):
        stem = word.removesuffix(ending)
        if word.endswith(ending) and stem in _BY_WORD:
            return stem, bool(ending)
    return word, False


def _is_quoted(text: str, start: int) -> bool:
    before = text[:start]
    return any(
        before.count(opening) % 2 == 1
        if opening == closing
        else before.rfind(opening) > before.rfind(closing)
        for opening, closing in _QUOTES.items()
    )
