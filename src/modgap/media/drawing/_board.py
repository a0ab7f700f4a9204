"""A chess board as a picture, and the letters of its squares read back from its pixels.

    drawing = draw_board(squares, "White to move", pixels=448, style="classic")

White is at the bottom. Pieces are outlines of our own: turned shapes, given by half of their profile, and a
horse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from modgap._errors import FileError, UnknownName

from ._letters import text_mask
from ._read_line import ink_of, read_line
from ._strokes import Color, Drawing, Label, Line, Point, Polygon, Stroke


@dataclass(frozen=True)
class BoardLook:
    """Colours of a board.

    Args:
        margin: around the squares; no two styles share it.
        ink: of letters and numbers in the margin.
        light: of the square h1 and its like.
        dark: of the square a1 and its like.
        white: fill of the white pieces.
        black: fill of the black pieces.
        white_edge: outline of the white pieces.
        black_edge: outline and lines of the black pieces.
    """

    margin: Color
    ink: Color
    light: Color
    dark: Color
    white: Color
    black: Color
    white_edge: Color
    black_edge: Color


BOARD_LOOKS: dict[str, BoardLook] = {
    "classic": BoardLook(
        margin=(33, 33, 33),
        ink=(229, 229, 229),
        light=(240, 217, 181),
        dark=(181, 136, 99),
        white=(255, 255, 255),
        black=(25, 25, 25),
        white_edge=(0, 0, 0),
        black_edge=(230, 230, 230),
    ),
    "clean": BoardLook(
        margin=(255, 255, 255),
        ink=(0, 0, 0),
        light=(250, 250, 250),
        dark=(190, 196, 206),
        white=(255, 255, 255),
        black=(40, 40, 40),
        white_edge=(20, 20, 20),
        black_edge=(20, 20, 20),
    ),
    "dark": BoardLook(
        margin=(22, 26, 30),
        ink=(214, 220, 226),
        light=(128, 146, 152),
        dark=(70, 88, 98),
        white=(250, 244, 228),
        black=(16, 18, 22),
        white_edge=(30, 34, 38),
        black_edge=(196, 204, 210),
    ),
}
"""Style → colours."""

CAPTION_LETTERS = "".join(sorted(set("White Black to move, castling KQkq, en passant abcdefgh36")))
"""Of the line below a board."""
_MAX_ERROR = 0.02  # mean squared difference, 0 to 1, above which a square is not what it seems


def _arc(x: float, y: float, radius: float, first: float, last: float, steps: int = 8) -> list[Point]:
    """Points of an arc; angles in radians from the top, to the right."""
    angles = (first + (last - first) * i / steps for i in range(steps + 1))
    return [(x + radius * math.sin(a), y - radius * math.cos(a)) for a in angles]


_FOOT = [(0.25, 0.76), (0.27, 0.80), (0.27, 0.86)]
# The right half of each profile from the top down, in squares from the middle and from the upper edge.
_PROFILES: dict[str, list[Point]] = {
    "P": [
        *_arc(0, 0.36, 0.12, 0, 2.4),
        (0.16, 0.49),
        (0.16, 0.53),
        (0.09, 0.54),
        (0.13, 0.66),
        *_FOOT[:1],
        (0.25, 0.86),
    ],
    "R": [
        (0, 0.20),
        (0.06, 0.20),
        (0.06, 0.26),
        (0.13, 0.26),
        (0.13, 0.20),
        (0.23, 0.20),
        (0.23, 0.35),
        (0.16, 0.41),
        (0.18, 0.68),
        (0.24, 0.73),
        *_FOOT,
    ],
    "B": [
        *_arc(0, 0.15, 0.045, 0, 2.5),
        *[(0.10, 0.27), (0.155, 0.36), (0.155, 0.44), (0.10, 0.54)],
        *[(0.15, 0.57), (0.15, 0.61), (0.09, 0.63), (0.13, 0.71)],
        *_FOOT,
    ],
    "Q": [
        *_arc(0, 0.15, 0.04, 0, 2.4),
        *[(0.055, 0.37), (0.155, 0.21), *_arc(0.175, 0.185, 0.035, -0.9, 2.4), (0.18, 0.41), (0.30, 0.29)],
        *[*_arc(0.325, 0.265, 0.035, -0.9, 2.4), (0.24, 0.60), (0.19, 0.64), (0.22, 0.72)],
        *_FOOT,
    ],
    "K": [
        *[
            (0, 0.08),
            (0.035, 0.08),
            (0.035, 0.13),
            (0.085, 0.13),
            (0.085, 0.19),
            (0.035, 0.19),
            (0.035, 0.26),
        ],
        *[
            (0.09, 0.31),
            (0.10, 0.36),
            *_arc(0.19, 0.45, 0.125, -0.5, 2.2),
            (0.19, 0.62),
            (0.19, 0.66),
            (0.22, 0.72),
        ],
        *_FOOT,
    ],
}
_HORSE: list[Point] = [
    *[(0.27, 0.86), (0.27, 0.79), (0.33, 0.74), (0.36, 0.64), (0.48, 0.52), (0.47, 0.47), (0.37, 0.51)],
    *[(0.29, 0.57), (0.22, 0.57), (0.19, 0.51), (0.21, 0.45), (0.30, 0.32), (0.33, 0.25), (0.34, 0.14)],
    *[(0.42, 0.20), (0.52, 0.19), (0.62, 0.25), (0.70, 0.36), (0.745, 0.50), (0.75, 0.64), (0.73, 0.74)],
    *[(0.77, 0.79), (0.77, 0.86)],
]
# Lines inside the outlines.
_DETAILS: dict[str, list[tuple[Point, Point]]] = {
    "P": [],
    "N": [((0.355, 0.345), (0.395, 0.345)), ((0.36, 0.365), (0.39, 0.365)), ((0.56, 0.30), (0.64, 0.47))],
    "B": [((0.5, 0.32), (0.5, 0.46)), ((0.43, 0.39), (0.57, 0.39))],
    "R": [((0.35, 0.41), (0.65, 0.41)), ((0.33, 0.69), (0.67, 0.69))],
    "Q": [((0.30, 0.62), (0.70, 0.62)), ((0.28, 0.72), (0.72, 0.72))],
    "K": [((0.30, 0.65), (0.70, 0.65)), ((0.28, 0.72), (0.72, 0.72))],
}


def _outline(piece: str) -> list[Point]:
    """The outline of a piece in the unit square."""
    if piece == "N":
        return _HORSE
    right = [(0.5 + x, y) for x, y in _PROFILES[piece]]
    return right + [(1 - x, y) for x, y in reversed(right)]


def draw_board(squares: str, caption: str, *, pixels: int, style: str) -> Drawing:
    """Draw a board with coordinates and a line of text below.

    Args:
        squares: 64 letters as in FEN, ``.`` for an empty square, from a1 along the ranks to h8.
        caption: below the board, of ``CAPTION_LETTERS``.
        pixels: width and height.
        style: one of ``BOARD_LOOKS``.

    Raises:
        UnknownName: if the style does not exist.
    """
    if style not in BOARD_LOOKS:
        raise UnknownName("style", style, BOARD_LOOKS)
    look = BOARD_LOOKS[style]
    side, left, top, letters = _frame(pixels)
    strokes: list[Stroke] = [_box(left - 1, top - 1, 8 * side + 2, look.ink)] if style == "clean" else []
    for color in (look.light, look.dark):
        strokes += [
            _box(left + file * side, top + (7 - rank) * side, side, color)
            for rank in range(8)
            for file in range(8)
            if ((rank + file) % 2 == 1) == (color == look.light)
        ]
    for i in range(8):
        middle = i * side + side // 2
        strokes.append(
            _centred(left + middle, top + 8 * side + letters * 3 // 4, "abcdefgh"[i], letters, look.ink)
        )
        strokes.append(_centred(left // 2, top + 8 * side - middle, str(i + 1), letters, look.ink))
    strokes.append(Label(left, _caption_top(pixels), caption, letters, look.ink))
    for square, letter in enumerate(squares):
        if letter != ".":
            strokes += _piece(letter, left + square % 8 * side, top + (7 - square // 8) * side, side, look)
    return Drawing(pixels, pixels, look.margin, tuple(strokes))


def _frame(pixels: int) -> tuple[int, int, int, int]:
    """Side of a square, left and upper margin, and size of letters, for a picture of a size."""
    letters = max(round(pixels / 30), 9)
    side = (pixels - 3 * letters - 4) // 8
    return side, pixels - 8 * side - letters - 2, letters // 2, letters


def _caption_top(pixels: int) -> int:
    letters = _frame(pixels)[3]
    return pixels - text_mask("0g", letters).height - letters // 5


def _box(x: int, y: int, side: int, color: Color) -> Polygon:
    # A polygon covers its last row and column too: a third of a pixel less, which is one of the finer ones.
    far = side - 1 / 3
    return Polygon(((x, y), (x + far, y), (x + far, y + far), (x, y + far)), color)


def _centred(x: int, y: int, text: str, size: int, color: Color) -> Label:
    mask = text_mask(text, size)
    return Label(x - mask.width // 2, y - text_mask("0", size).height // 2, text, size, color)


def _piece(letter: str, x: int, y: int, side: int, look: BoardLook) -> list[Stroke]:
    white, kind = letter.isupper(), letter.upper()
    fill, edge = (look.white, look.white_edge) if white else (look.black, look.black_edge)
    # Black pieces are outlined in their own colour and have bright lines inside, as in printed diagrams.
    rim = edge if white else look.black
    inside = edge if white or look.black_edge != look.white_edge else look.white

    def at(points: list[Point]) -> tuple[Point, ...]:
        return tuple((x + px * side, y + py * side) for px, py in points)

    outline = at(_outline(kind))
    width = max(side / 26, 1.2)
    found: list[Stroke] = [Polygon(outline, fill), Line((*outline, outline[0], outline[1]), rim, width)]
    found += [Line(at(list(line)), inside, width) for line in _DETAILS[kind]]
    return found


def read_board(picture: PIL.Image.Image) -> tuple[str, str]:
    """The squares and the caption of a board that :func:`draw_board` drew.

    Raises:
        FileError: if the picture is not such a board.
    """
    pixels = np.asarray(picture.convert("RGB")).astype(float) / 255
    corner = picture.convert("RGB").getpixel((0, 0))
    style = next((name for name, look in BOARD_LOOKS.items() if look.margin == corner), None)
    if style is None or picture.width != picture.height or picture.width < 128:
        raise FileError("the picture is not a board that modgap drew; its size or its margin is another")
    side, left, top, letters = _frame(picture.width)
    templates = _templates(style, picture.width)
    found = []
    for square in range(64):
        x, y = left + square % 8 * side, top + (7 - square // 8) * side
        seen = pixels[y : y + side, x : x + side]
        shade = (square % 8 + square // 8) % 2
        error, letter = min((float(np.mean((seen - t) ** 2)), k) for k, t in templates[shade].items())
        if error > _MAX_ERROR:
            raise FileError(f"square {'abcdefgh'[square % 8]}{square // 8 + 1} of the board cannot be read")
        found.append(letter)
    look = BOARD_LOOKS[style]
    y = _caption_top(picture.width)
    text = read_line(ink_of(pixels[y:, left:] * 255, look.margin, look.ink), letters, CAPTION_LETTERS)
    if text is None:
        raise FileError("the line below the board cannot be read")
    return "".join(found), text


@lru_cache(maxsize=8)
def _templates(style: str, pixels: int) -> tuple[dict[str, NDArray[np.float64]], ...]:
    """For dark and light squares: letter → how its square looks."""
    side, left, top, _ = _frame(pixels)
    kinds = ".PNBRQKpnbrqk"
    found: list[dict[str, NDArray[np.float64]]] = [{}, {}]
    for first in (0, 1):
        # 13 kinds on squares of one shade: a1, c1, e1, g1, b2 ... or b1, d1, ...
        places = [s for s in range(64) if (s % 8 + s // 8) % 2 == first][: len(kinds)]
        squares = ["."] * 64
        for place, kind in zip(places, kinds, strict=True):
            squares[place] = kind
        picture = draw_board("".join(squares), "White to move", pixels=pixels, style=style).paint()
        shown = np.asarray(picture).astype(float) / 255
        for place, kind in zip(places, kinds, strict=True):
            x, y = left + place % 8 * side, top + (7 - place // 8) * side
            found[first][kind] = shown[y : y + side, x : x + side]
    return tuple(found)
