"""Graphs as text, written and read back: adjacency matrix in LaTeX, nested list, story.

An undirected graph is a set of pairs; a network has a capacity for each ordered pair. Both are kept as a
matrix of whole numbers, which is what the texts show.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

import numpy as np

from modgap._errors import FileError
from modgap.media import Modality
from modgap.tasks._settings import setting

from . import _common
from ._common import identity_of

REPRESENTATIONS: dict[str, Modality] = {"matrix": "text", "list": "text", "story": "text", "image": "image"}

Matrix = tuple[tuple[int, ...], ...]
Edge = tuple[int, int]


@dataclass(frozen=True)
class Style(_common.Style):
    """How a picture is drawn; problems and their ids do not depend on it."""

    layout: str = setting("scattered", "where nodes stand", one_of=("scattered", "circle"))


def matrix_of(n: int, edges: tuple[Edge, ...]) -> Matrix:
    """The adjacency matrix of an undirected graph."""
    rows = [[0] * n for _ in range(n)]
    for i, j in edges:
        rows[i][j] = rows[j][i] = 1
    return tuple(map(tuple, rows))


def edges_of(matrix: Matrix) -> tuple[Edge, ...]:
    """The pairs of an undirected graph, the smaller node first, in order."""
    return tuple((i, j) for i, row in enumerate(matrix) for j in range(i + 1, len(row)) if row[j])


def arcs_of(matrix: Matrix) -> tuple[Edge, ...]:
    """The ordered pairs that have an entry, in order."""
    return tuple((i, j) for i, row in enumerate(matrix) for j, value in enumerate(row) if value)


def neighbours_of(matrix: Matrix) -> list[list[int]]:
    """The neighbours of every node, in order."""
    return [[j for j, value in enumerate(row) if value] for row in matrix]


def distances_from(matrix: Matrix, start: int) -> list[int]:
    """Number of edges from a node to every node, -1 where there is no way."""
    near = neighbours_of(matrix)
    found = [-1] * len(matrix)
    found[start] = 0
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other in near[node]:
            if found[other] < 0:
                found[other] = found[node] + 1
                waiting.append(other)
    return found


def layout_rng(matrix: Matrix) -> np.random.Generator:
    """The generator of the places of a graph, fixed by the graph."""
    return np.random.default_rng(int(identity_of(matrix), 16))


def write(representation: str, matrix: Matrix, *, network: bool = False) -> str:
    """One graph in one text form."""
    if representation == "matrix":
        rows = " \\\\\n".join(" & ".join(map(str, row)) for row in matrix)
        return f"$$\n\\begin{{bmatrix}}\n{rows}\n\\end{{bmatrix}}\n$$"
    if representation == "list":
        return "[" + ",\n ".join("[" + ", ".join(map(str, row)) + "]" for row in matrix) + "]"
    return _story(matrix, network)


def _story(matrix: Matrix, network: bool) -> str:
    sentences = [f"There are {len(matrix)} nodes, numbered 0 to {len(matrix) - 1}."]
    for i, row in enumerate(matrix):
        if network:
            pipes = [f"node {j} with capacity {value}" for j, value in enumerate(row) if value]
            if pipes:
                sentences.append(f"Node {i} leads to {_listed(pipes)}.")
        else:
            others = [str(j) for j in range(i + 1, len(row)) if row[j]]
            if others:
                sentences.append(f"Node {i} is joined to node{'s' * (len(others) > 1)} {_listed(others)}.")
    return " ".join(sentences)


def _listed(things: list[str]) -> str:
    return " and ".join(things)


def read(representation: str, text: str, *, network: bool = False) -> Matrix:
    """The inverse of :func:`write`.

    Raises:
        FileError: if the text is not of that form.
    """
    if representation == "story":
        return _read_story(text, network)
    if representation == "matrix":
        body = re.fullmatch(r"\$\$\n\\begin\{bmatrix\}\n(.*)\n\\end\{bmatrix\}\n\$\$", text, re.S)
        rows = [row.split(" & ") for row in body[1].split(" \\\\\n")] if body else []
    else:
        rows = [row.split(", ") for row in text.removeprefix("[[").removesuffix("]]").split("],\n [")]
    if not rows or any(
        len(row) != len(rows) or not all(re.fullmatch(r"[0-9]{1,4}", x) for x in row) for row in rows
    ):
        raise FileError(f"{representation} is not a square of whole numbers, as modgap writes it")
    return tuple(tuple(map(int, row)) for row in rows)


_ARC = re.compile(r"node ([0-9]{1,2}) with capacity ([0-9]{1,4})")
_NODE = re.compile(r"[0-9]+")
_COUNT = re.compile(r"There are ([0-9]{1,2}) nodes, numbered 0 to [0-9]{1,2}\.")
_SENTENCE = re.compile(
    r" Node ([0-9]{1,2}) (?:is joined to nodes? ([0-9]{1,2}(?: and [0-9]{1,2})*)|leads to (node [^.]+))\."
)


def _read_story(text: str, network: bool) -> Matrix:
    count = _COUNT.match(text)
    if count is None:
        raise FileError("story does not begin with the number of nodes, as modgap writes it")
    n = int(count[1])
    rows = [[0] * n for _ in range(n)]
    end = count.end()
    for found in _SENTENCE.finditer(text, end):
        i = int(found[1])
        pairs = _ARC.findall(found[3] or "") if network else [(j, "1") for j in _NODE.findall(found[2] or "")]
        if not pairs or found.start() != end or i >= n or any(int(j) >= n for j, _ in pairs):
            break
        for j, value in pairs:
            rows[i][int(j)] = int(value)
            if not network:
                rows[int(j)][i] = 1
        end = found.end()
    if end != len(text):
        raise FileError(f"story cannot be read from {text[end : end + 60]!r} on")
    return tuple(map(tuple, rows))
