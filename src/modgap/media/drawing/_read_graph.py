"""A graph read back from its pixels: nodes by their fill, numbers by shape, edges by the ink between nodes.

    read_graph(picture)          # SeenGraph(5, ((0, 3), (1, 4)))

Nothing is known but the picture; the style is told by its paper, sizes by its height.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from modgap._errors import FileError

from ._graph import GRAPH_LOOKS, GraphLook, Sizes, sizes_of
from ._layout import along, near_segment
from ._letters import read_text

Pixels = NDArray[np.float64]

_DIGITS = "0123456789"
_COVERED = 0.93  # of the way between two nodes has ink where an edge is; a crossing edge covers a few percent
_COVERED_ARROW = 0.6  # the capacity stands on the arrow


@dataclass(frozen=True)
class SeenGraph:
    """A graph as it was seen.

    Args:
        n: number of nodes.
        edges: pairs of nodes, the smaller first; in a network from the tail to the head.
        capacities: of the edges of a network, in the same order; empty otherwise.
    """

    n: int
    edges: tuple[tuple[int, int], ...]
    capacities: tuple[int, ...] = ()


def read_pair(picture: PIL.Image.Image) -> tuple[SeenGraph, SeenGraph]:
    """Read two graphs side by side; see :func:`read_graph`."""
    side = picture.height
    if picture.width != 2 * side:
        raise FileError("the picture is not two square graphs side by side")
    return read_graph(picture.crop((0, 0, side, side))), read_graph(picture.crop((side, 0, 2 * side, side)))


def read_graph(picture: PIL.Image.Image, *, network: bool = False) -> SeenGraph:
    """Read a graph that :func:`draw_graph` drew.

    Args:
        picture: the picture.
        network: whether edges are arrows with capacities.

    Raises:
        FileError: if the picture is not such a graph, or a number in it cannot be read.
    """
    pixels = np.asarray(picture.convert("RGB")).astype(float)
    look = next((x for x in GRAPH_LOOKS.values() if np.array_equal(pixels[0, 0], x.paper)), None)
    if look is None or pixels.shape[0] != pixels.shape[1] or pixels.shape[0] < 128:
        raise FileError("the picture is not a graph that modgap drew; its size or its paper is another")
    sizes = sizes_of(pixels.shape[0])
    nodes = _nodes(pixels, look, sizes)
    if sorted(nodes) != list(range(len(nodes))):
        raise FileError(f"the nodes of the graph are numbered {sorted(nodes)}; expected 0, 1, 2 and so on")
    ink = _ink(pixels, look.paper, look.edge)
    wide = _widened(ink)
    needed = _COVERED_ARROW if network else _COVERED
    # No edge passes through a node: what seems to are two edges that meet there.
    joined = [
        (i, j)
        for i, j in combinations(range(len(nodes)), 2)
        if all(near_segment(nodes[k], nodes[i], nodes[j]) > sizes.radius for k in nodes if k not in (i, j))
        and _covered(wide, nodes[i], nodes[j], sizes.radius) >= needed
    ]
    if not network:
        return SeenGraph(len(nodes), tuple(joined))
    found = []
    for i, j in joined:
        if _head(ink, nodes[j], nodes[i], sizes) > _head(ink, nodes[i], nodes[j], sizes):
            i, j = j, i  # noqa: PLW2901
        found.append(((i, j), _capacity(pixels, look, sizes, nodes[i], nodes[j])))
    found.sort()
    return SeenGraph(len(nodes), tuple(e for e, _ in found), tuple(c for _, c in found))


def _ink(pixels: Pixels, paper: tuple[int, ...], color: tuple[int, ...]) -> Pixels:
    """How much of the way from one colour to another each pixel is, 0 to 1; 0 if it is off that way."""
    way = np.array(color, dtype=float) - np.array(paper)
    off = pixels - np.array(paper)
    share = off @ way / (way @ way)
    stray = np.abs(off - share[..., None] * way).max(-1)
    return np.where(stray < 30, np.clip(share, 0, 1), 0.0)


def _nodes(pixels: Pixels, look: GraphLook, sizes: Sizes) -> dict[int, tuple[float, float]]:
    """Number → middle of every node."""
    fills = np.zeros(pixels.shape[:2], dtype=bool)
    for fill in (look.fill, *look.marks):
        fills |= (pixels == fill).all(-1)
    inner = sizes.radius - sizes.rim
    rows, columns = np.nonzero(fills)
    left = np.ones(len(rows), dtype=bool)
    nodes: dict[int, tuple[float, float]] = {}
    while left.any():
        # The topmost run of fill is the top of a disc; what lies within reach below belongs to the same.
        top = rows[left.argmax()]
        start = columns[left.argmax()]
        own = left & (np.hypot(rows - top - inner, columns - start) <= 1.5 * inner)
        x = (int(columns[own].min()) + int(columns[own].max())) // 2
        y = (int(rows[own].min()) + int(rows[own].max())) // 2
        own = left & (np.hypot(rows - y, columns - x) <= sizes.radius + 1)
        left &= ~own
        if own.sum() < inner**2:  # stray pixels of that colour, such as a blend at a rim
            continue
        patch = pixels[y - inner + 1 : y + inner, x - inner + 1 : x + inner]
        own_fill = pixels[rows[own.argmax()], columns[own.argmax()]]
        ink = _ink(patch, tuple(own_fill), look.ink)
        grid = np.hypot(*np.mgrid[1 - inner : inner, 1 - inner : inner])
        number = read_text(np.where(grid < inner - 1, ink, 0), sizes.letters, _DIGITS)
        if number is None or int(number) in nodes:
            raise FileError(f"the number in the node at {x}, {y} cannot be read, or stands there twice")
        nodes[int(number)] = (float(x), float(y))
    return nodes


def _widened(ink: Pixels) -> Pixels:
    """Every pixel as dark as the darkest of its four neighbours: thin lines are found a pixel aside."""
    wide = ink.copy()
    wide[1:] = np.maximum(wide[1:], ink[:-1])
    wide[:-1] = np.maximum(wide[:-1], ink[1:])
    wide[:, 1:] = np.maximum(wide[:, 1:], ink[:, :-1])
    wide[:, :-1] = np.maximum(wide[:, :-1], ink[:, 1:])
    return wide


def _covered(ink: Pixels, a: tuple[float, float], b: tuple[float, float], radius: int) -> float:
    """Share of the way between the rims of two nodes that has ink."""
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    clear = (radius + 2) / length
    shares = np.linspace(clear, 1 - clear, max(int(length), 8))
    xs, ys = (np.round(a[k] + shares * (b[k] - a[k])).astype(int) for k in (0, 1))
    return float((ink[ys, xs] > 0.4).mean())


def _head(ink: Pixels, tail: tuple[float, float], end: tuple[float, float], sizes: Sizes) -> float:
    """Ink to both sides of the way, where the head of an arrow would be."""
    length = float(np.hypot(end[0] - tail[0], end[1] - tail[1]))
    ux, uy = (end[0] - tail[0]) / length, (end[1] - tail[1]) / length
    back = length - sizes.radius - 1 - 0.75 * sizes.head
    wide = 0.24 * sizes.head
    seen = []
    for side in (-1, 1):
        x, y = tail[0] + ux * back - side * uy * wide, tail[1] + uy * back + side * ux * wide
        seen.append(ink[round(y), round(x)])
    return float(min(seen))


def _capacity(
    pixels: Pixels, look: GraphLook, sizes: Sizes, tail: tuple[float, float], head: tuple[float, float]
) -> int:
    """The number that stands on an arrow."""
    half = round(sizes.capacity * 0.95)
    best, found = 0.0, None
    for share in np.linspace(0.2, 0.8, 25):
        x, y = (round(v) for v in along(tail, head, float(share)))
        if min(x, y) < half:
            continue
        ink = _ink(pixels[y - half : y + half + 1, x - half : x + half + 1], look.paper, look.capacity)
        # Ink that is centred: as much of it as possible, and as little as possible towards the border.
        score = float(ink[3:-3, 3:-3].sum() - 4 * (ink.sum() - ink[3:-3, 3:-3].sum()))
        if score > best:
            number = read_text(np.where(ink > 0.05, ink, 0), sizes.capacity, _DIGITS)
            if number is not None:
                best, found = score, number
    if found is None:
        raise FileError("the capacity at an arrow cannot be read")
    return int(found)
