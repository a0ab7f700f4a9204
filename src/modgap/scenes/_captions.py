"""Captions of scenes, with the fact behind every word.

    caption = write_caption(scene, rng, "dense")
    for span in caption.spans:
        print(caption.text[span.start : span.end], span.fact)

Captions are true by construction. Each word that states something lies in a span; all other words are among
``FUNCTION_WORDS``. An object is introduced with all its adjectives, later called by few that single it out.
Captions also say what is *not* there: if they did not, a "no" alone would give an edited caption away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np

from modgap._errors import UnknownName

from ._check import check_scene
from ._facts import Fact
from ._geometry import relations_of
from ._phrases import Piece, Sentence, Speaker
from ._scene import BACKGROUND_SHAPES, COLORS, SHAPES, Scene

Length = Literal["short", "dense"]
LENGTHS: tuple[Length, ...] = get_args(Length)

DENSE_WORDS = 40
"""A dense caption has at least this many words."""

FUNCTION_WORDS = frozenset(
    """
    a all an and are at away background be can carries has in is its of on picture reads see seen shows than
    the there to viewer we word
    """.split()  # noqa: SIM905  (one word in quotes after the other is harder to read)
)
"""The words of captions that state nothing."""

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a caption and the fact it states.

    Args:
        start: first character, 0-based.
        end: one past the last character.
        fact: what these characters state; it holds in the scene.
    """

    start: int
    end: int
    fact: Fact


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption; its spans are in order and do not overlap."""

    text: str
    spans: tuple[Span, ...]


def write_caption(
    scene: Scene, rng: np.random.Generator, length: Length = "short", *, in_order: bool = False
) -> Caption:
    """Write a true caption.

    Args:
        scene: what it is about.
        rng: chooses what is said and how; only its integers are used.
        length: ``short``, one or two sentences; or ``dense``, at least ``DENSE_WORDS`` words with counts,
            attributes, positions, relations, plates, depth, small things in the background and absent things.
        in_order: whether a dense caption introduces the objects in the order of the scene; in random order
            otherwise. A small model that writes the likeliest word at every step can tell what comes next
            only if there is an order.

    Raises:
        InputError: if the length is unknown or the scene is not valid.
    """
    check_scene(scene)
    if length not in LENGTHS:
        raise UnknownName("length", length, LENGTHS)
    speaker = Speaker(scene, rng)
    page = _Page()
    for sentence in _short(speaker) if length == "short" else _dense(speaker, in_order):
        page.write(sentence)
    if length == "dense":
        for description in speaker.some(_absent(speaker), 1000):
            if page.words() >= DENSE_WORDS:
                break
            page.write(speaker.absence(description))
    return page.caption()


class _Page:
    """The text so far and its spans."""

    def __init__(self) -> None:
        self._text = ""
        self._spans: list[Span] = []

    def caption(self) -> Caption:
        return Caption(self._text, tuple(self._spans))

    def words(self) -> int:
        return len(self._text.split())

    def write(self, sentence: Sentence) -> None:
        if self._text:
            self._text += " "
        start = len(self._text)
        for i, part in enumerate(_SLOT.split(sentence.form)):
            if i % 2 == 0:
                self._text += part
            else:
                self._fill(sentence.slots[part])
        self._text = self._text[:start] + self._text[start].upper() + self._text[start + 1 :]

    def _fill(self, pieces: list[Piece]) -> None:
        for i, piece in enumerate(pieces):
            self._text += " " * (i > 0 and piece.text != ",")
            start = len(self._text)
            self._text += piece.text
            if piece.fact is not None:
                self._spans.append(Span(start, len(self._text), piece.fact))


def _short(speaker: Speaker) -> list[Sentence]:
    """One or two sentences of different kinds."""
    scene = speaker.scene
    kinds = [speaker.total()]
    if scene.objects:
        kinds.append(speaker.introduce(speaker.one(*range(len(scene.objects)))))
    kinds += _relations(speaker, 1)
    words = [i for i, obj in enumerate(scene.objects) if obj.word]
    if words:
        kinds += _said([speaker.word(speaker.one(*words))])
    chosen = speaker.some(range(len(kinds)), speaker.one(1, 2))
    return [kinds[i] for i in sorted(chosen)]


def _dense(speaker: Speaker, in_order: bool) -> list[Sentence]:
    """Everything about each object, then some of what holds between them, in random order."""
    scene = speaker.scene
    body = [speaker.total()]
    every = range(len(scene.objects))
    for i in every if in_order else speaker.some(every, len(every)):
        body.append(speaker.introduce(i))
        if scene.objects[i].word:
            body.append(speaker.plate(i))
    more = _relations(speaker, 3)
    groups = sorted(
        {name for o in scene.objects for name in (o.shape, f"{o.color} object", f"{o.color} {o.shape}")}
    )
    several = [group for group in groups if speaker.number(group) > 1]
    counted = [*speaker.some(several, 2), *speaker.some(groups, 1)]
    more += [speaker.count(group) for group in dict.fromkeys(counted)]
    if scene.perspective:
        pairs = list(combinations(range(len(scene.objects)), 2))
        more += _said([speaker.depth(*speaker.one(pair, pair[::-1])) for pair in speaker.some(pairs, 2)])
        more += _said([speaker.extreme_depth(speaker.one("nearest", "farthest"))])
    if scene.background_objects:
        more.append(speaker.background())
    more += [speaker.absence(name) for name in speaker.some(_absent(speaker), speaker.one(1, 2))]
    return body + speaker.some(more, len(more))


def _relations(speaker: Speaker, n: int) -> list[Sentence]:
    """Up to ``n`` relations, each of another pair of objects."""
    pairs = {tuple(sorted(pair)) for pair in relations_of(speaker.scene)}
    found = []
    for pair in speaker.some(sorted(pairs), n):
        i, j = speaker.one(pair, pair[::-1])
        found.append(speaker.relation(i, j))
    return _said(found)


def _said(sentences: list[Sentence | None]) -> list[Sentence]:
    """The sentences that could be said."""
    return [sentence for sentence in sentences if sentence is not None]


def _absent(speaker: Speaker) -> list[str]:
    """Descriptions to which nothing answers, among them colours and shapes that occur, but apart."""
    colors = sorted({o.color for o in speaker.scene.objects})
    shapes = sorted({o.shape for o in speaker.scene.objects})
    near = [f"{color} {shape}" for color in colors for shape in shapes]
    far = [*SHAPES, *(f"{color} object" for color in COLORS), *BACKGROUND_SHAPES, "plate"]
    return [name for name in (*near, *far) if not speaker.number(name)]
