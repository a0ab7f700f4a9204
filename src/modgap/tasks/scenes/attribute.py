"""Which colour, shape or size an object has.

    "What color is the star?"   options red, cyan, blue, black

The object is named by its other attributes. Wrong options are values of other objects of the scene first.
There are three sizes, so a question about size has three options.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modgap.scenes import COLORS, SHAPES, SIZES, Scene

from ._phrases import phrase_without
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

CHANCE = None
ATTRIBUTES: dict[str, tuple[str, ...]] = {"color": COLORS, "shape": SHAPES, "size": SIZES}


@dataclass(frozen=True)
class AttributeProblem:
    """Which ``attribute`` object ``i`` of ``scene`` has."""

    scene: Scene
    i: int
    attribute: str
    phrase: str
    choices: tuple[str, ...]


def ask(scene: Scene, rng: np.random.Generator, target: str | None = None) -> AttributeProblem | None:
    """A question about a scene.

    Args:
        scene: the scene.
        rng: where all randomness comes from.
        target: ``color``, ``shape`` or ``size``; any if ``None``.

    Returns:
        The problem, or ``None`` if no object can be named without that attribute.
    """
    for attribute in (target,) if target else shuffled(rng, tuple(ATTRIBUTES)):
        if attribute == "size" and scene.perspective:  # size and distance cannot be told apart
            continue
        for i in shuffled(rng, range(len(scene.objects))):
            phrase = phrase_without(scene, i, attribute)
            if phrase:
                truth = getattr(scene.objects[i], attribute)
                present = dict.fromkeys(getattr(o, attribute) for o in shuffled(rng, scene.objects))
                choices = choose(rng, truth, tuple(present), ATTRIBUTES[attribute])
                return AttributeProblem(scene, i, attribute, phrase, choices)
    return None


def choose(
    rng: np.random.Generator, truth: str, likely: tuple[str, ...], every: tuple[str, ...]
) -> tuple[str, ...]:
    """The truth and up to three wrong values in random order, the likely ones before the others."""
    wrong = [value for value in likely if value != truth][:3]
    if len(wrong) < 3:
        wrong += [value for value in shuffled(rng, every) if value != truth and value not in wrong]
    return tuple(shuffled(rng, [truth, *wrong[:3]]))


def sample(rng: np.random.Generator, dials: Dials) -> AttributeProblem:
    """Draw a problem; the attributes are equally likely."""
    target = ""

    def ask_target(scene: Scene, own: np.random.Generator) -> AttributeProblem | None:
        nonlocal target
        asked = ("color", "shape") if dials.perspective else tuple(ATTRIBUTES)
        target = target or asked[int(own.random() * len(asked))]
        return ask(scene, own, target)

    return find("attribute", rng, dials, ask_target)


def question(p: AttributeProblem) -> str:
    """What is asked."""
    return f"What {p.attribute} is the {p.phrase}?"


def options(p: AttributeProblem) -> tuple[str, ...]:
    """Four values, three for a size."""
    return p.choices


def answer(p: AttributeProblem) -> str:
    """The value."""
    return str(getattr(p.scene.objects[p.i], p.attribute))


def difficulty(p: AttributeProblem) -> dict[str, float | int | str]:
    """Objects in the scene, what is asked, words of the phrase, and wrong options that occur in the scene."""
    present = {getattr(o, p.attribute) for o in p.scene.objects}
    return measures(
        p.scene,
        attribute=p.attribute,
        phrase_words=len(p.phrase.split()),
        present_options=len(present.intersection(p.choices)) - 1,
    )
