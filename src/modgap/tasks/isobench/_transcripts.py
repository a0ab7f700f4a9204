"""Graphs, functions, boards and descriptions as models write them down, held against what was shown.

Graphs are read in any common manner (rows of a matrix, LaTeX, one edge after another, sentences); a board as
FEN or as eight rows; a function or a table of physics in the form that is asked for. What is not read in
these ways has no content, and scores 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np

from modgap._errors import FileError, ModgapError
from modgap.media import Part, Text
from modgap.tasks._transcript import Transcript, f1

from . import _graphs
from ._chess_moves import Position
from ._chess_text import read_fen, write_fen
from ._functions import Function
from ._graphs import Matrix

Pair = tuple[Matrix, Matrix]
Decode = Callable[[str, tuple[Part, ...]], Any]

_MOST_NODES = 40
_ROW = re.compile(r"\[\s{0,9}(\d{1,4}(?:\s{0,9},\s{0,9}\d{1,4}){0,60})\s{0,9}\]")
_LATEX_ROW = re.compile(r"^\s{0,20}(\d{1,4}(?:\s{0,9}&\s{0,9}\d{1,4}){1,60})", re.M)
_NODES = re.compile(r"\b(\d{1,2}) nodes\b")
_TO = re.compile(r"\b(?:joined|connected|linked|adjacent|leads?|goes)\b")
_ARC = re.compile(r"\b(\d{1,2})\D{1,20}capacit(?:y|ies)\D{1,6}(\d{1,4})")
_EDGE = re.compile(
    r"\b(\d{1,2})\s{0,3}(?:-{1,3}>?|–|—|→|,|to\b|and\b)\s{0,3}(?:node\s)?(\d{1,2})\b"
    r"(?:\s{0,2}(?:[:=(\[]|,?\s?(?:with|of|capacity)\b)\W{0,3}(?:capacity\W{0,3})?(\d{1,4})\b)?"
)


def read_graph(text: str, *, network: bool = False) -> Matrix:
    """A graph or a network in any common manner.

    Args:
        text: untrusted.
        network: edges have a direction and a capacity.

    Raises:
        FileError: if nothing like a graph is in it.
    """
    rows = _rows(text)
    if len(rows) > 1 and all(len(row) == len(rows) for row in rows):
        return tuple(map(tuple, rows))
    arcs = _sentences(text, network) or _edges(text, network)
    if not arcs:
        raise FileError("the transcript holds no graph; expected rows of a matrix, or edges such as 0-3")
    told = _NODES.search(text)
    n = max([int(told[1]) if told else 0, *(max(i, j) + 1 for i, j in arcs)])
    if n > _MOST_NODES:
        raise FileError(f"the transcript has a graph of {n} nodes; graphs of up to {_MOST_NODES} are read")
    made = [[0] * n for _ in range(n)]
    for (i, j), value in arcs.items():
        made[i][j] = value
        if not network:
            made[j][i] = value
    return tuple(map(tuple, made))


def _rows(text: str) -> list[list[int]]:
    rows = [[int(x) for x in found.split(",")] for found in _ROW.findall(text)]
    return rows or [[int(x) for x in found.split("&")] for found in _LATEX_ROW.findall(text)]


def _sentences(text: str, network: bool) -> dict[tuple[int, int], int]:
    arcs: dict[tuple[int, int], int] = {}
    for sentence in re.split(r"[.;\n]", text)[:400]:
        verb = _TO.search(sentence.lower())
        start = re.search(r"\d{1,2}", sentence[: verb.start()]) if verb else None
        if verb is None or start is None:
            continue
        rest = sentence[verb.end() :]
        if network:
            found = [(int(j), int(value)) for j, value in _ARC.findall(rest)]
        else:
            found = [(int(j), 1) for j in re.findall(r"\b\d{1,2}\b", rest)[:60]]
        arcs.update({(int(start[0]), j): value for j, value in found if value})
    return arcs


def _edges(text: str, network: bool) -> dict[tuple[int, int], int]:
    found = _EDGE.findall(text)[:900]
    if network:
        return {(int(i), int(j)): int(value) for i, j, value in found if value and int(value)}
    return {(int(i), int(j)): 1 for i, j, _ in found}


def read_pair(text: str) -> Pair:
    """Two graphs, one after the other.

    Raises:
        FileError: if there are not two.
    """
    rows = _rows(text)
    half = len(rows) // 2
    if half > 1 and len(rows) == 2 * half and all(len(row) == half for row in rows):
        return tuple(map(tuple, rows[:half])), tuple(map(tuple, rows[half:]))
    parts = re.split(r"^\W{0,4}(?:graph )?H\b\W{0,4}", text, maxsplit=1, flags=re.M | re.I)
    if len(parts) != 2:
        raise FileError("the transcript does not hold two graphs; expected G: and H:")
    return read_graph(parts[0]), read_graph(parts[1])


def compare_graphs(truth: Matrix, found: Matrix) -> dict[str, float]:
    """``edges``: F1 of edges with their capacities, if any; ``joined``: without capacities."""
    edges = f1(_entries(truth), _entries(found))
    return {
        "score": edges,
        "edges": edges,
        "joined": f1(_graphs.arcs_of(truth), _graphs.arcs_of(found)),
        "exact": float(truth == found),
    }


def _entries(matrix: Matrix) -> list[tuple[int, int, int]]:
    return [(i, j, matrix[i][j]) for i, j in _graphs.arcs_of(matrix)]


def compare_pairs(truth: Pair, found: Pair) -> dict[str, float]:
    """Means over the two graphs; exact if both are."""
    each = [compare_graphs(a, b) for a, b in zip(truth, found, strict=True)]
    means = {name: (each[0][name] + each[1][name]) / 2 for name in each[0]}
    return {**means, "exact": float(truth == found)}


def _write_pair(pair: Pair) -> str:
    g, h = (_graphs.write("list", graph) for graph in pair)
    return f"G:\n{g}\n\nH:\n{h}"


_MATRIX = (
    "Write the adjacency matrix as a list of rows and nothing else, such as [[0, 1], [1, 0]]; rows and "
    "columns are the nodes from 0 on."
)
GRAPH = Transcript("list", _MATRIX, read_graph, lambda m: _graphs.write("list", m), compare_graphs)
NETWORK = Transcript(
    "list",
    "Write the capacities as a list of rows and nothing else, such as [[0, 7], [0, 0]]: the entry in row i "
    "and column j is the capacity of the arrow from node i to node j, 0 without one.",
    lambda text: read_graph(text, network=True),
    lambda m: "Capacities, from the node of the row to the node of the column:\n" + _graphs.write("list", m),
    compare_graphs,
)
PAIR = Transcript(
    "list",
    f"Write G: and then H:, and below each its graph. {_MATRIX}",
    read_pair,
    _write_pair,
    compare_pairs,
)

_LATEX = re.compile(r"\$\$\s{0,9}f\(x\) = [^$]{1,6000}\$\$")
_PLACES = 101
_NEAR = 0.02


def of_functions(decode: Decode, coefficients: Callable[[Any], Iterable[Hashable]]) -> Transcript:
    """The transcript of a task on functions.

    Args:
        decode: of the task.
        coefficients: everything in a function that can be right or wrong, piece by piece.
    """

    def read(text: str) -> Any:
        found = _LATEX.search(text.replace("−", "-"))
        if found is None:
            raise FileError("the transcript holds no formula; expected $$f(x) = ...$$ with its domain")
        return decode("latex", (Text(found[0]),))

    def compare(truth: Function, found: Function) -> dict[str, float]:
        share = f1(coefficients(truth), coefficients(found))
        return {
            "score": share,
            "coefficients": share,
            "curve": _curve(truth, found),
            "exact": float(truth == found),
        }

    request = (
        r"Write the function as LaTeX with its domain and nothing else, such as "
        r"$$f(x) = 3x^{2} - 2.5x + 1, \quad -5 \le x \le 5$$"
    )
    return Transcript("latex", request, read, None, compare)


def _curve(truth: Function, found: Function) -> float:
    """Share of the domain over which two functions are within 2 % of the range of the true one."""
    low, high = truth.domain
    xs = np.linspace(low / 1000, high / 1000, _PLACES)
    with np.errstate(all="ignore"):
        expected, given = truth.values(xs), found.values(xs)
    return float((np.abs(expected - given) <= _NEAR * max(float(np.ptp(expected)), 1e-9)).mean())


_ROWS = r"(?:[1-8PNBRQKpnbrqk]{1,8}/){7}[1-8PNBRQKpnbrqk]{1,8}"
_FEN = re.compile(_ROWS + r" [wb] \S{1,4} \S{1,2} \d{1,3} \d{1,3}")
_PLACEMENT = re.compile(rf"({_ROWS})(?: ([wb])\b)?")
_RANK = re.compile(r"^\W{0,3}[1-8]?\s?([.PNBRQKpnbrqk](?: ?[.PNBRQKpnbrqk]){7})\s{0,3}[1-8]?$")


def read_position(text: str) -> Position:
    """A position as FEN or as eight rows of letters and dots, the eighth rank first.

    Raises:
        FileError: if there is none.
    """
    whole = _FEN.search(text)
    if whole is not None:
        try:
            return read_fen(whole[0])
        except ModgapError:
            pass
    placed = _PLACEMENT.search(text)
    if placed is not None:
        rows = [re.sub(r"\d", lambda gap: "." * int(gap[0]), row) for row in placed[1].split("/")]
        turn = placed[2]
    else:
        found = [_RANK.match(line) for line in text.splitlines()]
        rows = [line[1].replace(" ", "") for line in found if line]
        told = re.search(r"\b(white|black)(?: is| has)? to (?:move|play)\b", text, re.I)
        turn = told[1][0].lower() if told else None
    if len(rows) != 8 or any(len(row) != 8 for row in rows):
        raise FileError("the transcript holds no board; expected FEN, or eight rows of letters and dots")
    return Position("".join(reversed(rows)), {"w": 1, "b": -1}.get(turn or "", 0), "", -1)


def compare_positions(truth: Position, found: Position) -> dict[str, float]:
    """``squares``: share of the 64 that are right; ``pieces``: F1 of pieces on their squares; ``turn``."""
    squares = sum(a == b for a, b in zip(truth.squares, found.squares, strict=True)) / 64
    turn = float(truth.turn == found.turn)
    return {
        "score": squares,
        "squares": squares,
        "pieces": f1(_placed(truth), _placed(found)),
        "turn": turn,
        "exact": float(squares == turn == 1),
    }


def _placed(p: Position) -> list[tuple[int, str]]:
    return [(i, piece) for i, piece in enumerate(p.squares) if piece != "."]


def _write_position(p: Position) -> str:
    if p.turn == 0:
        raise FileError("the transcript does not say who is to move")
    return write_fen(p)


POSITION = Transcript(
    "fen",
    "Write the position in Forsyth-Edwards notation (FEN) and nothing else, such as "
    "8/8/8/8/8/5k2/5q2/7K w - - 0 1",
    read_position,
    _write_position,
    compare_positions,
)


_TABLE = """Write a table and nothing else: a line with the columns, then one line for each thing, as in
part from to value
battery A D 40 volts
R1 A B 4 ohms
or of forces (right, left, up, down)
direction newtons
right 16
or of pairs of magnets, the poles of each from left to right
pair left right cm
1 NS SN 4"""
_MOST_LINES = 60


def of_tables(write: Callable[[Any], str]) -> Transcript:
    """The transcript of a task whose text form is a table, each line of it a fact.

    Args:
        write: a content as a table.
    """

    def compare(truth: Any, found: tuple[str, ...]) -> dict[str, float]:
        lines = _lines(write(truth))
        share = f1(lines, found)
        return {"score": share, "lines": share, "exact": float(sorted(lines) == sorted(found))}

    return Transcript("table", _TABLE, _lines, "\n".join, compare)


def _lines(text: str) -> tuple[str, ...]:
    """The lines of a table below its header, with single spaces."""
    plain = (" ".join(re.sub(r"[|,;*`]", " ", line).split()) for line in text.splitlines())
    lines = tuple(line for line in plain if re.search(r"\d", line))[:_MOST_LINES]
    if not lines:
        raise FileError("the transcript holds no table; expected one line for each thing")
    return lines
