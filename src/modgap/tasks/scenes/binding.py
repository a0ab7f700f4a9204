"""Which colour an object has when another of its shape has another one: the modifier must be bound to it.

    "What color is the small star?"   options red, blue, green, cyan; there is a large star of another colour

The modifier is a size or a fill (only a fill with perspective). The colour of the other object is always an
option.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modgap.scenes import COLORS, Scene

from ._phrases import names_one, said
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
from .attribute import choose

CHANCE = 0.25


@dataclass(frozen=True)
class BindingProblem:
    """Which colour object ``i`` of ``scene`` has, that only ``modifier`` tells from ``rivals``."""

    scene: Scene
    i: int
    modifier: str
    rivals: tuple[int, ...]
    choices: tuple[str, ...]


def ask(scene: Scene, rng: np.random.Generator, target: None = None) -> BindingProblem | None:
    """A question about a scene.

    Args:
        scene: the scene.
        rng: where all randomness comes from.
        target: not used.

    Returns:
        The problem, or ``None`` if no two objects share a shape and differ in a modifier and in colour.
    """
    objects = scene.objects
    modifiers = ["fill"] if scene.perspective else shuffled(rng, ("size", "fill"))
    for i in shuffled(rng, range(len(objects))):
        rivals = [j for j, o in enumerate(objects) if j != i and o.shape == objects[i].shape]
        colors = dict.fromkeys(objects[j].color for j in rivals if objects[j].color != objects[i].color)
        if not colors:
            continue
        for modifier in modifiers:
            if names_one(scene, objects[i], (modifier, "shape")):
                others = [o.color for o in shuffled(rng, objects)]
                choices = choose(rng, objects[i].color, tuple(dict.fromkeys([*colors, *others])), COLORS)
                return BindingProblem(scene, i, modifier, tuple(rivals), choices)
    return None


def sample(rng: np.random.Generator, dials: Dials) -> BindingProblem:
    """Draw a problem."""
    return find("binding", rng, dials, ask)


def question(p: BindingProblem) -> str:
    """What is asked."""
    return f"What color is the {said(p.scene.objects[p.i], (p.modifier, 'shape'))}?"


def options(p: BindingProblem) -> tuple[str, ...]:
    """Four colours."""
    return p.choices


def answer(p: BindingProblem) -> str:
    """The colour."""
    return p.scene.objects[p.i].color


def difficulty(p: BindingProblem) -> dict[str, float | int | str]:
    """Objects in the scene, objects of the same shape, and the kind of modifier."""
    return measures(p.scene, rivals=len(p.rivals), modifier=p.modifier)
