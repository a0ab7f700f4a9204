"""Sentences about a scene, each word tied to the fact it states.

A sentence is a form with slots, such as ``"{subject} is to the {relation} of {object}."``; a slot is filled
with pieces of text, each with the fact it states or none. What stands in a form itself states nothing.
Writer and reader share the forms; a form has no braces but its slots, and its only period ends it.
Truth is checked elsewhere: here things are counted by another method than in the facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from ._draws import Draws
from ._facts import Fact, FactKind, position_of
from ._geometry import relation_of
from ._scene import Scene

_T = TypeVar("_T")

TOTAL_FORMS = ("The picture shows {things}.", "{there} {things} in the picture.")
COUNT_FORMS = ("{there} {things}.",)
INTRODUCTION_FORMS = ("There is {thing}.", "{thing} can be seen.", "We see {thing}.")
PLACED_FORMS = (
    "There is {thing} at the {position}.",
    "At the {position} is {thing}.",
    "{thing} is at the {position}.",
)
PLATE_FORMS = ('Its {plate} reads "{word}".', 'On its {plate} is the word "{word}".')
WORD_FORMS = ('{thing} carries the word "{word}".', 'The word "{word}" is on {thing}.')
BESIDE_FORMS = ("{subject} is to the {relation} of {object}.", "{subject} is {relation} of {object}.")
OVER_FORMS = ("{subject} is {relation} {object}.",)
NEARER_FORM = "{subject} is {depth} to the viewer than {object}."
FARTHER_FORM = "{subject} is {depth} away than {object}."
EXTREME_FORM = "{thing} is the {depth} of all."
BACKGROUND_FORMS = ("In the background {verb} {kinds}.", "{kinds} can be seen in the background.")
ABSENCE_FORMS = ("There is {nothing} in the picture.", "The picture has {nothing}.", "{nothing} can be seen.")

NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
_ADJECTIVES: tuple[FactKind, ...] = ("size", "fill", "color")  # in the order in which they are said
_CLEAR = 4
"""An object closer to the border of a ninth than this, in percent, is not given a position."""

# Descriptions from the fewest words to the most: which adjectives go with the shape.
_DESCRIPTIONS: tuple[tuple[FactKind, ...], ...] = (
    ("color",),
    (),
    ("size",),
    ("fill",),
    ("size", "color"),
    ("fill", "color"),
    ("size", "fill"),
    ("size", "fill", "color"),
)


class Piece(NamedTuple):
    """Some words and the fact they state."""

    text: str
    fact: Fact | None = None


@dataclass(frozen=True)
class Sentence:
    """A form and what fills its slots; spaces part the pieces of a slot, but no space precedes a comma."""

    form: str
    slots: dict[str, list[Piece]]


class Speaker:
    """Says true things about one scene, choosing among forms at random.

    Args:
        scene: the scene.
        rng: the choices; only its integers are used.
    """

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene = scene
        self._draws = Draws(rng)
        self._counts: Counter[str] = Counter(thing.shape for thing in scene.background_objects)
        self._names: dict[int, list[tuple[FactKind, ...]]] = {}
        for i, obj in enumerate(scene.objects):
            self._counts["plate"] += bool(obj.word)
            for kinds in _DESCRIPTIONS:
                words = self._adjectives(i, kinds)
                self._counts.update((" ".join([*words, "object"]), " ".join([*words, obj.shape])))

    def number(self, description: str) -> int:
        """How many things answer to a description whose adjectives are in the order size, fill, colour."""
        return self._counts[description]

    def some(self, values: Sequence[_T], n: int) -> list[_T]:
        """Up to ``n`` of the values in random order."""
        return self._draws.some(values, n)

    def one(self, *values: _T) -> _T:
        """One of the values."""
        return self._draws.pick(values)

    def full_name(self, index: int) -> list[Piece]:
        """An object with all its adjectives and an article: "a large striped red circle"."""
        return _with_article(self._noun_phrase(index, _ADJECTIVES))

    def name(self, index: int) -> list[Piece] | None:
        """An object by a description that fits no other, "the red circle"; ``None`` if it has a twin."""
        if index not in self._names:
            shape = self.scene.objects[index].shape
            said = {kinds: " ".join([*self._adjectives(index, kinds), shape]) for kinds in _DESCRIPTIONS}
            self._names[index] = [kinds for kinds, words in said.items() if self.number(words) == 1][:2]
        fitting = self._names[index]
        return [Piece("the"), *self._noun_phrase(index, self.one(*fitting))] if fitting else None

    def _adjectives(self, index: int, kinds: Sequence[FactKind]) -> list[str]:
        return [getattr(self.scene.objects[index], kind) for kind in _ADJECTIVES if kind in kinds]

    def _noun_phrase(self, index: int, kinds: Sequence[FactKind]) -> list[Piece]:
        obj = self.scene.objects[index]
        said = [kind for kind in _ADJECTIVES if kind in kinds]
        pieces = [Piece(getattr(obj, kind), Fact(kind, getattr(obj, kind), index)) for kind in said]
        return [*pieces, Piece(obj.shape, Fact("shape", obj.shape, index))]

    def total(self) -> Sentence:
        """How many objects there are."""
        return self.count("object", TOTAL_FORMS)

    def count(self, description: str, forms: tuple[str, ...] = COUNT_FORMS) -> Sentence:
        """How many things answer to a description."""
        n = self.number(description)
        if n == 0:
            return Sentence(
                self.one(*forms), {"there": [Piece("there is")], "things": [_absent(description)]}
            )
        number = Piece(NUMBERS[n] if n < len(NUMBERS) else str(n), Fact("count", str(n), of=description))
        words = [*description.split()]
        if n > 1:
            words[-1] = plural(words[-1])
        things = [number, *(Piece(word, Fact("existence", description)) for word in words)]
        return Sentence(
            self.one(*forms), {"there": [Piece("there is" if n == 1 else "there are")], "things": things}
        )

    def introduce(self, index: int) -> Sentence:
        """An object with all its adjectives, and its place where that is clear."""
        obj = self.scene.objects[index]
        slots = {"thing": self.full_name(index)}
        if min(abs(value - border) for value in (obj.x, obj.y) for border in (100 / 3, 200 / 3)) < _CLEAR:
            return Sentence(self.one(*INTRODUCTION_FORMS), slots)
        place = position_of(obj)
        slots["position"] = [Piece(place, Fact("position", place, index))]
        return Sentence(self.one(*PLACED_FORMS), slots)

    def plate(self, index: int) -> Sentence:
        """The word on the plate of an object that has just been introduced."""
        word = self.scene.objects[index].word
        slots = {
            "plate": [Piece("plate", Fact("existence", "plate"))],
            "word": [Piece(word, Fact("word", word, index))],
        }
        return Sentence(self.one(*PLATE_FORMS), slots)

    def word(self, index: int) -> Sentence | None:
        """The word that an object carries, the object named; ``None`` if it cannot be."""
        named, word = self.name(index), self.scene.objects[index].word
        if named is None:
            return None
        slots = {"thing": named, "word": [Piece(word, Fact("word", word, index))]}
        return Sentence(self.one(*WORD_FORMS), slots)

    def relation(self, i: int, j: int) -> Sentence | None:
        """Where one object is, seen from another; ``None`` if that is unclear or one has no name."""
        subject, other = self.name(i), self.name(j)
        value = relation_of(self.scene.objects[i], self.scene.objects[j])
        if subject is None or other is None or value is None:
            return None
        forms = BESIDE_FORMS if value in ("left", "right") else OVER_FORMS
        slots = {
            "subject": subject,
            "object": other,
            "relation": [Piece(value, Fact("relation", value, i, j))],
        }
        return Sentence(self.one(*forms), slots)

    def depth(self, i: int, j: int) -> Sentence | None:
        """Which of two objects is nearer; ``None`` if that is not so or one of them cannot be named."""
        subject, other = self.name(i), self.name(j)
        difference = self.scene.objects[i].depth - self.scene.objects[j].depth
        if subject is None or other is None or difference == 0:
            return None
        value = "nearer" if difference < 0 else "farther"
        return Sentence(
            NEARER_FORM if difference < 0 else FARTHER_FORM,
            {"subject": subject, "object": other, "depth": [Piece(value, Fact("depth", value, i, j))]},
        )

    def extreme_depth(self, value: str) -> Sentence | None:
        """Which object is ``nearest`` or ``farthest`` of all; ``None`` if there is no one such object."""
        depths = [o.depth for o in self.scene.objects]
        if len(depths) < 2:
            return None
        extreme = (min if value == "nearest" else max)(depths)
        index = depths.index(extreme)
        named = self.name(index)
        if named is None or depths.count(extreme) > 1:
            return None
        return Sentence(
            EXTREME_FORM,
            {"thing": named, "depth": [Piece(value, Fact("depth", value, index))]},
        )

    def background(self) -> Sentence:
        """The kinds of small things in the background, of which there must be some."""
        kinds = sorted({thing.shape for thing in self.scene.background_objects})
        pieces: list[Piece] = []
        for i, kind in enumerate(kinds):
            if i:
                pieces.append(Piece("and" if i == len(kinds) - 1 else ","))
            pieces += _with_article([Piece(kind, Fact("existence", kind))])
        verb = [Piece("is" if len(kinds) == 1 else "are")]
        return Sentence(self.one(*BACKGROUND_FORMS), {"verb": verb, "kinds": pieces})

    def absence(self, description: str) -> Sentence:
        """That nothing answers to a description."""
        return Sentence(self.one(*ABSENCE_FORMS), {"nothing": [_absent(description)]})


def plural(noun: str) -> str:
    """A noun of the scene vocabulary, of several."""
    return noun + ("es" if noun.endswith("ss") else "s")


def _absent(description: str) -> Piece:
    return Piece(f"no {description}", Fact("absence", description))


def _with_article(pieces: list[Piece]) -> list[Piece]:
    return [Piece("an" if pieces[0].text[0] in "aeiou" else "a"), *pieces]
