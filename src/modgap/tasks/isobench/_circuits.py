"""Circuits of one battery and a few resistors, solved exactly, laid out on a lattice, written and read back.

    circuit = Circuit(12, "C", (Resistor("R1", "A", "B", 4), Resistor("R2", "B", "C", 8)))
    currents(circuit)        # {"R1": Fraction(1, 1), "R2": Fraction(1, 1)}

The plus pole of the battery is at place A, its minus pole at the last place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from modgap._errors import FileError
from modgap.media.drawing import COLUMNS, ROWS, Edge, Plan

from ._common import between, pick

Tree = tuple["str | Tree", ...] | str
"""``R`` for a resistor, ``X`` for a bridge of five, or ``s`` or ``p`` and the parts in series or parallel."""

OHMS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 18, 20, 24, 30, 36, 40, 60)
LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class Resistor:
    """A resistor between two places, in ohms."""

    name: str
    start: str
    end: str
    ohms: int


@dataclass(frozen=True)
class Circuit:
    """A battery of ``volts`` from A (plus) to the place ``minus``, and resistors."""

    volts: int
    minus: str
    resistors: tuple[Resistor, ...]


def potentials(c: Circuit) -> dict[str, Fraction]:
    """Volts of every place against the minus pole, by Kirchhoff's rule at every other place."""
    places = sorted({p for r in c.resistors for p in (r.start, r.end)})
    fixed = {"A": Fraction(c.volts), c.minus: Fraction(0)}
    free = [p for p in places if p not in fixed]
    rows = [[Fraction(0)] * (len(free) + 1) for _ in free]
    for r in c.resistors:
        for here, there in ((r.start, r.end), (r.end, r.start)):
            if here in fixed:
                continue
            row = rows[free.index(here)]
            row[free.index(here)] += Fraction(1, r.ohms)
            if there in fixed:
                row[-1] += fixed[there] / r.ohms
            else:
                row[free.index(there)] -= Fraction(1, r.ohms)
    for i in range(len(free)):  # positive definite: no pivot is 0
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for k in range(len(free)):
            if k != i and rows[k][i]:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return fixed | {place: row[-1] for place, row in zip(free, rows, strict=True)}


def currents(c: Circuit) -> dict[str, Fraction]:
    """Amperes through every resistor, without direction."""
    at = potentials(c)
    return {r.name: abs(at[r.start] - at[r.end]) / r.ohms for r in c.resistors}


def total_current(c: Circuit) -> Fraction:
    """Amperes through the battery."""
    at = potentials(c)
    return sum(
        (
            abs(c.volts - at[r.end if r.start == "A" else r.start]) / r.ohms
            for r in c.resistors
            if "A" in (r.start, r.end)
        ),
        Fraction(0),
    )


def random_tree(rng: np.random.Generator, resistors: int, *, bridge: bool) -> Tree:
    """A network of so many resistors; with a ``bridge`` five of them, or all but some in series with it."""
    if bridge:
        tree: Tree = "X"
        for _ in range(resistors - 5):
            tree = ("s", *(("R", tree) if rng.random() < 0.5 else (tree, "R")))
        return tree
    return _grown(rng, resistors, pick(rng, "sp"))


def _grown(rng: np.random.Generator, resistors: int, kind: str) -> Tree:
    if resistors == 1:
        return "R"
    parts: list[Tree] = []
    left = resistors
    while left:
        size = left if parts and rng.random() < 0.4 else between(rng, 1, left if parts else left - 1)
        parts.append(_grown(rng, size, "p" if kind == "s" else "s"))
        left -= size
    return (kind, *parts)


@dataclass
class _Block:
    """Part of a layout: its size in edges, what is on it, and whether its first and last columns go down."""

    width: int
    height: int
    edges: list[tuple[int, int, int, int, bool]]
    posts: tuple[bool, bool]


def _block(tree: Tree) -> _Block:
    """Lay out a network from (0, 0) to (width, 0)."""
    if tree == "R":
        return _Block(1, 0, [(0, 0, 1, 0, True)], (False, False))
    if tree == "X":
        edges = [(x, y, x + 1, y, True) for y in (0, 1) for x in (0, 1)]
        return _Block(
            2, 1, [*edges, (1, 0, 1, 1, True), (0, 0, 0, 1, False), (2, 0, 2, 1, False)], (True, True)
        )
    blocks = [_block(part) for part in tree[1:]]
    if tree[0] == "s":
        joined: list[tuple[int, int, int, int, bool]] = []
        width = 0
        for block in blocks:
            joined += _shifted(block, width, 0)
            width += block.width
        return _Block(width, max(b.height for b in blocks), joined, (blocks[0].posts[0], blocks[-1].posts[1]))
    # A branch that begins or ends with posts of its own keeps away from those that join the branches.
    widths = [b.posts[0] + b.width + b.posts[1] for b in blocks]
    width, row = max(widths), 0
    edges = []
    for block in blocks:
        edges += _shifted(block, int(block.posts[0]), row)
        edges += [(0, row, 1, row, False)] * block.posts[0]
        edges += [(x, row, x + 1, row, False) for x in range(block.posts[0] + block.width, width)]
        last, row = row, row + block.height + 1
    edges += [(x, y, x, y + 1, False) for x in (0, width) for y in range(last)]
    return _Block(width, row - 1, edges, (True, True))


def _shifted(block: _Block, x: int, y: int) -> list[tuple[int, int, int, int, bool]]:
    return [(a + x, b + y, c + x, d + y, part) for a, b, c, d, part in block.edges]


def laid_out(tree: Tree, ohms: list[int], volts: int) -> Plan | None:
    """The circuit on the lattice with the battery at the bottom, or ``None`` if it is too large."""
    block = _block(tree)
    bottom = block.height + 1
    width = max(block.width, 1)
    if width > COLUMNS or bottom > ROWS:
        return None
    parts = sorted((e for e in block.edges if e[4]), key=lambda e: (e[1], e[0]))
    edges = {Edge((a, b), (c, d)) for a, b, c, d, part in block.edges if not part}
    for number, ((a, b, c, d, _), value) in enumerate(zip(parts, ohms, strict=True), 1):
        edges.add(Edge((a, b), (c, d), "resistor", f"R{number}", value))
    edges |= {Edge((x, y), (x, y + 1)) for x in (0, width) for y in range(bottom)}
    middle = (width - 1) // 2
    edges |= {Edge((x, bottom), (x + 1, bottom)) for x in range(width) if x != middle}
    edges.add(Edge((middle, bottom), (middle + 1, bottom), "battery", "", volts))
    return Plan(frozenset(edges), _named(edges))


def _named(edges: set[Edge]) -> dict[tuple[int, int], str]:
    """A letter at the first place of every node, in the order in which they are met, the minus pole last."""
    node = _nodes(frozenset(edges))
    battery = next(e for e in edges if e.kind == "battery")
    first: dict[int, tuple[int, int]] = {}
    for place in sorted(node, key=lambda p: (p[1], p[0])):
        first.setdefault(node[place], place)
    order = sorted(
        first, key=lambda n: (n == node[battery.end], n != node[battery.start], first[n][1], first[n][0])
    )
    return {first[n]: LETTERS[i] for i, n in enumerate(order)}


def _nodes(edges: frozenset[Edge]) -> dict[tuple[int, int], int]:
    """The number of the node that every place belongs to: places joined by wires are one."""
    node: dict[tuple[int, int], int] = {}
    for e in edges:
        node.setdefault(e.start, len(node))
        node.setdefault(e.end, len(node))
    for _ in edges:
        for e in edges:
            if e.kind == "wire" and node[e.start] != node[e.end]:
                node[e.start] = node[e.end] = min(node[e.start], node[e.end])
    return node


def read_plan(plan: Plan) -> Circuit:
    """The circuit that a plan shows.

    Raises:
        FileError: if a node has no letter, or there is not one battery from A to the last place.
    """
    node = _nodes(plan.edges)
    names = {node[place]: letter for place, letter in plan.letters.items() if place in node}
    batteries = [e for e in plan.edges if e.kind == "battery"]
    try:
        resistors = tuple(
            Resistor(e.name, min(ends), max(ends), e.value)
            for e in sorted(plan.edges, key=lambda e: e.name)
            if e.kind == "resistor"
            for ends in ((names[node[e.start]], names[node[e.end]]),)
        )
        plus, minus = (names[node[place]] for place in (batteries[0].start, batteries[0].end))
    except (KeyError, IndexError) as error:
        raise FileError("a node of the circuit has no letter, or the circuit has no battery") from error
    if len(batteries) != 1 or plus != "A":
        raise FileError("the circuit does not have one battery with its plus pole at A")
    return Circuit(batteries[0].value, minus, resistors)


def write_description(c: Circuit) -> str:
    """Sentences that say what is between which places."""
    lines = [
        f"A battery of {c.volts} volts has its plus pole at point A and its minus pole at point {c.minus}."
    ]
    lines += [
        f"Resistor {r.name} of {r.ohms} ohms is between points {r.start} and {r.end}." for r in c.resistors
    ]
    return " ".join(lines)


def write_table(c: Circuit) -> str:
    """One line for each part: name, two places, value."""
    lines = ["part from to value", f"battery A {c.minus} {c.volts} volts"]
    return "\n".join(lines + [f"{r.name} {r.start} {r.end} {r.ohms} ohms" for r in c.resistors])


_BATTERY = re.compile(
    r"A battery of (\d{1,4}) volts has its plus pole at point A and its minus pole at point ([B-H])\."
    r"|part from to value\nbattery A ([B-H]) (\d{1,4}) volts"
)
_RESISTOR = re.compile(
    r" Resistor (R\d) of (\d{1,3}) ohms is between points ([A-H]) and ([A-H])\."
    r"|\n(R\d) ([A-H]) ([A-H]) (\d{1,3}) ohms"
)


def read_written(text: str) -> Circuit:
    """Read what :func:`write_description` or :func:`write_table` wrote.

    Raises:
        FileError: if it is neither.
    """
    battery = _BATTERY.match(text)
    found = list(_RESISTOR.finditer(text, battery.end())) if battery else []
    if battery is None or sum(len(m[0]) for m in found) != len(text) - battery.end():
        raise FileError(f"{text!r:.80} is not a circuit as modgap writes it")
    resistors = tuple(
        Resistor(m[1], m[3], m[4], int(m[2])) if m[1] else Resistor(m[5], m[6], m[7], int(m[8]))
        for m in found
    )
    return Circuit(int(battery[1] or battery[4]), battery[2] or battery[3], resistors)
