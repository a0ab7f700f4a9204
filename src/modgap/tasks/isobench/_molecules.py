"""Small molecules by rule: grown on a honeycomb, counted, written as SMILES and sentences, read back.

A molecule is its atoms without hydrogen, which fill up what is left of every valence, and the bonds between
them. Every atom has a place on a honeycomb (see ``media.drawing.draw_molecule``), so that a picture shows all
bonds at 120 degrees and nothing overlaps. Aromatic rings are written with alternating double bonds.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from modgap._errors import FileError
from modgap.media.drawing import Cell, honeycomb_neighbours

from ._common import pick, shuffled

VALENCE = {"C": 4, "N": 3, "O": 2, "S": 2, "F": 1, "Cl": 1, "Br": 1}
"""Bonds of each element; a double bond counts twice."""

NAMES = {
    "C": "carbon",
    "N": "nitrogen",
    "O": "oxygen",
    "S": "sulfur",
    "F": "fluorine",
    "Cl": "chlorine",
    "Br": "bromine",
}
COLUMNS, ROWS = 11, 6
"""Most places of a molecule from left to right and from above."""

MOST_ATOMS = 30

Bond = tuple[int, int, int]
"""Two atoms, 0-based, and 1 or 2 for a single or a double bond."""


@dataclass(frozen=True)
class Molecule:
    """Atoms other than hydrogen and their bonds.

    Args:
        atoms: symbols.
        bonds: between them.
        places: of the atoms on the honeycomb; empty where a molecule was read from text.
    """

    atoms: tuple[str, ...]
    bonds: tuple[Bond, ...]
    places: tuple[Cell, ...] = ()

    def orders(self) -> list[dict[int, int]]:
        """For each atom: neighbour → order of the bond."""
        near: list[dict[int, int]] = [{} for _ in self.atoms]
        for i, j, order in self.bonds:
            near[i][j] = near[j][i] = order
        return near

    def hydrogens(self) -> tuple[int, ...]:
        """Hydrogen atoms at each atom."""
        near = self.orders()
        return tuple(VALENCE[a] - sum(near[i].values()) for i, a in enumerate(self.atoms))


def formula_of(m: Molecule) -> dict[str, int]:
    """Element → number of atoms, hydrogen too."""
    return {**Counter(m.atoms), "H": sum(m.hydrogens())}


def write_formula(counts: dict[str, int]) -> str:
    """In Hill order: carbon, hydrogen, then the alphabet."""
    order = sorted((e for e, n in counts.items() if n), key=lambda e: (e != "C", e != "H", e))
    return "".join(e + (str(counts[e]) if counts[e] > 1 else "") for e in order)


def rings_of(m: Molecule) -> int:
    """Independent rings: bonds less atoms, plus one, for a molecule in one piece."""
    return len(m.bonds) - len(m.atoms) + 1


def doubles_of(m: Molecule) -> int:
    """Double bonds, those to oxygen too."""
    return sum(order == 2 for *_, order in m.bonds)


def canonical(m: Molecule) -> Molecule:
    """The same for all numberings of one molecule, without places."""
    return min(_numberings(m, _refined(m, list(m.atoms))), key=lambda one: (one.atoms, one.bonds))


def _refined(m: Molecule, marks: list[str] | list[int]) -> list[int]:
    """Ranks of atoms, equal only where neither marks nor neighbours of neighbours differ."""
    near = m.orders()
    ranks, classes = _ranked(marks), 0
    while len(set(ranks)) > classes:
        classes = len(set(ranks))
        ranks = _ranked([(r, sorted((o, ranks[j]) for j, o in near[i].items())) for i, r in enumerate(ranks)])
    return ranks


def _ranked(
    keys: list[object] | list[str] | list[int] | list[tuple[int, list[tuple[int, int]]]],
) -> list[int]:
    order = {repr(key): None for key in keys}
    rank = {key: place for place, key in enumerate(sorted(order))}
    return [rank[repr(key)] for key in keys]


def _numberings(m: Molecule, ranks: list[int]) -> list[Molecule]:
    """Molecules numbered by rank; where atoms tie, each of them comes first once."""
    tied = next((r for r, n in sorted(Counter(ranks).items()) if n > 1), None)
    if tied is None:
        atoms = tuple(a for _, a in sorted(zip(ranks, m.atoms, strict=True)))
        bonds = sorted((*sorted((ranks[i], ranks[j])), order) for i, j, order in m.bonds)
        return [Molecule(atoms, tuple((i, j, order) for i, j, order in bonds))]
    found = []
    for i, rank in enumerate(ranks):
        if rank == tied:
            marks = [2 * r + (j != i) for j, r in enumerate(ranks)]
            found += _numberings(m, _refined(m, marks))
    return found


def grown(rng: np.random.Generator, size: int, rings: int) -> Molecule | None:
    """Carbon atoms with single bonds, ``rings`` of them hexagons, the rest a tree.

    Returns:
        A molecule of ``size`` atoms, or ``None`` if it found no room.
    """
    places: list[Cell] = _hexagon(0, 0) if rings else [(0, 0)]
    for _ in range(rings - 1):
        fused = [h for cell in places for h in _hexagons_at(cell) if len(set(h) & set(places)) == 2]
        fused = [h for h in fused if all(_clear(c, places, set(h) | set(places)) for c in h)]
        if not fused:
            return None
        places += [cell for cell in pick(rng, fused) if cell not in places]
    while len(places) < size:
        free = [
            (cell, new)
            for cell in places
            for new in honeycomb_neighbours(cell)
            if new not in places and sum(n in places for n in honeycomb_neighbours(new)) == 1
        ]
        if not free:
            return None
        places.append(pick(rng, free)[1])
    if len(places) > size:
        return None
    bonds = [
        (i, j, 1)
        for i, cell in enumerate(places)
        for j, other in enumerate(places)
        if i < j and other in honeycomb_neighbours(cell)
    ]
    left, top = (min(cell[axis] for cell in places) for axis in (0, 1))
    wide, high = (max(cell[axis] for cell in places) - low + 1 for axis, low in ((0, left), (1, top)))
    if wide > COLUMNS or high > ROWS:
        return None
    return Molecule(("C",) * size, tuple(bonds), tuple(places))


def _hexagon(x: int, y: int) -> list[Cell]:
    """The hexagon whose upper left corner is at a place with an even sum."""
    return [(x, y), (x + 1, y), (x + 2, y), (x + 2, y + 1), (x + 1, y + 1), (x, y + 1)]


def _hexagons_at(cell: Cell) -> list[list[Cell]]:
    x, y = cell
    corners = ((x - dx, y - dy) for dx in range(3) for dy in range(2))
    return [_hexagon(*corner) for corner in corners if sum(corner) % 2 == 0]


def _clear(cell: Cell, places: list[Cell], allowed: set[Cell]) -> bool:
    """Whether a new place touches nothing but its own ring and what that is fused to."""
    return cell in places or sum(n in places for n in honeycomb_neighbours(cell)) <= 1


def with_doubles(rng: np.random.Generator, m: Molecule, count: int) -> Molecule | None:
    """``count`` more double bonds between carbon atoms, no two at one atom, or ``None``."""
    near = m.orders()
    taken = {i for i in range(len(m.atoms)) if 2 in near[i].values()}
    bonds = list(m.bonds)
    for place in shuffled(rng, range(len(bonds))):
        i, j, _ = bonds[place]
        if count and m.atoms[i] == m.atoms[j] == "C" and not {i, j} & taken:
            bonds[place] = (i, j, 2)
            taken |= {i, j}
            count -= 1
    return None if count else replace(m, bonds=tuple(bonds))


def with_others(rng: np.random.Generator, m: Molecule, count: int, elements: str) -> Molecule:
    """Up to ``count`` carbon atoms made into other elements that fit; some oxygen is bound twice."""
    atoms, near = list(m.atoms), m.orders()
    doubled: set[int] = set()
    fitting = [i for i in range(len(atoms)) if len(near[i]) <= 2 and 2 not in near[i].values()]
    for i in shuffled(rng, fitting)[:count]:
        if any(atoms[j] != "C" for j in near[i]):
            continue
        symbol = pick(rng, [e for e in elements.split() if VALENCE[e] >= len(near[i])])
        atoms[i] = symbol
        if symbol == "O" and len(near[i]) == 1 and rng.random() < 0.5:
            (j,) = near[i]
            if 2 not in near[j].values() and j not in doubled:
                near[i][j] = near[j][i] = 2
                doubled |= {i, j}
    return Molecule(tuple(atoms), tuple((i, j, near[i][j]) for i, j, _ in m.bonds), m.places)


GROUPS = ("alcohol", "aldehyde", "amine", "carboxylic acid", "chloride", "ester", "ether", "ketone")


def with_group(rng: np.random.Generator, m: Molecule, name: str) -> Molecule | None:
    """A functional group of ``GROUPS`` in place of carbon atoms, or ``None`` where it does not fit."""
    atoms, near = list(m.atoms), m.orders()
    plain = [i for i, a in enumerate(atoms) if a == "C" and all(atoms[j] == "C" for j in near[i])]
    leaves = [i for i in plain if len(near[i]) == 1]
    single = {"alcohol": "O", "amine": "N", "chloride": "Cl"}
    fitting: list[dict[int, str]] = []  # atom → element; =O is bound twice
    for i in plain if name in ("ether", "ester") else leaves:
        (j, *more) = near[i]
        beside = [k for k in near[j] if k in leaves and k != i]
        if name in single:
            fitting.append({i: single[name]})
        elif name == "ether" and len(near[i]) == 2:
            fitting.append({i: "O"})
        elif name == "ester" and len(near[i]) == 2:
            ends = [k for c in (j, *more) if len(near[c]) <= 3 for k in near[c] if k in leaves and k != i]
            fitting += [{i: "O", k: "=O"} for k in ends]
        elif name == "carboxylic acid" and beside:
            fitting.append({i: "O", beside[0]: "=O"})
        elif name == ("ketone" if len(near[j]) == 3 else "aldehyde"):
            fitting.append({i: "=O"})
    if not fitting:
        return None
    placed = pick(rng, fitting)
    for i, symbol in placed.items():
        atoms[i] = symbol.removeprefix("=")
        if symbol == "=O":
            (j,) = near[i]
            near[i][j] = near[j][i] = 2
    changed = Molecule(tuple(atoms), tuple((i, j, near[i][j]) for i, j, _ in m.bonds), m.places)
    return changed if min(changed.hydrogens()) >= 0 else None


def groups_of(m: Molecule) -> set[str]:
    """Functional groups by name; what is none of ``GROUPS`` has a name of its own, such as ``amide``."""
    near, found = m.orders(), set()
    carbonyl = {i for i, j, o in _both(m) if o == 2 and m.atoms[i] == "C" and m.atoms[j] == "O"}
    for i, symbol in enumerate(m.atoms):
        hetero = [m.atoms[j] for j in near[i] if m.atoms[j] != "C"]
        if symbol == "C":
            if i in carbonyl and hetero == ["O"]:
                found.add("ketone" if len(near[i]) == 3 else "aldehyde")
            elif len(hetero) > 1 and not (i in carbonyl and sorted(hetero) == ["O", "O"]):
                found.add("several at one carbon")
            elif any(m.atoms[j] == "C" and o == 2 for j, o in near[i].items()):
                found.add("vinyl" if hetero else "alkene")
            continue
        if 2 in near[i].values():
            continue  # named at its carbon atom
        acyl = any(j in carbonyl for j in near[i])
        if symbol == "O" and len(near[i]) == 1:
            found.add("carboxylic acid" if acyl else "alcohol")
        elif symbol == "O":
            found.add("ester" if acyl else "ether")
        elif symbol == "N":
            found.add("amide" if acyl else "amine")
        else:
            found.add("chloride" if symbol == "Cl" and not acyl else f"{symbol} compound")
    return found


def _both(m: Molecule) -> list[Bond]:
    return [*m.bonds, *((j, i, o) for i, j, o in m.bonds)]


def write_smiles(m: Molecule) -> str:
    """SMILES with every double bond written out."""
    near, seen = m.orders(), {0}
    closing: dict[tuple[int, int], int] = {}
    tree: list[list[int]] = [[] for _ in m.atoms]

    def visit(i: int, before: int) -> None:
        for j in sorted(near[i]):
            if j == before:
                continue
            if j in seen:
                closing.setdefault((min(i, j), max(i, j)), len(closing) + 1)
            else:
                seen.add(j)
                tree[i].append(j)
                visit(j, i)

    visit(0, -1)

    def text(i: int) -> str:
        ends = [("=" if near[a][b] == 2 else "") + str(n) for (a, b), n in closing.items() if i in (a, b)]
        branches = [("=" if near[i][j] == 2 else "") + text(j) for j in tree[i]]
        return m.atoms[i] + "".join(ends) + "".join(f"({b})" for b in branches[:-1]) + "".join(branches[-1:])

    return text(0)


_SMILES = re.compile(r"(Cl|Br|[CNOSF])|(=)|([1-9])|(\()|(\))")


def read_smiles(text: str) -> Molecule:
    """Read what :func:`write_smiles` wrote.

    Raises:
        FileError: if it is anything else.
    """
    atoms: list[str] = []
    bonds: list[Bond] = []
    back: list[int] = []
    opened: dict[str, tuple[int, int]] = {}
    here, order, end = -1, 1, 0
    for found in _SMILES.finditer(text[:400]):
        if found.start() != end:
            break
        end = found.end()
        if found[1]:
            if here >= 0:
                bonds.append((here, len(atoms), order))
            atoms.append(found[1])
            here, order = len(atoms) - 1, 1
        elif found[2]:
            order = 2
        elif found[3]:
            if found[3] in opened:
                start, first = opened.pop(found[3])
                bonds.append((start, here, max(first, order)))
            else:
                opened[found[3]] = (here, order)
            order = 1
        elif found[4]:
            back.append(here)
        elif back:
            here = back.pop()
        else:
            break
    return checked(tuple(atoms), tuple(bonds), end == len(text) and not opened and not back, text)


_KIND = {1: "single", 2: "double"}
_ATOM = re.compile(rf"Atom ([0-9]{{1,2}}) is ({'|'.join(NAMES.values())})\.")
_BOND = re.compile(r"Atoms ([0-9]{1,2}) and ([0-9]{1,2}) share a (single|double) bond\.")
_OPENING = "Hydrogen atoms are left out; they fill every valence."


def write_description(m: Molecule) -> str:
    """Every atom and every bond in a sentence of its own."""
    atoms = [f"Atom {i} is {NAMES[a]}." for i, a in enumerate(m.atoms, 1)]
    bonds = [f"Atoms {i + 1} and {j + 1} share a {_KIND[o]} bond." for i, j, o in m.bonds]
    return " ".join((_OPENING, *atoms, *bonds))


def read_description(text: str) -> Molecule:
    """Read what :func:`write_description` wrote.

    Raises:
        FileError: if it is anything else.
    """
    symbols = {name: symbol for symbol, name in NAMES.items()}
    atoms = tuple(symbols[found[2]] for found in _ATOM.finditer(text[:9000]))
    bonds = tuple(
        (int(found[1]) - 1, int(found[2]) - 1, 1 + (found[3] == "double"))
        for found in _BOND.finditer(text[:9000])
    )
    left = _BOND.sub("", _ATOM.sub("", text[:9000])).replace(_OPENING, "").strip()
    return checked(atoms, bonds, not left and len(text) <= 9000, text)


def checked(atoms: tuple[str, ...], bonds: tuple[Bond, ...], whole: bool, text: str) -> Molecule:
    """A molecule in one piece whose valences are kept.

    Raises:
        FileError: if it is not.
    """
    pairs = {frozenset(bond[:2]) for bond in bonds}
    fine = whole and 0 < len(atoms) <= MOST_ATOMS and all(0 <= k < len(atoms) for b in bonds for k in b[:2])
    fine = fine and len(pairs) == len(bonds) and all(len(pair) == 2 for pair in pairs)
    m = Molecule(atoms, bonds)
    if not fine or min(m.hydrogens()) < 0 or not _in_one_piece(m):
        raise FileError(f"{text!r:.80} is not a molecule as modgap writes it; expected such as 'CC(=O)OC'")
    return m


def _in_one_piece(m: Molecule) -> bool:
    near, seen, waiting = m.orders(), {0}, [0]
    while waiting:
        fresh = set(near[waiting.pop()]) - seen
        seen |= fresh
        waiting += fresh
    return len(seen) == len(m.atoms)
