"""Which of two objects is nearer to the viewer, in a scene with perspective.

    "Which is nearer to the viewer, the red circle or the blue star?"   options red circle, blue star

In the picture the farther object is smaller and higher, and may be half hidden; the text states depths. The
two are ``depth_step`` of ten levels apart, more where the scene has no such pair. Scenes have perspective
here, whatever the dial says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from modgap.media import Part
from modgap.scenes import Scene

from ._phrases import phrase_of
from ._transcript import TRANSCRIPT as TRANSCRIPT
from ._world import LEVELS as LEVELS
from ._world import REPRESENTATIONS as REPRESENTATIONS
from ._world import Dials as Dials
from ._world import Style as Style
from ._world import content as content
from ._world import decode as decode_scene
from ._world import find, measures, shuffled
from ._world import group as group
from ._world import parse as parse
from ._world import render as render

CHANCE = 0.5


@dataclass(frozen=True)
class DepthProblem:
    """Whether object ``i`` or object ``j`` of ``scene`` is nearer."""

    scene: Scene
    i: int
    j: int
    first: str
    second: str
    choices: tuple[str, ...]


def ask(
    scene: Scene,
    rng: np.random.Generator,
    target: None = None,
    step: int = Dials().depth_step,
    *,
    closest: bool = False,
) -> DepthProblem | None:
    """A question about a scene.

    Args:
        scene: a scene with perspective.
        rng: where all randomness comes from.
        target: not used.
        step: see ``depth_step``.
        closest: take the pair with the smallest step, instead of any.

    Returns:
        The problem, or ``None`` if no two objects that can be named are that far apart in depth.
    """
    depths = [o.depth for o in scene.objects]
    n = len(depths)
    pairs = shuffled(rng, [(i, j) for i in range(n) for j in range(n) if abs(depths[i] - depths[j]) >= step])
    if closest:
        pairs.sort(key=lambda pair: abs(depths[pair[0]] - depths[pair[1]]))
    for i, j in pairs:
        first, second = phrase_of(scene, i), phrase_of(scene, j)
        if first and second:
            return DepthProblem(scene, i, j, first, second, tuple(shuffled(rng, (first, second))))
    return None


def sample(rng: np.random.Generator, dials: Dials) -> DepthProblem:
    """Draw a problem."""
    deep = replace(dials, perspective=True)
    return find("depth", rng, deep, lambda scene, own: ask(scene, own, step=dials.depth_step, closest=True))


def question(p: DepthProblem) -> str:
    """What is asked."""
    return f"Which is nearer to the viewer, the {p.first} or the {p.second}?"


def options(p: DepthProblem) -> tuple[str, ...]:
    """The two objects."""
    return p.choices


def answer(p: DepthProblem) -> str:
    """The nearer one."""
    return p.first if p.scene.objects[p.i].depth < p.scene.objects[p.j].depth else p.second


def difficulty(p: DepthProblem) -> dict[str, float | int | str]:
    """Objects in the scene, and how many depth levels the two are apart."""
    return measures(p.scene, depth_step=abs(p.scene.objects[p.i].depth - p.scene.objects[p.j].depth))


def decode(representation: str, parts: tuple[Part, ...]) -> Scene:
    """The scene, read back from one representation."""
    return decode_scene(representation, parts, perspective=True)
