"""Text plates: the words on them, and where a plate hangs on its object.

A plate keeps its size whatever the object and its depth, so that its letters stay readable: each has a cell
of 5.8 percent of the side, 13 pixels in a picture of 224 and 3.7 in one of 64.
"""

from __future__ import annotations

import re

from ._scene import Scene, SceneObject
from ._shapes import object_radius_units

WORDS: tuple[str, ...] = tuple(
    """
    ant arch axe barn bat bed belt box bus cat chin coat cod corn dice disk duck ear elk fern fin flax
    fox hen hook ice ink iron kite lace lion nest nut oak oven rain rib rice roof salt seed shoe sofa
    tank tent tub vase zinc
    """.split()  # noqa: SIM905  (one word in quotes after the other is harder to read)
)
"""Words for plates: 3 or 4 letters, none of them a word of the scene vocabulary, no letter below the line."""

WORD_PATTERN = re.compile(r"[a-z]{2,4}")
"""What may stand on a plate."""

PLATE_HEIGHT = 10_500
LETTER_WIDTH = 5_800
_PLATE_PADDING = 3_000


def plate_width(word: str) -> int:
    """Width of the plate of a word, in units of ``SIDE``."""
    return _PLATE_PADDING + LETTER_WIDTH * len(word)


def plate_top(radius: int) -> int:
    """How far below the centre of an object of a radius its plate begins, in units of ``SIDE``.

    The plate covers the lower rim only, so that shape, colour and fill stay visible.
    """
    return radius * 6 // 10


def plate_units(obj: SceneObject, scene: Scene) -> tuple[int, int, int, int]:
    """Box of the plate of an object, left, top, right, bottom in units of ``SIDE``; it must have a word."""
    half = plate_width(obj.word) // 2
    top = obj.y * 1000 + plate_top(object_radius_units(obj, scene))
    return obj.x * 1000 - half, top, obj.x * 1000 + half, top + PLATE_HEIGHT
