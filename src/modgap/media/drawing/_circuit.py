"""An electric circuit on a lattice of unit edges as a picture, and the lattice read back from its pixels.

    plan = Plan((Edge((0, 0), (1, 0), "resistor", "R1", 12), Edge((1, 0), (1, 1)), ...), {(0, 0): "A", ...})
    drawing = draw_circuit(plan, pixels=448, style="classic")

Places are (column, row), rows counted downwards. A battery has its plus pole at its first place. Numbers have
no units in the picture but in the line below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from modgap._errors import FileError, UnknownName

from ._letters import read_text, text_mask
from ._read_line import ink_of, read_line
from ._strokes import Color, Disc, Drawing, Label, Line, Point, Polygon, Stroke

Place = tuple[int, int]

COLUMNS, ROWS = 5, 4
"""Greatest width and height of a plan, in edges."""

CAPTION = "Resistances in ohms, voltage in volts."
_LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class Edge:
    """One unit edge of the lattice.

    Args:
        start: (column, row).
        end: the neighbour to the right or below.
        kind: ``wire``, ``resistor`` or ``battery``.
        name: such as ``R1``; none of a wire.
        value: ohms of a resistor, volts of a battery.
    """

    start: Place
    end: Place
    kind: str = "wire"
    name: str = ""
    value: int = 0


@dataclass(frozen=True)
class Plan:
    """A circuit on the lattice; its smallest column and row are 0.

    Args:
        edges: without repetition.
        letters: names of some places.
    """

    edges: frozenset[Edge]
    letters: Mapping[Place, str]


@dataclass(frozen=True)
class CircuitLook:
    """Colours of a circuit, and whether resistors are zigzags or boxes.

    Args:
        paper: behind everything; no two styles share it.
        wire: of wires and dots.
        part: of resistors.
        battery: of batteries.
        ink: of names and numbers.
        node: of the letters of places.
        zigzag: resistors are zigzags, else boxes.
    """

    paper: Color
    wire: Color
    part: Color
    battery: Color
    ink: Color
    node: Color
    zigzag: bool


CIRCUIT_LOOKS: dict[str, CircuitLook] = {
    "classic": CircuitLook(
        (255, 255, 255), (35, 35, 35), (0, 40, 160), (160, 0, 0), (0, 0, 0), (130, 0, 130), True
    ),
    "clean": CircuitLook(
        (250, 249, 245), (70, 70, 75), (20, 100, 40), (180, 80, 0), (25, 25, 30), (0, 80, 160), False
    ),
    "dark": CircuitLook(
        (24, 27, 33),
        (205, 208, 214),
        (110, 190, 255),
        (255, 150, 90),
        (240, 240, 245),
        (160, 225, 140),
        False,
    ),
}
"""Style → colours."""


@dataclass(frozen=True)
class _Sizes:
    cell: int  # from column to column
    row: int  # from row to row
    letters: int
    line: float
    dot: int

    @classmethod
    def of(cls, pixels: int) -> _Sizes:
        return cls(
            round(pixels * 0.16),
            round(pixels * 0.185),
            max(round(pixels / 32), 9),
            max(pixels / 250, 1.4),
            max(pixels // 110, 2),
        )

    def length(self, edge: Edge) -> int:
        """Of an edge, in pixels."""
        return self.cell if edge.start[1] == edge.end[1] else self.row


def draw_circuit(plan: Plan, *, pixels: int, style: str) -> Drawing:
    """Draw a circuit in the middle of a picture; wires first, then parts, then letters.

    Args:
        plan: at most ``COLUMNS`` × ``ROWS`` edges large.
        pixels: width and height.
        style: one of ``CIRCUIT_LOOKS``.

    Raises:
        UnknownName: if the style does not exist.
    """
    if style not in CIRCUIT_LOOKS:
        raise UnknownName("style", style, CIRCUIT_LOOKS)
    look, sizes = CIRCUIT_LOOKS[style], _Sizes.of(pixels)
    columns = max(e.end[0] for e in plan.edges)
    rows = max(e.end[1] for e in plan.edges)
    left, top = _corner(pixels, columns, rows, sizes)

    def at(place: Place) -> tuple[int, int]:
        return left + place[0] * sizes.cell, top + place[1] * sizes.row

    edges = sorted(plan.edges, key=lambda e: (e.kind != "wire", e.start, e.end))
    strokes: list[Stroke] = []
    for edge in edges:
        strokes += _leads(edge, at(edge.start), sizes, look)
    for place in plan.letters:
        strokes.append(Disc(*at(place), sizes.dot, look.wire, look.wire, 1))
    for edge in edges:
        if edge.kind != "wire":
            strokes += _part(edge, at(edge.start), sizes, look)
    for edge in edges:
        if edge.kind != "wire":
            strokes += _shown(edge, at(edge.start), sizes, look)
    for place, letter in plan.letters.items():
        strokes.append(Label(*_letter_spot(at(place), sizes), letter, sizes.letters, look.node))
    y = pixels - text_mask(CAPTION, sizes.letters).height - sizes.letters // 3
    strokes.append(Label(sizes.letters, y, CAPTION, sizes.letters, look.ink))
    return Drawing(pixels, pixels, look.paper, tuple(strokes))


def _corner(pixels: int, columns: int, rows: int, sizes: _Sizes) -> tuple[int, int]:
    """The first place of a circuit in a picture."""
    return (pixels - columns * sizes.cell) // 2, (pixels - sizes.letters - rows * sizes.row) // 2


def _along(edge: Edge, start: tuple[int, int], far: float, aside: float) -> Point:
    """A point ``far`` along an edge from its start and ``aside`` to the right of it, in pixels."""
    x, y = start[0] + 0.5, start[1] + 0.5
    flat = edge.start[1] == edge.end[1]
    return (x + far, y + aside) if flat else (x - aside, y + far)


def _body(edge: Edge, sizes: _Sizes) -> tuple[float, float]:
    """Where a part begins and ends along its edge, in pixels."""
    half = {"wire": 0.0, "resistor": 0.26, "battery": 0.05}[edge.kind] * sizes.cell
    middle = sizes.length(edge) / 2
    return middle - half, middle + half


def _leads(edge: Edge, start: tuple[int, int], sizes: _Sizes, look: CircuitLook) -> list[Stroke]:
    first, last = _body(edge, sizes)
    reach = sizes.line / 2  # so that corners are full
    return [
        Line((_along(edge, start, a, 0), _along(edge, start, b, 0)), look.wire, sizes.line)
        for a, b in ((-reach, first), (last, sizes.length(edge) + reach))
    ]


def _part(edge: Edge, start: tuple[int, int], sizes: _Sizes, look: CircuitLook) -> list[Stroke]:
    first, last = _body(edge, sizes)
    high = sizes.cell * 0.11
    if edge.kind == "battery":
        plus = [_along(edge, start, first, side * 1.9 * high) for side in (-1, 1)]
        minus = [_along(edge, start, last, side * high) for side in (-1, 1)]
        sign = sizes.cell * 0.06
        x, y = _along(edge, start, first - 2.4 * sign, -1.4 * high)
        return [
            Line(tuple(plus), look.battery, sizes.line),
            Line(tuple(minus), look.battery, 2 * sizes.line),
            Line(((x - sign, y), (x + sign, y)), look.battery, sizes.line),
            Line(((x, y - sign), (x, y + sign)), look.battery, sizes.line),
        ]
    if look.zigzag:
        points = [
            (first, 0.0),
            *(((first + (last - first) * (i + 0.5) / 6), high * (-1) ** i) for i in range(6)),
            (last, 0.0),
        ]
        return [Line(tuple(_along(edge, start, a, b) for a, b in points), look.part, sizes.line)]
    corners = [(first, -high), (last, -high), (last, high), (first, high)]
    inner = sizes.line
    hole = [
        (first + inner, inner - high),
        (last - inner, inner - high),
        (last - inner, high - inner),
        (first + inner, high - inner),
    ]
    return [
        Polygon(tuple(_along(edge, start, a, b) for a, b in corners), look.part),
        Polygon(tuple(_along(edge, start, a, b) for a, b in hole), look.paper),
    ]


def _labels(edge: Edge, start: tuple[int, int], sizes: _Sizes) -> tuple[tuple[str, int, int], ...]:
    """Texts of a part: above and below it with the middle of their upper edge, or beside it with the left."""
    height = text_mask("0", sizes.letters).height
    gap = round(sizes.cell * 0.13) + 2
    if edge.start[1] != edge.end[1]:
        return ((f"{edge.name} {edge.value}", start[0] + gap + 2, start[1] + (sizes.row - height) // 2),)
    middle = start[0] + sizes.cell // 2
    if edge.kind == "battery":
        return ((str(edge.value), middle, start[1] + 2 * gap),)
    return ((edge.name, middle, start[1] - gap - height), (str(edge.value), middle, start[1] + gap))


def _shown(edge: Edge, start: tuple[int, int], sizes: _Sizes, look: CircuitLook) -> list[Label]:
    flat = edge.start[1] == edge.end[1]
    return [
        Label(x - text_mask(text, sizes.letters).width // 2 if flat else x, y, text, sizes.letters, look.ink)
        for text, x, y in _labels(edge, start, sizes)
    ]


def _letter_spot(at: tuple[int, int], sizes: _Sizes) -> tuple[int, int]:
    return at[0] - _letter_width(sizes) - 1, at[1] - text_mask("A", sizes.letters).height - sizes.dot - 1


def _letter_width(sizes: _Sizes) -> int:
    return max(text_mask(letter, sizes.letters).width for letter in _LETTERS)


def is_circuit(picture: PIL.Image.Image) -> bool:
    """Whether the line below circuits is there."""
    size = picture.width
    letters = _Sizes.of(size).letters
    line = text_mask(CAPTION, letters)
    left, top = letters, size - line.height - letters // 3
    corner = picture.convert("RGB").getpixel((0, 0))
    for look in CIRCUIT_LOOKS.values():
        if look.paper == corner and picture.size == (size, size):
            seen = np.asarray(picture.convert("RGB")).astype(float)[
                top : top + line.height, left : left + line.width
            ]
            ink = ink_of(seen, look.paper, look.ink)
            return ink.shape == (line.height, line.width) and bool(
                np.abs(ink - np.asarray(line) / 255).max() < 0.1
            )
    return False


def read_circuit(picture: PIL.Image.Image) -> Plan:
    """Read a circuit that :func:`draw_circuit` drew.

    Raises:
        FileError: if the picture is not such a circuit.
    """
    pixels = np.asarray(picture.convert("RGB")).astype(float)
    look = next(
        (k for k in CIRCUIT_LOOKS.values() if k.paper == picture.convert("RGB").getpixel((0, 0))), None
    )
    if look is None or picture.width != picture.height or picture.width < 128:
        raise FileError("the picture is not a circuit that modgap drew; its size or its paper is another")
    sizes = _Sizes.of(picture.width)
    lines = _near(pixels, look.wire)
    lines[picture.height - 3 * sizes.letters // 2 :] = False  # the line below the circuit
    left, top = _origin(lines, sizes)
    edges, letters = set(), {}
    for row in range(ROWS + 1):
        for column in range(COLUMNS + 1):
            x, y = left + column * sizes.cell, top + row * sizes.row
            if y + 2 >= picture.height or x + 2 >= picture.width:
                continue
            spot = _letter_spot((x, y), sizes)
            name = _read_letter(pixels, spot, sizes, look)
            if name:
                letters[column, row] = name
            for end in ((column + 1, row), (column, row + 1)):
                edge = _read_edge(pixels, Edge((column, row), end), (x, y), sizes, look)
                if edge is not None:
                    edges.add(edge)
    if not edges:
        raise FileError("the picture shows no circuit")
    return Plan(frozenset(edges), letters)


def _near(pixels: NDArray[np.float64], color: Color, most: float = 8) -> NDArray[np.bool_]:
    return np.asarray(np.abs(pixels - np.array(color, dtype=float)).max(-1) < most)


def _origin(lines: NDArray[np.bool_], sizes: _Sizes) -> tuple[int, int]:
    """The first column and row of the lattice: where long lines are."""
    across, down = (
        np.flatnonzero(lines.sum(1) > sizes.cell * 0.35),
        np.flatnonzero(lines.sum(0) > sizes.row * 0.8),
    )
    if not len(across) or not len(down):
        raise FileError("the picture shows no circuit")
    first = (int(down[0]), int(across[0]))
    pixels = lines.shape[0]
    # Lines are a few pixels wide; the size of the circuit says where exactly they begin.
    seen = [
        _corner(pixels, columns, rows, sizes)
        for columns in range(1, COLUMNS + 1)
        for rows in range(1, ROWS + 1)
    ]
    return min(seen, key=lambda at: abs(at[0] - first[0]) + abs(at[1] - first[1]))


def _read_edge(
    pixels: NDArray[np.float64], edge: Edge, start: tuple[int, int], sizes: _Sizes, look: CircuitLook
) -> Edge | None:
    """What is drawn along an edge, or ``None`` if nothing is."""

    def shows(far: float, color: Color, reach: int = 1, most: float = 8) -> bool:
        x, y = _along(edge, start, far, 0)
        near = pixels[
            max(int(y) - reach, 0) : int(y) + reach + 1, max(int(x) - reach, 0) : int(x) + reach + 1
        ]
        return near.size > 0 and bool(_near(near, color, most).any())

    length = sizes.length(edge)
    if not shows(length * 0.15, look.wire) or not shows(length * 0.85, look.wire):
        return None
    if shows(length * 0.5, look.wire):
        return edge
    first, last = _body(Edge(edge.start, edge.end, "battery"), sizes)
    kind = "resistor"
    if shows(first, look.battery, 2, 60) and shows(last, look.battery, 2, 60):
        kind = "battery"  # its lines are thin and may share their pixels with the paper
    found = Edge(edge.start, edge.end, kind)
    flat = edge.start[1] == edge.end[1]
    height = text_mask("0", sizes.letters).height
    texts = []
    for _, x, y in _labels(found, start, sizes):
        reach = round(sizes.cell * 0.3)
        left, right = (x - reach, x + reach) if flat else (x, x + text_mask("R0 00", sizes.letters).width)
        window = pixels[max(y - 1, 0) : y + height + 1, max(left, 0) : right]
        texts.append(read_text(ink_of(window, look.paper, look.ink), sizes.letters, "R0123456789 ") or "")
    words = " ".join(texts).split()
    name, value = (
        words if kind == "resistor" and len(words) == 2 else ("", words[0] if len(words) == 1 else "")
    )
    if not value.isdecimal() or (kind == "resistor" and not name):
        raise FileError(f"the number at a {kind} of the circuit cannot be read")
    return Edge(edge.start, edge.end, kind, name, int(value))


def _read_letter(pixels: NDArray[np.float64], spot: tuple[int, int], sizes: _Sizes, look: CircuitLook) -> str:
    """The letter whose upper left corner is at a spot, or nothing."""
    x, y = max(spot[0], 0), max(spot[1], 0)
    window = pixels[y : y + text_mask("0", sizes.letters).height, x : x + _letter_width(sizes)]
    text = read_line(ink_of(window, look.paper, look.node), sizes.letters, _LETTERS) if window.size else None
    return text or ""
