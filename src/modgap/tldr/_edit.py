"""An edit of a caption: which words become which, and the check that this made them false.

A generator says what to replace, on the characters of the caption; :func:`apply_edit` writes the new caption
and returns the spans of the new words in it and of the old words in the caption. Labels come from the edit,
never from a comparison of texts. Words that only agree with an edited word weigh nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from modgap._errors import InputError
from modgap.scenes import Caption, Fact, Reading, ReadWord, Scene, Span, count_matching, read_caption
from modgap.scenes._draws import Draws
from modgap.scenes._facts import FactKind

from ._example import AGREEMENT, TypedSpan

_NAME_KINDS = ("size", "fill", "color", "shape")
_ARTICLE = re.compile(r"\b(an?) $", re.IGNORECASE)


class Piece(NamedTuple):
    """Characters ``start`` to ``end`` of a caption become ``new``; a piece of ``weight`` 0 only agrees."""

    start: int
    end: int
    new: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of what a caption says.

    Args:
        pieces: what is replaced, in order and apart from each other, on the characters of the caption.
        facts: what the new words state; indices are of the scene of the caption.
    """

    pieces: tuple[Piece, ...]
    facts: tuple[Fact, ...]


def subject_of(fact: Fact) -> int:
    """The object that a fact is about.

    Raises:
        InputError: if it is about none.
    """
    if fact.subject is None:
        raise InputError(f"fact {fact} is about no object; give one with a subject")
    return fact.subject


class Perturbation(Protocol):
    """What a file in ``perturb/`` defines."""

    __doc__: str | None
    KINDS: frozenset[FactKind]
    """Kinds of facts that its words may state; anything else is a leak from another type."""

    def edit(self, caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
        """A change of a true caption that should make the new words false, or ``None`` if there is none."""

    def twin(self, scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
        """A scene in which the new words are true and the old ones false; objects keep their indices."""


def apply_edit(text: str, edit: Edit, type_: str) -> tuple[str, tuple[TypedSpan, ...], tuple[TypedSpan, ...]]:
    """Carry an edit out.

    Args:
        text: the caption.
        edit: what to replace in it.
        type_: of the edit.

    Returns:
        The edited caption; the new words in it; the old words in ``text``. Each span has in ``truth`` what
        stands in the other caption.
    """
    written = ""
    done = 0
    new: list[TypedSpan] = []
    old: list[TypedSpan] = []
    for piece in edit.pieces:
        kind = type_ if piece.weight > 0 else AGREEMENT
        written += text[done : piece.start]
        was = text[piece.start : piece.end]
        new.append(TypedSpan(len(written), len(written) + len(piece.new), kind, piece.weight, was))
        old.append(TypedSpan(piece.start, piece.end, kind, piece.weight, piece.new))
        written += piece.new
        done = piece.end
    return written + text[done:], tuple(new), tuple(old)


def is_true(reading: Reading) -> bool:
    """Whether a caption was read as a whole and all of it holds."""
    return not reading.unread and all(word.holds for word in reading.words)


def is_false_just_there(reading: Reading, spans: Sequence[TypedSpan], kinds: frozenset[FactKind]) -> bool:
    """Whether exactly the words of an edit are false.

    Args:
        reading: of the edited caption against the scene.
        spans: the new words.
        kinds: the kinds of facts that they may state.

    Returns:
        Whether the caption was read as a whole, every word in a span that counts is false and of such a
        kind, every such span has a word, and all other words hold.
    """
    if reading.unread:
        return False
    wrong = [span for span in spans if span.weight > 0]
    hit = set()
    for word in reading.words:
        inside = next((i for i, span in enumerate(wrong) if _within(word, span)), None)
        if word.holds != (inside is None):
            return False
        if inside is not None:
            if word.fact is None or word.fact.kind not in kinds:
                return False
            hit.add(inside)
    return len(hit) == len(wrong)


def verify_edit(text: str, spans: Sequence[TypedSpan], scene: Scene, kinds: frozenset[FactKind]) -> bool:
    """:func:`is_false_just_there` of a caption and the scene it is about."""
    return is_false_just_there(read_caption(text, scene), spans, kinds)


def _within(word: ReadWord, span: TypedSpan) -> bool:
    return span.start <= word.start and word.end <= span.end


def names_fit_one(text: str, words: Iterable[Span | ReadWord], scene: Scene) -> bool:
    """Whether each name in a caption, such as "the red star", fits exactly one object of a scene."""
    name: list[str] = []
    about: int | None = None
    for word in (*words, None):
        fact = None if word is None else word.fact
        goes_on = bool(name) and fact is not None and fact.kind in _NAME_KINDS and fact.subject == about
        if name and not goes_on:
            if count_matching(scene, " ".join(name)) != 1:
                return False
            name = []
        if word is None or fact is None or fact.kind not in _NAME_KINDS:
            continue
        if goes_on or text[: word.start].lower().endswith("the "):
            name.append(fact.value)
            about = fact.subject
            if fact.kind == "shape":
                if count_matching(scene, " ".join(name)) != 1:
                    return False
                name = []
    return True


def with_article(text: str, start: int, end: int, new: str) -> tuple[Piece, ...]:
    """Replace a word, and the "a" or "an" right before it where that has to change."""
    article = _ARTICLE.search(text, 0, start)
    fitting = "an" if new[:1] in tuple("aeiou") else "a"
    word = Piece(start, end, new)
    if article is None or article[1].lower() == fitting:
        return (word,)
    if article[1][0].isupper():
        fitting = fitting.capitalize()
    return (Piece(*article.span(1), fitting, 0.0), word)
