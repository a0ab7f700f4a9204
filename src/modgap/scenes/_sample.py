"""Sampling scenes from a seed.

A scene without perspective puts its objects into the cells of a jittered 3 × 3 grid, so nothing overlaps;
in an aligned scene each stands in the middle of its cell, so that a place is one of few.
With perspective every object stands on the ground at a depth of its own; farther ones are higher, smaller and
may be half hidden. Only integers of the generator are used, so a seed gives one scene on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from modgap._errors import InputError, UnknownName

from ._draws import Draws
from ._geometry import Cover
from ._plates import PLATE_HEIGHT, WORDS, plate_top, plate_units, plate_width
from ._scene import BACKGROUND_SHAPES, COLORS, FILLS, SHAPES, SIZES, BackgroundObject, Scene, SceneObject
from ._shapes import BACKGROUND_RADIUS, SIDE, object_radius_units, radius_units, standing_y

MAX_OBJECTS = 8
MIN_VISIBLE = 0.5
"""An object of which less can be seen is moved or the scene drawn again."""

_PERCENT = SIDE // 100
_GAP = 500  # units kept free at the rim of a cell and of the picture
_CELLS = ((0, 33_333), (33_333, 66_667), (66_667, SIDE))
_MIDDLES = (17, 50, 83)
_BACKGROUND_Y = (6, 20)  # percent; small things stay near the top
_ATTEMPTS = 24


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """What scenes may contain.

    Args:
        min_objects: fewest objects, 1 to 8.
        max_objects: most objects, up to 8.
        perspective: objects stand at different depths.
        min_plates: fewest plates with a word.
        plates: most plates with a word; words differ within a scene.
        background_objects: most small background objects, up to 4; fewer where there is no room.
        shapes: the shapes that may occur.
        colors: the colours that may occur.
        sizes: the sizes that may occur.
        fills: the fills that may occur.
        unique: no two objects share both colour and shape, so "the red circle" names one object.
        aligned: objects stand in the middle of their ninths; with perspective, of the three columns, as
            far as they fit.

    Raises:
        InputError: if a number is out of range or a name is unknown.
    """

    min_objects: int = 2
    max_objects: int = 5
    perspective: bool = False
    min_plates: int = 0
    plates: int = 0
    background_objects: int = 0
    shapes: tuple[str, ...] = SHAPES
    colors: tuple[str, ...] = COLORS
    sizes: tuple[str, ...] = SIZES
    fills: tuple[str, ...] = FILLS
    unique: bool = False
    aligned: bool = False

    def __post_init__(self) -> None:
        _ordered("objects", self.min_objects, self.max_objects, 1, MAX_OBJECTS)
        _ordered("plates", self.min_plates, self.plates, 0, MAX_OBJECTS)
        _ordered("background objects", 0, self.background_objects, 0, len(BACKGROUND_SHAPES))
        if self.min_plates > self.min_objects:
            raise InputError(
                f"min_plates {self.min_plates} is more than min_objects {self.min_objects}; "
                "an object carries one plate at most"
            )
        accepted = {"shapes": SHAPES, "colors": COLORS, "sizes": SIZES, "fills": FILLS}
        for name in (f.name for f in fields(self) if f.name in accepted):
            values = getattr(self, name)
            if not values or len(set(values)) != len(values):
                raise InputError(
                    f"{name} {values!r} must name at least one of {', '.join(accepted[name])}, each once"
                )
            for value in values:
                if value not in accepted[name]:
                    raise UnknownName(name[:-1], value, accepted[name])
        if self.unique and len(self.shapes) * len(self.colors) < self.max_objects:
            raise InputError(
                f"{len(self.shapes)} shapes × {len(self.colors)} colors cannot make {self.max_objects} "
                "unique objects; allow more shapes or colors, or set max_objects lower"
            )


def _ordered(what: str, low: int, high: int, least: int, most: int) -> None:
    if not least <= low <= high <= most:
        raise InputError(
            f"number of {what} from {low} to {high} is not accepted; give {least} ≤ min ≤ max ≤ {most}"
        )


def sample_scene(rng: np.random.Generator, settings: SceneSettings) -> Scene:
    """Draw a scene.

    Args:
        rng: where all randomness comes from; only its integers are used.
        settings: what may occur.

    Returns:
        A scene whose objects and plates lie fully inside the picture. Without perspective nothing overlaps;
        with it every object is at least half visible, every plate fully, and objects of one colour do not
        overlap.
    """
    draws = Draws(rng)
    while True:
        n = draws.between(settings.min_objects, settings.max_objects)
        looks = _looks(draws, settings, n)
        plates = draws.between(settings.min_plates, min(settings.plates, n)) if settings.plates else 0
        words = [WORDS[i] for i in draws.some(range(len(WORDS)), plates)] + [""] * (n - plates)
        place = _place_in_depth if settings.perspective else _place_on_grid
        objects = place(draws, looks, words, settings.aligned)
        if objects is None:
            continue
        objects.sort(key=lambda o: (o.y, o.x, o.depth))
        scene = Scene(tuple(objects), perspective=settings.perspective)
        if not settings.background_objects:
            return scene
        wanted = draws.between(0, settings.background_objects)
        return Scene(scene.objects, _background(draws, scene, wanted), settings.perspective)


_Look = tuple[str, str, str, str]


def _looks(draws: Draws, settings: SceneSettings, n: int) -> list[_Look]:
    """Shape, colour, size and fill of ``n`` objects."""
    looks: list[_Look] = []
    taken: set[tuple[str, str]] = set()
    while len(looks) < n:
        shape, color = draws.pick(settings.shapes), draws.pick(settings.colors)
        if settings.unique:
            if (shape, color) in taken:
                continue
            taken.add((shape, color))
        looks.append((shape, color, draws.pick(settings.sizes), draws.pick(settings.fills)))
    return looks


def _reach(radius: int, word: str) -> tuple[int, int]:
    """How far an object with its plate reaches to each side, and down, from its centre."""
    if not word:
        return radius, radius
    return max(radius, plate_width(word) // 2), max(radius, plate_top(radius) + PLATE_HEIGHT)


def _range(low: int, high: int, before: int, after: int) -> tuple[int, int]:
    """Whole percents at which something that reaches ``before`` and ``after`` fits between two limits."""
    return -(-(low + _GAP + before) // _PERCENT), (high - _GAP - after) // _PERCENT


def _place_on_grid(draws: Draws, looks: list[_Look], words: list[str], aligned: bool) -> list[SceneObject]:
    objects = []
    for (shape, color, size, fill), word, cell in zip(
        looks, words, draws.some(range(9), len(looks)), strict=True
    ):
        radius = radius_units(size, 0, False)
        aside, down = _reach(radius, word)
        across = _range(*_CELLS[cell % 3], aside, aside)
        along = _range(*_CELLS[cell // 3], radius, down)
        if aligned:
            x, y = _nearest(_MIDDLES[cell % 3], *across), _nearest(_MIDDLES[cell // 3], *along)
        else:
            x, y = draws.between(*across), draws.between(*along)
        objects.append(SceneObject(shape, color, size, fill, x, y, 0, word))
    return objects


def _nearest(value: int, low: int, high: int) -> int:
    """The value, moved into a range if it lies outside: a plate may leave no room in the middle of a cell."""
    return min(max(value, low), high)


def _place_in_depth(
    draws: Draws, looks: list[_Look], words: list[str], aligned: bool
) -> list[SceneObject] | None:
    """From near to far, each where enough of it can be seen; ``None`` if one finds no place."""
    scene = Scene((), perspective=True)
    cover = Cover()
    placed: list[SceneObject] = []
    order = sorted(zip(draws.some(range(10), len(looks)), looks, words, strict=True))
    for depth, (shape, color, size, fill), word in order:
        radius = radius_units(size, depth, True)
        aside, _ = _reach(radius, word)
        limits = _range(0, SIDE, aside, aside)
        y = standing_y(shape, size, depth)
        for _ in range(_ATTEMPTS):
            x = _nearest(draws.pick(_MIDDLES), *limits) if aligned else draws.between(*limits)
            obj = SceneObject(shape, color, size, fill, x, y, depth, word)
            if cover.visible(obj, scene) < MIN_VISIBLE or (word and not cover.plate_is_free(obj, scene)):
                continue
            if any(other.color == color and _touch(obj, other, scene) for other in placed):
                continue
            cover.add(obj, scene)
            placed.append(obj)
            break
        else:
            return None
    return placed


def _touch(a: SceneObject, b: SceneObject, scene: Scene) -> bool:
    """Whether the circles that hold two objects meet."""
    reach = object_radius_units(a, scene) + object_radius_units(b, scene)
    return ((a.x - b.x) ** 2 + (a.y - b.y) ** 2) * _PERCENT**2 < reach**2


def _background(draws: Draws, scene: Scene, wanted: int) -> tuple[BackgroundObject, ...]:
    """Small things near the top that neither touch each other nor hide behind anything."""
    found: list[BackgroundObject] = []
    kinds = draws.some(range(len(BACKGROUND_SHAPES)), wanted)
    for kind in kinds:
        for _ in range(_ATTEMPTS):
            x, y = draws.between(6, 94), draws.between(*_BACKGROUND_Y)
            if all(_clear(x, y, obj, scene) for obj in scene.objects) and all(
                (x - other.x) ** 2 + (y - other.y) ** 2 > (2 * BACKGROUND_RADIUS // _PERCENT + 2) ** 2
                for other in found
            ):
                found.append(BackgroundObject(BACKGROUND_SHAPES[kind], x, y))
                break
    return tuple(sorted(found, key=lambda o: (o.y, o.x)))


def _clear(x: int, y: int, obj: SceneObject, scene: Scene) -> bool:
    """Whether a background object at a place, in percent, stays clear of an object and its plate."""
    reach = object_radius_units(obj, scene) + BACKGROUND_RADIUS + _PERCENT
    if ((x - obj.x) ** 2 + (y - obj.y) ** 2) * _PERCENT**2 < reach**2:
        return False
    if not obj.word:
        return True
    left, top, right, bottom = plate_units(obj, scene)
    room = BACKGROUND_RADIUS + _PERCENT
    return not (left - room < x * _PERCENT < right + room and top - room < y * _PERCENT < bottom + room)
