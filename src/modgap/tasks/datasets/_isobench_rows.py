"""What a row of each configuration of IsoBench says, and what is exactly right."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modgap._errors import FileError
from modgap.tasks._media_files import cut
from modgap.tasks.isobench import _graphs, connectivity, isomorphism, maxflow
from modgap.tasks.isobench._chess_moves import Board, uci
from modgap.tasks.isobench._chess_search import judge
from modgap.tasks.isobench._chess_text import read_fen
from modgap.tasks.isobench._common import identity_of
from modgap.tasks.isobench._graphs import Matrix
from modgap.tasks.isobench.puzzle import solve

from . import _common, _formulas

_MAX_NODES = 64
_POSITIVE = (100, 10_000)  # thousandths: where the published pictures of x > 0 are drawn, but for 0 itself
_REAL = (-10_000, 10_000)


@dataclass(frozen=True)
class Item:
    """What a row says.

    Args:
        question: what is asked, the same for text and picture.
        label: the published one, spelled as the options.
        solved: the exact answer; ``degenerate`` where several are right, ``None`` where no solver decides.
        texts: representation → text.
        options: the labels; none for an open question.
        group: rows about the same content share it.
        kind: of the answer.
    """

    question: str
    label: str
    solved: str | None
    texts: Mapping[str, str]
    options: tuple[str, ...]
    group: str = ""
    kind: str = "choice"


def _parity(row: dict[str, Any]) -> Item:
    return Item(
        "A function is even if f(-x) = f(x) for every x, and odd if f(-x) = -f(x) for every x; "
        "otherwise it is neither. Is f even, odd or neither?",
        str(row["label"]),
        _formulas.parity(str(row["code"])),
        _formula_texts(row),
        ("even", "odd", "neither"),
    )


def _convexity(row: dict[str, Any]) -> Item:
    positive = "0" in _domain(row)
    return Item(
        "Is f convex or concave on its domain?",
        str(row["label"]),
        _formulas.direction(str(row["code"]), _POSITIVE if positive else _REAL),
        _formula_texts(row),
        ("convex", "concave"),
    )


def _breakpoints(row: dict[str, Any]) -> Item:
    number = _formulas.breakpoints(str(row["code"]))
    return Item(
        "f is piecewise linear. A breakpoint is a point where its slope changes; the two ends of the domain "
        "do not count. How many breakpoints does f have?",
        str(row["label"]),
        None if number is None else str(number),
        _formula_texts(row),
        (),
        kind="integer",
    )


def _domain(row: dict[str, Any]) -> str:
    return str(row.get("domain") or row.get("xlim") or "").strip()


def _formula_texts(row: dict[str, Any]) -> dict[str, str]:
    domain = f"\nDomain: {_domain(row)}" if _domain(row) else ""
    return {"latex": str(row["latex"]) + domain, "sympy": str(row["code"]) + domain}


def matrix(value: Any) -> Matrix:
    """An adjacency matrix: nested lists, or the text of such, with commas or without.

    Raises:
        ValueError: if it is not a square of whole numbers of at most 64 rows.
    """
    if isinstance(value, str) and len(value) <= 100_000:
        value = [re.split(r"[,\s]+", row.strip(" ,\n")) for row in re.findall(r"\[([^\[\]]+)\]", value)]
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_NODES:
        raise ValueError(f"{cut(value)} is no matrix of 1 to {_MAX_NODES} rows")
    if any(len(row) != len(value) or not all(re.fullmatch(r"\d{1,6}", str(x)) for x in row) for row in value):
        raise ValueError("the matrix is not a square of whole numbers")
    return tuple(tuple(int(x) for x in row) for row in value)


_GRAPH_TEXTS = ("list", "matrix", "story")
_YES = ("yes", "no")


def _label(row: dict[str, Any]) -> str:
    return "yes" if str(row["label"]).lower() in ("true", "1", "yes") else "no"


def _node(value: Any, graph: Matrix) -> int:
    node = int(value)
    if not 0 <= node < len(graph):
        raise ValueError(f"node {node} is not in a graph of {len(graph)} nodes")
    return node


def _connectivity(row: dict[str, Any]) -> Item:
    graph = matrix(row["adjacency_matrix"])
    nodes = [_node(row[f"query_node_{i}"], graph) for i in (1, 2)]
    p = connectivity.ConnectivityProblem(graph, nodes[0], nodes[1], _YES)
    texts = {name: _graphs.write(name, graph) for name in _GRAPH_TEXTS}
    return Item(
        connectivity.question(p),
        _label(row),
        connectivity.answer(p),
        texts,
        _YES,
        f"graph-{identity_of(graph)}",
    )


def _isomorphism(row: dict[str, Any]) -> Item:
    g, h = matrix(row["adjacency_matrix_G"]), matrix(row["adjacency_matrix_H"])
    p = isomorphism.IsomorphismProblem(g, h, _YES)
    texts = {name: f"G:\n{_graphs.write(name, g)}\n\nH:\n{_graphs.write(name, h)}" for name in _GRAPH_TEXTS}
    return Item(
        isomorphism.question(p), _label(row), isomorphism.answer(p), texts, _YES, f"graph-{identity_of(g)}"
    )


def _maxflow(row: dict[str, Any]) -> Item:
    network = matrix(row["adjacency_matrix"])
    source, sink = (_node(row[f"{end}_node"], network) for end in ("source", "sink"))
    order = (source, *(i for i in range(len(network)) if i not in (source, sink)), sink)
    value, _ = maxflow.max_flow(tuple(tuple(network[i][j] for j in order) for i in order))
    legend = "Capacities, from the node of the row to the node of the column:\n"
    texts = {
        name: ("" if name == "story" else legend) + _graphs.write(name, network, network=True)
        for name in _GRAPH_TEXTS
    }
    question = (
        "Every arrow carries at most its capacity, in its direction, and what flows into a node other than "
        "the two ends flows out of it. What is the value of the maximum flow "
        f"from node {source} to node {sink}?"
    )
    return Item(question, str(int(row["label"])), str(value), texts, (), kind="integer")


def _winner(row: dict[str, Any]) -> Item:
    return Item(
        "With best play by both sides, is the result of this chess game a win for white, a win for black, "
        "or a draw: who wins?",
        str(row["label"]).lower(),
        _won(str(row["fen"])),
        _game_texts(row),
        ("white", "black", "draw"),
    )


def _won(fen: str) -> str | None:
    try:
        board = Board.of(read_fen(fen))
    except FileError:
        return None
    verdict = judge(board)
    if verdict is None:
        return None
    return (
        "draw"
        if verdict.result == "draw"
        else "white"
        if (verdict.result == "win") == (board.turn == 1)
        else "black"
    )


def _puzzle(row: dict[str, Any]) -> Item:
    label = str(row["label"]).strip().lower()
    return Item(
        "There is a single best line for the side to move in this chess position. What is its first move, "
        "in UCI notation such as e2e4 or e7e8q?",
        label,
        label if label in _mating(str(row["fen"])) else None,
        _game_texts(row),
        (),
        kind="text",
    )


def _mating(fen: str) -> list[str]:
    """Moves that mate fastest; a line that wins otherwise is not judged."""
    try:
        return [uci(move) for move in solve(Board.of(read_fen(fen)))[0]]
    except FileError:
        return []


def _game_texts(row: dict[str, Any]) -> dict[str, str]:
    return {name: str(row[name]) for name in ("anl", "pgn", "fen") if row.get(name)}


def _science(row: dict[str, Any]) -> Item:
    choices = row["choices"]
    if isinstance(choices, str):
        if len(choices) > 10_000:
            raise ValueError("the choices are longer than 10,000 characters")
        try:
            choices = ast.literal_eval(choices)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(f"choices {cut(choices)} are not a list") from error
    options = _common.texts(choices, "choices")
    place = int(row["label"])
    if not 0 <= place < len(options):
        raise ValueError(f"label {place} is not a place among {len(options)} choices")
    return Item(
        str(row["question"]),
        options[place],
        None,
        {"description": str(row.get("description") or "")},
        options,
    )


_FORMULA = ("latex", "code")
_CHESS = ("anl", "pgn", "fen")
_SCIENCE = ("question", "choices", "description")
ITEMS: dict[str, tuple[str, tuple[str, ...], Callable[[dict[str, Any]], Item]]] = {
    "math_parity": ("parity", _FORMULA, _parity),
    "math_convexity": ("convexity", _FORMULA, _convexity),
    "math_breakpoint": ("breakpoints", _FORMULA, _breakpoints),
    "graph_connectivity": (
        "connectivity",
        ("adjacency_matrix", "query_node_1", "query_node_2"),
        _connectivity,
    ),
    "graph_maxflow": ("maxflow", ("adjacency_matrix", "source_node", "sink_node"), _maxflow),
    "graph_isomorphism": ("isomorphism", ("adjacency_matrix_G", "adjacency_matrix_H"), _isomorphism),
    "chemistry": ("chemistry", _SCIENCE, _science),
    "physics": ("physics", _SCIENCE, _science),
    "winner_id": ("winner", _CHESS, _winner),
    "puzzle": ("puzzle", _CHESS, _puzzle),
}
"""Published configuration → task, columns besides image, label and id, and what a row says."""
