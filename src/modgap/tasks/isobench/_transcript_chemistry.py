"""Molecules and reactions as models write them down, held against what was shown.

A reaction is read with an arrow of any kind, with or without coefficients; a molecule as SMILES or as the
sentences of the description. Numberings of atoms do not matter: molecules are compared by what surrounds
each atom, so a wrong atom also costs its neighbours something.
"""

from __future__ import annotations

import re
import unicodedata

from modgap._errors import FileError, ModgapError
from modgap.tasks._transcript import Transcript, f1

from ._molecules import Molecule, canonical, read_description, read_smiles, write_smiles
from ._reactions import Reaction, read_reaction, write_equation

Shown = Molecule | Reaction

_ARROW = re.compile(r"\s{0,9}(?:-{1,3}>|=>|→|⟶|⇒|\\(?:long)?rightarrow\b)\s{0,9}")
_FORMULA = re.compile(r"(?:\d{1,3}\s?)?((?:[A-Z][a-z]?\d{0,3}|\((?:[A-Z][a-z]?\d{0,3}){1,6}\)\d{0,3}){1,30})")
_SENTENCE = re.compile(
    r"Atom \d{1,2} is [a-z]{4,10}\.|Atoms \d{1,2} and \d{1,2} share a (?:single|double) bond\."
)
_TOKEN = re.compile(r"[A-Za-z0-9=()]{3,200}")
_MOST_TOKENS = 400


def read_shown(text: str) -> Shown:
    """What a text of any origin says is shown.

    Raises:
        FileError: if there is neither a reaction nor a molecule in it.
    """
    text = re.sub(r"[_^{}$*`]|\\(?:text|mathrm|ce)\b", "", unicodedata.normalize("NFKC", text))
    for line in text.splitlines():
        if _ARROW.search(line):
            sides = [_FORMULA.findall(side) for side in _ARROW.split(line, maxsplit=1)]
            if all(sides):
                return read_reaction(" -> ".join(" + ".join(side) for side in sides))
    if " react to " in text:
        return read_reaction(text.strip())
    sentences = _SENTENCE.findall(text)
    if sentences:
        return canonical(read_description(" ".join(sentences)))
    for token in _TOKEN.findall(text)[:_MOST_TOKENS]:
        try:
            return canonical(read_smiles(token))
        except ModgapError:
            continue
    raise FileError("the transcript holds no reaction and no molecule; expected an equation or SMILES")


def compare_shown(truth: Shown, found: Shown) -> dict[str, float]:
    """``parts``: F1 of atoms with their neighbours, or of formulas on their sides of the arrow."""
    parts = f1(_parts(truth), _parts(found)) if isinstance(truth, type(found)) else 0.0
    same = _key(truth) == _key(found)
    return {"score": parts, "parts": parts, "exact": float(same)}


def _parts(shown: Shown) -> list[object]:
    if isinstance(shown, Reaction):
        return [(side, formula) for side in ("left", "right") for formula in getattr(shown, side)]
    return [
        (atom, tuple(sorted((order, shown.atoms[j]) for j, order in near.items())))
        for atom, near in zip(shown.atoms, shown.orders(), strict=True)
    ]


def _key(shown: Shown) -> object:
    if isinstance(shown, Reaction):
        return sorted(shown.left), sorted(shown.right)
    return canonical(shown)


def _written(shown: Shown) -> str:
    return write_equation(shown) if isinstance(shown, Reaction) else write_smiles(shown)


SHOWN = Transcript(
    "formula",
    "Write what is shown and nothing else: a reaction as formulas without coefficients, such as "
    "C3H8 + O2 -> CO2 + H2O; a molecule as SMILES, such as CC(=O)OC.",
    read_shown,
    _written,
    compare_shown,
)
