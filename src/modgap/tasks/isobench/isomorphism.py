"""Whether two graphs are the same but for the numbers of their nodes: as texts or as a picture.

    "... Are G and H isomorphic?"   options no, yes

``alike`` says what two graphs have in common that are not isomorphic: the number of edges, the degrees, or
everything that refining colours by neighbours can see, the number of triangles and being connected besides.
At level ``published`` comparing degrees is right in more than nine of ten cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import FileError, InputError
from modgap.media import Part, Text
from modgap.media.drawing import Drawing, draw_graph, draw_pair, lay_out, read_pair
from modgap.tasks._answers import READERS
from modgap.tasks._problem import Answer
from modgap.tasks._settings import check_order, setting

from . import _graphs, _speech
from ._common import INSTRUCTION as INSTRUCTION
from ._common import between, identity_of, only_picture, only_text, own_rng, pick, shuffled, style_of
from ._graphs import REPRESENTATIONS as REPRESENTATIONS
from ._graphs import Edge, Matrix
from ._graphs import Style as Style
from ._transcripts import PAIR
from .connectivity import random_graph

CHANCE = 0.5
SPOKEN = _speech.GRAPHS
TRANSCRIPT = PAIR
LABELS = ("yes", "no")
_TRIES = 2000
_SWAPS = 40
_MARKS = 4, 5  # of the two panels


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "draw graphs as the published problems have them")
    min_nodes: int = setting(7, "fewest nodes", low=5, high=14)
    max_nodes: int = setting(10, "most nodes", low=5, high=14)
    alike: str = setting(
        "degrees", "what graphs that are not isomorphic have in common", one_of=("edges", "degrees", "colors")
    )

    def __post_init__(self) -> None:
        check_order(self, "min_nodes", "max_nodes")
        if self.alike == "colors" and self.max_nodes < 8:
            raise InputError(f"max_nodes {self.max_nodes} is too few for alike colors; give 8 or more")


LEVELS: dict[str, Dials] = {
    "published": Dials(True, 8, 14, "edges"),
    "easy": Dials(False, 5, 7, "edges"),
    "medium": Dials(),
    "hard": Dials(False, 8, 12, "colors"),
}


@dataclass(frozen=True)
class IsomorphismProblem:
    """Whether ``g`` and ``h`` are isomorphic."""

    g: Matrix
    h: Matrix
    choices: tuple[str, ...]


Colors = tuple[int, ...]


def refine(g: Matrix, h: Matrix, first: Colors, second: Colors) -> tuple[Colors, Colors]:
    """Split colours of nodes by the colours of their neighbours until nothing changes, in both alike."""
    near = _graphs.neighbours_of(g), _graphs.neighbours_of(h)
    count = len({*first, *second})
    while True:
        signs = [
            [(own[i], *sorted(own[j] for j in lists[i])) for i in range(len(own))]
            for own, lists in zip((first, second), near, strict=True)
        ]
        rank = {sign: place for place, sign in enumerate(sorted({*signs[0], *signs[1]}))}
        first, second = (tuple(rank[sign] for sign in side) for side in signs)
        if len(rank) == count:
            return first, second
        count = len(rank)


def same_colors(g: Matrix, h: Matrix) -> bool:
    """Whether refining colours by neighbours sees no difference between two graphs."""
    first, second = refine(g, h, (0,) * len(g), (0,) * len(h))
    return sorted(first) == sorted(second)


def find_isomorphism(g: Matrix, h: Matrix) -> tuple[int, ...] | None:
    """For every node of ``g`` its node in ``h``, so that neighbours stay neighbours, or ``None``."""
    if len(g) != len(h):
        return None
    return _match(g, h, (0,) * len(g), (0,) * len(h))


def _match(g: Matrix, h: Matrix, first: Colors, second: Colors) -> tuple[int, ...] | None:
    first, second = refine(g, h, first, second)
    if sorted(first) != sorted(second):
        return None
    classes = {color: first.count(color) for color in set(first)}
    open_ones = sorted((size, color) for color, size in classes.items() if size > 1)
    if not open_ones:
        image = tuple(second.index(color) for color in first)
        n = len(g)
        return image if all(g[i][j] == h[image[i]][image[j]] for i in range(n) for j in range(n)) else None
    color = open_ones[0][1]
    node = first.index(color)
    for other in (j for j, own in enumerate(second) if own == color):
        # A colour of its own for one node, and for each that may be its image in turn.
        found = _match(g, h, _alone(first, node), _alone(second, other))
        if found is not None:
            return found
    return None


def _alone(colors: Colors, node: int) -> Colors:
    return (*colors[:node], -1, *colors[node + 1 :])


def sample(rng: np.random.Generator, dials: Dials) -> IsomorphismProblem:
    """Draw a problem; both answers are equally likely."""
    rng = own_rng(rng, "isomorphism")
    label = pick(rng, LABELS)
    for _ in range(_TRIES):
        g = _graph(rng, dials)
        if g is None:
            continue
        h = g if label == "yes" else _other(rng, g, dials)
        if h is None:
            continue
        h = _renumbered(rng, h)
        if h != g:
            return IsomorphismProblem(g, h, shuffled(rng, LABELS))
    raise InputError(
        f"task isobench/isomorphism found no pair whose answer is {label} in {_TRIES:,} tries with {dials}; "
        "allow more nodes"
    )


def _graph(rng: np.random.Generator, dials: Dials) -> Matrix | None:
    if dials.published:
        return random_graph(rng)
    n = between(rng, dials.min_nodes, dials.max_nodes)
    if dials.alike == "colors":
        return _regular(rng, n)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    return _graphs.matrix_of(n, shuffled(rng, pairs)[: between(rng, n, n + n // 2)])


def _regular(rng: np.random.Generator, n: int) -> Matrix | None:
    """A connected graph whose nodes all have 3 or 4 neighbours: refining colours sees nothing in it."""
    degree = pick(rng, (3, 4)) if n % 2 == 0 else 4
    if n < 8:
        return None
    ends = shuffled(rng, [node for node in range(n) for _ in range(degree)])
    pairs = [tuple(sorted(pair)) for pair in zip(ends[::2], ends[1::2], strict=True)]
    if any(a == b for a, b in pairs) or len(set(pairs)) < len(pairs):
        return None
    graph = _graphs.matrix_of(n, tuple((a, b) for a, b in pairs))
    return graph if min(_graphs.distances_from(graph, 0)) >= 0 else None


def _other(rng: np.random.Generator, g: Matrix, dials: Dials) -> Matrix | None:
    """A graph that is not isomorphic but has in common what the dials ask for."""
    n, edges = len(g), list(_graphs.edges_of(g))
    if dials.alike == "edges":
        pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
        h = _graphs.matrix_of(n, shuffled(rng, pairs)[: len(edges)])
        return h if find_isomorphism(g, h) is None else None
    for _ in range(_SWAPS):
        edges = _swapped(rng, edges)
        h = _graphs.matrix_of(n, tuple(edges))
        if dials.alike == "colors":
            if min(_graphs.distances_from(h, 0)) < 0 or triangles_of(h) != triangles_of(g):
                continue
            if not same_colors(g, h):
                continue
        if find_isomorphism(g, h) is None:
            return h
    return None


def _swapped(rng: np.random.Generator, edges: list[Edge]) -> list[Edge]:
    """Two edges exchange an end, so that every node keeps its degree; nothing if that is not possible."""
    (a, b), (c, d) = first, second = pick(rng, edges), pick(rng, edges)
    if rng.random() < 0.5:
        c, d = d, c
    made = tuple(sorted((a, c))), tuple(sorted((b, d)))
    if len({a, b, c, d}) < 4 or any(pair in edges for pair in made):
        return edges
    return [*(e for e in edges if e not in (first, second)), *((i, j) for i, j in made)]


def triangles_of(graph: Matrix) -> int:
    """How many three nodes are joined to one another."""
    a = np.array(graph)
    return int(np.trace(a @ a @ a)) // 6


def _renumbered(rng: np.random.Generator, graph: Matrix) -> Matrix:
    order = shuffled(rng, range(len(graph)))
    return tuple(tuple(graph[i][j] for j in order) for i in order)


def question(p: IsomorphismProblem) -> str:
    """What is asked."""
    return (
        "Two graphs are isomorphic if the nodes of one can be renumbered so that both have the same edges. "
        "Are G and H isomorphic?"
    )


def options(p: IsomorphismProblem) -> tuple[str, ...]:
    """yes and no."""
    return p.choices


def answer(p: IsomorphismProblem) -> str:
    """Whether there is such a renumbering."""
    return "no" if find_isomorphism(p.g, p.h) is None else "yes"


def difficulty(p: IsomorphismProblem) -> dict[str, float | int | str]:
    """Nodes, edges, and what the two graphs have in common: edges, degrees, or colours too."""
    same_degrees = sorted(map(sum, p.g)) == sorted(map(sum, p.h))
    return {
        "nodes": len(p.g),
        "edges": len(_graphs.edges_of(p.g)),
        "in_common": "colors" if same_colors(p.g, p.h) else "degrees" if same_degrees else "edges",
    }


def group(p: IsomorphismProblem) -> str:
    """A hash of the two graphs."""
    return f"pair-{identity_of((p.g, p.h))}"


def content(p: IsomorphismProblem) -> tuple[Matrix, Matrix]:
    """The two graphs."""
    return p.g, p.h


def render(p: IsomorphismProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """The two graphs in one representation; in the picture G is left and H right."""
    if representation != "image":
        g, h = (_graphs.write(representation, graph) for graph in (p.g, p.h))
        return (Text(f"G:\n{g}\n\nH:\n{h}"),)
    return (drawing(p, style).image(),)


def drawing(p: IsomorphismProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    look = style_of(style.style, identity_of((p.g, p.h)))
    sides = []
    for graph, mark in zip((p.g, p.h), _MARKS, strict=True):
        edges = _graphs.edges_of(graph)
        places = lay_out(len(graph), edges, _graphs.layout_rng(graph), circle=style.layout == "circle")
        marked = dict.fromkeys(range(len(graph)), mark)
        sides.append(draw_graph(places, edges, pixels=style.pixels, style=look, marked=marked))
    return draw_pair(*sides, style=look)


def decode(representation: str, parts: tuple[Part, ...]) -> tuple[Matrix, Matrix]:
    """The two graphs, read back."""
    if representation != "image":
        first, found, second = only_text(parts).removeprefix("G:\n").partition("\n\nH:\n")
        if not found:
            raise FileError(f"{representation} does not hold two graphs, G: and H:, as modgap writes them")
        return _graphs.read(representation, first), _graphs.read(representation, second)
    g, h = read_pair(only_picture(parts).to_pil())
    return _graphs.matrix_of(g.n, g.edges), _graphs.matrix_of(h.n, h.edges)


def parse(text: str, options: Sequence[str]) -> Answer:
    """What a reply says: one of the options, or what else it states."""
    return READERS["isomorphism"](text, options)
