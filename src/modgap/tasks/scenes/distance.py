"""Which of two objects is closer to a third, centre to centre in the plane of the picture.

    "Which is closer to the red circle, the blue star or the green square?"   options blue star, green square

The farther one is ``distance_ratio`` times as far away as the closer one, more where the scene has no such
three.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from modgap.scenes import Scene, distance_between

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
    scene: Scene,
    rng: np.random.Generator,
    target: None = None,
    ratio: float = Dials().distance_ratio,
    *,
    closest: bool = False,
) -> DistanceProblem | None:
    """A question about a scene.

    Args:
        scene: the scene.
        rng: where all randomness comes from.
        target: not used.
        ratio: see ``distance_ratio``.
        closest: look at every triple and take the one with the smallest ratio, instead of a few and any.

    Returns:
        The problem, or ``None`` if none was found among the triples looked at.
    """
    n = len(scene.objects)
    if n < 3:
        return None
    if closest:
        triples = _closest_first(rng, scene)
    else:
        triples = [_triple(rng, n) for _ in range(_MAX_TRIPLES)]
    for to, i, j in triples:
        if _ratio(scene, to, i, j) < ratio:
            continue
        reference, first, second = phrase_of(scene, to), phrase_of(scene, i), phrase_of(scene, j)
        if reference and first and second:
            choices = tuple(shuffled(rng, (first, second)))
            return DistanceProblem(scene, to, i, j, reference, first, second, choices)
    return None


def sample(rng: np.random.Generator, dials: Dials) -> DistanceProblem:
    """Draw a problem."""
    return find(
        "distance", rng, dials, lambda scene, own: ask(scene, own, ratio=dials.distance_ratio, closest=True)
    )


def question(p: DistanceProblem) -> str:
    """What is asked."""
    return f"Which is closer to the {p.reference}, the {p.first} or the {p.second}?"


def options(p: DistanceProblem) -> tuple[str, ...]:
    """The two objects."""
    return p.choices


def answer(p: DistanceProblem) -> str:
    """The closer one."""
    o = p.scene.objects
    return p.first if distance_between(o[p.to], o[p.i]) < distance_between(o[p.to], o[p.j]) else p.second


def difficulty(p: DistanceProblem) -> dict[str, float | int | str]:
    """Objects in the scene, and how many times farther away the farther one is."""
    return measures(p.scene, distance_ratio=round(_ratio(p.scene, p.to, p.i, p.j), 2))


def _ratio(scene: Scene, to: int, i: int, j: int) -> float:
    a, b = (distance_between(scene.objects[to], scene.objects[k]) for k in (i, j))
    return max(a, b) / max(min(a, b), 1e-9)


def _closest_first(rng: np.random.Generator, scene: Scene) -> list[tuple[int, int, int]]:
    """Every reference with every pair of others, those with the smallest ratio first."""
    apart = [[distance_between(a, b) for b in scene.objects] for a in scene.objects]
    found = []
    for to, row in enumerate(apart):
        for i, j in combinations([k for k in range(len(row)) if k != to], 2):
            a, b = row[i], row[j]
            first, second = (i, j) if rng.random() < 0.5 else (j, i)
            found.append((max(a, b) / max(min(a, b), 1e-9), rng.random(), (to, first, second)))
    return [triple for _, _, triple in sorted(found)]


def _triple(rng: np.random.Generator, n: int) -> tuple[int, int, int]:
    """Three different numbers below ``n``."""
    to, i, j = shuffled(rng, range(n))[:3]
    return to, i, j
