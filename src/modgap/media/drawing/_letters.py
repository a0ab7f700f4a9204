"""Short labels set character by character at whole pixels, and read back by matching the same characters.

The font is the one that comes with Pillow, so labels look the same on every machine.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

ALPHABET = "0123456789.e-"
"""What is read back: digits, the decimal point, the exponent sign and minus."""

_MAX_ERROR = 0.04  # mean squared difference of ink, 0 to 1, above which a character is not what it seems


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):  # pragma: no cover - Pillow without FreeType
        raise ImportError("drawing labels needs Pillow with FreeType; install Pillow from PyPI")
    return font


@lru_cache(maxsize=1024)
def _character(character: str, size: int) -> PIL.Image.Image:
    font = _font(size)
    if character == "-":  # the font has a hyphen only, which is easily missed in front of a number
        return _minus(size)
    ascent, descent = font.getmetrics()
    mask = PIL.Image.new("L", (max(round(font.getlength(character)), 1) + 1, ascent + descent), 0)
    ImageDraw.Draw(mask).text((0, 0), character, fill=255, font=font)
    # Digits fill the box between the first and last row of "0": labels are centred by what is seen.
    _, top, _, bottom = font.getbbox("0")
    return mask.crop((0, int(top) - 1, mask.width, int(bottom) + 1 + _below(character, size)))


def _minus(size: int) -> PIL.Image.Image:
    like = _character("0", size)
    mask = PIL.Image.new("L", like.size, 0)
    thick = max(round(size / 12), 1)
    top = (mask.height - thick) // 2
    ImageDraw.Draw(mask).rectangle((1, top, mask.width - 3, top + thick - 1), fill=255)
    return mask


def _below(character: str, size: int) -> int:
    return max(round(size / 4), 2) if character in "gjpqy()," else 0


@lru_cache(maxsize=4096)
def text_mask(text: str, size: int) -> PIL.Image.Image:
    """A text as a mask.

    Args:
        text: one line.
        size: of the font in pixels.

    Returns:
        A picture of mode ``L``, 0 where nothing is and 255 under ink, one pixel larger than the digits.
    """
    characters = [_character(character, size) for character in text]
    mask = PIL.Image.new("L", (sum(c.width for c in characters), max(c.height for c in characters)), 0)
    x = 0
    for character in characters:
        mask.paste(character, (x, 0))
        x += character.width
    return mask


@lru_cache(maxsize=512)
def _template(character: str, size: int) -> NDArray[np.float64]:
    return np.asarray(_character(character, size), dtype=float) / 255


def read_text(ink: NDArray[np.float64], size: int, alphabet: str = ALPHABET) -> str | None:
    """Read a label.

    Args:
        ink: height × width, 0 to 1; how much ink each pixel holds. Nothing but one label is in it.
        size: of the font in pixels.
        alphabet: characters that may occur.

    Returns:
        The text, or ``None`` if there is none or some of it is not in the alphabet.
    """
    rows, columns = (np.flatnonzero((ink > 0.3).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    height = _template("0", size).shape[0]
    padded = np.pad(ink, ((height, height), (size, 3 * size)))
    left = int(columns[0]) + size
    best: tuple[float, str] | None = None
    # Where the first character begins is not known to the pixel; after it every place is.
    for top in range(int(rows[0]) + height - 2, int(rows[0]) + height + 1):
        for x in range(left - size // 4 - 1, left + 1):
            found = _read_from(padded[top : top + height], x, int(columns[-1]) + size, size, alphabet)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
    return best[1] if best else None


def _read_from(
    line: NDArray[np.float64], x: int, last: int, size: int, alphabet: str
) -> tuple[float, str] | None:
    """Characters one after the other from column ``x`` to ``last``, with the largest error among them."""
    text, worst = "", 0.0
    while x <= last:
        errors = []
        for character in alphabet:
            template = _template(character, size)
            window = line[:, x : x + template.shape[1]]
            if window.shape != template.shape:
                continue
            errors.append((float(np.mean((window - template) ** 2)), character))
        error, character = min(errors, default=(1.0, ""))
        if error > _MAX_ERROR:
            return None
        text, worst, x = text + character, max(worst, error), x + _template(character, size).shape[1]
    return (worst, text) if text else None
