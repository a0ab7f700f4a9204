"""A plot read back from its pixels: the numbers at the ticks give the scale, the coloured pixels the curve.

    read_plot(picture).fits(function, -5, 5)

Nothing is known but the picture. What is read is not a formula but, for every column, the values the ink
covers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from modgap._errors import FileError

from ._letters import read_text
from ._plot import PLOT_LOOKS, Frame, curve_width, frame_of

Floats = NDArray[np.float64]

_SLACK = 1.5  # pixels: half of one for the curve, half for a tick, the rest for what averaging loses


@dataclass(frozen=True)
class Trace:
    """A curve as it was seen; rows and columns are pixels, counted from the upper left corner.

    Args:
        columns: middles of the columns that hold ink, shape (n,).
        tops: where the ink begins in each, shape (n,).
        bottoms: where it ends, shape (n,).
        x_scale: column = ``x_scale[0] * x + x_scale[1]``.
        y_scale: row = ``y_scale[0] * y + y_scale[1]``.
        width: of the line.
    """

    columns: Floats
    tops: Floats
    bottoms: Floats
    x_scale: tuple[float, float]
    y_scale: tuple[float, float]
    width: float

    def fits(self, function: Callable[[Floats], Floats], low: float, high: float) -> bool:
        """Whether it is the curve of ``function`` from ``low`` to ``high``, to about a pixel everywhere."""
        slope, shift = self.x_scale
        reach = self.width / 2 + _SLACK
        start, end = slope * low + shift, slope * high + shift
        if abs(self.columns[0] - start) > reach or abs(self.columns[-1] - end) > reach:
            return False
        if len(self.columns) < self.columns[-1] - self.columns[0]:  # a column without ink
            return False
        # Around every column, as far as the line reaches, the function at every quarter of a pixel.
        steps = np.arange(-4 * np.ceil(reach), 4 * np.ceil(reach) + 1) / 4
        at = np.clip((self.columns[:, None] + steps - shift) / slope, low, high)
        rows = self.y_scale[0] * function(at.ravel()).reshape(at.shape) + self.y_scale[1]
        near = rows[:, np.abs(steps) <= _SLACK]
        missed = np.abs(np.diff(rows, axis=1)).max(1)  # a steep tip may lie between two of these places
        inside = self.tops > rows.min(1) - missed - reach
        inside &= self.bottoms < rows.max(1) + missed + reach
        covered = (self.tops - _SLACK < near.max(1)) & (self.bottoms + _SLACK > near.min(1))
        beyond = (self.columns < start) | (self.columns > end)  # the corners of the last stroke
        return bool(np.all(inside & (covered | beyond)))


def read_plot(picture: PIL.Image.Image) -> Trace:
    """Read a plot that :func:`draw_plot` drew.

    Raises:
        FileError: if the picture is not such a plot.
    """
    pixels = np.asarray(picture.convert("RGB")).astype(float)
    look = next((x for x in PLOT_LOOKS.values() if tuple(pixels[0, 0].astype(int)) == x.paper), None)
    if look is None or pixels.shape[0] != pixels.shape[1] or pixels.shape[0] < 128:
        raise FileError("the picture is not a plot that modgap drew; its size or its paper is another")
    frame = frame_of(pixels.shape[0])
    ink = np.clip((pixels[..., 1] - look.paper[1]) / (look.ink[1] - look.paper[1]), 0, 1)
    below = ink[frame.bottom + 2, : frame.right + 1]
    beside = ink[: frame.bottom + 1, frame.left - 3]
    x_scale = _scale([(x, _x_label(ink, frame, x)) for x in _marks(below) if x >= frame.left])
    y_scale = _scale([(y, _y_label(ink, frame, y)) for y in _marks(beside) if y >= frame.top])
    chroma = pixels.max(2) - pixels.min(2)
    mask = chroma[frame.top : frame.bottom, frame.left : frame.right] > chroma.max() / 2
    columns = np.flatnonzero(mask.any(0))
    if chroma.max() < 60 or not len(columns):
        raise FileError("the plot shows no curve")
    tops = mask[:, columns].argmax(0) + frame.top
    bottoms = frame.bottom - mask[::-1, columns].argmax(0)
    return Trace(
        (columns + frame.left + 0.5).astype(np.float64),
        tops.astype(float),
        bottoms.astype(float),
        x_scale,
        y_scale,
        curve_width(pixels.shape[0]),
    )


def _marks(line: Floats) -> list[int]:
    return [int(i) for i in np.flatnonzero(line > 0.8)]


def _x_label(ink: Floats, frame: Frame, x: int) -> str | None:
    half = round(frame.letters * 1.4)
    strip = ink[frame.bottom + 5 :, max(x - half, 0) : x + half]
    return read_text(_middle_label(strip, x - max(x - half, 0), frame.letters), frame.letters)


def _middle_label(strip: Floats, middle: int, letters: int) -> Floats:
    """The label around a column, without neighbours that come into view: cut where a wide gap is."""
    empty = np.array([not column.any() for column in strip.T > 0.1])
    gap = max(letters // 2, 3)
    left, right = middle, middle
    while left > 0 and not empty[max(left - gap, 0) : left].all():
        left -= 1
    while right < strip.shape[1] and not empty[right : right + gap].all():
        right += 1
    return strip[:, left:right]


def _y_label(ink: Floats, frame: Frame, y: int) -> str | None:
    half = round(frame.letters * 0.6)
    return read_text(ink[max(y - half, 0) : y + half + 1, : frame.left - 5], frame.letters)


def _scale(ticks: list[tuple[int, str | None]]) -> tuple[float, float]:
    """Pixels per unit and the pixel of zero, from the middles of ticks and what is written at them."""
    read = []
    for pixel, text in ticks:
        try:
            read.append((float(text or ""), pixel + 0.5))
        except ValueError:
            continue
    if len(read) < 2 or read[0][0] == read[-1][0]:
        raise FileError("the numbers at the ticks of the plot cannot be read")
    values, at = (np.array(side) for side in zip(*read, strict=True))
    unit = np.abs(values).max()  # large numbers would spoil the fit
    slope, shift = np.polyfit(values / unit, at, 1)
    if np.abs(slope * values / unit + shift - at).max() > 1:
        raise FileError("the numbers at the ticks of the plot do not stand at equal steps")
    return float(slope / unit), float(shift)
