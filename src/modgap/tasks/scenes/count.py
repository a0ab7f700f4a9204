"""How many objects of a kind there are, 0 to 4.

    "How many red circles are there?"   options 2, 0, 4, 3

The kind that is named (colour and shape, a shape, a colour) and the answer are drawn independently of each
other, so that the wording gives nothing away; where no scene of the index has the wanted number, objects of
one are recoloured until it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from modgap.scenes import COLORS, SHAPES, Scene, SceneObject

from ._phrases import plural
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
MOST = 4
"""Largest answer."""

_KINDS = (("color", "shape"), ("shape",), ("color",))
_SCENES_BEFORE_EDIT = 6

Kind = tuple[str, ...]


@dataclass(frozen=True)
class CountProblem:
    """How many objects of ``scene`` have this ``color`` and ``shape`` (an empty one is any)."""

    scene: Scene
    color: str
    shape: str
    count: int
    choices: tuple[str, ...]


def ask(
    scene: Scene, rng: np.random.Generator, target: tuple[int, Kind] | None = None, most: int = MOST
) -> CountProblem | None:
    """A question about a scene.

    Args:
        scene: the scene.
        rng: where all randomness comes from.
        target: the answer and the attributes named; drawn among what the scene allows if ``None``.
        most: largest answer.

    Returns:
        The problem, or ``None`` if the scene has no such kind in that number.
    """
    kind = target[1] if target else pick(rng, _KINDS)
    counts = _counts(scene, kind)
    if target is None:
        possible = sorted({count for count in counts.values() if count <= most})
        if not possible:  # every object is of this kind, and they are too many
            return None
        wanted = pick(rng, possible)
    else:
        wanted = target[0]
    fitting = [look for look, count in counts.items() if count == wanted]
    if not fitting:
        return None
    color, shape = pick(rng, fitting)
    return CountProblem(scene, color, shape, wanted, _choices(rng, wanted, most))


def sample(rng: np.random.Generator, dials: Dials) -> CountProblem:
    """Draw a problem; answers 0 to 4 are equally likely, as far as there may be that many objects."""
    target: tuple[int, Kind] | None = None
    tried = 0
    most = min(MOST, dials.max_objects)

    def ask_target(scene: Scene, own: np.random.Generator) -> CountProblem | None:
        nonlocal target, tried
        if target is None:
            target = (int(own.random() * (most + 1)), pick(own, _kinds(dials)))
        tried += 1
        if tried > _SCENES_BEFORE_EDIT and not scene.perspective and len(scene.objects) >= target[0]:
            scene = _with_count(scene, own, target)
        return ask(scene, own, target, most)

    return find("count", rng, dials, ask_target)


def question(p: CountProblem) -> str:
    """What is asked."""
    noun = " ".join(filter(None, (p.color, plural(p.shape or "object"))))
    return f"How many {noun} are there?"


def options(p: CountProblem) -> tuple[str, ...]:
    """Four numbers."""
    return p.choices


def answer(p: CountProblem) -> str:
    """The number."""
    return str(p.count)


def difficulty(p: CountProblem) -> dict[str, float | int | str]:
    """Objects in the scene, the count, and objects that share one of the two attributes."""
    near = sum((o.color == p.color) != (o.shape == p.shape) for o in p.scene.objects)
    return measures(p.scene, count=p.count, near_misses=near if p.color and p.shape else 0)


def _kinds(dials: Dials) -> tuple[Kind, ...]:
    # With perspective objects are not edited, and four alike are too rare to wait for.
    return _KINDS[1:] if dials.perspective else _KINDS


def _counts(scene: Scene, kind: Kind) -> dict[tuple[str, str], int]:
    """How often each colour and shape occurs; of those that do not, the ones that are easily mistaken."""
    objects = scene.objects
    if kind == ("shape",):
        counts = dict.fromkeys((("", shape) for shape in SHAPES), 0)
        looks = [("", o.shape) for o in objects]
    elif kind == ("color",):
        counts = dict.fromkeys(((color, "") for color in COLORS), 0)
        looks = [(o.color, "") for o in objects]
    else:
        # A pair that does not occur is asked for only if its colour and its shape do.
        counts = {(o.color, other.shape): 0 for o in objects for other in objects}
        looks = [(o.color, o.shape) for o in objects]
    for look in looks:
        counts[look] += 1
    return counts


def _choices(rng: np.random.Generator, count: int, most: int) -> tuple[str, ...]:
    """The answer and three of the other answers there may be, all as likely: no number is a better guess."""
    others = [n for n in range(max(most, 3) + 1) if n != count]
    return tuple(str(n) for n in shuffled(rng, [count, *shuffled(rng, others)[:3]]))


def _with_count(scene: Scene, rng: np.random.Generator, target: tuple[int, Kind]) -> Scene:
    """The scene with some objects recoloured or reshaped, so that one kind occurs as often as wanted."""
    count, kind = target
    looks = sorted({(o.color, o.shape) for o in scene.objects})
    color, shape = pick(rng, looks)
    wanted = {"color": color, "shape": shape}
    colors = sorted({o.color for o in scene.objects} - {color}) or [c for c in COLORS if c != color]
    shapes = sorted({o.shape for o in scene.objects} - {shape}) or [s for s in SHAPES if s != shape]
    chosen = set(shuffled(rng, range(len(scene.objects)))[:count])
    objects: list[SceneObject] = []
    for i, o in enumerate(scene.objects):
        if i in chosen:
            changes = {name: wanted[name] for name in kind}
        elif all(getattr(o, name) == wanted[name] for name in kind):
            name = pick(rng, kind)
            changes = {name: pick(rng, colors if name == "color" else shapes)}
        else:
            changes = {}
        objects.append(replace(o, color=changes.get("color", o.color), shape=changes.get("shape", o.shape)))
    return replace(scene, objects=tuple(objects))
