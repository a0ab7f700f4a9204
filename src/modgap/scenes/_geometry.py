"""Where things are in a scene: radii, boxes, relations, distances and what is visible.

All of it follows from the scene graph alone; nothing looks at pixels. Fractions are of the picture's side.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from modgap._errors import InputError

from ._plates import plate_units
from ._scene import Scene, SceneObject
from ._shapes import (
    BACKGROUND_RADIUS,
    DISC_RADIUS,
    HALF_BOX,
    OUTLINE_RADIUS,
    OUTLINES,
    SIDE,
    object_radius_units,
)

MARGIN = 8
"""Default margin of :func:`relation_of`, in percent of the side."""

GRID = 200
"""Points along the side at which visibility is measured: two to a percent."""

Box = tuple[float, float, float, float]


def radius_of(obj: SceneObject, scene: Scene) -> float:
    """Radius of the circle that holds the drawn object, as a fraction of the side (0 to 1)."""
    return object_radius_units(obj, scene) / SIDE


def box_of(obj: SceneObject, scene: Scene) -> Box:
    """The smallest box around the drawn shape, without plate and shadow.

    Returns:
        Left, top, right, bottom as fractions of the side (0 to 1, from the top left corner).
    """
    radius = object_radius_units(obj, scene)
    half_width, half_height = (extent * radius / OUTLINE_RADIUS / SIDE for extent in HALF_BOX[obj.shape])
    x, y = obj.x / 100, obj.y / 100
    return x - half_width, y - half_height, x + half_width, y + half_height


def plate_box_of(obj: SceneObject, scene: Scene) -> Box | None:
    """Box of the plate of an object as in :func:`box_of`, or ``None`` if it carries no word."""
    if not obj.word:
        return None
    left, top, right, bottom = plate_units(obj, scene)
    return left / SIDE, top / SIDE, right / SIDE, bottom / SIDE


def background_radius() -> float:
    """Radius of the circle that holds a background object, as a fraction of the side."""
    return BACKGROUND_RADIUS / SIDE


def relation_of(a: SceneObject, b: SceneObject, margin: int = MARGIN) -> str | None:
    """Where ``a`` is, seen from ``b``, in the plane of the picture.

    Args:
        a: the object that is placed.
        b: the object it is placed against.
        margin: how much farther apart they must be along one axis than along the other, in percent of
            the side, 1 or more; pairs near the diagonal have no relation.

    Returns:
        One of ``RELATIONS``, or ``None`` where the relation would be a matter of opinion.
    """
    if margin < 1:
        raise InputError(f"margin {margin} is not accepted; give 1 or more percent of the side")
    across, down = a.x - b.x, a.y - b.y
    if abs(across) - abs(down) >= margin:
        return "left" if across < 0 else "right"
    if abs(down) - abs(across) >= margin:
        return "above" if down < 0 else "below"
    return None


def relations_of(scene: Scene, margin: int = MARGIN) -> dict[tuple[int, int], str]:
    """The relation of every ordered pair of objects that has one.

    Returns:
        ``(i, j)`` → where object ``i`` is, seen from object ``j`` (indices into ``scene.objects``).
    """
    found = {}
    for i, a in enumerate(scene.objects):
        for j, b in enumerate(scene.objects):
            relation = relation_of(a, b, margin) if i != j else None
            if relation is not None:
                found[i, j] = relation
    return found


def distance_between(a: SceneObject, b: SceneObject) -> float:
    """Distance of the centres in the plane of the picture, in percent of the side."""
    return math.hypot(a.x - b.x, a.y - b.y)


@lru_cache(maxsize=1024)
def silhouette(shape: str, radius: int) -> NDArray[np.bool_]:
    """Which points of the visibility grid a shape covers.

    Args:
        shape: one of ``SHAPES``.
        radius: in units of ``SIDE``.

    Returns:
        A square array of even side, its middle at the centre of the object; do not write to it.
    """
    step = SIDE // GRID
    reach = -(-radius // step)
    # Points lie in the middle of their grid cells, scaled by OUTLINE_RADIUS: all comparisons are exact.
    line = (2 * np.arange(-reach, reach, dtype=np.int64) + 1) * (step // 2) * OUTLINE_RADIUS
    x, y = line[None, :], line[:, None]
    if shape == "circle":
        return (x // OUTLINE_RADIUS) ** 2 + (y // OUTLINE_RADIUS) ** 2 <= (
            DISC_RADIUS * radius // OUTLINE_RADIUS
        ) ** 2
    inside = np.zeros((2 * reach, 2 * reach), dtype=np.bool_)
    corners = [(cx * radius, cy * radius) for cx, cy in OUTLINES[shape]]
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y0 == y1:
            continue
        crosses = (y0 <= y) != (y1 <= y)
        side = (x - x0) * (y1 - y0) - (x1 - x0) * (y - y0)
        inside ^= crosses & ((side < 0) if y1 > y0 else (side > 0))
    return inside


class Cover:
    """The points of the visibility grid that are covered by what stands in front."""

    def __init__(self) -> None:
        self._covered = np.zeros((GRID, GRID), dtype=np.bool_)

    def add(self, obj: SceneObject, scene: Scene) -> None:
        """Cover what an object and its plate hide."""
        window, mask = self._window(obj, scene)
        window |= mask
        if obj.word:
            self._plate(obj, scene)[...] = True

    def visible(self, obj: SceneObject, scene: Scene) -> float:
        """Fraction of the shape that is not covered, 0 to 1."""
        window, mask = self._window(obj, scene)
        total = int(np.count_nonzero(mask))
        return 1.0 - int(np.count_nonzero(window & mask)) / total if total else 0.0

    def plate_is_free(self, obj: SceneObject, scene: Scene) -> bool:
        """Whether nothing comes within a percent of the plate."""
        return not self._plate(obj, scene, GRID // 100).any()

    def _window(self, obj: SceneObject, scene: Scene) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        mask = silhouette(obj.shape, object_radius_units(obj, scene))
        reach = len(mask) // 2
        left, top = obj.x * GRID // 100 - reach, obj.y * GRID // 100 - reach
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + 2 * reach, GRID), min(top + 2 * reach, GRID)
        return self._covered[y0:y1, x0:x1], mask[y0 - top : y1 - top, x0 - left : x1 - left]

    def _plate(self, obj: SceneObject, scene: Scene, around: int = 0) -> NDArray[np.bool_]:
        step = SIDE // GRID
        left, top, right, bottom = plate_units(obj, scene)
        rows = slice(max(top // step - around, 0), -(-bottom // step) + around)
        return self._covered[rows, max(left // step - around, 0) : -(-right // step) + around]


def visible_fraction(scene: Scene, index: int) -> float:
    """How much of an object is not hidden behind nearer objects and their plates.

    Args:
        scene: the scene.
        index: of the object in ``scene.objects``.

    Returns:
        Fraction of its area, 0 to 1, measured at ``GRID`` × ``GRID`` points. Its own plate does not count.
    """
    obj = scene.objects[index]
    cover = Cover()
    for i, other in enumerate(scene.objects):
        if i != index and in_front(scene, i, index):
            cover.add(other, scene)
    return cover.visible(obj, scene)


def in_front(scene: Scene, i: int, j: int) -> bool:
    """Whether object ``i`` is drawn over object ``j``: it is nearer, or as near and later in the scene."""
    return (scene.objects[i].depth, -i) < (scene.objects[j].depth, -j)
