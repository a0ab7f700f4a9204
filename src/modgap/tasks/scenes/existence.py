"""Whether there is an object of a colour and shape; when there is not, both occur, but not on one object.

    "Is there a red circle?"   options yes, no

"Yes" and "no" are equally likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modgap.scenes import Scene

from ._phrases import a
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

CHANCE = 0.5


@dataclass(frozen=True)
class ExistenceProblem:
    """Whether ``scene`` has an object of this ``color`` and ``shape``."""

    scene: Scene
    color: str
    shape: str
    exists: bool
    choices: tuple[str, ...]


def ask(scene: Scene, rng: np.random.Generator, target: bool | None = None) -> ExistenceProblem | None:
    """A question about a scene.

    Args:
        scene: the scene.
        rng: where all randomness comes from.
        target: whether the object shall exist; either, equally likely, if ``None``.

    Returns:
        The problem, or ``None`` if every colour occurs in every shape of the scene.
    """
    present = list(dict.fromkeys((o.color, o.shape) for o in scene.objects))
    crossed = [(c, s) for c, _ in present for _, s in present if (c, s) not in present]
    # A scene that allows only "yes" is not asked about at all, or "yes" would be the likelier answer.
    if not crossed:
        return None
    exists = rng.random() < 0.5 if target is None else target
    color, shape = pick(rng, present if exists else crossed)
    return ExistenceProblem(scene, color, shape, exists, tuple(shuffled(rng, ("yes", "no"))))


def sample(rng: np.random.Generator, dials: Dials) -> ExistenceProblem:
    """Draw a problem."""
    return find("existence", rng, dials, ask)


def question(p: ExistenceProblem) -> str:
    """What is asked."""
    return f"Is there {a(f'{p.color} {p.shape}')}?"


def options(p: ExistenceProblem) -> tuple[str, ...]:
    """Yes and no."""
    return p.choices


def answer(p: ExistenceProblem) -> str:
    """Whether there is one."""
    return "yes" if p.exists else "no"


def difficulty(p: ExistenceProblem) -> dict[str, float | int | str]:
    """Objects in the scene, and how many of them share only the colour or only the shape."""
    lures = sum((o.color == p.color) != (o.shape == p.shape) for o in p.scene.objects)
    return measures(p.scene, lures=lures)
