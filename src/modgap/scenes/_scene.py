"""The rendered world: what a scene is.

A scene is its exact graph. Positions are integers, percent of the side of a square picture, so that
text, picture and answer all come from the same numbers and every rendering can be read back exactly.
``x`` grows to the right and ``y`` grows *down*, as in a picture. ``depth`` is 0 for the nearest and 9 for the
farthest; in a scene without perspective it is 0 for all objects.
"""

from __future__ import annotations

from dataclasses import dataclass

SHAPES = ("circle", "square", "triangle", "diamond", "star", "cross")
COLORS = ("red", "green", "blue", "yellow", "orange", "purple", "cyan", "black")
SIZES = ("small", "medium", "large")
FILLS = ("solid", "outlined", "striped")
BACKGROUND_SHAPES = ("sun", "moon", "cloud", "bird")
RELATIONS = ("left", "right", "above", "below")
BACKGROUNDS = ("white", "cream", "gray", "sky", "paper", "noise")
STYLES = ("flat", "contour", "shadow")

RADIUS = {"small": 0.065, "medium": 0.095, "large": 0.130}
"""Radius of the circle that holds an object, as a fraction of the side, before perspective scales it
(our choice: a 3 × 3 grid holds the largest)."""


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One object.

    Args:
        shape: one of ``SHAPES``.
        color: one of ``COLORS``.
        size: one of ``SIZES``; the size of the thing, before perspective scales it.
        fill: one of ``FILLS``.
        x: centre, 0..99, percent of the side, to the right.
        y: centre, 0..99, percent of the side, down.
        depth: 0 (nearest) .. 9 (farthest).
        word: the word on its plate, or an empty string.
    """

    shape: str
    color: str
    size: str
    fill: str
    x: int
    y: int
    depth: int = 0
    word: str = ""


@dataclass(frozen=True, slots=True)
class BackgroundObject:
    """A small thing in the background: one of ``BACKGROUND_SHAPES`` at ``x``, ``y`` (as for objects)."""

    shape: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene graph.

    Args:
        objects: in order of position (reading order: by ``y``, then ``x``); no order of drawing is implied.
        background_objects: small things behind everything.
        perspective: farther objects are drawn smaller and higher, and nearer ones in front of them.
    """

    objects: tuple[SceneObject, ...]
    background_objects: tuple[BackgroundObject, ...] = ()
    perspective: bool = False
