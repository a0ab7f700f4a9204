"""A label whose place is known, read back from its pixels; any letters, unlike :func:`read_text`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ._letters import text_mask
from ._strokes import Color

_MAX_ERROR = 2e-3  # mean squared difference of ink, 0 to 1; labels are painted at whole pixels, without loss


def ink_of(pixels: NDArray[np.float64], paper: Color, ink: Color) -> NDArray[np.float64]:
    """How much ink each pixel holds, 0 to 1, where only these two colours are mixed.

    Args:
        pixels: height × width × 3, 0 to 255.
        paper: colour without ink.
        ink: colour of full ink.
    """
    way = np.subtract(ink, paper, dtype=float)
    share: NDArray[np.float64] = (pixels - np.array(paper, dtype=float)) @ way / (way @ way)
    return np.clip(share, 0, 1)


def read_line(ink: NDArray[np.float64], size: int, alphabet: str) -> str | None:
    """Read a label.

    Args:
        ink: height × width, 0 to 1; its first pixel is where the label begins.
        size: of the font in pixels.
        alphabet: characters that may occur.

    Returns:
        The text without space at its end, or ``None`` if some of it is not in the alphabet.
    """
    tall = max(text_mask(character, size).height for character in alphabet)
    filled = np.flatnonzero((ink > 0.3).any(axis=0))
    text, x = "", 0
    while len(filled) and x <= filled[-1]:
        fitting = []
        for character in alphabet:
            template = _template(character, size, tall)
            height, width = template.shape
            window = ink[:height, x : x + width]
            if window.shape == template.shape and np.mean((window - template) ** 2) < _MAX_ERROR:
                fitting.append((width, character))
        if not fitting:
            return None
        width, character = max(fitting)  # an l is also the beginning of a k
        text, x = text + character, x + width
    return text.rstrip()


@lru_cache(maxsize=2048)
def _template(character: str, size: int, tall: int) -> NDArray[np.float64]:
    """A box as tall for every character, so that one without a tail is not taken for one with it."""
    mask = np.asarray(text_mask(character, size), dtype=float) / 255
    return np.pad(mask, ((0, tall - mask.shape[0]), (0, 0)))
