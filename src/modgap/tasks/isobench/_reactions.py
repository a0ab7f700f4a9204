"""Reactions by rule, and their coefficients from the null space of a matrix of whole numbers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from modgap._errors import FileError

from ._common import between, pick, shuffled

CATIONS = (
    ("Na", 1),
    ("K", 1),
    ("Li", 1),
    ("Mg", 2),
    ("Ca", 2),
    ("Zn", 2),
    ("Ba", 2),
    ("Ni", 2),
    ("Al", 3),
    ("Fe", 3),
    ("Cr", 3),
)
ANIONS = (("Cl", 1), ("Br", 1), ("NO3", 1), ("SO4", 2), ("CO3", 2), ("PO4", 3))
MOST = 60
"""Longest formula that is read, in characters."""


@dataclass(frozen=True)
class Reaction:
    """Formulas of what reacts and of what comes of it, without coefficients."""

    left: tuple[str, ...]
    right: tuple[str, ...]


_PIECE = re.compile(r"(?:([A-Z][a-z]?)|\(((?:[A-Z][a-z]?\d{0,2}){1,6})\))(\d{0,2})")


def atoms_of(formula: str) -> Counter[str]:
    """Element → number of atoms; one level of brackets is read.

    Raises:
        FileError: if it is no formula.
    """
    found: Counter[str] = Counter()
    end = 0
    for piece in _PIECE.finditer(formula[:MOST]):
        if piece.start() != end:
            break
        end = piece.end()
        times = int(piece[3] or 1)
        inner = atoms_of(piece[2]) if piece[2] else Counter({piece[1]: 1})
        for element, count in inner.items():
            found[element] += times * count
    if not formula or end != len(formula):
        raise FileError(f"{formula!r:.60} is not a formula; expected such as Ca(OH)2")
    return found


def balanced(r: Reaction) -> tuple[int, ...] | None:
    """The least whole coefficients, of the left side first.

    Returns:
        Positive numbers without common divisor, or ``None`` if there are none or more than one way.
    """
    sides = [(1, f) for f in r.left] + [(-1, f) for f in r.right]
    counted = [(sign, atoms_of(formula)) for sign, formula in sides]
    elements = sorted({e for _, atoms in counted for e in atoms})
    rows = [[Fraction(sign * atoms[e]) for sign, atoms in counted] for e in elements]
    pivots: list[int] = []
    for column in range(len(sides)):
        at = next((i for i in range(len(pivots), len(rows)) if rows[i][column]), None)
        if at is None:
            continue
        place = len(pivots)
        rows[place], rows[at] = rows[at], rows[place]
        rows[place] = [value / rows[place][column] for value in rows[place]]
        for i, row in enumerate(rows):
            if i != place and row[column]:
                rows[i] = [a - row[column] * b for a, b in zip(row, rows[place], strict=True)]
        pivots.append(column)
    free = [column for column in range(len(sides)) if column not in pivots]
    if len(free) != 1:
        return None
    solution = [Fraction(1)] * len(sides)
    for row, column in zip(rows, pivots, strict=False):
        solution[column] = -row[free[0]]
    scale = lcm(*(value.denominator for value in solution))
    whole = [int(value * scale) for value in solution]
    if min(whole) <= 0:
        return None
    return tuple(value // gcd(*whole) for value in whole)


def random_reaction(rng: np.random.Generator) -> Reaction:
    """Something burns, an acid meets a base, a metal meets an acid, or two salts swap partners."""
    drawn = _random_reaction(rng)
    return Reaction(shuffled(rng, drawn.left), shuffled(rng, drawn.right))


def _random_reaction(rng: np.random.Generator) -> Reaction:
    kind = pick(rng, (*["burn"] * 6, "neutral", "metal", "swap", "swap", "swap"))
    if kind == "burn":
        carbon = between(rng, 1, 16)
        hydrogen, oxygen = between(rng, 1, 2 * carbon + 2), between(rng, 0, 5)
        nitrogen = between(rng, 0, 3)
        fuel = (
            _counted("C", carbon) + _counted("H", hydrogen) + _counted("N", nitrogen) + _counted("O", oxygen)
        )
        return Reaction((fuel, "O2"), ("CO2", "H2O", *(["N2"] if nitrogen else [])))
    (metal, charge), (anion, loss) = pick(rng, CATIONS), pick(rng, ANIONS)
    acid, salt = _counted("H", loss) + anion, _salt(metal, charge, anion, loss)
    if kind == "neutral":
        return Reaction((acid, _salt(metal, charge, "OH", 1)), (salt, "H2O"))
    if kind == "metal":
        return Reaction((metal, acid), (salt, "H2"))
    (second, more), (other, less) = pick(rng, CATIONS), pick(rng, ANIONS)
    return Reaction(
        (salt, _salt(second, more, other, less)),
        (_salt(metal, charge, other, less), _salt(second, more, anion, loss)),
    )


def _counted(element: str, count: int) -> str:
    return "" if count == 0 else element if count == 1 else f"{element}{count}"


def _salt(metal: str, charge: int, anion: str, loss: int) -> str:
    common = lcm(charge, loss)
    several = len(re.findall("[A-Z]", anion)) > 1 and common // loss > 1
    return _counted(metal, common // charge) + _counted(f"({anion})" if several else anion, common // loss)


def write_equation(r: Reaction) -> str:
    """``C3H8 + O2 -> CO2 + H2O``."""
    return f"{' + '.join(r.left)} -> {' + '.join(r.right)}"


def write_reaction(r: Reaction) -> str:
    """The same in a sentence."""
    return f"{' and '.join(r.left)} react to {' and '.join(r.right)}."


def read_reaction(text: str) -> Reaction:
    """Read what :func:`write_equation` or :func:`write_reaction` wrote.

    Raises:
        FileError: if it is anything else.
    """
    text = text[: 10 * MOST]
    plus, arrow = (" + ", " -> ") if " -> " in text else (" and ", " react to ")
    left, found, right = text.removesuffix(".").partition(arrow)
    if not found:
        raise FileError(f"{text!r:.80} is not an equation; expected such as 'C3H8 + O2 -> CO2 + H2O'")
    reaction = Reaction(tuple(left.split(plus)), tuple(right.split(plus)))
    for formula in (*reaction.left, *reaction.right):
        atoms_of(formula)
    return reaction
