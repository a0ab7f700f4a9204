"""The largest flow through a small network: as a matrix, a list, a story or a picture.

    "... What is the value of the maximum flow from node 0 to node 4?"   11

Networks have no cycles; nothing enters the source, nothing leaves the sink. At level ``hard`` the tightest
cut lies inside the network, so neither what leaves the source nor what enters the sink is the answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
from modgap.media import Part, Text
from modgap.media.drawing import Drawing, draw_graph, lay_out_labelled, read_graph
from modgap.tasks._answers import READERS
from modgap.tasks._problem import Answer
from modgap.tasks._settings import check_order, setting

from . import _graphs, _speech
from ._common import INSTRUCTION as INSTRUCTION
from ._common import between, identity_of, only_picture, only_text, own_rng, pick, shuffled, style_of
from ._graphs import REPRESENTATIONS as REPRESENTATIONS
from ._graphs import Edge, Matrix
from ._graphs import Style as Style
from ._transcripts import NETWORK

SPOKEN = _speech.GRAPH
TRANSCRIPT = NETWORK
CHANCE = None
"""An open question: 1 in 25 at level ``published``, by the values that occur in the published set."""

MAX_ARCS = 12  # more of them leave no room for their capacities in a picture
_TRIES = 4000
_SIZES = (3, 4, 5)
_SIZE_WEIGHTS = (50, 37, 41)  # of the published set
_SOURCE_MARK, _SINK_MARK = 1, 4


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "draw networks as the published problems have them")
    min_nodes: int = setting(5, "fewest nodes", low=3, high=7)
    max_nodes: int = setting(6, "most nodes", low=3, high=7)
    density: int = setting(70, "pairs of nodes that are joined, percent", low=40, high=100)
    largest: int = setting(9, "largest capacity", low=3, high=20)
    min_paths: int = setting(2, "fewest paths along which flow is added until none is left", low=1, high=6)
    inner_cut: bool = setting(False, "the tightest cut is neither at the source nor at the sink")

    def __post_init__(self) -> None:
        check_order(self, "min_nodes", "max_nodes")


LEVELS: dict[str, Dials] = {
    "published": Dials(True, 3, 5, 100, 9, 1),
    "easy": Dials(False, 3, 4, 80, 9, 1),
    "medium": Dials(),
    "hard": Dials(False, 5, 7, 60, 15, 3, True),
}


@dataclass(frozen=True)
class MaxflowProblem:
    """The capacities, from row to column; the source is node 0, the sink the last node."""

    network: Matrix


def max_flow(network: Matrix) -> tuple[int, int]:
    """The value of the maximum flow from the first node to the last, and the paths it took.

    Flow is added along a shortest path with room until there is none, so the number of paths is a measure
    of how much work it is.
    """
    n = len(network)
    room = [list(row) for row in network]
    value = paths = 0
    while True:
        before = [-1] * n
        before[0] = 0
        waiting = deque([0])
        while waiting and before[n - 1] < 0:
            i = waiting.popleft()
            for j in range(n):
                if room[i][j] and before[j] < 0:
                    before[j] = i
                    waiting.append(j)
        if before[n - 1] < 0:
            return value, paths
        path: list[Edge] = []
        j = n - 1
        while j:
            path.append((before[j], j))
            j = before[j]
        added = min(room[i][j] for i, j in path)
        for i, j in path:
            room[i][j] -= added
            room[j][i] += added
        value, paths = value + added, paths + 1


def sample(rng: np.random.Generator, dials: Dials) -> MaxflowProblem:
    """Draw a problem; the flow is never 0."""
    rng = own_rng(rng, "maxflow")
    for _ in range(_TRIES):
        network = _published(rng) if dials.published else _designed(rng, dials)
        arcs = _graphs.arcs_of(network)
        if len(arcs) > MAX_ARCS or not _flows_everywhere(network):
            continue
        value, paths = max_flow(network)
        if value and paths >= dials.min_paths and not (dials.inner_cut and value == _at_ends(network)):
            return MaxflowProblem(network)
    raise InputError(
        f"task isobench/maxflow found no network in {_TRIES:,} tries with {dials}; "
        "lower min_paths, or allow more nodes or a higher density"
    )


def _published(rng: np.random.Generator) -> Matrix:
    """Nearly every pair is joined, along an order that begins at the source and ends at the sink."""
    n = int(rng.choice(_SIZES, p=np.array(_SIZE_WEIGHTS) / sum(_SIZE_WEIGHTS)))
    pairs = _pairs(rng, n)
    left_out = pick(rng, (0, 0, 0, 0, 0, 0, 0, 1, 1, 2))
    return _with_capacities(rng, n, shuffled(rng, pairs)[left_out:], 9)


def _designed(rng: np.random.Generator, dials: Dials) -> Matrix:
    n = between(rng, dials.min_nodes, dials.max_nodes)
    pairs = shuffled(rng, _pairs(rng, n))
    count = min(round(len(pairs) * dials.density / 100), MAX_ARCS)
    return _with_capacities(rng, n, pairs[:count], dials.largest)


def _pairs(rng: np.random.Generator, n: int) -> list[Edge]:
    order = (0, *shuffled(rng, range(1, n - 1)), n - 1)
    return [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]


def _with_capacities(rng: np.random.Generator, n: int, arcs: Sequence[Edge], largest: int) -> Matrix:
    rows = [[0] * n for _ in range(n)]
    for i, j in arcs:
        rows[i][j] = between(rng, 1, largest)
    return tuple(map(tuple, rows))


def _flows_everywhere(network: Matrix) -> bool:
    """Whether something leaves every node but the sink, and something enters every node but the source."""
    return all(any(row) for row in network[:-1]) and all(
        any(column) for column in list(zip(*network, strict=True))[1:]
    )


def _at_ends(network: Matrix) -> int:
    """The smaller of what the source can send and what the sink can take: a guess at the answer."""
    return min(sum(network[0]), sum(row[-1] for row in network))


def question(p: MaxflowProblem) -> str:
    """What is asked."""
    return (
        "Every arrow carries at most its capacity, in its direction, and what flows into a node other than "
        "the two ends flows out of it. "
        f"What is the value of the maximum flow from node 0 to node {len(p.network) - 1}?"
    )


def options(p: MaxflowProblem) -> tuple[str, ...]:
    """None: the question is open."""
    return ()


def answer(p: MaxflowProblem) -> str:
    """The value in decimal digits."""
    return str(max_flow(p.network)[0])


def difficulty(p: MaxflowProblem) -> dict[str, float | int | str]:
    """Nodes, arrows, paths along which flow is added, and by how much the ends overstate the answer."""
    value, paths = max_flow(p.network)
    return {
        "nodes": len(p.network),
        "arrows": len(_graphs.arcs_of(p.network)),
        "paths": paths,
        "ends_overstate": _at_ends(p.network) - value,
    }


def group(p: MaxflowProblem) -> str:
    """A hash of the network."""
    return f"network-{identity_of(p.network)}"


def content(p: MaxflowProblem) -> Matrix:
    """The capacities."""
    return p.network


def render(p: MaxflowProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """The network in one representation; matrix and list say in a line what their entries mean.

    Raises:
        InputError: if no arrangement of the picture is legible; none of a thousand networks was refused.
    """
    if representation == "story":
        return (Text(_graphs.write(representation, p.network, network=True)),)
    if representation != "image":
        return (Text(_LEGEND + _graphs.write(representation, p.network)),)
    return (drawing(p, style).image(),)


def drawing(p: MaxflowProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    arcs = _graphs.arcs_of(p.network)
    rng = _graphs.layout_rng(p.network)
    n = len(p.network)
    laid_out = lay_out_labelled(n, arcs, rng, circle=style.layout == "circle") or lay_out_labelled(
        n, arcs, rng
    )
    if laid_out is None:
        raise InputError("the network has too many arrows to be drawn legibly; lower density or max_nodes")
    places, labels = laid_out
    return draw_graph(
        places,
        arcs,
        pixels=style.pixels,
        style=style_of(style.style, identity_of(p.network)),
        marked={0: _SOURCE_MARK, n - 1: _SINK_MARK},
        capacities=[p.network[i][j] for i, j in arcs],
        labels=labels,
    )


_LEGEND = "Capacities, from the node of the row to the node of the column:\n"


def decode(representation: str, parts: tuple[Part, ...]) -> Matrix:
    """The capacities, read back."""
    if representation != "image":
        text = only_text(parts).removeprefix(_LEGEND)
        return _graphs.read(representation, text, network=True)
    seen = read_graph(only_picture(parts).to_pil(), network=True)
    rows = [[0] * seen.n for _ in range(seen.n)]
    for (i, j), capacity in zip(seen.edges, seen.capacities, strict=True):
        rows[i][j] = capacity
    return tuple(map(tuple, rows))


def parse(text: str, options: Sequence[str]) -> Answer:
    """The number that a reply gives."""
    return READERS["maxflow"](text, options)
