"""The colours of pictures.

No two of them are alike, and none of a backdrop equals one of an object: so a picture can be decoded.
"""

from __future__ import annotations

RGB = tuple[int, int, int]

PALETTE: dict[str, RGB] = {
    "red": (214, 40, 44),
    "green": (46, 150, 64),
    "blue": (38, 88, 214),
    "yellow": (240, 200, 24),
    "orange": (240, 128, 32),
    "purple": (136, 58, 172),
    "cyan": (36, 186, 214),
    "black": (28, 28, 32),
}
"""The colour of an object."""

LIGHT: RGB = (253, 253, 250)
"""Between stripes and inside outlined objects."""

CONTOUR: dict[str, RGB] = {
    name: (106, 108, 118) if name == "black" else (rgb[0] * 45 // 100, rgb[1] * 45 // 100, rgb[2] * 45 // 100)
    for name, rgb in PALETTE.items()
}
"""The line around an object in the style ``contour``: a darker tone of its colour, lighter for black."""

PLATE: RGB = (255, 251, 232)
PLATE_RIM: RGB = (96, 92, 84)
PLATE_INK: RGB = (20, 20, 24)
