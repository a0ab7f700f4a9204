"""Reading a scene back from the pixels of its picture.

    decode_picture(draw_scene(scene, style="contour", background="noise")) == scene

This proves that pictures carry the whole scene graph: nothing but pixels, the palette and the sprites goes
in. Every sprite is compared with the picture at every place it can have, counting only pixels of pure colour.
What matches there is found, and its pixels count as unknown from then on, so that objects are found from the
nearest to the farthest: what can be seen of a hidden object must match, and enough of it must be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from modgap._errors import FileError, InputError

from ._backdrops import background_sprite
from ._check import MAX_DEPTH, MAX_POSITION
from ._draw import at
from ._palette import CONTOUR, LIGHT, PALETTE, PLATE, RGB
from ._plates import WORDS, plate_units
from ._scene import BACKGROUND_SHAPES, COLORS, FILLS, SHAPES, SIZES, BackgroundObject, Scene, SceneObject
from ._shapes import SIDE, radius_units, standing_y
from ._sprites import object_sprite, plate_sprite

MIN_DECODED = 200
"""Smallest picture that is decoded, pixels a side: in less, small sprites have few pixels of pure colour."""

_UNKNOWN = -1  # a pixel that is explained already
_OUTSIDE = -2
_SEEN = 0.3  # least part of a sprite that must be seen; its plate and other objects may hide the rest
_PROBES = 24
_STRAY = 3  # pixels beside an object that may have its colour by chance
_ROUNDS = 12

_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Template:
    """One sprite whatever its colour: where it has pure colours, all it covers, and what lies around it."""

    shape: str
    size: str
    fill: str
    depth: int
    dy: _Ints
    dx: _Ints
    role: NDArray[np.uint8]  # 0 paint, 1 light, 2 contour
    covered: tuple[_Ints, _Ints]
    around: tuple[_Ints, _Ints]


def decode_picture(
    picture: PIL.Image.Image, *, perspective: bool = False, words: Sequence[str] = WORDS
) -> Scene:
    """Read the scene back from a picture drawn by :func:`draw_scene`, of any style and background.

    Args:
        picture: square, at least ``MIN_DECODED`` pixels a side, without loss from compression.
        perspective: whether the scene has perspective; its objects must then stand on the ground as sampled.
        words: the words that plates may carry.

    Returns:
        The scene, objects in reading order. Exact but where a hidden part leaves the position open.

    Raises:
        InputError: if the picture is not square or too small.
        FileError: if something in the picture cannot be explained.
    """
    if picture.width != picture.height or picture.width < MIN_DECODED:
        raise InputError(
            f"a picture of {picture.width} × {picture.height} pixels cannot be decoded; "
            f"give a square one of at least {MIN_DECODED}"
        )
    for family in ("flat", "contour"):  # the sprites of the style "shadow" are those of "flat"
        scene, left = _decode(_Canvas(picture), family, perspective, words)
        if left <= picture.width // 16:
            return scene
    raise FileError(f"picture: {left} pixels of one colour belong to no object; expected one by draw_scene")


def _decode(canvas: _Canvas, family: str, perspective: bool, words: Sequence[str]) -> tuple[Scene, int]:
    """The scene in one family of sprites, and how many pixels of the colour of an object are left over."""
    plates = [(canvas.take_plate(word), word) for word in sorted(words, key=len, reverse=True)]
    objects: list[SceneObject] = []
    for _ in range(_ROUNDS):
        found = _find_objects(canvas, family, perspective)
        if not found:
            break
        objects += found
    named = [_with_word(obj, perspective, plates, canvas.pixels) for obj in objects]
    things = tuple(
        BackgroundObject(shape, x, y)
        for shape in BACKGROUND_SHAPES
        for x, y in canvas.background_positions(shape)
    )
    scene = Scene(
        tuple(sorted(named, key=lambda o: (o.y, o.x, o.depth))),
        tuple(sorted(things, key=lambda o: (o.y, o.x))),
        perspective,
    )
    return scene, max(canvas.count(PALETTE[color]) for color in COLORS)


class _Canvas:
    """The picture as one number per pixel, with a margin all around."""

    def __init__(self, picture: PIL.Image.Image) -> None:
        self.pixels = picture.width
        self.margin = self.pixels // 4
        rgb = np.asarray(picture.convert("RGB")).astype(np.int64)
        self.codes = np.pad(
            (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2], self.margin, constant_values=_OUTSIDE
        )

    def count(self, rgb: RGB) -> int:
        return int(np.count_nonzero(self.codes == _code(rgb)))

    def forget(self, offsets: tuple[_Ints, _Ints], x: int, y: int) -> None:
        """Mark the pixels of a thing at a pixel corner as explained."""
        self.codes[offsets[0] + y + self.margin, offsets[1] + x + self.margin] = _UNKNOWN

    def pick(self, dy: _Ints, dx: _Ints, ys: _Ints, xs: _Ints) -> _Ints:
        """Pixels at every offset (columns) of every place (rows)."""
        m = self.margin
        found: _Ints = self.codes[ys[:, None] + dy[None, :] + m, xs[:, None] + dx[None, :] + m]
        return found

    def exact_places(self, sprite: PIL.Image.Image, ys: _Ints, xs: _Ints) -> list[tuple[int, int]]:
        """The places where every opaque pixel of a sprite is seen, as pixel corners ``(x, y)``."""
        pixels = np.asarray(sprite).astype(np.int64)
        opaque = np.nonzero(pixels[..., 3] == 255)
        wanted = (pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2])[opaque]
        dy, dx = opaque[0] - sprite.height // 2, opaque[1] - sprite.width // 2
        for probes in (*_spread(len(wanted), _PROBES), np.arange(len(wanted))):
            same = (self.pick(dy[probes], dx[probes], ys, xs) == wanted[probes]).all(axis=1)
            ys, xs = ys[same], xs[same]
        return [(int(x), int(y)) for x, y in zip(xs, ys, strict=True)]

    def take_plate(self, word: str) -> list[tuple[int, int]]:
        """Where plates of a word are; their pixels count as explained afterwards."""
        middle = np.nonzero(self.codes == _code(PLATE))
        if not len(middle[0]):
            return []
        sprite = plate_sprite(word, self.pixels)
        # A plate is light along its upper edge: that row says where its middle can be.
        alpha = np.asarray(sprite)[..., :3].astype(np.int64) @ np.array([65536, 256, 1])
        first_y, first_x = (int(v[0]) for v in np.nonzero(alpha == _code(PLATE)))
        ys = middle[0] - self.margin - first_y + sprite.height // 2
        xs = middle[1] - self.margin - first_x + sprite.width // 2
        keep = (ys >= 0) & (xs >= 0) & (ys < self.pixels) & (xs < self.pixels)
        places = self.exact_places(sprite, ys[keep], xs[keep])
        covered = np.nonzero(np.asarray(sprite)[..., 3] > 0)
        for x, y in places:
            self.forget((covered[0] - sprite.height // 2, covered[1] - sprite.width // 2), x, y)
        return places

    def background_positions(self, shape: str) -> list[tuple[int, int]]:
        """Where a background object is, in percent."""
        sprite = background_sprite(shape, self.pixels)
        places = np.array([at(p, self.pixels) for p in range(MAX_POSITION + 1)], dtype=np.int64)
        ys, xs = (grid.ravel() for grid in np.meshgrid(places, places, indexing="ij"))
        percent = {int(pixel): p for p, pixel in enumerate(places)}
        return [(percent[x], percent[y]) for x, y in self.exact_places(sprite, ys, xs)]


def _code(rgb: RGB) -> int:
    return rgb[0] << 16 | rgb[1] << 8 | rgb[2]


def _spread(total: int, n: int) -> list[_Ints]:
    """Growing sets of indices spread over ``total`` pixels: the first rejects most places at little cost."""
    order = (np.arange(n, dtype=np.int64) * 7919 + total // 2) % total
    return [order[:1], order[1:4], order[4:]]


def _find_objects(canvas: _Canvas, family: str, perspective: bool) -> list[SceneObject]:
    """All objects that match what is not yet explained of the picture, none of them hidden by another."""
    candidates = []
    for color in COLORS:
        seen = canvas.count(PALETTE[color])
        if seen < canvas.pixels // 16:
            continue
        codes = np.array([_code(PALETTE[color]), _code(LIGHT), _code(CONTOUR[color])], dtype=np.int64)
        for template in _templates(canvas.pixels, family, perspective):
            if np.count_nonzero(template.role == 0) * _SEEN <= seen:
                candidates += [(n, color, template, x, y) for n, x, y in _matches(canvas, template, codes)]
    found = []
    for seen, color, t, x, y in sorted(candidates, key=lambda c: (-c[0], c[3], c[4])):
        px, py = at(x, canvas.pixels), at(y, canvas.pixels)
        now = canvas.pick(t.dy, t.dx, np.array([py]), np.array([px]))
        if np.count_nonzero(now != _UNKNOWN) < seen:
            continue  # a better match has explained part of it
        canvas.forget(t.covered, px, py)
        found.append(SceneObject(t.shape, color, t.size, t.fill, x, y, t.depth))
    return found


def _matches(canvas: _Canvas, t: _Template, codes: _Ints) -> list[tuple[int, int, int]]:
    """Places of a template in percent, each with the number of pixels that show it."""
    percents = np.arange(MAX_POSITION + 1)
    rows = np.array([standing_y(t.shape, t.size, t.depth)]) if t.depth >= 0 else percents
    ys, xs = (grid.ravel() for grid in np.meshgrid(rows, percents, indexing="ij"))
    wanted = codes[t.role]
    for probes in (*_spread(len(wanted), _PROBES), np.arange(len(wanted))):
        now = canvas.pick(t.dy[probes], t.dx[probes], at_all(ys, canvas.pixels), at_all(xs, canvas.pixels))
        same = ((now == wanted[probes]) | (now == _UNKNOWN)).all(axis=1)
        ys, xs = ys[same], xs[same]
        if not len(ys):
            return []
    around = canvas.pick(*t.around, at_all(ys, canvas.pixels), at_all(xs, canvas.pixels))
    stray = np.count_nonzero(around == codes[0], axis=1)
    shown = np.count_nonzero(now[same] != _UNKNOWN, axis=1)
    return [
        (int(n), int(x), int(y))
        for n, x, y, beside in zip(shown, xs, ys, stray, strict=True)
        if n >= _SEEN * len(wanted) and beside <= _STRAY
    ]


def at_all(percents: _Ints, pixels: int) -> _Ints:
    """:func:`at` for an array."""
    return (percents * pixels + 50) // 100


@lru_cache(maxsize=4)
def _templates(pixels: int, family: str, perspective: bool) -> list[_Template]:
    """Every sprite that a picture may hold, without regard to colour; depth -1 means that ``y`` is free."""
    return [
        _template(pixels, family, (shape, size, fill), depth)
        for shape in SHAPES
        for size in SIZES
        for fill in FILLS
        for depth in (range(MAX_DEPTH + 1) if perspective else (-1,))
    ]


def _template(pixels: int, family: str, look: tuple[str, str, str], depth: int) -> _Template:
    shape, size, fill = look
    radius = radius_units(size, max(depth, 0), depth >= 0) * pixels / SIDE
    color = COLORS[0]  # stands for all: where a sprite has its colour does not depend on which it is
    sprite = np.asarray(object_sprite(shape, color, fill, family, radius)).astype(np.int64)
    half = len(sprite) // 2
    codes = np.where(
        sprite[..., 3] == 255, sprite[..., 0] << 16 | sprite[..., 1] << 8 | sprite[..., 2], _OUTSIDE
    )
    role = np.full(codes.shape, 9, dtype=np.uint8)
    for number, rgb in enumerate((PALETTE[color], LIGHT, CONTOUR[color])):
        role[codes == _code(rgb)] = number
    dy, dx = np.nonzero(role < 9)
    covered = sprite[..., 3] > 0
    wider = covered.copy()
    for axis in (0, 1):
        wider |= np.roll(covered, 1, axis) | np.roll(covered, -1, axis)
    around = np.nonzero(wider & ~covered)
    inside = np.nonzero(covered)
    return _Template(
        shape,
        size,
        fill,
        depth,
        dy - half,
        dx - half,
        role[dy, dx],
        (inside[0] - half, inside[1] - half),
        (around[0] - half, around[1] - half),
    )


def _with_word(
    obj: SceneObject, perspective: bool, plates: list[tuple[list[tuple[int, int]], str]], pixels: int
) -> SceneObject:
    """The object with the word of the plate that hangs where its own would; a free depth becomes 0."""
    depth = max(obj.depth, 0)
    for places, word in plates:
        named = SceneObject(obj.shape, obj.color, obj.size, obj.fill, obj.x, obj.y, depth, word)
        _, top, _, bottom = plate_units(named, Scene((), perspective=perspective))
        if (at(obj.x, pixels), round((top + bottom) // 2 * pixels / SIDE)) in places:
            return named
    return SceneObject(obj.shape, obj.color, obj.size, obj.fill, obj.x, obj.y, depth)
