"""A graph as a picture: straight edges, numbered nodes, and for a network arrows with their capacities.

    drawing = draw_graph(places, edges, pixels=448, style="classic", marked={0: 1, 5: 1})

``draw_pair`` shows two graphs side by side. Sizes depend on the height alone; every colour of a style means
one thing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from modgap._errors import UnknownName

from ._layout import Edge, Place, along
from ._letters import text_mask
from ._strokes import Color, Disc, Drawing, Label, Line, Polygon, Stroke


@dataclass(frozen=True)
class GraphLook:
    """Colours of a graph.

    Args:
        paper: behind everything; no two styles share it.
        edge: of edges, arrows and the frame of a pair.
        fill: of nodes without a mark.
        rim: around nodes.
        ink: of numbers in nodes.
        marks: fills of marked nodes.
        capacity: of the numbers at arrows.
    """

    paper: Color
    edge: Color
    fill: Color
    rim: Color
    ink: Color
    marks: tuple[Color, ...]
    capacity: Color


GRAPH_LOOKS: dict[str, GraphLook] = {
    "classic": GraphLook(
        paper=(255, 255, 255),
        edge=(40, 40, 40),
        fill=(240, 240, 232),
        rim=(0, 0, 0),
        ink=(0, 0, 0),
        marks=(
            (150, 190, 255),
            (255, 170, 170),
            (150, 220, 150),
            (178, 186, 202),
            (173, 216, 230),
            (255, 182, 193),
        ),
        capacity=(0, 128, 0),
    ),
    "clean": GraphLook(
        paper=(250, 250, 246),
        edge=(90, 90, 100),
        fill=(255, 255, 255),
        rim=(60, 60, 70),
        ink=(20, 20, 30),
        marks=(
            (255, 214, 102),
            (160, 216, 190),
            (190, 190, 240),
            (240, 170, 150),
            (220, 235, 250),
            (250, 225, 235),
        ),
        capacity=(180, 20, 60),
    ),
    "dark": GraphLook(
        paper=(26, 28, 34),
        edge=(190, 190, 196),
        fill=(60, 64, 76),
        rim=(210, 210, 216),
        ink=(255, 255, 255),
        marks=((30, 100, 200), (170, 40, 70), (20, 120, 60), (120, 80, 20), (40, 80, 110), (100, 50, 90)),
        capacity=(255, 205, 70),
    ),
}
"""Style → colours."""


@dataclass(frozen=True)
class Sizes:
    """Sizes in a picture of a height, in pixels."""

    radius: int
    rim: int
    edge: float
    letters: int
    capacity: int
    head: float


def sizes_of(pixels: int) -> Sizes:
    """The sizes in a picture of a height."""
    radius = round(pixels * 0.032)
    letters = max(round(pixels / 32), 9)
    return Sizes(
        radius, max(round(pixels / 220), 1), max(pixels / 260, 1.2), letters, letters + 1, pixels * 0.034
    )


def look_of(style: str) -> GraphLook:
    """The colours of a style.

    Raises:
        UnknownName: if the style does not exist.
    """
    if style not in GRAPH_LOOKS:
        raise UnknownName("style", style, GRAPH_LOOKS)
    return GRAPH_LOOKS[style]


def draw_graph(
    places: Sequence[Place],
    edges: Sequence[Edge],
    *,
    pixels: int,
    style: str,
    marked: Mapping[int, int] | None = None,
    capacities: Sequence[int] = (),
    labels: Sequence[float] = (),
) -> Drawing:
    """Draw a graph; edges first, then nodes in order, then capacities.

    Args:
        places: of the nodes, in the unit square.
        edges: pairs of nodes; arrows from the first to the second if there are capacities.
        pixels: width and height.
        style: one of ``GRAPH_LOOKS``.
        marked: node → which of the marks it is filled with.
        capacities: of the edges, none for a graph without directions.
        labels: how far along each edge its capacity stands, 0 to 1.

    Raises:
        UnknownName: if the style does not exist.
    """
    look, sizes = look_of(style), sizes_of(pixels)
    at = [(int(x * pixels), int(y * pixels)) for x, y in places]
    strokes: list[Stroke] = []
    for i, j in edges:
        start, end = ((x + 0.5, y + 0.5) for x, y in (at[i], at[j]))
        strokes += (
            _arrow(start, end, look.edge, sizes)
            if capacities
            else [Line((start, end), look.edge, sizes.edge)]
        )
    for i, (x, y) in enumerate(at):
        fill = look.marks[marked[i] % len(look.marks)] if marked and i in marked else look.fill
        strokes.append(Disc(x, y, sizes.radius, fill, look.rim, sizes.rim))
        strokes.append(_centred(x, y, str(i), sizes.letters, look.ink))
    for (i, j), capacity, share in zip(edges if capacities else (), capacities, labels, strict=True):
        middle = along(at[i], at[j], share)
        label = _centred(round(middle[0]), round(middle[1]), str(capacity), sizes.capacity, look.capacity)
        strokes.append(replace(label, under=look.paper))
    return Drawing(pixels, pixels, look.paper, tuple(strokes))


def _centred(x: int, y: int, text: str, size: int, color: Color) -> Label:
    mask = text_mask(text, size)
    return Label(x - (mask.width - 1) // 2, y - mask.height // 2, text, size, color)


def _arrow(start: Place, end: Place, color: Color, sizes: Sizes) -> list[Stroke]:
    """A line that ends in a head at the rim of the node."""
    length = math.dist(start, end)
    ux, uy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    tip = length - sizes.radius - 1
    neck = tip - sizes.head
    nx, ny = start[0] + ux * neck, start[1] + uy * neck
    wide = sizes.head * 0.42
    head = (
        (start[0] + ux * tip, start[1] + uy * tip),
        (nx - uy * wide, ny + ux * wide),
        (nx + uy * wide, ny - ux * wide),
    )
    return [Line((start, (nx, ny)), color, sizes.edge), Polygon(head, color)]


def draw_pair(first: Drawing, second: Drawing, *, style: str) -> Drawing:
    """Two drawings of one size side by side, each in a frame."""
    look = look_of(style)
    shift, side = first.width, first.height
    frames: list[Stroke] = []
    for left in (0, shift):
        right, low, high = left + side - 3, 2.5, side - 3.5
        frames += [Line(((left + 2, y), (right, y)), look.edge, 1) for y in (low, high)]
        frames += [Line(((x, 2), (x, side - 3)), look.edge, 1) for x in (left + low, left + high)]
    moved = tuple(_moved(stroke, shift) for stroke in second.strokes)
    return Drawing(2 * shift, side, first.background, (*frames, *first.strokes, *moved))


def _moved(stroke: Stroke, shift: int) -> Stroke:
    if isinstance(stroke, Line | Polygon):
        return replace(stroke, points=tuple((x + shift, y) for x, y in stroke.points))
    return replace(stroke, x=stroke.x + shift)
