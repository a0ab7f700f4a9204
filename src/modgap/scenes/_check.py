"""Whether a scene says only what a scene can say."""

from __future__ import annotations

from modgap._errors import InputError, UnknownName

from ._plates import WORD_PATTERN
from ._scene import BACKGROUND_SHAPES, COLORS, FILLS, SHAPES, SIZES, Scene

MAX_POSITION = 99
MAX_DEPTH = 9

_SHAPES, _COLORS, _SIZES, _FILLS = frozenset(SHAPES), frozenset(COLORS), frozenset(SIZES), frozenset(FILLS)


def check_scene(scene: Scene) -> None:
    """Refuse a scene with an unknown name or a number out of range.

    Raises:
        InputError: naming the object, the value and what is accepted.
    """
    for obj in scene.objects:
        if obj.shape not in _SHAPES:
            raise UnknownName("shape", obj.shape, SHAPES)
        if obj.color not in _COLORS:
            raise UnknownName("color", obj.color, COLORS)
        if obj.size not in _SIZES:
            raise UnknownName("size", obj.size, SIZES)
        if obj.fill not in _FILLS:
            raise UnknownName("fill", obj.fill, FILLS)
        _position(obj.shape, obj.x, obj.y)
        if not _whole(obj.depth, MAX_DEPTH):
            raise InputError(f"depth {obj.depth} of the {obj.shape} is not accepted; give 0 (nearest) to 9")
        if obj.depth and not scene.perspective:
            raise InputError(f"depth {obj.depth} of the {obj.shape} needs a scene with perspective; give 0")
        if obj.word and not WORD_PATTERN.fullmatch(obj.word):
            raise InputError(f"word {obj.word!r} does not fit a plate; give 2 to 4 letters from a to z")
    for thing in scene.background_objects:
        if thing.shape not in BACKGROUND_SHAPES:
            raise UnknownName("background object", thing.shape, BACKGROUND_SHAPES)
        _position(thing.shape, thing.x, thing.y)


def _position(name: str, x: int, y: int) -> None:
    if not (_whole(x, MAX_POSITION) and _whole(y, MAX_POSITION)):
        raise InputError(f"position {x}, {y} of the {name} is not accepted; give whole percents from 0 to 99")


def _whole(value: int, most: int) -> bool:
    # A scene made by hand may hold a float or a bool, which would be written but not read back.
    return type(value) is int and 0 <= value <= most
