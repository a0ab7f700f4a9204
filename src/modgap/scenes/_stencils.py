"""Masks from which sprites are made: whole shapes, rims and stripes, large enough to be averaged down."""

from __future__ import annotations

import PIL.Image
from PIL import ImageChops, ImageDraw

from ._shapes import DISC_RADIUS, OUTLINE_RADIUS, OUTLINES


def _oversampling(radius: float) -> int:
    return 8 if radius < 14 else 4 if radius < 90 else 2


class Stencil:
    """Masks of one shape, drawn at ``k`` times the size of the sprite.

    Args:
        shape: one of ``SHAPES``.
        radius: of the circle that holds it, in pixels of the sprite.
        half: half the side of the sprite, in pixels.
    """

    def __init__(self, shape: str, radius: float, half: int) -> None:
        self.k = _oversampling(radius)
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
        self.whole = self.nothing()
        draw = ImageDraw.Draw(self.whole)
        if shape == "circle":
            draw.ellipse(self._ring, fill=255)
        else:
            draw.polygon(self._corners, fill=255)

    def nothing(self) -> PIL.Image.Image:
        """A mask that covers nothing; it may be drawn on."""
        return PIL.Image.new("L", (self.side, self.side), 0)

    def rim(self, width: float) -> PIL.Image.Image:
        """The inner rim of a width in pixels of the sprite."""
        mask = self.nothing()
        draw = ImageDraw.Draw(mask)
        thick = max(round(width * self.k), 1)
        if self._shape == "circle":
            draw.ellipse(self._ring, outline=255, width=thick)
        else:
            draw.line([*self._corners, *self._corners[:2]], fill=255, width=2 * thick, joint="curve")
        return ImageChops.multiply(mask, self.whole)

    def stripes(self, period: float) -> PIL.Image.Image:
        """Diagonal bands, half of them painted; ``period`` in pixels of the sprite."""
        mask = self.nothing()
        draw = ImageDraw.Draw(mask)
        along = period * self.k * 2**0.5  # measured along an edge of the sprite
        # This far off the middle, even the smallest stars and triangles show a light band.
        start = self.side / 2 - 0.5 - along / 8
        for band in range(-6, 7):
            left = start + band * along
            top, bottom = left + self.side / 2, left - self.side / 2
            draw.polygon(
                [(top, 0), (top + along / 2, 0), (bottom + along / 2, self.side), (bottom, self.side)],
                fill=255,
            )
        return ImageChops.multiply(mask, self.whole)
