"""Molecules on a honeycomb as skeletal formulas, and read back from their pixels.

    draw_molecule(("C", "C", "O"), ((0, 1, 1), (1, 2, 2)), ((0, 0), (1, 0), (2, 0)), (0, 0, 0),
                  pixels=448, style="classic")

Carbon is a corner without a letter; hydrogen is written at other elements only. Places are columns and rows
of a honeycomb laid as bricks: a place has a neighbour on either side, and one below where the sum of its two
numbers is even, above where it is odd.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from modgap._errors import FileError, UnknownName

from ._letters import text_mask
from ._strokes import Color, Drawing, Label, Line, Stroke

Cell = tuple[int, int]

_COLUMNS, _ROWS = 13, 7
_SYMBOLS = ("N", "O", "S", "F", "Cl", "Br")
"""Elements that are written; carbon is not."""


@dataclass(frozen=True)
class MoleculeLook:
    """Colours: of the paper, which no two styles share, of bonds, and of letters."""

    paper: Color
    bond: Color
    letter: Color


MOLECULE_LOOKS: dict[str, MoleculeLook] = {
    "classic": MoleculeLook((255, 255, 255), (0, 0, 0), (200, 20, 20)),
    "clean": MoleculeLook((249, 250, 246), (40, 45, 60), (40, 45, 60)),
    "dark": MoleculeLook((25, 26, 34), (220, 222, 230), (255, 190, 80)),
}
"""Style → colours."""


def honeycomb_neighbours(cell: Cell) -> tuple[Cell, Cell, Cell]:
    """The three places next to one."""
    x, y = cell
    return (x - 1, y), (x + 1, y), (x, y + 1 if (x + y) % 2 == 0 else y - 1)


def draw_molecule(
    atoms: Sequence[str],
    bonds: Sequence[tuple[int, int, int]],
    places: Sequence[Cell],
    hydrogens: Sequence[int],
    *,
    pixels: int,
    style: str,
) -> Drawing:
    """Draw a molecule.

    Args:
        atoms: symbols.
        bonds: two atoms and 1 or 2, between neighbours of the honeycomb.
        places: of the atoms; at most 11 columns and 6 rows.
        hydrogens: at each atom.
        pixels: width and height.
        style: one of ``MOLECULE_LOOKS``.

    Raises:
        UnknownName: if the style does not exist.
    """
    if style not in MOLECULE_LOOKS:
        raise UnknownName("style", style, MOLECULE_LOOKS)
    look, size = MOLECULE_LOOKS[style], _letters(pixels)
    cells = _centred(places)
    strokes: list[Stroke] = []
    for i, j, order in bonds:
        strokes += _bond(cells[i], cells[j], order, pixels, look.bond)
    for i, (symbol, cell) in enumerate(zip(atoms, cells, strict=True)):
        if symbol != "C":
            near = [cells[b if a == i else a] for a, b, _ in bonds if i in (a, b)]
            strokes += _label(symbol, hydrogens[i], cell, near, pixels, size, look)
    return Drawing(pixels, pixels, look.paper, tuple(strokes))


def _letters(pixels: int) -> int:
    return max(round(pixels / 24), 11)


def _length(pixels: int) -> float:
    return pixels * 0.088


def _point(cell: Cell, pixels: int) -> tuple[float, float]:
    """The middle of a place, in pixels."""
    (x, y), length = cell, _length(pixels)
    shift = 0.25 if (x + y) % 2 == 0 else -0.25
    middle = pixels / 2
    return (
        middle + (x - (_COLUMNS - 1) / 2) * 0.866 * length,
        middle + ((y - (_ROWS - 1) / 2) * 1.5 + shift) * length,
    )


def _centred(places: Sequence[Cell]) -> list[Cell]:
    """Places moved to the middle, by an even number in all, so that neighbours stay neighbours."""
    xs, ys = [x for x, _ in places], [y for _, y in places]
    right = (_COLUMNS - 1 - max(xs) - min(xs)) // 2
    down = (_ROWS - 1 - max(ys) - min(ys)) // 2
    right += (right + down) % 2
    return [(x + right, y + down) for x, y in places]


def _bond(a: Cell, b: Cell, order: int, pixels: int, color: Color) -> list[Stroke]:
    (ax, ay), (bx, by) = _point(a, pixels), _point(b, pixels)
    length, wide = _length(pixels), max(pixels / 190, 1.5)
    aside = (0.0,) if order == 1 else (-0.075 * length, 0.075 * length)
    x, y = (by - ay) / length, (ax - bx) / length
    return [Line(((ax + s * x, ay + s * y), (bx + s * x, by + s * y)), color, wide) for s in aside]


def _label(
    symbol: str, hydrogens: int, cell: Cell, near: list[Cell], pixels: int, size: int, look: MoleculeLook
) -> list[Stroke]:
    """The element at its place, and its hydrogen where no bond is."""
    sides = {(other[0] > cell[0]) - (other[0] < cell[0]) for other in near}
    turned = 1 in sides and -1 not in sides
    x, y = _corner(symbol, cell, pixels, turned)
    strokes: list[Stroke] = [Label(x, y, symbol, size, look.letter, look.paper)]
    if not hydrogens:
        return strokes
    count, small = str(hydrogens) if hydrogens > 1 else "", max(round(size * 0.7), 9)
    wide = text_mask("H", size).width
    if {1, -1} <= sides:  # above or below, on the side of the third place
        y += round(size * 0.95) * (1 if sum(cell) % 2 == 0 else -1)
    else:
        x += (
            -wide - (text_mask(count, small).width if count else 0)
            if turned
            else text_mask(symbol, size).width
        )
    strokes.append(Label(x, y, "H", size, look.letter))
    if count:
        strokes.append(Label(x + wide, y + round(size * 0.4), count, small, look.letter))
    return strokes


def _corner(symbol: str, cell: Cell, pixels: int, turned: bool) -> tuple[int, int]:
    """Where a symbol begins: its first letter or, where bonds are on the right, its last is in place."""
    size = _letters(pixels)
    (x, y), mask = _point(cell, pixels), text_mask(symbol[-1] if turned else symbol[0], size)
    before = text_mask(symbol, size).width - mask.width if turned else 0
    return round(x - mask.width / 2) - before, round(y - text_mask(symbol[0], size).height / 2)


def read_molecule(picture: PIL.Image.Image) -> tuple[tuple[str, ...], tuple[tuple[int, int, int], ...]]:
    """Read what :func:`draw_molecule` drew.

    Returns:
        Symbols of the atoms, row by row, and bonds.

    Raises:
        FileError: if the picture is not such a drawing.
    """
    rgb = picture.convert("RGB")
    look = next((k for k in MOLECULE_LOOKS.values() if k.paper == rgb.getpixel((0, 0))), None)
    if look is None or rgb.width != rgb.height or rgb.width < 128:
        raise FileError("the picture is not one that modgap drew; its size or its paper is another")
    pixels = np.asarray(rgb).astype(float)
    cells = [(x, y) for y in range(_ROWS) for x in range(_COLUMNS)]
    found = {
        (a, b): order
        for a in cells
        for b in honeycomb_neighbours(a)
        if a < b and b in cells and (order := _seen_bond(pixels, a, b, look))
    }
    atoms = sorted({cell for pair in found for cell in pair}, key=lambda cell: (cell[1], cell[0]))
    if not atoms:
        raise FileError("the picture shows no bonds")
    symbols = tuple(_seen_symbol(pixels, cell, look) for cell in atoms)
    return symbols, tuple((atoms.index(a), atoms.index(b), order) for (a, b), order in found.items())


def _seen_bond(pixels: NDArray[np.float64], a: Cell, b: Cell, look: MoleculeLook) -> int:
    """Lines from place to place: none, one or two; a letter beside a bond is not the same all the way."""
    size = len(pixels)
    (ax, ay), (bx, by) = _point(a, size), _point(b, size)
    length = _length(size)
    across = np.linspace(-0.2, 0.2, 41) * length
    way = np.subtract(look.bond, look.paper, dtype=float)
    counts = set()
    for share in np.linspace(0.36, 0.64, 9):
        xs = ax + share * (bx - ax) + across * (by - ay) / length
        ys = ay + share * (by - ay) + across * (ax - bx) / length
        if min(xs.min(), ys.min()) < 0 or max(xs.max(), ys.max()) >= size:
            return 0
        seen = pixels[ys.astype(int), xs.astype(int)] - look.paper
        inked = (seen @ way) / (way @ way) > 0.5
        lines = int(np.count_nonzero(inked[1:] & ~inked[:-1]))
        counts.add(lines if lines != 1 or inked[16:25].any() else 0)  # a single line is in the middle
    return counts.pop() if len(counts) == 1 else 0


def _seen_symbol(pixels: NDArray[np.float64], cell: Cell, look: MoleculeLook) -> str:
    size = len(pixels)
    way = np.subtract(look.letter, look.paper, dtype=float)
    for symbol in _SYMBOLS:
        mask = np.asarray(text_mask(symbol, _letters(size)), dtype=float) / 255
        for turned in (False, True):
            x, y = _corner(symbol, cell, size, turned)
            window = pixels[y : y + mask.shape[0], x : x + mask.shape[1]]
            if window.shape[:2] == mask.shape:
                ink = np.clip((window - look.paper) @ way / (way @ way), 0, 1)
                if np.mean((ink - mask) ** 2) < 4e-3:
                    return symbol
    return "C"
