"""Drawing a scene.

    draw_scene(scene, pixels=224, style="shadow", background="sky")

The same arguments give the same bytes for given versions of Pillow and FreeType. Order from the back:
backdrop, shadows, small background objects, then the objects from far to near, each followed by its plate.
Shadows lie below everything, so an object keeps its colour wherever it stands.
"""

from __future__ import annotations

import PIL.Image

from modgap._errors import InputError, UnknownName

from ._backdrops import backdrop, background_sprite
from ._check import check_scene
from ._plates import plate_units
from ._scene import BACKGROUNDS, STYLES, Scene
from ._shapes import SIDE, object_radius_units
from ._sprites import object_sprite, plate_sprite, shadow_sprite

MIN_PIXELS = 32
MAX_PIXELS = 2048
_SHADE = (40, 42, 54)


def draw_scene(
    scene: Scene,
    *,
    pixels: int = 224,
    style: str = "flat",
    background: str = "white",
    noise_seed: int = 0,
) -> PIL.Image.Image:
    """Draw a scene as a square picture.

    Args:
        scene: the scene.
        pixels: width and height, 32 to 2048.
        style: one of ``STYLES``.
        background: one of ``BACKGROUNDS``.
        noise_seed: 0 or more; which grains the background ``noise`` has. Without effect on the others.

    Returns:
        An RGB picture.

    Raises:
        InputError: if an argument is out of range or a name in the scene is unknown.
    """
    check_scene(scene)
    if not MIN_PIXELS <= pixels <= MAX_PIXELS:
        raise InputError(f"pixels {pixels} is not accepted; give {MIN_PIXELS} to {MAX_PIXELS}")
    if style not in STYLES:
        raise UnknownName("style", style, STYLES)
    if background not in BACKGROUNDS:
        raise UnknownName("background", background, BACKGROUNDS)
    if noise_seed < 0:
        raise InputError(f"noise_seed {noise_seed} is not accepted; give 0 or more")
    canvas = backdrop(background, pixels, scene.perspective, noise_seed)
    order = sorted(scene.objects, key=lambda o: -o.depth) if scene.perspective else scene.objects
    unit = pixels / SIDE
    if style == "shadow":
        for obj in order:
            mask = shadow_sprite(obj.shape, object_radius_units(obj, scene) * unit)
            half = mask.width // 2
            canvas.paste(_SHADE, (at(obj.x, pixels) - half, at(obj.y, pixels) - half), mask)
    for thing in scene.background_objects:
        _paste(canvas, background_sprite(thing.shape, pixels), at(thing.x, pixels), at(thing.y, pixels))
    for obj in order:
        radius = object_radius_units(obj, scene) * unit
        sprite = object_sprite(obj.shape, obj.color, obj.fill, style, radius)
        _paste(canvas, sprite, at(obj.x, pixels), at(obj.y, pixels))
        if obj.word:
            plate = plate_sprite(obj.word, pixels)
            middle = sum(plate_units(obj, scene)[1::2]) // 2
            _paste(canvas, plate, at(obj.x, pixels), round(middle * unit))
    return canvas


def at(percent: int, pixels: int) -> int:
    """The pixel corner nearest to a position in percent."""
    return (percent * pixels + 50) // 100


def _paste(canvas: PIL.Image.Image, sprite: PIL.Image.Image, x: int, y: int) -> None:
    canvas.paste(sprite, (x - sprite.width // 2, y - sprite.height // 2), sprite)
