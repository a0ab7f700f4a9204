"""What lies behind the objects: six backgrounds, the ground of a scene with perspective, and small things.

A background object has tones of its own that no object has, so that it is never taken for one.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import PIL.Image
from PIL import ImageDraw

from ._palette import RGB
from ._shapes import BACKGROUND_RADIUS, SIDE

_BASE: dict[str, RGB] = {
    "white": (255, 255, 255),
    "cream": (250, 241, 220),
    "gray": (206, 208, 212),
    "sky": (222, 238, 250),
    "paper": (248, 247, 242),
    "noise": (198, 200, 204),
}
_GROUND: dict[str, RGB] = {
    "white": (236, 237, 240),
    "cream": (232, 216, 184),
    "gray": (182, 185, 190),
    "sky": (196, 220, 190),
    "paper": (234, 231, 220),
    "noise": (178, 180, 184),
}
_RULES: RGB = (214, 224, 236)  # the lines of ruled paper
_RULE_STEP = 6_250
_NOISE = 18  # levels up or down; a gray noise, so no pixel of it looks like an object
_HORIZON = 33_000
_SHIFTS = 32  # the noise is a window into a larger field, moved by the seed


def backdrop(background: str, pixels: int, perspective: bool, noise_seed: int) -> PIL.Image.Image:
    """An empty picture; the caller may draw on it."""
    if background != "noise":
        return _still(background, pixels, perspective).copy()
    field = _noise_field(pixels, False)
    # Two steps that share no factor with _SHIFTS walk through all windows before one comes again.
    dx, dy = noise_seed * 7 % _SHIFTS, (noise_seed // _SHIFTS * 5 + noise_seed * 11) % _SHIFTS
    picture = field.crop((dx, dy, dx + pixels, dy + pixels))
    if perspective:
        horizon = _HORIZON * pixels // SIDE
        picture.paste(
            _noise_field(pixels, True).crop((dx, dy + horizon, dx + pixels, dy + pixels)), (0, horizon)
        )
    return picture


@lru_cache(maxsize=48)
def _still(background: str, pixels: int, perspective: bool) -> PIL.Image.Image:
    picture = PIL.Image.new("RGB", (pixels, pixels), _BASE[background])
    if background == "paper":
        draw = ImageDraw.Draw(picture)
        for y in range(_RULE_STEP, SIDE, _RULE_STEP):
            line = y * pixels // SIDE
            draw.rectangle((0, line, pixels, line + max(pixels // 300, 1) - 1), fill=_RULES)
    if perspective:
        horizon = _HORIZON * pixels // SIDE
        picture.paste(_GROUND[background], (0, horizon, pixels, pixels))
    return picture


@lru_cache(maxsize=4)
def _noise_field(pixels: int, ground: bool) -> PIL.Image.Image:
    rng = np.random.default_rng(20)
    side = pixels + _SHIFTS
    base = (_GROUND if ground else _BASE)["noise"]
    levels = rng.integers(-_NOISE, _NOISE + 1, size=(side, side, 1), dtype=np.int16)
    return PIL.Image.fromarray((levels + np.array(base, dtype=np.int16)).astype(np.uint8), "RGB")


_SUN: RGB = (252, 212, 104)
_MOON: RGB = (128, 138, 190)
_CLOUD: RGB = (140, 172, 198)
_BIRD: RGB = (118, 96, 84)


@lru_cache(maxsize=64)
def background_sprite(shape: str, pixels: int) -> PIL.Image.Image:
    """A small thing of the background as RGBA; its side is even."""
    radius = BACKGROUND_RADIUS * pixels / SIDE
    half = int(radius) + 1
    k = 8 if pixels < 300 else 4
    side = 2 * half * k
    mask = PIL.Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(mask)
    middle, unit = side / 2 - 0.5, radius * k

    def disc(x: float, y: float, r: float, fill: int = 255) -> None:
        cx, cy, reach = middle + x * unit, middle + y * unit, r * unit
        draw.ellipse((cx - reach, cy - reach, cx + reach, cy + reach), fill=fill)

    if shape == "sun":
        for step in range(8):
            angle = step * np.pi / 4
            tip = (middle + unit * np.cos(angle), middle + unit * np.sin(angle))
            draw.line([(middle, middle), tip], fill=255, width=max(round(unit * 0.16), 1))
        disc(0, 0, 0.62)
    elif shape == "moon":
        disc(0, 0, 0.9)
        disc(0.45, -0.2, 0.75, fill=0)
    elif shape == "cloud":
        disc(-0.5, 0.15, 0.42)
        disc(0.5, 0.15, 0.42)
        disc(0, -0.15, 0.55)
        draw.rectangle(
            (middle - 0.5 * unit, middle + 0.1 * unit, middle + 0.5 * unit, middle + 0.57 * unit), fill=255
        )
    else:
        width = max(round(unit * 0.26), 1)
        for sign in (-1, 1):
            box = sorted((middle, middle + sign * 0.95 * unit))
            draw.arc(
                (box[0], middle - 0.4 * unit, box[1], middle + 0.7 * unit), 180, 360, fill=255, width=width
            )
    rgb = {"sun": _SUN, "moon": _MOON, "cloud": _CLOUD, "bird": _BIRD}[shape]
    picture = PIL.Image.new("RGB", mask.size, rgb)
    picture.putalpha(mask)
    return picture.reduce(k)
