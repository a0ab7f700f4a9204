"""A text as a picture: lines of one size on a white page, which a film can reveal line by line."""

from __future__ import annotations

import unicodedata

from modgap._errors import InputError

from ._letters import text_mask
from ._strokes import Drawing, Label

WIDTH, SIZE, EDGE = 480, 18, 20
MOST_LINES = 60
"""Longer texts are refused: a page of them would be shrunk by models until nothing can be read."""

_INK, _PAPER = (16, 16, 16), (255, 255, 255)


def draw_page(text: str, *, width: int = WIDTH, size: int = SIZE) -> Drawing:
    """Set a text.

    Args:
        text: any; line breaks are kept, long lines are broken between words, or within a word that is longer
            than a line.
        width: of the picture in pixels; the height follows from the text. Both are even.
        size: of the letters in pixels.

    Raises:
        InputError: there is nothing to set, too much, or a character that the font does not have.
    """
    width += width % 2
    lines = [
        line for part in text.expandtabs(4).splitlines() for line in _broken(part, width - 2 * EDGE, size)
    ]
    if not any(line.strip() for line in lines):
        raise InputError("there is no text to make a picture of")
    if len(lines) > MOST_LINES:
        raise InputError(
            f"the text takes {len(lines)} lines of {width} pixels and a page has {MOST_LINES}: split it, or "
            "give a wider picture"
        )
    for character in sorted(set(text) - set("\n\r\t ")):
        if not _known(character, size):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise InputError(f"the font has no {name}: write it differently, or give the picture yourself")
    step = round(1.5 * size)
    height = 2 * EDGE + step * len(lines)
    strokes = tuple(
        Label(EDGE, EDGE + step * number, line, size, _INK)
        for number, line in enumerate(lines)
        if line.strip()
    )
    return Drawing(width, height + height % 2, _PAPER, strokes)


def _broken(line: str, room: int, size: int) -> list[str]:
    """A line cut to what fits."""
    found, now = [], ""
    for word in line.split(" "):
        longer = f"{now} {word}" if now else word
        if not longer or text_mask(longer, size).width <= room:
            now = longer
            continue
        if now:
            found.append(now)
        now = word
        while text_mask(now, size).width > room:
            fits = next(n for n in range(len(now) - 1, 0, -1) if text_mask(now[:n], size).width <= room)
            found.append(now[:fits])
            now = now[fits:]
    return [*found, now]


def _known(character: str, size: int) -> bool:
    """Whether the font draws it as something other than the sign for a missing character."""
    drawn, missing = text_mask(character, size), text_mask("\U0010ffff", size)
    return drawn.size != missing.size or drawn.tobytes() != missing.tobytes()
