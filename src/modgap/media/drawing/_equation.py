"""A chemical equation in two lines with small digits below, and read back from its pixels.

draw_equation(("C3H8", "O2"), ("CO2", "H2O"), pixels=448, style="classic")
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from modgap._errors import FileError, UnknownName

from ._letters import text_mask
from ._molecule import MOLECULE_LOOKS
from ._read_line import ink_of
from ._strokes import Drawing, Label, Line, Polygon, Stroke

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz()+ "
_MAX_ERROR = 2e-3  # mean squared difference of ink, 0 to 1


def draw_equation(left: Sequence[str], right: Sequence[str], *, pixels: int, style: str) -> Drawing:
    """Draw what reacts above an arrow, and what comes of it below.

    Args:
        left: formulas; their digits are drawn small and low.
        right: formulas.
        pixels: width and height.
        style: one of ``MOLECULE_LOOKS``.

    Raises:
        UnknownName: if the style does not exist.
    """
    if style not in MOLECULE_LOOKS:
        raise UnknownName("style", style, MOLECULE_LOOKS)
    look, size = MOLECULE_LOOKS[style], _size(pixels)
    upper = _line(" + ".join(left), _row(0, pixels), size, look.bond, pixels)
    lower = _line(" + ".join(right), _row(1, pixels), size, look.bond, pixels)
    top, tip, wide = pixels * 0.45, pixels * 0.58, pixels * 0.02
    arrow: list[Stroke] = [
        Line(((pixels / 2, top), (pixels / 2, tip - wide)), look.letter, max(pixels / 150, 2)),
        Polygon(
            ((pixels / 2, tip), (pixels / 2 - wide, tip - 2 * wide), (pixels / 2 + wide, tip - 2 * wide)),
            look.letter,
        ),
    ]
    return Drawing(pixels, pixels, look.paper, (*upper, *arrow, *lower))


def _size(pixels: int) -> int:
    return max(round(pixels / 18), 14)


def _small(size: int) -> int:
    return max(round(size * 0.7), 9)


def _row(row: int, pixels: int) -> tuple[int, int]:
    """Where a line begins."""
    return round(pixels * 0.05), round(pixels * (0.3, 0.66)[row])


def _line(
    text: str, at: tuple[int, int], size: int, color: tuple[int, int, int], pixels: int
) -> list[Stroke]:
    (x, y), strokes = at, list[Stroke]()
    for character in text:
        low = character.isdecimal()
        font = _small(size) if low else size
        if character != " ":
            strokes.append(Label(x, y + (round(size * 0.45) if low else 0), character, font, color))
        x += text_mask(character, font).width
    if x > pixels:
        raise ValueError(f"equation {text!r} is too long for a picture of {pixels} pixels")
    return strokes


def is_equation(picture: PIL.Image.Image) -> bool:
    """Whether there is an arrow as :func:`draw_equation` draws it."""
    rgb = picture.convert("RGB")
    look = next((k for k in MOLECULE_LOOKS.values() if k.paper == rgb.getpixel((0, 0))), None)
    if look is None or rgb.width != rgb.height:
        return False
    ink = np.asarray(rgb).astype(int)
    middle = rgb.width // 2
    column = ink[round(rgb.width * 0.46) : round(rgb.width * 0.53), middle]
    # An upright bond has the width of a bond; beside an arrow of forty pixels there is nothing at all.
    beside = ink[round(rgb.width * 0.46) : round(rgb.width * 0.53), middle - 40 : middle - 20]
    return bool((np.abs(column - look.letter).max(-1) < 8).all() and (beside == look.paper).all())


def read_equation(picture: PIL.Image.Image) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read what :func:`draw_equation` drew.

    Raises:
        FileError: if the picture is not such a drawing.
    """
    rgb = picture.convert("RGB")
    look = next((k for k in MOLECULE_LOOKS.values() if k.paper == rgb.getpixel((0, 0))), None)
    if look is None or not is_equation(rgb):
        raise FileError("the picture is not an equation that modgap drew")
    pixels = np.asarray(rgb).astype(float)
    size = _size(rgb.width)
    sides = []
    for row in (0, 1):
        x, y = _row(row, rgb.width)
        window = pixels[y : y + _tall(size), x:]
        sides.append(tuple(_read(ink_of(window, look.paper, look.bond), size).split(" + ")))
    return sides[0], sides[1]


def _tall(size: int) -> int:
    return round(size * 0.45) + size + 2


def _read(ink: NDArray[np.float64], size: int) -> str:
    filled = np.flatnonzero((ink > 0.3).any(axis=0))
    text, x = "", 0
    while len(filled) and x <= filled[-1]:
        fitting = []
        for character in _LETTERS + "0123456789":
            template = _template(character, size)
            window = ink[:, x : x + template.shape[1]]
            if window.shape == template.shape and np.mean((window - template) ** 2) < _MAX_ERROR:
                fitting.append((template.shape[1], character))
        if not fitting:
            raise FileError("a formula of the equation cannot be read")
        width, character = max(fitting)
        text, x = text + character, x + width
    return text.rstrip()


@lru_cache(maxsize=512)
def _template(character: str, size: int) -> NDArray[np.float64]:
    low = character.isdecimal()
    mask = np.asarray(text_mask(character, _small(size) if low else size), dtype=float) / 255
    if character == " ":
        mask = np.zeros_like(mask)
    above = round(size * 0.45) if low else 0
    return np.pad(mask, ((above, max(_tall(size) - above - mask.shape[0], 0)), (0, 0)))
