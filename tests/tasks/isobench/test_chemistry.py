"""Molecules counted by RDKit too, equations checked atom by atom, pictures and texts read back."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

from modgap._errors import FileError
from modgap.media import Text
from modgap.tasks.isobench import _molecules, _reactions, chemistry
from modgap.tasks.isobench._common import STYLES


@cache
def drawn(level: str, n: int = 120) -> list[Any]:
    return [chemistry.sample(np.random.default_rng([43, i]), chemistry.LEVELS[level]) for i in range(n)]


def test_rdkit_counts_the_same() -> None:
    """The second solver: formula, hydrogen, rings, double bonds and groups from the SMILES alone."""
    chem = pytest.importorskip("rdkit.Chem", reason="needs modgap[chem]")
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    patterns = {
        "alcohol": "[CX4][OX2H]",
        "aldehyde": "[#6][CX3H1]=O",
        "amine": "[NX3;!$(NC=O)]",
        "carboxylic acid": "C(=O)[OX2H]",
        "chloride": "CCl",
        "ester": "[CX3](=O)O[#6]",
        "ether": "[CX4]O[CX4]",
        "ketone": "[#6]C(=O)[#6]",
    }
    asked: Counter[str] = Counter()
    for level in ("published", "hard"):
        for p in drawn(level):
            if not isinstance(p, chemistry.MoleculeProblem):
                continue
            m = chem.MolFromSmiles(_molecules.write_smiles(p.shown), sanitize=False)
            chem.SanitizeMol(m, chem.SANITIZE_ALL ^ chem.SANITIZE_SETAROMATICITY)
            right, asked[p.asked] = chemistry.answer(p), asked[p.asked] + 1
            if p.asked == "formula":
                counts = _reactions.atoms_of(CalcMolFormula(m))
                assert counts == _reactions.atoms_of(right)
            elif p.asked == "group":
                has = {g for g in p.choices if m.HasSubstructMatch(chem.MolFromSmarts(patterns[g]))}
                assert has == {right}
            else:
                bonds = [b.GetBondType() for b in m.GetBonds()]
                found = {
                    "hydrogens": sum(a.GetTotalNumHs() for a in m.GetAtoms()),
                    "rings": len(chem.GetSSSR(m)),
                    "doubles": bonds.count(chem.BondType.DOUBLE),
                }[p.asked]
                assert right.split()[0] == str(found)
    assert min(asked.values()) >= 10
    assert len(asked) == 5


def test_coefficients_balance_every_atom() -> None:
    done = 0
    for p in drawn("hard") + drawn("published"):
        if isinstance(p, chemistry.ReactionProblem):
            found = _reactions.balanced(p.shown)
            assert found is not None and np.gcd.reduce(found) == 1
            sides: list[Counter[str]] = [Counter(), Counter()]
            for number, formula in enumerate((*p.shown.left, *p.shown.right)):
                for element, count in _reactions.atoms_of(formula).items():
                    sides[number >= len(p.shown.left)][element] += count * found[number]
            assert sides[0] == sides[1]
            done += 1
    assert done > 10


def test_known_equations() -> None:
    """Textbook values."""
    known = {
        "C3H8 + O2 -> CO2 + H2O": (1, 5, 3, 4),
        "Fe + O2 -> Fe2O3": (4, 3, 2),
        "H3PO4 + Ca(OH)2 -> Ca3(PO4)2 + H2O": (2, 3, 1, 6),
    }
    for text, coefficients in known.items():
        assert _reactions.balanced(_reactions.read_reaction(text)) == coefficients
    assert _reactions.balanced(_reactions.read_reaction("Fe -> Na")) is None


@pytest.mark.parametrize("look", STYLES)
def test_pictures_are_read_back_at_any_size(look: str) -> None:
    for level in chemistry.LEVELS:
        for p in drawn(level)[:12]:
            for pixels in (256, 448):
                picture = chemistry.render(p, "image", chemistry.Style(pixels, look))
                assert chemistry.decode("image", picture) == chemistry.content(p)


def test_no_place_in_order_and_no_letter_gives_the_answer_away() -> None:
    ranks: Counter[int] = Counter()
    for p in (*drawn("hard"), *drawn("medium")):
        ranks[sorted(chemistry.options(p)).index(chemistry.answer(p))] += 1
    assert max(ranks.values()) < 0.36 * sum(ranks.values())


@pytest.mark.parametrize("text", ["", "C1CC", "C(=O", "CX", "F=C", "C.C", "C" * 500, "=" * 9])
def test_hostile_molecules_are_refused(text: str) -> None:
    with pytest.raises(FileError, match="is not a molecule as modgap writes it"):
        chemistry.decode("formula", (Text(text),))


def test_hostile_equations_are_refused() -> None:
    with pytest.raises(FileError, match="is not a formula; expected such as"):
        chemistry.decode("formula", (Text("C3H8 + ((( -> CO2"),))
