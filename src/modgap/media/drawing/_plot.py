"""A function as a plot: a curve over ticks with numbers, so that its values can be read off.

    drawing = draw_plot(xs, ys, pixels=448, style="classic", hue=0)

The curve is the only coloured thing in the picture, and where the frame lies depends on the size alone;
both make :func:`read_plot` simple. Ticks are at multiples of 1, 2 or 5 times a power of ten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modgap._errors import UnknownName

from ._letters import text_mask
from ._strokes import Color, Drawing, Label, Line, Point, Stroke

_MARGIN = 0.04  # of the axes, kept free around the curve, so that its ends are seen


@dataclass(frozen=True)
class PlotLook:
    """Colours of a plot; all but ``curves`` are shades of grey or nearly so."""

    paper: Color
    inside: Color
    grid: Color | None
    axes: Color | None
    ink: Color
    curves: tuple[Color, ...]


PLOT_LOOKS: dict[str, PlotLook] = {
    "classic": PlotLook(
        paper=(255, 255, 255),
        inside=(255, 255, 255),
        grid=(218, 218, 218),
        axes=(20, 20, 20),
        ink=(20, 20, 20),
        curves=((214, 39, 40), (230, 120, 10), (31, 110, 200), (20, 140, 60), (128, 0, 150)),
    ),
    "clean": PlotLook(
        paper=(254, 254, 254),
        inside=(234, 234, 242),
        grid=None,
        axes=None,
        ink=(60, 60, 60),
        curves=((120, 20, 140), (20, 60, 190), (170, 20, 60)),
    ),
    "dark": PlotLook(
        paper=(28, 30, 36),
        inside=(28, 30, 36),
        grid=(62, 64, 70),
        axes=(150, 150, 156),
        ink=(226, 226, 230),
        curves=((90, 200, 250), (250, 190, 60), (110, 230, 120), (255, 120, 140)),
    ),
}
"""Style → look; each has a paper of its own, by which a reader knows it."""


@dataclass(frozen=True)
class Frame:
    """Where the axes lie in a square picture: pixel boundaries, and the size of the labels."""

    left: int
    top: int
    right: int
    bottom: int
    letters: int


def frame_of(pixels: int) -> Frame:
    """The frame in a picture of a size."""
    letters = max(11, round(pixels / 28))
    return Frame(
        round(letters * 4.3),
        round(letters * 1.7),
        pixels - round(letters * 1.7),
        pixels - round(letters * 1.9),
        letters,
    )


def curve_width(pixels: int) -> float:
    """How wide the curve is in a picture of a size, in pixels."""
    return max(pixels / 160, 2.0)


def ticks_of(low: float, high: float, least: int) -> list[tuple[float, str]]:
    """Ticks between two numbers with their labels: ``least`` of them to two and a half times as many."""
    power = math.floor(math.log10((high - low) / least))
    step = next(m for m in (5, 2, 1) if m * 10.0**power <= (high - low) / least)
    first, last = (math.ceil(low / step / 10.0**power), math.floor(high / step / 10.0**power))
    return [(n * step * 10.0**power, _number(n * step, power)) for n in range(first, last + 1)]


def _number(mantissa: int, power: int) -> str:
    """``mantissa`` times ten to the ``power``, written as short as it can be."""
    if mantissa == 0:
        return "0"
    if power >= -3 and len(str(abs(mantissa))) + power <= 5:
        return f"{mantissa * 10**power}" if power >= 0 else f"{mantissa / 10**-power:.{-power}f}"
    return f"{mantissa}e{power}"


def draw_plot(
    xs: NDArray[np.float64],
    ys: NDArray[np.float64],
    *,
    pixels: int,
    style: str,
    hue: int = 0,
) -> Drawing:
    """Draw a curve.

    Args:
        xs: abscissas in increasing order, shape (n,); closer together than a pixel where the curve bends.
        ys: finite values, shape (n,), not all equal.
        pixels: width and height.
        style: one of ``PLOT_LOOKS``.
        hue: 0 or more; which of the colours of the style the curve has.

    Raises:
        UnknownName: if the style does not exist.
    """
    if style not in PLOT_LOOKS:
        raise UnknownName("style", style, PLOT_LOOKS)
    look, frame = PLOT_LOOKS[style], frame_of(pixels)
    x_low, x_high = _padded(float(xs[0]), float(xs[-1]))
    y_low, y_high = _padded(float(ys.min()), float(ys.max()))
    px = frame.left + (xs - x_low) * ((frame.right - frame.left) / (x_high - x_low))
    py = frame.bottom - (ys - y_low) * ((frame.bottom - frame.top) / (y_high - y_low))
    curve = tuple(zip(px.tolist(), py.tolist(), strict=True))
    strokes = [
        *_inside(look, frame),
        *_x_axis(look, frame, x_low, x_high),
        *_y_axis(look, frame, y_low, y_high),
        Line(curve, look.curves[hue % len(look.curves)], curve_width(pixels)),
    ]
    return Drawing(pixels, pixels, look.paper, tuple(strokes))


def _padded(low: float, high: float) -> tuple[float, float]:
    return low - _MARGIN * (high - low), high + _MARGIN * (high - low)


def _inside(look: PlotLook, frame: Frame) -> list[Stroke]:
    middle = (frame.top + frame.bottom) / 2
    names = _names(look, frame)
    if look.inside != look.paper:
        height = float(frame.bottom - frame.top)
        return [Line(((frame.left, middle), (frame.right, middle)), look.inside, height), *names]
    sides = [Line(side, look.grid or look.ink, 1) for side in _rectangle(frame)]
    return [*sides, *names]


def _rectangle(frame: Frame) -> list[tuple[Point, Point]]:
    """The sides of the frame, each a pixel wide."""
    left, top, right, bottom = frame.left, frame.top, frame.right, frame.bottom
    return [
        ((left, top + 0.5), (right + 1, top + 0.5)),
        ((left, bottom + 0.5), (right + 1, bottom + 0.5)),
        ((left + 0.5, top), (left + 0.5, bottom + 1)),
        ((right + 0.5, top), (right + 0.5, bottom + 1)),
    ]


def _names(look: PlotLook, frame: Frame) -> list[Stroke]:
    size = frame.letters
    above = Label(frame.left, max((frame.top - size) // 2, 0), "f(x)", size, look.ink)
    return [above, Label(frame.right + size // 2, frame.bottom - size, "x", size, look.ink)]


def _x_axis(look: PlotLook, frame: Frame, low: float, high: float) -> list[Stroke]:
    lines: list[Stroke] = []
    marks: list[Stroke] = []
    labels: list[Stroke] = []
    for value, text in ticks_of(low, high, 4):
        x = math.floor(frame.left + (value - low) / (high - low) * (frame.right - frame.left)) + 0.5
        color = look.axes if value == 0 and look.axes else look.grid
        if color:
            lines.append(Line(((x, frame.top), (x, frame.bottom)), color, 1))
        marks.append(Line(((x, frame.bottom), (x, frame.bottom + 4)), look.ink, 1))
        left = round(x - text_mask(text, frame.letters).width / 2)
        labels.append(Label(left, frame.bottom + 6, text, frame.letters, look.ink))
    return [*lines, *marks, *labels]


def _y_axis(look: PlotLook, frame: Frame, low: float, high: float) -> list[Stroke]:
    lines: list[Stroke] = []
    marks: list[Stroke] = []
    labels: list[Stroke] = []
    for value, text in ticks_of(low, high, 5):
        y = math.floor(frame.bottom - (value - low) / (high - low) * (frame.bottom - frame.top)) + 0.5
        color = look.axes if value == 0 and look.axes else look.grid
        if color:
            lines.append(Line(((frame.left, y), (frame.right, y)), color, 1))
        marks.append(Line(((frame.left - 4, y), (frame.left, y)), look.ink, 1))
        mask = text_mask(text, frame.letters)
        corner = (frame.left - 7 - mask.width, round(y - mask.height / 2))
        labels.append(Label(*corner, text, frame.letters, look.ink))
    return [*lines, *marks, *labels]
