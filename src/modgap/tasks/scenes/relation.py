"""Where one object is relative to another, in the plane of the picture.

    "Where is the red circle relative to the blue star?"   options left, below, right, above

Pairs near the diagonal are not asked about: along one axis the two must be farther apart than along the
other, by ``relation_margin`` percent of the side, and little more where the scene allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modgap.scenes import RELATIONS, Scene, relation_of

from ._phrases import phrase_of
from ._transcript import TRANSCRIPT as TRANSCRIPT
from ._world import LEVELS as LEVELS
from ._world import REPRESENTATIONS as REPRESENTATIONS
from ._world import Dials as Dials
from ._world import Style as Style
from ._world import content as content
from ._world import decode as decode
from ._world import find, measures, shuffled
from ._world import group as group
from ._world import parse as parse
from ._world import render as render

CHANCE = 0.25


@dataclass(frozen=True)
class RelationProblem:
    """Where object ``i`` of ``scene`` is, seen from object ``j``."""

    scene: Scene
    i: int
    j: int
    first: str
    second: str
    relation: str
    choices: tuple[str, ...]


def ask(
    scene: Scene,
    rng: np.random.Generator,
    target: str | None = None,
    margin: int = Dials().relation_margin,
    *,
    closest: bool = False,
) -> RelationProblem | None:
    """A question about a scene.

    Args:
        scene: the scene.
        rng: where all randomness comes from.
        target: the relation wanted; any that occurs if ``None``, each as likely.
        margin: see ``relation_margin``.
        closest: take the pair that clears the diagonal by least, instead of any.

    Returns:
        The problem, or ``None`` if no pair that can be named stands so.
    """
    n = len(scene.objects)
    pairs = shuffled(rng, [(i, j) for i in range(n) for j in range(n) if i != j])
    if closest:
        pairs.sort(key=lambda pair: _cleared(scene, *pair))
    for wanted in (target,) if target else shuffled(rng, RELATIONS):
        for i, j in pairs:
            if relation_of(scene.objects[i], scene.objects[j], margin) != wanted:
                continue
            first, second = phrase_of(scene, i), phrase_of(scene, j)
            if first and second:
                return RelationProblem(scene, i, j, first, second, wanted, tuple(shuffled(rng, RELATIONS)))
    return None


def sample(rng: np.random.Generator, dials: Dials) -> RelationProblem:
    """Draw a problem; the four relations are equally likely."""
    target = ""

    def ask_target(scene: Scene, own: np.random.Generator) -> RelationProblem | None:
        nonlocal target
        target = target or RELATIONS[int(own.random() * 4)]
        return ask(scene, own, target, dials.relation_margin, closest=True)

    return find("relation", rng, dials, ask_target)


def question(p: RelationProblem) -> str:
    """What is asked."""
    return f"Where is the {p.first} relative to the {p.second}?"


def options(p: RelationProblem) -> tuple[str, ...]:
    """The four relations."""
    return p.choices


def answer(p: RelationProblem) -> str:
    """The relation."""
    return p.relation


def difficulty(p: RelationProblem) -> dict[str, float | int | str]:
    """Objects in the scene, and by how much the pair clears the diagonal, in percent of the side."""
    return measures(p.scene, margin=_cleared(p.scene, p.i, p.j))


def _cleared(scene: Scene, i: int, j: int) -> int:
    """How much farther apart two objects are along one axis than along the other, in percent of the side."""
    a, b = scene.objects[i], scene.objects[j]
    return abs(abs(a.x - b.x) - abs(a.y - b.y))
