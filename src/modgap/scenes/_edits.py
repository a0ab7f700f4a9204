"""Small changes of a scene, each of which leaves a scene that can be drawn.

    twin = change_object(scene, 2, color="blue")
    if twin is not None:
        ...

A change is refused with ``None`` where its result would break what holds of every sampled scene: nothing
overlaps in a flat one, at least half of every object can be seen in a deep one, plates are free, small things
in the background are clear of everything. Objects keep their indices, so that facts about the old scene can
be held against the new one; :func:`in_reading_order` sorts them when that is done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ._check import check_scene
from ._draws import Draws
from ._facts import POSITIONS
from ._geometry import Cover
from ._sample import (
    _BACKGROUND_Y,
    _CELLS,
    _MIDDLES,
    _PERCENT,
    MIN_VISIBLE,
    _clear,
    _nearest,
    _range,
    _reach,
    _touch,
)
from ._scene import BackgroundObject, Scene, SceneObject
from ._shapes import BACKGROUND_RADIUS, SIDE, radius_units, standing_y

_TRIES = 8  # places tried for something new
_CLEAR = 5  # percent from the border of a column


def is_drawable(scene: Scene) -> bool:
    """Whether everything in a scene lies inside the picture and can be seen as in a sampled scene.

    Raises:
        InputError: if the scene is not valid.
    """
    check_scene(scene)
    placed = _stand_free(scene) if scene.perspective else _in_own_cells(scene)
    return placed and all(
        all(_clear(thing.x, thing.y, obj, scene) for obj in scene.objects)
        and all(_apart(thing, other) for other in scene.background_objects[:i])
        for i, thing in enumerate(scene.background_objects)
    )


def in_reading_order(scene: Scene) -> Scene:
    """The scene with its objects and small things sorted as in a sampled scene; facts get other indices."""
    objects = sorted(scene.objects, key=lambda o: (o.y, o.x, o.depth))
    things = sorted(scene.background_objects, key=lambda o: (o.y, o.x))
    return Scene(tuple(objects), tuple(things), scene.perspective)


def change_object(scene: Scene, index: int, **values: Any) -> Scene | None:
    """Give an object other values; it keeps its place as far as it fits there.

    Args:
        scene: the scene.
        index: of the object.
        values: fields of ``SceneObject``, but for ``x`` and ``y``.
    """
    return change_objects(scene, {index: values})


def change_objects(scene: Scene, values: dict[int, dict[str, Any]]) -> Scene | None:
    """Give several objects other values at once: index → fields of ``SceneObject``."""
    objects = list(scene.objects)
    for index, fields in values.items():
        changed = replace(objects[index], **fields)
        if scene.perspective:
            changed = replace(changed, y=standing_y(changed.shape, changed.size, changed.depth))
        else:
            changed = _seated(changed, _cell(objects[index]), objects[index].x, objects[index].y)
        objects[index] = changed
    return _if_drawable(replace(scene, objects=tuple(objects)))


def swap_places(scene: Scene, i: int, j: int) -> Scene | None:
    """Let two objects change places: in a deep scene from side to side only, as their depths stay."""
    a, b = scene.objects[i], scene.objects[j]
    objects = list(scene.objects)
    if scene.perspective:
        objects[i], objects[j] = replace(a, x=b.x), replace(b, x=a.x)
    else:
        objects[i], objects[j] = _seated(a, _cell(b), b.x, b.y), _seated(b, _cell(a), a.x, a.y)
    return _if_drawable(replace(scene, objects=tuple(objects)))


def swap_depths(scene: Scene, i: int, j: int) -> Scene | None:
    """Let two objects change their depths; each stands where things at its new depth stand."""
    a, b = scene.objects[i], scene.objects[j]
    return change_objects(scene, {i: {"depth": b.depth}, j: {"depth": a.depth}})


def move_object(scene: Scene, index: int, position: str, draws: Draws) -> Scene | None:
    """Move an object to another ninth of the picture, one of ``POSITIONS``.

    In a deep scene an object can only move sideways.
    """
    cell, obj = POSITIONS.index(position), scene.objects[index]
    (left, right), (top, bottom) = _room(obj, cell, scene)
    if scene.perspective:  # well inside its column, so that nobody doubts which one it is
        left, right = max(left, cell % 3 * 33 + _CLEAR), min(right, cell % 3 * 33 + 33 - _CLEAR)
    if left > right:
        return None
    if _is_aligned(scene):
        moved = replace(
            obj,
            x=_nearest(_MIDDLES[cell % 3], left, right),
            y=_nearest(_MIDDLES[cell // 3], top, bottom),
        )
    else:
        moved = replace(obj, x=draws.between(left, right), y=draws.between(top, bottom))
    if _cell(moved) != cell:
        return None
    objects = list(scene.objects)
    objects[index] = moved
    return _if_drawable(replace(scene, objects=tuple(objects)))


def add_object(scene: Scene, draws: Draws, look: dict[str, str]) -> Scene | None:
    """Add an object where there is room, after the others.

    Args:
        scene: the scene.
        draws: chooses the place.
        look: shape, color, size and fill.
    """
    for _ in range(_TRIES):
        new = SceneObject(look["shape"], look["color"], look["size"], look["fill"], 50, 50)
        if scene.perspective:
            free = sorted(set(range(10)) - {o.depth for o in scene.objects})
            if not free:
                return None
            depth = draws.pick(free)
            new = replace(new, y=standing_y(new.shape, new.size, depth), depth=depth)
            across, _ = _room(new, 0, scene)
            aligned = _is_aligned(scene)
            x = _nearest(draws.pick(_MIDDLES), *across) if aligned else draws.between(*across)
            new = replace(new, x=x)
        else:
            cells = sorted(set(range(9)) - {_cell(o) for o in scene.objects})
            if not cells:
                return None
            cell = draws.pick(cells)
            new = replace(new, x=_MIDDLES[cell % 3], y=_MIDDLES[cell // 3])
            if not _is_aligned(scene):
                across, along = _room(new, cell, scene)
                new = replace(new, x=draws.between(*across), y=draws.between(*along))
        found = _if_drawable(replace(scene, objects=(*scene.objects, new)))
        if found is not None:
            return found
    return None


def change_background(scene: Scene, old: str, new: str) -> Scene:
    """Turn the small things of one kind into another kind."""
    things = (
        replace(thing, shape=new) if thing.shape == old else thing for thing in scene.background_objects
    )
    return replace(scene, background_objects=tuple(things))


def add_background(scene: Scene, shape: str, draws: Draws) -> Scene | None:
    """Add a small thing in the background where there is room."""
    for _ in range(_TRIES):
        thing = BackgroundObject(shape, draws.between(6, 94), draws.between(*_BACKGROUND_Y))
        found = _if_drawable(replace(scene, background_objects=(*scene.background_objects, thing)))
        if found is not None:
            return found
    return None


def remove_background(scene: Scene, shape: str) -> Scene:
    """Take the small things of one kind away."""
    things = tuple(thing for thing in scene.background_objects if thing.shape != shape)
    return replace(scene, background_objects=things)


def _if_drawable(scene: Scene) -> Scene | None:
    return scene if is_drawable(scene) else None


def _cell(obj: SceneObject) -> int:
    """Which ninth the centre of an object is in, in reading order."""
    return obj.y * 3 // 100 * 3 + obj.x * 3 // 100


def _room(obj: SceneObject, cell: int, scene: Scene) -> tuple[tuple[int, int], tuple[int, int]]:
    """Least and most ``x``, and ``y``, at which an object fits in a ninth; in the picture of a deep scene."""
    radius = radius_units(obj.size, obj.depth, scene.perspective)
    aside, down = _reach(radius, obj.word)
    if scene.perspective:
        return _range(0, SIDE, aside, aside), (obj.y, obj.y)
    return _range(*_CELLS[cell % 3], aside, aside), _range(*_CELLS[cell // 3], radius, down)


def _seated(obj: SceneObject, cell: int, x: int, y: int) -> SceneObject:
    """An object of a flat scene in a ninth, as near to a place as it fits."""
    across, along = _room(obj, cell, Scene(()))
    return replace(obj, x=_nearest(x, *across), y=_nearest(y, *along))


def _is_aligned(scene: Scene) -> bool:
    """Whether every object stands in the middle of its column, as far as it fits there."""
    return all(o.x == _nearest(_MIDDLES[_cell(o) % 3], *_room(o, _cell(o), scene)[0]) for o in scene.objects)


def _in_own_cells(scene: Scene) -> bool:
    cells = [_cell(obj) for obj in scene.objects]
    if len(set(cells)) < len(cells):
        return False
    for obj, cell in zip(scene.objects, cells, strict=True):
        (left, right), (top, bottom) = _room(obj, cell, scene)
        if not (left <= obj.x <= right and top <= obj.y <= bottom):
            return False
    return True


def _stand_free(scene: Scene) -> bool:
    cover = Cover()
    objects = sorted(scene.objects, key=lambda o: o.depth)
    if len({obj.depth for obj in objects}) < len(objects):
        return False
    for i, obj in enumerate(objects):
        (left, right), _ = _room(obj, 0, scene)
        if not left <= obj.x <= right or obj.y != standing_y(obj.shape, obj.size, obj.depth):
            return False
        if any(other.color == obj.color and _touch(obj, other, scene) for other in objects[:i]):
            return False
        if cover.visible(obj, scene) < MIN_VISIBLE or (obj.word and not cover.plate_is_free(obj, scene)):
            return False
        cover.add(obj, scene)
    return True


def _apart(a: BackgroundObject, b: BackgroundObject) -> bool:
    return (a.x - b.x) ** 2 + (a.y - b.y) ** 2 > (2 * BACKGROUND_RADIUS // _PERCENT + 2) ** 2
