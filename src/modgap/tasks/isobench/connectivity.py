"""Whether there is a path between two nodes of a graph: as a matrix, a list, a story or a picture.

    "Is there a path between node 3 and node 7?"   options no, yes

At our levels a graph in two parts and a connected one are made together: two edges are exchanged between
the parts, so both have the same degrees and the two nodes ask nothing of their neighbourhood; then one of
the two is asked about. At level ``published`` two nodes that both have edges are connected in more than
four of five cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
from modgap.media import Part, Text
from modgap.media.drawing import Drawing, draw_graph, lay_out, read_graph
from modgap.tasks._answers import READERS
from modgap.tasks._problem import Answer
from modgap.tasks._settings import check_order, setting

from . import _graphs, _speech
from ._common import INSTRUCTION as INSTRUCTION
from ._common import between, identity_of, only_picture, only_text, own_rng, pick, shuffled, style_of
from ._graphs import REPRESENTATIONS as REPRESENTATIONS
from ._graphs import Edge, Matrix
from ._graphs import Style as Style
from ._transcripts import GRAPH

CHANCE = 0.5
SPOKEN = _speech.GRAPH
TRANSCRIPT = GRAPH
LABELS = ("yes", "no")
_TRIES = 2000
_SIZES = (8, 9, 10, 11, 12, 13, 14, 15)
_SIZE_WEIGHTS = (8, 23, 12, 19, 19, 13, 17, 18)  # of the published set
_PATHS = (1, 2, 3, 4, 5)
_PATH_WEIGHTS = (27, 22, 10, 2, 3)
_ISOLATED = 43 / 64  # of the published pairs without a path, those with a node that has no edge


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "draw graphs as the published problems have them")
    min_nodes: int = setting(8, "fewest nodes", low=6, high=15)
    max_nodes: int = setting(12, "most nodes", low=6, high=15)
    min_path: int = setting(2, "fewest edges between the two nodes, where there is a path", low=1, high=6)
    max_path: int = setting(4, "most of them", low=1, high=8)
    extra_edges: int = setting(
        35, "edges beyond what keeps a part together, percent of its nodes", low=10, high=80
    )

    def __post_init__(self) -> None:
        check_order(self, "min_nodes", "max_nodes")
        check_order(self, "min_path", "max_path")


LEVELS: dict[str, Dials] = {
    "published": Dials(True, 8, 15, 1, 5),
    "easy": Dials(False, 6, 8, 1, 2),
    "medium": Dials(),
    "hard": Dials(False, 12, 15, 3, 6, 25),
}


@dataclass(frozen=True)
class ConnectivityProblem:
    """Whether ``a`` and ``b`` are connected in ``graph``."""

    graph: Matrix
    a: int
    b: int
    choices: tuple[str, ...]


def sample(rng: np.random.Generator, dials: Dials) -> ConnectivityProblem:
    """Draw a problem; both answers are equally likely."""
    rng = own_rng(rng, "connectivity")
    label = pick(rng, LABELS)
    length = 0 if label == "no" else int(rng.choice(_PATHS, p=np.array(_PATH_WEIGHTS) / sum(_PATH_WEIGHTS)))
    isolated = rng.random() < _ISOLATED
    for _ in range(_TRIES):
        found = _published(rng, length, isolated) if dials.published else _designed(rng, label, dials)
        if found is not None:
            return ConnectivityProblem(*found, shuffled(rng, LABELS))
    raise InputError(
        f"task isobench/connectivity found no graph whose answer is {label} in {_TRIES:,} tries "
        f"with {dials}; "
        "lower min_path or raise max_nodes"
    )


def random_graph(rng: np.random.Generator) -> Matrix:
    """A graph as the published problems have it: any pair is joined with the same probability, mostly low."""
    n = int(rng.choice(_SIZES, p=np.array(_SIZE_WEIGHTS) / sum(_SIZE_WEIGHTS)))
    density = 0.43 * rng.random() ** 1.6
    joined = rng.random((n, n)) < density
    return _graphs.matrix_of(n, tuple((i, j) for i in range(n) for j in range(i + 1, n) if joined[i, j]))


def _published(rng: np.random.Generator, length: int, isolated: bool) -> tuple[Matrix, int, int] | None:
    """Two nodes with a path of a length; for 0 without one, and one of them without edges if ``isolated``."""
    graph = random_graph(rng)
    n = len(graph)
    away = [_graphs.distances_from(graph, i) for i in range(n)]
    if length:
        pairs = [(i, j) for i in range(n) for j in range(n) if away[i][j] == length]
    else:
        alone = {i for i in range(n) if not any(graph[i])}
        apart = [(i, j) for i in range(n) for j in range(n) if away[i][j] < 0]
        pairs = [(i, j) for i, j in apart if bool({i, j} & alone) == isolated]
    return (graph, *pick(rng, pairs)) if pairs else None


def _designed(rng: np.random.Generator, label: str, dials: Dials) -> tuple[Matrix, int, int] | None:
    """A graph in two parts, the same with two edges exchanged between them, and a pair that this connects."""
    n = between(rng, dials.min_nodes, dials.max_nodes)
    nodes = shuffled(rng, range(n))
    cut = n // 2 + between(rng, -(n // 10), n // 10)
    parts = nodes[:cut], nodes[cut:]
    first, second = (_part(rng, part, dials.extra_edges) for part in parts)
    apart = _graphs.matrix_of(n, (*first, *second))
    u, v = pick(rng, first)
    x, y = pick(rng, second)
    kept = [e for e in (*first, *second) if e not in ((u, v), (x, y))]
    joined = _graphs.matrix_of(n, (*kept, (u, x), (v, y)))
    pairs = [
        (a, b)
        for a in parts[0]
        for away in (_graphs.distances_from(joined, a),)
        for b in parts[1]
        if dials.min_path <= away[b] <= dials.max_path
    ]
    if not pairs:
        return None
    a, b = shuffled(rng, pick(rng, pairs))
    return (joined if label == "yes" else apart), a, b


def _part(rng: np.random.Generator, nodes: Sequence[int], extra: int) -> list[Edge]:
    """A random tree on some nodes and some edges more."""
    edges = [(pick(rng, nodes[:i]), node) for i, node in enumerate(nodes) if i]
    known = {frozenset(e) for e in edges}
    free = [(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1 :] if frozenset((a, b)) not in known]
    return [*edges, *shuffled(rng, free)[: max(round(len(nodes) * extra / 100), 1)]]


def question(p: ConnectivityProblem) -> str:
    """What is asked."""
    return (
        "Two nodes of an undirected graph are connected if one can go from one to the other along edges. "
        f"Is there a path between node {p.a} and node {p.b}?"
    )


def options(p: ConnectivityProblem) -> tuple[str, ...]:
    """yes and no."""
    return p.choices


def answer(p: ConnectivityProblem) -> str:
    """Whether there is a path."""
    return "yes" if _graphs.distances_from(p.graph, p.a)[p.b] >= 0 else "no"


def difficulty(p: ConnectivityProblem) -> dict[str, float | int | str]:
    """Nodes, edges, the smaller degree of the two nodes, and the length of the path, 0 without one."""
    return {
        "nodes": len(p.graph),
        "edges": len(_graphs.edges_of(p.graph)),
        "path": max(_graphs.distances_from(p.graph, p.a)[p.b], 0),
        "smaller_degree": min(sum(p.graph[p.a]), sum(p.graph[p.b])),
    }


def group(p: ConnectivityProblem) -> str:
    """A hash of the graph."""
    return f"graph-{identity_of(p.graph)}"


def content(p: ConnectivityProblem) -> Matrix:
    """The graph; which nodes are meant, the question says."""
    return p.graph


def render(p: ConnectivityProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """The graph in one representation; in the picture the two nodes are filled."""
    if representation == "image":
        return (drawing(p, style).image(),)
    return (Text(_graphs.write(representation, p.graph)),)


def drawing(p: ConnectivityProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    edges, identity = _graphs.edges_of(p.graph), identity_of(p.graph)
    places = lay_out(len(p.graph), edges, _graphs.layout_rng(p.graph), circle=style.layout == "circle")
    color = int(identity[:4], 16) % 4
    return draw_graph(
        places,
        edges,
        pixels=style.pixels,
        style=style_of(style.style, identity),
        marked={p.a: color, p.b: color},
    )


def decode(representation: str, parts: tuple[Part, ...]) -> Matrix:
    """The graph, read back."""
    if representation != "image":
        return _graphs.read(representation, only_text(parts))
    seen = read_graph(only_picture(parts).to_pil())
    return _graphs.matrix_of(seen.n, seen.edges)


def parse(text: str, options: Sequence[str]) -> Answer:
    """What a reply says: one of the options, or what else it states."""
    return READERS["connectivity"](text, options)
