"""Molecules and reactions: formula, hydrogen, rings, double bonds, functional groups, coefficients.

    "How many hydrogen atoms does the molecule have?"   options 8 hydrogen atoms, ...

Molecules are grown by rule and shown as skeletal formula, SMILES, or atoms and bonds in sentences, all three
with the same in them. Coefficients are exact, from the null space of the matrix of atoms. No library of
chemistry is needed; RDKit (extra ``chem``) is the second opinion in tests.
Wrong options are drawn so that neither the smallest nor any other place in order is right more often.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
from modgap.media import Modality, Part, Text
from modgap.media.drawing import (
    Drawing,
    draw_equation,
    draw_molecule,
    is_equation,
    read_equation,
    read_molecule,
)
from modgap.tasks._answers import as_option, read_letter
from modgap.tasks._problem import Answer
from modgap.tasks._settings import check_order, setting

from . import _molecules, _reactions
from ._common import INSTRUCTION as INSTRUCTION
from ._common import Style as Style
from ._common import between, identity_of, only_picture, only_text, own_rng, pick, shuffled, style_of
from ._molecules import Molecule
from ._reactions import Reaction
from ._speech_molecules import MOLECULE
from ._transcript_chemistry import SHOWN

REPRESENTATIONS: dict[str, Modality] = {"description": "text", "formula": "text", "image": "image"}
SPOKEN = MOLECULE
TRANSCRIPT = SHOWN
CHANCE = None
"""One in four at the levels of our own; at level ``published`` problems have two to four options."""

KINDS = ("formula", "hydrogens", "rings", "doubles", "group", "coefficient")
_WEIGHTED = (*KINDS[:-1], *KINDS)  # there are fewer reactions than molecules
_TRIES = 4000
_PUBLISHED = (26, 29, 20)  # problems with two, three and four options in the published set


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "two to four options, as in the published set")
    min_atoms: int = setting(10, "fewest atoms other than hydrogen", low=5, high=16)
    max_atoms: int = setting(13, "most atoms other than hydrogen", low=5, high=16)
    others: int = setting(3, "most atoms that are neither carbon nor hydrogen", low=1, high=5)
    elements: bool = setting(True, "such atoms are of six elements, not of oxygen and nitrogen only")
    decoys: bool = setting(
        False,
        "groups differ in more than their letters, small coefficients are rare, no molecule is saturated",
    )

    def __post_init__(self) -> None:
        check_order(self, "min_atoms", "max_atoms")


LEVELS: dict[str, Dials] = {
    "published": Dials(True, 5, 9, 2, False, False),
    "easy": Dials(False, 5, 7, 1, False, False),
    "medium": Dials(),
    "hard": Dials(False, 12, 16, 4, True, True),
}


@dataclass(frozen=True)
class MoleculeProblem:
    """A molecule, and which of ``KINDS`` but the last is asked."""

    shown: Molecule
    asked: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class ReactionProblem:
    """A reaction, and the formula whose coefficient is asked."""

    shown: Reaction
    part: str
    choices: tuple[str, ...]


ChemistryProblem = MoleculeProblem | ReactionProblem


def sample(rng: np.random.Generator, dials: Dials) -> ChemistryProblem:
    """Draw a problem."""
    rng = own_rng(rng, "chemistry")
    count = 4
    if dials.published:
        count = 2 + int(np.searchsorted(np.cumsum(_PUBLISHED) / sum(_PUBLISHED), rng.random()))
    asked, rank = pick(rng, _WEIGHTED), between(rng, 0, count - 1)  # of the right option in order
    offered = shuffled(rng, {"rings": range(4), "group": _molecules.GROUPS}.get(asked, range(5)))[:count]
    if asked == "group" and dials.decoys:
        offered = shuffled(rng, [g for g in _molecules.GROUPS if g not in ("amine", "chloride")])[:count]
    for _ in range(_TRIES):
        if asked == "coefficient":
            found: ChemistryProblem | None = _reaction(rng, dials, rank, count)
        else:
            found = _molecule(rng, dials, asked, rank, count, offered)
        if found is not None:
            return found
    raise InputError(
        f"task isobench/chemistry found no problem in {_TRIES:,} tries with {dials}; allow more atoms"
    )


def _molecule(
    rng: np.random.Generator, dials: Dials, asked: str, rank: int, count: int, offered: Sequence[object]
) -> MoleculeProblem | None:
    size = between(rng, dials.min_atoms, dials.max_atoms)
    right = str(offered[0])  # of kinds whose options do not depend on the molecule
    rings = int(right) if asked == "rings" else between(rng, 0, 1 + (size > 9))
    size = max(size, 4 * rings + 2, 2 * int(right) + 4 if asked == "doubles" else 0)
    m = _molecules.grown(rng, size, rings)
    elements = "O N O N S F Cl Br" if dials.elements else "O N"
    if asked == "group":
        return _grouped(rng, m, offered, dials.others)
    if m is not None:
        m = _molecules.with_others(rng, m, between(rng, 1, dials.others), elements)
        wanted = (
            int(right) - _molecules.doubles_of(m) if asked == "doubles" else between(rng, 0, 1 + rings * 2)
        )
        m = _molecules.with_doubles(rng, m, wanted) if wanted >= 0 else None
    if m is None:
        return None
    if asked in ("rings", "doubles"):
        return MoleculeProblem(m, asked, shuffled(rng, [_counted(int(str(n)), asked) for n in offered]))
    if dials.decoys and not _molecules.rings_of(m) + _molecules.doubles_of(m):
        return None  # hydrogen would follow from the other atoms alone
    formula = _molecules.formula_of(m)
    hydrogens = formula["H"]
    if asked == "hydrogens":
        near = (str(hydrogens + step) for step in (-6, -4, -2, 2, 4, 6) if hydrogens + step > 0)
        ranked = _in_rank(rng, str(hydrogens), near, rank, count)
    else:
        others = [e for e in formula if e not in ("C", "H")]
        steps = [
            {"H": 2},
            {"H": -2},
            {"C": 1, "H": 2},
            {"C": -1, "H": -2},
            {"C": 1},
            {"C": -1},
            {"H": 4},
            {"H": -4},
        ]
        steps += [{e: 1} for e in others]
        near = (
            _molecules.write_formula({e: formula[e] + step.get(e, 0) for e in formula})
            for step in steps
            if all(formula[e] + step.get(e, 0) > 0 for e in formula)
        )
        ranked = _in_rank(rng, _molecules.write_formula(formula), near, rank, count)
    if ranked is not None and asked == "hydrogens":
        ranked = tuple(_counted(int(n), asked) for n in ranked)
    return None if ranked is None else MoleculeProblem(m, asked, ranked)


_COUNTED = {"hydrogens": "hydrogen atom", "rings": "ring", "doubles": "double bond"}


def _counted(number: int, asked: str) -> str:
    """A number with what it counts, as an option: a bare number in a thought is no answer."""
    return f"{number} {_COUNTED[asked]}{'s' * (number != 1)}"


def _grouped(
    rng: np.random.Generator, m: Molecule | None, offered: Sequence[object], others: int
) -> MoleculeProblem | None:
    """A molecule with the first of the groups offered and none of the rest, and perhaps one not offered."""
    choices = tuple(map(str, offered))
    beside = [g for g in _molecules.GROUPS if g not in choices] if others > 1 else []
    wanted = {choices[0], *([pick(rng, beside)] if beside and rng.random() < 0.7 else [])}
    for name in sorted(wanted):
        m = None if m is None else _molecules.with_group(rng, m, name)
    if m is None or _molecules.groups_of(m) != wanted:
        return None
    return MoleculeProblem(m, "group", shuffled(rng, choices))


def _reaction(rng: np.random.Generator, dials: Dials, rank: int, count: int) -> ReactionProblem | None:
    shown = _reactions.random_reaction(rng)
    formulas = (*shown.left, *shown.right)
    if (
        len(set(formulas)) < len(formulas)
        or max(map(len, (" + ".join(shown.left), " + ".join(shown.right)))) > 22
    ):
        return None
    coefficients = _reactions.balanced(shown)
    if coefficients is None or max(coefficients) == 1:
        return None
    place = between(rng, 0, len(formulas) - 1)
    right = coefficients[place]
    if dials.decoys and right < 3 and rng.random() < 0.5:
        return None
    near = (str(right + step) for step in (-4, -3, -2, -1, 1, 2, 3, 4) if right + step > 0)
    ranked = _in_rank(rng, str(right), near, rank, count)
    if ranked is None:
        return None
    return ReactionProblem(shown, formulas[place], tuple(f"coefficient {n}" for n in ranked))


def _in_rank(
    rng: np.random.Generator, right: str, wrong: Iterable[str], rank: int, count: int
) -> tuple[str, ...] | None:
    """Options in random order of which ``rank`` come before the right one in the alphabet, or ``None``.

    Numbers have as many digits as the right one, so that their order is that of the alphabet.
    """
    fitting = [w for w in dict.fromkeys(wrong) if w != right and (len(w) == len(right) or not w.isdecimal())]
    below = shuffled(rng, [w for w in fitting if w < right])[:rank]
    above = shuffled(rng, [w for w in fitting if w > right])[: count - 1 - rank]
    return shuffled(rng, (right, *below, *above)) if len(below) + len(above) == count - 1 else None


def question(p: ChemistryProblem) -> str:
    """What is asked."""
    if isinstance(p, ReactionProblem):
        return (
            f"The equation is balanced with the smallest whole numbers. What is the coefficient of {p.part}?"
        )
    return {
        "formula": "What is the molecular formula of the molecule?",
        "hydrogens": "How many hydrogen atoms does the molecule have?",
        "rings": "How many rings does the molecule have, counting fused rings one by one?",
        "doubles": "How many double bonds does the molecule have?",
        "group": "Which of these functional groups does the molecule have?",
    }[p.asked]


def options(p: ChemistryProblem) -> tuple[str, ...]:
    """Two to four, the right one among them."""
    return p.choices


def answer(p: ChemistryProblem) -> str:
    """The option that is right."""
    if isinstance(p, ReactionProblem):
        coefficients = _reactions.balanced(p.shown)
        assert coefficients is not None  # others are not drawn
        return f"coefficient {coefficients[(*p.shown.left, *p.shown.right).index(p.part)]}"
    if p.asked == "group":
        (right,) = _molecules.groups_of(p.shown) & set(p.choices)
        return right
    formula = _molecules.formula_of(p.shown)
    if p.asked == "formula":
        return _molecules.write_formula(formula)
    counts = {"hydrogens": formula["H"], "rings": _molecules.rings_of(p.shown)}
    return _counted(counts.get(p.asked, _molecules.doubles_of(p.shown)), p.asked)


def difficulty(p: ChemistryProblem) -> dict[str, float | int | str]:
    """What is asked, and how many atoms but hydrogen, or substances, there are."""
    if isinstance(p, ReactionProblem):
        return {"about": "coefficient", "parts": len(p.shown.left) + len(p.shown.right)}
    return {"about": p.asked, "parts": len(p.shown.atoms)}


def group(p: ChemistryProblem) -> str:
    """A hash of what is shown, as it is laid out."""
    return f"chemistry-{identity_of(p.shown)}"


def content(p: ChemistryProblem) -> Molecule | Reaction:
    """What is shown: a molecule without its places and in a numbering of its own, or a reaction."""
    return p.shown if isinstance(p, ReactionProblem) else _molecules.canonical(p.shown)


def drawing(p: ChemistryProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    look = style_of(style.style, identity_of(content(p)))
    if isinstance(p, ReactionProblem):
        return draw_equation(p.shown.left, p.shown.right, pixels=style.pixels, style=look)
    m = p.shown
    return draw_molecule(m.atoms, m.bonds, m.places, m.hydrogens(), pixels=style.pixels, style=look)


def render(p: ChemistryProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """What is shown, in one representation."""
    if representation == "image":
        return (drawing(p, style).image(),)
    plain = representation == "description"
    if isinstance(p, ReactionProblem):
        return (Text((_reactions.write_reaction if plain else _reactions.write_equation)(p.shown)),)
    return (Text((_molecules.write_description if plain else _molecules.write_smiles)(p.shown)),)


def decode(representation: str, parts: tuple[Part, ...]) -> Molecule | Reaction:
    """What is shown, read back from one representation.

    Raises:
        FileError: if it is not what modgap writes or draws.
    """
    if representation == "image":
        picture = only_picture(parts).to_pil()
        if is_equation(picture):
            return Reaction(*read_equation(picture))
        atoms, bonds = read_molecule(picture)
        return _molecules.canonical(_molecules.checked(atoms, bonds, True, "the picture"))
    text = only_text(parts)
    if " -> " in text or " react to " in text:
        return _reactions.read_reaction(text)
    read = _molecules.read_smiles if representation == "formula" else _molecules.read_description
    return _molecules.canonical(read(text))


def parse(text: str, options: Sequence[str]) -> Answer:
    """What a reply says: one of the options, or what else it states."""
    return as_option(read_letter(text, options), options)
