"""A drawing is a list of strokes in the order in which a hand would make them; painting them gives a picture.

    strokes = Line(((10, 50), (190, 50)), BLACK, 3), Disc(100, 50, 12, WHITE, BLACK, 2)
    drawing = Drawing(200, 100, WHITE, strokes)
    drawing.paint()          # the whole picture
    drawing.paint(1)         # its first stroke only

Coordinates are in pixels from the upper left corner; pixel ``i`` covers ``i`` to ``i + 1``. Lines and
polygons are painted at four times the size and averaged down, runs of one colour together, which is what
makes it fast. The same strokes give the same pixels for given versions of Pillow and FreeType.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
import PIL.Image
from PIL import ImageDraw

from modgap.media._parts import Image

from ._letters import text_mask
from ._png import write_png

Color = tuple[int, int, int]
Point = tuple[float, float]

_FINER = 4  # all but labels is painted at this many times the size
_MOST_KEPT = 8_000_000  # pixels of a mask that is kept for the next drawing of the thread
_kept = threading.local()
_SHARP = 0.05  # sine of the least turn that is rounded


@dataclass(frozen=True)
class Line:
    """A line through points, ``width`` pixels wide."""

    points: tuple[Point, ...]
    color: Color
    width: float


@dataclass(frozen=True)
class Polygon:
    """A filled polygon."""

    points: tuple[Point, ...]
    color: Color


@dataclass(frozen=True)
class Disc:
    """A filled disc with a rim inside its ``radius``; ``x`` and ``y`` are the pixel in its middle."""

    x: int
    y: int
    radius: int
    fill: Color
    edge: Color
    width: int


@dataclass(frozen=True)
class Label:
    """A line of text; ``x`` and ``y`` are the upper left corner of its box, ``under`` is behind it."""

    x: int
    y: int
    text: str
    size: int
    color: Color
    under: Color | None = None


Stroke = Line | Polygon | Disc | Label


@dataclass(frozen=True)
class Drawing:
    """A picture as strokes.

    Args:
        width: in pixels.
        height: in pixels.
        background: colour of the empty picture.
        strokes: in order; later ones cover earlier ones.
    """

    width: int
    height: int
    background: Color
    strokes: tuple[Stroke, ...]

    def paint(self, count: int | None = None) -> PIL.Image.Image:
        """Paint the first ``count`` strokes, or all of them.

        Returns:
            An RGB picture.
        """
        canvas = PIL.Image.new("RGB", (self.width, self.height), self.background)
        for color, run in groupby(self.strokes[:count], key=_ink):
            strokes = list(run)
            if color is not None:
                slanted = []
                for stroke in strokes:
                    box = _box(stroke)
                    if box is not None:
                        canvas.paste(color, box)
                    elif isinstance(stroke, Line | Polygon):
                        slanted.append(stroke)
                if slanted:
                    _paint_together(canvas, slanted, color)
                continue
            for stroke in strokes:
                if isinstance(stroke, Disc):
                    _paint_disc(canvas, stroke)
                elif isinstance(stroke, Label):
                    _paint_label(canvas, stroke)
        return canvas

    def image(self) -> Image:
        """The whole picture as encoded media."""
        return Image(write_png(self.paint()), "image/png")


def _ink(stroke: Stroke) -> Color | None:
    """The colour of what is painted in runs."""
    return stroke.color if isinstance(stroke, Line | Polygon) else None


def _box(stroke: Stroke) -> tuple[int, int, int, int] | None:
    """The pixels that a level or upright line fills, if it fills whole pixels, as grids and frames do."""
    if not isinstance(stroke, Line) or len(stroke.points) != 2:
        return None
    (ax, ay), (bx, by) = stroke.points
    half = stroke.width / 2
    if ay == by:
        box = min(ax, bx), ay - half, max(ax, bx), ay + half
    elif ax == bx:
        box = ax - half, min(ay, by), ax + half, max(ay, by)
    else:
        return None
    left, top, right, bottom = (int(v) for v in box)
    return (left, top, right, bottom) if (left, top, right, bottom) == box else None


def _paint_together(canvas: PIL.Image.Image, strokes: Sequence[Line | Polygon], color: Color) -> None:
    reach = max((s.width for s in strokes if isinstance(s, Line)), default=0.0) + 2
    xs = [x for s in strokes for x, _ in s.points]
    ys = [y for s in strokes for _, y in s.points]
    left, top = max(math.floor(min(xs) - reach), 0), max(math.floor(min(ys) - reach), 0)
    right = min(math.ceil(max(xs) + reach), canvas.width)
    bottom = min(math.ceil(max(ys) + reach), canvas.height)
    if right <= left or bottom <= top:
        return
    size = (right - left) * _FINER, (bottom - top) * _FINER
    mask = _cleared(*size)
    draw = ImageDraw.Draw(mask)
    for s in strokes:
        # Pillow counts from the middle of a pixel, strokes from its corner: hence the half.
        points = [((x - left) * _FINER - 0.5, (y - top) * _FINER - 0.5) for x, y in s.points]
        if isinstance(s, Polygon):
            draw.polygon(points, fill=255)
        else:
            _draw_line(draw, points, s.width * _FINER)
    canvas.paste(color, (left, top), mask.reduce(_FINER, (0, 0, *size)))


def _cleared(width: int, height: int) -> PIL.Image.Image:
    """A mask at least so large, black in that part, in memory that is kept: fresh memory is slow."""
    mask: PIL.Image.Image | None = getattr(_kept, "mask", None)
    if mask is None or mask.width < width or mask.height < height:
        mask = PIL.Image.new("L", (width, height), 0)
        if width * height <= _MOST_KEPT:
            _kept.mask = mask
    else:
        mask.paste(0, (0, 0, width, height))
    return mask


def _draw_line(draw: ImageDraw.ImageDraw, points: Sequence[Point], width: float) -> None:
    if len(points) > 2:
        # Pillow puts a line of even width half a pixel to the side.
        draw.line(points, fill=255, width=2 * round((width - 1) / 2) + 1)
        for x, y in _corners(points):
            reach = (width - 1) / 2
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
        return
    (ax, ay), (bx, by) = points
    # As a polygon a single line is as wide in every direction, which Pillow's own lines are not.
    reach = (width - 1) / 2 / max(math.hypot(bx - ax, by - ay), 1e-9)
    x, y = (by - ay) * reach, (ax - bx) * reach
    draw.polygon([(ax + x, ay + y), (bx + x, by + y), (bx - x, by - y), (ax - x, ay - y)], fill=255)


def _corners(points: Sequence[Point]) -> list[Point]:
    """Where a line turns by so much that it would show a gap; a smooth curve has few such places."""
    way = np.diff(np.array(points), axis=0)
    turn = np.abs(way[:-1, 0] * way[1:, 1] - way[:-1, 1] * way[1:, 0])
    length = np.hypot(way[:, 0], way[:, 1])
    sharp = (turn > _SHARP * length[:-1] * length[1:]).nonzero()[0]
    return [points[i + 1] for i in sharp.tolist()]


def _paint_disc(canvas: PIL.Image.Image, disc: Disc) -> None:
    corner = (disc.x - disc.radius - 1, disc.y - disc.radius - 1)
    canvas.paste(disc.edge, corner, _disc(disc.radius, disc.radius))
    canvas.paste(disc.fill, corner, _disc(disc.radius, disc.radius - disc.width))


def _paint_label(canvas: PIL.Image.Image, label: Label) -> None:
    mask = text_mask(label.text, label.size)
    if label.under is not None:
        canvas.paste(label.under, (label.x - 1, label.y, label.x + mask.width + 1, label.y + mask.height))
    canvas.paste(label.color, (label.x, label.y), mask)


@lru_cache(maxsize=64)
def _disc(outer: int, radius: int) -> PIL.Image.Image:
    """A mask with a disc of ``radius`` around its middle pixel, as large as one of radius ``outer`` needs."""
    side = 2 * outer + 3
    mask = PIL.Image.new("L", (side * _FINER, side * _FINER), 0)
    middle, reach = side * _FINER / 2 - 0.5, radius * _FINER
    ImageDraw.Draw(mask).ellipse((middle - reach, middle - reach, middle + reach, middle + reach), fill=255)
    return mask.reduce(_FINER)
