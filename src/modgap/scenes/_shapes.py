"""The outlines of the shapes, and how large an object is in its scene.

Everything here is integer arithmetic on a picture side of ``SIDE`` units, so that a seed gives the same scene
on every machine. An outline is a polygon inside a circle of radius ``OUTLINE_RADIUS`` around the centre of
its own box: the box of every shape is symmetric about the position of the object.
"""

from __future__ import annotations

from ._scene import RADIUS, Scene, SceneObject

SIDE = 100_000
"""Units along the side of a picture; a percent is 1,000 units."""

OUTLINE_RADIUS = 1000
"""Radius of the circle that holds every outline, in the units of ``OUTLINES``."""

DISC_RADIUS = 900
"""Radius of the circle: less than its bound, so that a circle looks as large as a square of its size."""

OUTLINES: dict[str, tuple[tuple[int, int], ...]] = {
    "square": ((-707, -707), (707, -707), (707, 707), (-707, 707)),
    "triangle": ((0, -655), (755, 655), (-755, 655)),
    "diamond": ((0, -1000), (700, 0), (0, 1000), (-700, 0)),
    "star": (
        (0, -838),
        (245, -249),
        (882, -198),
        (397, 217),
        (545, 838),
        (0, 506),
        (-545, 838),
        (-397, 217),
        (-882, -198),
        (-245, -249),
    ),
    "cross": (
        (-340, -940),
        (340, -940),
        (340, -340),
        (940, -340),
        (940, 340),
        (340, 340),
        (340, 940),
        (-340, 940),
        (-340, 340),
        (-940, 340),
        (-940, -340),
        (-340, -340),
    ),
}
"""Corners of each shape but the circle, clockwise from the top, ``y`` down."""

HALF_BOX: dict[str, tuple[int, int]] = {
    "circle": (DISC_RADIUS, DISC_RADIUS),
    **{name: (max(x for x, _ in points), max(y for _, y in points)) for name, points in OUTLINES.items()},
}
"""Half the width and half the height of each shape, in the units of ``OUTLINES``."""

BACKGROUND_RADIUS = 4_500
"""Radius of a small background object, in units of ``SIDE`` (our choice: 2.9 pixels in a picture of 64)."""

_RADIUS_UNITS = {size: round(radius * SIDE) for size, radius in RADIUS.items()}


def scale_percent(depth: int) -> int:
    """How large things at a depth are drawn in a scene with perspective, in percent of their size.

    130 at depth 0 down to 85 at depth 9: the smallest object keeps a radius of 3.5 pixels in a picture of 64.
    """
    return 130 - 5 * depth


def ground_percent(depth: int) -> int:
    """Where things at a depth touch the ground in a scene with perspective, in percent from the top."""
    return 89 - 5 * depth


def radius_units(size: str, depth: int, perspective: bool) -> int:
    """Radius of the circle that holds an object, in units of ``SIDE``."""
    radius = _RADIUS_UNITS[size]
    return radius * scale_percent(depth) // 100 if perspective else radius


def object_radius_units(obj: SceneObject, scene: Scene) -> int:
    """:func:`radius_units` of an object of a scene."""
    return radius_units(obj.size, obj.depth, scene.perspective)


def standing_y(shape: str, size: str, depth: int) -> int:
    """The ``y`` at which an object stands on the ground of a scene with perspective, in percent."""
    half_height = HALF_BOX[shape][1] * radius_units(size, depth, True)  # units of SIDE × OUTLINE_RADIUS
    scale = SIDE // 100 * OUTLINE_RADIUS
    return (ground_percent(depth) * scale - half_height + scale // 2) // scale
