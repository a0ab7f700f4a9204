"""Small transparent pictures of single things, made once and pasted many times.

Pasting a cached sprite is far faster than drawing its polygon in every picture. A sprite is drawn larger and
averaged down, so its rim is smooth; its middle is a corner of four pixels, and it is pasted at whole pixels.
Where an object has its colour does not depend on the colour, so masks are made once for all colours.
"""

from __future__ import annotations

import PIL.Image
from PIL import ImageChops, ImageDraw, ImageFilter, ImageFont

from ._kept import Kept
from ._palette import CONTOUR, LIGHT, PALETTE, PLATE, PLATE_INK, PLATE_RIM
from ._plates import LETTER_WIDTH, PLATE_HEIGHT, plate_width
from ._shapes import SIDE
from ._stencils import Stencil

# Widths as fractions of the radius of the object (our choice: told apart by eye at a radius of 3.5 pixels).
_RIM = {"circle": 0.28, "square": 0.25, "triangle": 0.18, "diamond": 0.25, "star": 0.155, "cross": 0.19}
_CONTOUR = 0.09
_STRIPED_RIM = 0.09
_STRIPE_PERIOD = 0.58
_SHADOW_OFFSET = 0.16
_SHADOW_BLUR = 0.10
_SHADOW_STRENGTH = 105


_Form = tuple[str, str, bool, float]  # shape, fill, whether it has a contour, radius in pixels


def object_sprite(shape: str, color: str, fill: str, style: str, radius: float) -> PIL.Image.Image:
    """An object as RGBA; ``radius`` in pixels. The side is even; do not draw on it."""
    return _objects((color, (shape, fill, style == "contour", radius)))[0]


def _paint(key: tuple[str, _Form]) -> tuple[PIL.Image.Image]:
    color, form = key
    paint, contour, whole = _masks(form)
    picture = PIL.Image.new("RGB", whole.size, LIGHT)
    picture.paste(PALETTE[color], mask=paint)
    if form[2]:
        picture.paste(CONTOUR[color], mask=contour)
    picture.putalpha(whole)
    return (picture,)


def _masks_of(form: _Form) -> tuple[PIL.Image.Image, ...]:
    """How much of each pixel of the shape is painted, how much is contour, and how much is shape."""
    shape, fill, has_contour, radius = form
    stencil = Stencil(shape, radius, _half(radius))
    contour = stencil.rim(max(_CONTOUR * radius, 0.5)) if has_contour else stencil.nothing()
    if fill == "solid":
        paint = stencil.whole
    elif fill == "striped":
        paint = ImageChops.lighter(
            stencil.stripes(_STRIPE_PERIOD * radius), stencil.rim(_STRIPED_RIM * radius)
        )
    else:  # a contour lies on the rim and must not hide its colour
        paint = stencil.rim((_RIM[shape] + 0.5 * _CONTOUR * has_contour) * radius)
    # Averaged with the shape as alpha, a pixel at the edge tells how much of its part inside is painted.
    joined = PIL.Image.merge("RGBA", (paint, contour, contour, stencil.whole)).reduce(stencil.k)
    paint, contour, _, whole = joined.split()
    return paint, contour, whole


_masks = Kept(_masks_of, megabytes=32)
_objects = Kept(_paint, megabytes=24)


def _half(radius: float) -> int:
    return int(radius) + 2


def shadow_sprite(shape: str, radius: float) -> PIL.Image.Image:
    """The shadow of an object as a mask of mode L; its middle is that of the object."""
    return _shadows((shape, radius))[0]


def _shadow(key: tuple[str, float]) -> tuple[PIL.Image.Image]:
    shape, radius = key
    wider = int(radius * (_SHADOW_OFFSET + 2 * _SHADOW_BLUR)) + 1
    stencil = Stencil(shape, radius, _half(radius) + wider)
    offset = round(_SHADOW_OFFSET * radius * stencil.k)
    moved = ImageChops.offset(stencil.whole, offset, offset).reduce(stencil.k)
    soft = moved.filter(ImageFilter.GaussianBlur(_SHADOW_BLUR * radius))
    return (soft.point([value * _SHADOW_STRENGTH // 255 for value in range(256)]),)


_shadows = Kept(_shadow, megabytes=8)


def plate_sprite(word: str, pixels: int) -> PIL.Image.Image:
    """The plate of a word as RGBA, for a picture of ``pixels`` a side; width and height are even."""
    return _plates((word, pixels))[0]


def _plate(key: tuple[str, int]) -> tuple[PIL.Image.Image]:
    word, pixels = key
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
    return (picture.reduce(k),)


_plates = Kept(_plate, megabytes=8)


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
