"""Small transparent pictures of single things, made once and pasted many times.

Pasting a cached sprite is far faster than drawing its polygon in every picture. A sprite is drawn larger and
averaged down, so its rim is smooth; its middle is a corner of four pixels, and it is pasted at whole pixels.
"""

from __future__ import annotations

from functools import lru_cache

import PIL.Image
from PIL import ImageChops, ImageDraw, ImageFilter, ImageFont

from ._palette import CONTOUR, LIGHT, PALETTE, PLATE, PLATE_INK, PLATE_RIM
from ._plates import LETTER_WIDTH, PLATE_HEIGHT, plate_width
from ._shapes import DISC_RADIUS, OUTLINE_RADIUS, OUTLINES, SIDE

_SMALL = 128  # sprites up to this side are kept by the thousand, larger ones are few

# Widths as fractions of the radius of the object (our choice: told apart by eye at a radius of 3.5 pixels).
_RIM = {"circle": 0.28, "square": 0.25, "triangle": 0.18, "diamond": 0.25, "star": 0.155, "cross": 0.19}
_CONTOUR = 0.09
_STRIPED_RIM = 0.09
_STRIPE_PERIOD = 0.58
_SHADOW_OFFSET = 0.16
_SHADOW_BLUR = 0.10
_SHADOW_STRENGTH = 105


def _oversampling(radius: float) -> int:
    return 8 if radius < 14 else 4 if radius < 90 else 2


class _Stencil:
    """Masks of one shape at ``k`` times the size of the sprite."""

    def __init__(self, shape: str, radius: float, half: int) -> None:
        self.k = _oversampling(radius)
        self.half = half
        self.radius = radius * self.k
        self.side = 2 * half * self.k
        self._shape = shape
        # PIL counts pixel centres, geometry counts corners: hence the half pixel.
        middle = self.side / 2 - 0.5
        if shape == "circle":
            reach = self.radius * DISC_RADIUS / OUTLINE_RADIUS
            self._ring = [middle - reach, middle - reach, middle + reach, middle + reach]
        else:
            self._corners = [
                (middle + x * self.radius / OUTLINE_RADIUS, middle + y * self.radius / OUTLINE_RADIUS)
                for x, y in OUTLINES[shape]
            ]
        self.whole = self._blank()
        draw = ImageDraw.Draw(self.whole)
        if shape == "circle":
            draw.ellipse(self._ring, fill=255)
        else:
            draw.polygon(self._corners, fill=255)

    def _blank(self) -> PIL.Image.Image:
        return PIL.Image.new("L", (self.side, self.side), 0)

    def rim(self, width: float) -> PIL.Image.Image:
        """The inner rim of a width in pixels of the sprite."""
        mask = self._blank()
        draw = ImageDraw.Draw(mask)
        thick = max(round(width * self.k), 1)
        if self._shape == "circle":
            draw.ellipse(self._ring, outline=255, width=thick)
        else:
            draw.line([*self._corners, *self._corners[:2]], fill=255, width=2 * thick, joint="curve")
        return ImageChops.multiply(mask, self.whole)

    def stripes(self) -> PIL.Image.Image:
        """Diagonal bands."""
        mask = self._blank()
        draw = ImageDraw.Draw(mask)
        period = _STRIPE_PERIOD * self.radius * 2**0.5  # measured along an edge of the sprite
        start = (
            self.side / 2 - 0.5 - period / 8
        )  # this far off the middle, the smallest stars show a light band
        for band in range(-6, 7):
            left = start + band * period
            top, bottom = left + self.side / 2, left - self.side / 2
            draw.polygon(
                [(top, 0), (top + period / 2, 0), (bottom + period / 2, self.side), (bottom, self.side)],
                fill=255,
            )
        return ImageChops.multiply(mask, self.whole)


def _half(radius: float) -> int:
    return int(radius) + 2


def object_sprite(shape: str, color: str, fill: str, style: str, radius: float) -> PIL.Image.Image:
    """An object as RGBA; ``radius`` in pixels. The side is even; do not draw on it."""
    make = _small_object if 2 * _half(radius) <= _SMALL else _large_object
    return make(shape, color, fill, style, radius)


def _object(shape: str, color: str, fill: str, style: str, radius: float) -> PIL.Image.Image:
    stencil = _Stencil(shape, radius, _half(radius))
    paint = PALETTE[color]
    picture = PIL.Image.new("RGB", stencil.whole.size, paint if fill == "solid" else LIGHT)
    if fill == "striped":
        picture.paste(paint, mask=stencil.stripes())
        picture.paste(paint, mask=stencil.rim(_STRIPED_RIM * radius))
    elif fill == "outlined":  # a contour lies on the rim and must not hide its colour
        width = _RIM[shape] + (0.5 * _CONTOUR if style == "contour" else 0.0)
        picture.paste(paint, mask=stencil.rim(width * radius))
    if style == "contour":
        picture.paste(CONTOUR[color], mask=stencil.rim(max(_CONTOUR * radius, 0.5)))
    picture.putalpha(stencil.whole)
    return picture.reduce(stencil.k)


_small_object = lru_cache(maxsize=2048)(_object)
_large_object = lru_cache(maxsize=32)(_object)


def shadow_margin(radius: float) -> int:
    """How many pixels a shadow sprite is wider than the object's on each side."""
    return int(radius * (_SHADOW_OFFSET + 2 * _SHADOW_BLUR)) + 1


def shadow_sprite(shape: str, radius: float) -> PIL.Image.Image:
    """The shadow of an object as a mask of mode L; its middle is that of the object."""
    make = _small_shadow if 2 * (_half(radius) + shadow_margin(radius)) <= _SMALL else _large_shadow
    return make(shape, radius)


def _shadow(shape: str, radius: float) -> PIL.Image.Image:
    stencil = _Stencil(shape, radius, _half(radius) + shadow_margin(radius))
    offset = round(_SHADOW_OFFSET * radius * stencil.k)
    moved = ImageChops.offset(stencil.whole, offset, offset)
    small = moved.reduce(stencil.k).filter(ImageFilter.GaussianBlur(_SHADOW_BLUR * radius))
    return small.point([value * _SHADOW_STRENGTH // 255 for value in range(256)])


_small_shadow = lru_cache(maxsize=512)(_shadow)
_large_shadow = lru_cache(maxsize=16)(_shadow)


@lru_cache(maxsize=512)
def plate_sprite(word: str, pixels: int) -> PIL.Image.Image:
    """The plate of a word as RGBA, for a picture of ``pixels`` a side; width and height are even."""
    unit = pixels / SIDE
    width = 2 * round(plate_width(word) * unit / 2)
    height = 2 * round(PLATE_HEIGHT * unit / 2)
    k = 8 if pixels < 150 else 4 if pixels < 600 else 2
    shape = PIL.Image.new("L", (width * k, height * k), 0)
    corner = height * k * 0.18
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, width * k - 1, height * k - 1), corner, fill=255)
    picture = PIL.Image.new("RGB", shape.size, PLATE)
    rim = max(round(pixels * 0.005 * k), 1)
    ImageDraw.Draw(picture).rounded_rectangle(
        (0, 0, width * k - 1, height * k - 1), corner, outline=PLATE_RIM, width=rim
    )
    _write(picture, word, LETTER_WIDTH * unit * k)
    picture.putalpha(shape)
    return picture.reduce(k)


def _write(picture: PIL.Image.Image, word: str, cell: float) -> None:
    """Write a word across the middle, each letter centred in a cell of its own.

    Neither kerning nor the layout engine of the machine can then change the picture. Letters reach from the
    top of an "l" to the line; one that is too wide for its cell is squeezed.
    """
    font = ImageFont.load_default(picture.height * 0.95)
    bold = max(round(picture.height * 0.020), 1)
    _, above, _, below = font.getbbox("l", anchor="ls", stroke_width=bold)
    line = (picture.height - (below - above)) / 2 - above
    for i, letter in enumerate(word):
        left, top, right, bottom = (round(v) for v in font.getbbox(letter, anchor="ls", stroke_width=bold))
        mask = PIL.Image.new("L", (right - left, bottom - top), 0)
        ImageDraw.Draw(mask).text((-left, -top), letter, fill=255, font=font, anchor="ls", stroke_width=bold)
        if mask.width > cell:
            mask = mask.resize((int(cell), mask.height), PIL.Image.Resampling.BOX)
        x = picture.width / 2 + (i + 0.5 - len(word) / 2) * cell
        picture.paste(PLATE_INK, (round(x - mask.width / 2), round(line + top)), mask)
