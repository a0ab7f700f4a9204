"""Which word is written on an object.

    "What word is written on the red circle?"   options cat, tent, bat, nest

Words come in fixed pairs that look alike. The options are two pairs: the right word with its mate, and the
word on another object (any other word if there is none) with its mate, so none of the four stands out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from modgap.scenes import WORDS, Scene

from ._phrases import phrase_of
from ._transcript import TRANSCRIPT as TRANSCRIPT
from ._world import LEVELS as LEVELS
from ._world import REPRESENTATIONS as REPRESENTATIONS
from ._world import Dials as Dials
from ._world import Style as Style
from ._world import content as content
from ._world import decode as decode
from ._world import find, measures, pick, shuffled
from ._world import group as group
from ._world import parse as parse
from ._world import render as render

CHANCE = 0.25


@dataclass(frozen=True)
class ReadingProblem:
    """Which word object ``i`` of ``scene`` carries."""

    scene: Scene
    i: int
    phrase: str
    choices: tuple[str, ...]


def ask(scene: Scene, rng: np.random.Generator, target: None = None) -> ReadingProblem | None:
    """A question about a scene.

    Args:
        scene: the scene.
        rng: where all randomness comes from.
        target: not used.

    Returns:
        The problem, or ``None`` if no object that can be named carries a word.
    """
    written = [i for i, o in enumerate(scene.objects) if o.word]
    for i in shuffled(rng, written):
        phrase = phrase_of(scene, i)
        if phrase:
            word = scene.objects[i].word
            pair = (word, _mates()[word])
            elsewhere = [scene.objects[j].word for j in shuffled(rng, written)]
            other = next((w for w in elsewhere if w not in pair), word)
            while other in pair:
                other = pick(rng, WORDS)
            return ReadingProblem(scene, i, phrase, tuple(shuffled(rng, (*pair, other, _mates()[other]))))
    return None


def can_ask(dials: Dials) -> bool:
    """Whether there are words to read."""
    return dials.plates > 0


def sample(rng: np.random.Generator, dials: Dials) -> ReadingProblem:
    """Draw a problem."""
    return find("reading", rng, dials, ask)


def question(p: ReadingProblem) -> str:
    """What is asked."""
    return f"What word is written on the {p.phrase}?"


def options(p: ReadingProblem) -> tuple[str, ...]:
    """Four words."""
    return p.choices


def answer(p: ReadingProblem) -> str:
    """The word."""
    return p.scene.objects[p.i].word


def difficulty(p: ReadingProblem) -> dict[str, float | int | str]:
    """Objects in the scene, words in it, and letters of the word."""
    return measures(p.scene, plates=sum(bool(o.word) for o in p.scene.objects), letters=len(answer(p)))


@cache
def _mates() -> dict[str, str]:
    """Each word → the word it is paired with; the most similar are paired first, and none is left over."""

    def shared(pair: tuple[str, str]) -> int:
        a, b = pair
        ends = (*zip(a, b, strict=False), *zip(a[::-1], b[::-1], strict=False))
        return sum(x == y for x, y in ends)

    mates: dict[str, str] = {}
    for a, b in sorted(combinations(WORDS, 2), key=lambda pair: (-shared(pair), pair)):
        if a not in mates and b not in mates:
            mates[a], mates[b] = b, a
    return mates
