"""Molecules and reactions in words, and back: every formula is said element by element.

Cr(NO3)3   ->   chromium begin nitrogen oxygen 3 end 3
"""

from __future__ import annotations

import re

from modgap.tasks._spoken import Spoken

from ._molecules import NAMES, Molecule, read_description, write_description

_ELEMENTS = NAMES | {
    "H": "hydrogen",
    "P": "phosphorus",
    "Li": "lithium",
    "K": "potassium",
    "Na": "sodium",
    "Mg": "magnesium",
    "Ca": "calcium",
    "Ba": "barium",
    "Al": "aluminium",
    "Zn": "zinc",
    "Fe": "iron",
    "Ni": "nickel",
    "Cr": "chromium",
}
_ELEMENT_OF = {name: symbol for symbol, name in _ELEMENTS.items()}
_FORMULA_PART = re.compile(r"[A-Z][a-z]?|\d+|[()]")
_BONDS = {1: "single", 2: "double"}


def _say_molecule(text: str) -> str:
    """Atoms of one element together, bonds of one order together; formulas element by element."""
    if " react to " in text:
        names = {**_ELEMENTS, "(": "begin", ")": "end"}
        formulas = re.sub(
            r"[A-Z][A-Za-z0-9()]*",
            lambda m: " ".join(names.get(part, part) for part in _FORMULA_PART.findall(m[0])),
            text,
        )
        return formulas
    m = read_description(text)
    atoms = {e: [i for i, a in enumerate(m.atoms, 1) if a == e] for e in dict.fromkeys(m.atoms)}
    said = [f"Atoms of {_ELEMENTS[e]}: {' and '.join(map(str, places))}." for e, places in atoms.items()]
    for order, kind in _BONDS.items():
        pairs = [f"{i + 1} with {j + 1}" for i, j, o in m.bonds if o == order]
        said += [f"A {kind} bond joins {', '.join(pairs)}."] if pairs else []
    return " ".join(("Hydrogen is left out; it fills every valence.", *said))


def _hear_molecule(script: str) -> str:
    if " react to " in script:
        return _hear_reaction(script)
    atoms = {
        int(place): _ELEMENT_OF[m[1]]
        for m in re.finditer(r"Atoms of (\w+): ([\d and]+)\.", script)
        for place in re.findall(r"\d+", m[2])
    }
    orders = {kind: order for order, kind in _BONDS.items()}
    bonds = sorted(
        (int(i) - 1, int(j) - 1, orders[m[1]])
        for m in re.finditer(r"A (single|double) bond joins ([^.]+)\.", script)
        for i, j in re.findall(r"(\d+) with (\d+)", m[2])
    )
    return write_description(Molecule(tuple(atoms[i] for i in sorted(atoms)), tuple(bonds)))


def _hear_reaction(script: str) -> str:
    written = {**_ELEMENT_OF, "begin": "(", "end": ")"}
    kept = {"and": " and ", "react": " react ", "to": "to "}
    words = script.removesuffix(".").split(" ")
    return "".join(kept.get(word, written.get(word, word)) for word in words) + "."


MOLECULE = Spoken("description", _say_molecule, _hear_molecule)
