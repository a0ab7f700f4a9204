"""Which of two objects is closer to a third, centre to centre in the plane of the picture.

    "Which is closer to the red circle, the blue star or the green square?"   options blue star, green square

The farther one is at least ``distance_ratio`` times as far away as the closer one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modgap.scenes import Scene, distance_between

from ._phrases import phrase_of
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

CHANCE = 0.5
_MAX_TRIPLES = 12  # of a scene that are looked at, so that a question stays cheap


@dataclass(frozen=True)
class DistanceProblem:
    """Whether object ``i`` or object ``j`` of ``scene`` is closer to object ``to``."""

    scene: Scene
    to: int
    i: int
    j: int
    reference: str
    first: str
    second: str
    choices: tuple[str, ...]


def ask(
    scene: Scene, rng: np.random.Generator, target: None = None, ratio: float = Dials().distance_ratio
) -> DistanceProblem | None:
    """A question about a scene.

    Args:
        scene: the scene.
        rng: where all randomness comes from.
        target: not used.
        ratio: see ``distance_ratio``.

    Returns:
        The problem, or ``None`` if none was found among the triples looked at.
    """
    objects = scene.objects
    if len(objects) < 3:
        return None
    for _ in range(_MAX_TRIPLES):
        to, i, j = shuffled(rng, range(len(objects)))[:3]
        close, far = sorted(
            (distance_between(objects[to], objects[i]), distance_between(objects[to], objects[j]))
        )
        if far < ratio * close:
            continue
        reference, first, second = phrase_of(scene, to), phrase_of(scene, i), phrase_of(scene, j)
        if reference and first and second:
            choices = tuple(shuffled(rng, (first, second)))
            return DistanceProblem(scene, to, i, j, reference, first, second, choices)
    return None


def sample(rng: np.random.Generator, dials: Dials) -> DistanceProblem:
    """Draw a problem."""
    return find("distance", rng, dials, lambda scene, own: ask(scene, own, ratio=dials.distance_ratio))


def question(p: DistanceProblem) -> str:
    """What is asked."""
    return f"Which is closer to the {p.reference}, the {p.first} or the {p.second}?"


def options(p: DistanceProblem) -> tuple[str, ...]:
    """The two objects."""
    return p.choices


def answer(p: DistanceProblem) -> str:
    """The closer one."""
    first, second = _distances(p)
    return p.first if first < second else p.second


def difficulty(p: DistanceProblem) -> dict[str, float | int | str]:
    """Objects in the scene, and how many times farther away the farther one is."""
    close, far = sorted(_distances(p))
    return measures(p.scene, distance_ratio=round(far / close, 2))


def _distances(p: DistanceProblem) -> tuple[float, float]:
    objects = p.scene.objects
    return distance_between(objects[p.to], objects[p.i]), distance_between(objects[p.to], objects[p.j])
