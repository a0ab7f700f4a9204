"""A block with forces, and pairs of bar magnets, as pictures that are read back from their pixels.

    draw_forces({"right": (12, 5), "left": (9,)}, pixels=448, style="classic")       # newtons
    draw_magnets((("NS", "SN", 4),), pixels=448, style="classic")                    # centimetres

All arrows are of one length: their numbers say how large a force is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from modgap._errors import FileError, UnknownName

from ._letters import text_mask
from ._read_line import ink_of, read_line
from ._strokes import Color, Drawing, Label, Line, Polygon, Stroke

DIRECTIONS = ("right", "left", "up", "down")
Pair = tuple[str, str, int]
"""Poles of the left magnet from left to right (``NS`` or ``SN``), of the right one, and their distance."""

_WAYS = {"right": (1, 0), "left": (-1, 0), "up": (0, -1), "down": (0, 1)}
_DIGITS = "0123456789"


@dataclass(frozen=True)
class MechanicsLook:
    """Colours of blocks, arrows and magnets.

    Args:
        paper: behind everything; no two styles share it.
        block: fill of the block.
        arrow: of arrows and lines.
        ink: of texts.
        north: fill of a north pole.
        south: fill of a south pole.
        letter: of the letters on poles.
    """

    paper: Color
    block: Color
    arrow: Color
    ink: Color
    north: Color
    south: Color
    letter: Color


MECHANICS_LOOKS: dict[str, MechanicsLook] = {
    "classic": MechanicsLook(
        (255, 255, 255), (205, 170, 125), (180, 20, 20), (0, 0, 0), (225, 90, 90), (110, 140, 225), (0, 0, 0)
    ),
    "clean": MechanicsLook(
        (249, 250, 246),
        (220, 224, 230),
        (30, 60, 120),
        (30, 30, 35),
        (240, 180, 120),
        (190, 215, 190),
        (20, 20, 20),
    ),
    "dark": MechanicsLook(
        (25, 26, 34),
        (90, 96, 110),
        (255, 190, 80),
        (240, 240, 245),
        (170, 50, 60),
        (45, 80, 160),
        (255, 255, 255),
    ),
}
"""Style → colours."""


def _look(style: str) -> MechanicsLook:
    if style not in MECHANICS_LOOKS:
        raise UnknownName("style", style, MECHANICS_LOOKS)
    return MECHANICS_LOOKS[style]


def _letters(pixels: int) -> int:
    return max(round(pixels / 26), 10)


def draw_forces(forces: Mapping[str, Sequence[int]], *, pixels: int, style: str) -> Drawing:
    """Draw a block with at most two forces in each direction.

    Args:
        forces: direction → newtons, in order from above or from the left.
        pixels: width and height.
        style: one of ``MECHANICS_LOOKS``.

    Raises:
        UnknownName: if the style does not exist.
    """
    look, letters, middle, half = _look(style), _letters(pixels), pixels // 2, round(pixels * 0.13)
    corner, far = middle - half, middle + half
    strokes: list[Stroke] = [
        Polygon(((corner, corner), (far, corner), (far, far), (corner, far)), look.block),
        Line(((corner, corner), (far, corner), (far, far), (corner, far), (corner, corner)), look.ink, 1),
    ]
    labels: list[Stroke] = []
    for way in DIRECTIONS:
        sizes = forces.get(way, ())
        for slot, newtons in zip(_slots(len(sizes)), sizes, strict=True):
            strokes += _arrow(way, slot, pixels, look)
            labels.append(Label(*_label(way, slot, pixels), f"{newtons} N", letters, look.ink))
    return Drawing(pixels, pixels, look.paper, (*strokes, *labels))


def _slots(count: int) -> tuple[int, ...]:
    return {0: (), 1: (0,), 2: (-1, 1)}[count]


def _point(way: str, slot: int, along: float, pixels: int) -> tuple[float, float]:
    """A point on the shaft of an arrow, ``along`` of the way from the block to its tip."""
    x, y = _WAYS[way]
    far, aside = pixels * (0.13 + 0.24 * along), slot * pixels * 0.075
    middle = pixels // 2 + 0.5
    return (middle + x * far, middle + aside) if x else (middle + aside, middle + y * far)


def _arrow(way: str, slot: int, pixels: int, look: MechanicsLook) -> list[Stroke]:
    start, neck, tip = (_point(way, slot, along, pixels) for along in (0, 0.82, 1))
    wide = pixels * 0.018
    (x, y), flat = neck, bool(_WAYS[way][0])
    sides = ((x, y - wide), (x, y + wide)) if flat else ((x - wide, y), (x + wide, y))
    return [Line((start, neck), look.arrow, max(pixels / 150, 2)), Polygon((tip, *sides), look.arrow)]


def _label(way: str, slot: int, pixels: int) -> tuple[int, int]:
    """Where the text of an arrow begins: above it, or beside it on the outer side."""
    letters = _letters(pixels)
    x, y = _point(way, slot, 0.5, pixels)
    gap, mask = round(pixels * 0.016), text_mask("00 N", letters)
    if _WAYS[way][0]:
        return int(x) - mask.width // 2, int(y) - gap - mask.height
    return (int(x) - gap - mask.width if slot < 0 else int(x) + gap + 1), int(y) - mask.height // 2


def read_forces(picture: PIL.Image.Image) -> dict[str, tuple[int, ...]]:
    """Read what :func:`draw_forces` drew.

    Raises:
        FileError: if the picture is not such a drawing.
    """
    pixels, look = _opened(picture)
    size = picture.width
    found: dict[str, tuple[int, ...]] = {}
    for way in DIRECTIONS:
        sizes = []
        for slot in (-1, 0, 1):
            x, y = (int(c) for c in _point(way, slot, 0.3, size))
            if not np.abs(pixels[y - 1 : y + 2, x - 1 : x + 2] - look.arrow).max(-1).min() < 8:
                continue
            text = _read(pixels, _label(way, slot, size), "00 N", look.paper, look.ink, _DIGITS + " N")
            if not text.endswith(" N") or not text[:-2].isdecimal():
                raise FileError(f"the number at an arrow to the {way} cannot be read")
            sizes.append(int(text[:-2]))
        if sizes:
            found[way] = tuple(sizes)
    if not found:
        raise FileError("the picture shows no forces")
    return found


def has_block(picture: PIL.Image.Image) -> bool:
    """Whether there is a block in the middle, as :func:`draw_forces` draws it."""
    middle = picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2))
    return any(middle == look.block for look in MECHANICS_LOOKS.values())


def draw_magnets(pairs: Sequence[Pair], *, pixels: int, style: str) -> Drawing:
    """Draw one or two pairs of bar magnets, the second below the first.

    Args:
        pairs: poles and distances in centimetres, 1 to 99; gaps are not to scale.
        pixels: width and height.
        style: one of ``MECHANICS_LOOKS``.

    Raises:
        UnknownName: if the style does not exist.
    """
    look, letters = _look(style), _letters(pixels)
    strokes: list[Stroke] = []
    labels: list[Stroke] = []
    for row, (left, right, distance) in enumerate(pairs):
        for place, pole in enumerate(left + right):
            x, y, wide, high = _pole(place, row, len(pairs), pixels)
            fill = look.north if pole == "N" else look.south
            corners = ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))
            strokes += [Polygon(corners, fill), Line((*corners, corners[0]), look.ink, 1)]
            labels.append(Label(*_inside(place, row, len(pairs), pixels), pole, letters, look.letter))
        a, b = (_pole(place, row, len(pairs), pixels) for place in (1, 2))
        below = a[1] + a[3] + round(pixels * 0.03) + 0.5
        strokes.append(Line(((a[0] + a[2], below), (b[0], below)), look.arrow, 1))
        strokes += [Line(((x, below - 4), (x, below + 5)), look.arrow, 1) for x in (a[0] + a[2], b[0])]
        labels.append(Label(*_distance(row, len(pairs), pixels), f"{distance} cm", letters, look.ink))
        if len(pairs) > 1:
            labels.append(
                Label(round(pixels * 0.06), _title(row, pixels), f"Pair {row + 1}", letters, look.ink)
            )
    return Drawing(pixels, pixels, look.paper, (*strokes, *labels))


def _pole(place: int, row: int, rows: int, pixels: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of a pole, counted from the left."""
    wide, high, gap = round(pixels * 0.17), round(pixels * 0.14), round(pixels * 0.18)
    x = (pixels - 4 * wide - gap) // 2 + place * wide + (gap if place > 1 else 0)
    middle = pixels * (0.45 if rows == 1 else (0.25, 0.7)[row])
    return x, round(middle) - high // 2, wide, high


def _inside(place: int, row: int, rows: int, pixels: int) -> tuple[int, int]:
    x, y, wide, high = _pole(place, row, rows, pixels)
    mask = text_mask("N", _letters(pixels))
    return x + (wide - mask.width) // 2, y + (high - mask.height) // 2


def _title(row: int, pixels: int) -> int:
    return _pole(0, row, 2, pixels)[1] - round(pixels * 0.09)


def read_magnets(picture: PIL.Image.Image) -> tuple[Pair, ...]:
    """Read what :func:`draw_magnets` drew.

    Raises:
        FileError: if the picture is not such a drawing.
    """
    pixels, look = _opened(picture)
    size = picture.width
    title = _read(pixels, (round(size * 0.06), _title(0, size)), "Pair 1", look.paper, look.ink, "Pair 12")
    rows = 2 if title else 1
    pairs = []
    for row in range(rows):
        poles = ""
        for place in range(4):
            x, y, wide, high = _pole(place, row, rows, size)
            fill = pixels[y + high // 5, x + wide // 5]
            north = np.abs(fill - look.north).max() < 8
            paper = look.north if north else look.south
            if not north and not np.abs(fill - look.south).max() < 8:
                raise FileError("the picture shows no magnets")
            pole = _read(pixels, _inside(place, row, rows, size), "N", paper, look.letter, "NS")
            if pole != ("N" if north else "S"):
                raise FileError("the letter of a pole cannot be read, or is not that of its colour")
            poles += pole
        text = _read(pixels, _distance(row, rows, size), "00 cm", look.paper, look.ink, _DIGITS + " cm")
        if not text.endswith(" cm") or not text[:-3].isdecimal():
            raise FileError("the distance of two magnets cannot be read")
        pairs.append((poles[:2], poles[2:], int(text[:-3])))
    return tuple(pairs)


def _distance(row: int, rows: int, pixels: int) -> tuple[int, int]:
    """Where the text of a distance begins."""
    x, y, wide, high = _pole(1, row, rows, pixels)
    gap = round(pixels * 0.18) - text_mask("00 cm", _letters(pixels)).width
    return x + wide + gap // 2, y + high + round(pixels * 0.03) + 7


def _opened(picture: PIL.Image.Image) -> tuple[NDArray[np.float64], MechanicsLook]:
    corner = picture.convert("RGB").getpixel((0, 0))
    look = next((k for k in MECHANICS_LOOKS.values() if k.paper == corner), None)
    if look is None or picture.width != picture.height or picture.width < 128:
        raise FileError("the picture is not one that modgap drew; its size or its paper is another")
    return np.asarray(picture.convert("RGB")).astype(float), look


def _read(
    pixels: NDArray[np.float64], at: tuple[int, int], like: str, paper: Color, ink: Color, alphabet: str
) -> str:
    """A label that begins at a place and is at most about as long as ``like``, or nothing."""
    mask = text_mask(like, _letters(pixels.shape[0]))
    window = pixels[at[1] : at[1] + mask.height, at[0] : at[0] + mask.width + 2]
    return read_line(ink_of(window, paper, ink), _letters(pixels.shape[0]), alphabet) or ""
