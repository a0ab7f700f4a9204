"""Currents in circuits and forces on blocks; at level ``published`` magnets too.

    "... What is the current through R3, in amperes?"   options 0.5 amperes, 2 amperes, ...

Every number comes from exact arithmetic with fractions. Sentences, table and picture carry the same: parts,
their values, and between which lettered points they are, but no word about what is in series or in parallel.
Wrong options are drawn so that neither the smallest nor any other place in order is right more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from modgap._errors import InputError
from modgap.media import Modality, Part, Text
from modgap.media.drawing import (
    Drawing,
    Edge,
    Plan,
    draw_circuit,
    draw_forces,
    draw_magnets,
    has_block,
    is_circuit,
    read_circuit,
    read_forces,
    read_magnets,
)
from modgap.tasks._answers import as_option, read_letter
from modgap.tasks._problem import Answer
from modgap.tasks._settings import check_order, setting

from . import _circuits, _mechanics, _speech
from ._circuits import Circuit
from ._common import INSTRUCTION as INSTRUCTION
from ._common import Style as Style
from ._common import between, identity_of, only_picture, only_text, own_rng, pick, shuffled, style_of
from ._mechanics import AGAINST, TOWARDS, WAYS, Forces, Magnets
from ._options import around, is_short, written
from ._transcripts import of_tables

REPRESENTATIONS: dict[str, Modality] = {"description": "text", "table": "text", "image": "image"}
SPOKEN = _speech.DESCRIPTION
CHANCE = None
"""One in four at the levels of our own; at level ``published`` problems have two to four options."""

UNITS = {"current": "amperes", "voltage": "volts", "power": "watts", "total": "amperes", "resistance": "ohms"}
_FACTORS = [Fraction(a, b) for a in range(1, 9) for b in range(1, 9) if a != b]
_TRIES = 3000
_TEMPTING = 0.8  # share of problems of level hard that are drawn again if the first thought is no option
_AGREEING = 0.09  # share of forces kept whose largest points along the sum; 0.2 left the rule right in 0.68
_PUBLISHED = (27, 36, 12)  # problems with two, three and more options in the published set


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "magnets, and small circuits and blocks, with two to four options")
    circuits: int = setting(
        60, "problems about circuits, percent; the others are about forces", low=0, high=100
    )
    min_resistors: int = setting(3, "fewest resistors", low=2, high=6)
    max_resistors: int = setting(4, "most resistors", low=2, high=6)
    bridges: int = setting(
        0, "circuits of five and more resistors that hold a bridge, percent", low=0, high=100
    )
    crossed: int = setting(
        50,
        "blocks with forces along two lines, percent; on half of them those across cancel",
        low=0,
        high=100,
    )
    decoys: bool = setting(False, "the first formula that comes to mind gives another answer")

    def __post_init__(self) -> None:
        check_order(self, "min_resistors", "max_resistors")


LEVELS: dict[str, Dials] = {
    "published": Dials(True, 50, 2, 3, 0, 0),
    "easy": Dials(False, 50, 2, 3, 0, 0),
    "medium": Dials(),
    "hard": Dials(False, 60, 4, 6, 40, 100, True),
}


@dataclass(frozen=True)
class CircuitProblem:
    """A quantity (a key of ``UNITS``) of a part, or of the whole circuit where ``part`` is empty."""

    plan: Plan
    asked: str
    part: str
    choices: tuple[str, ...]

    @property
    def shown(self) -> Circuit:
        """The circuit."""
        return _circuits.read_plan(self.plan)


@dataclass(frozen=True)
class ForceProblem:
    """The net force (``net``), how large it is (``size``), or the force that cancels it (``balance``)."""

    shown: Forces
    asked: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class MagnetProblem:
    """Whether a pair attracts or repels (``way``), or in which of two the force is ``stronger``."""

    shown: Magnets
    asked: str
    choices: tuple[str, ...]


PhysicsProblem = CircuitProblem | ForceProblem | MagnetProblem


def sample(rng: np.random.Generator, dials: Dials) -> PhysicsProblem:
    """Draw a problem."""
    rng = own_rng(rng, "physics")
    if dials.published:
        kind = int(np.searchsorted(np.cumsum(_PUBLISHED) / sum(_PUBLISHED), rng.random()))
        if kind < 2:
            return _magnets(rng, kind == 1)
    make = _circuit if 100 * rng.random() < dials.circuits else _forces
    rank = between(rng, 0, 3)  # of the right number among the four; decided before anything else
    for _ in range(_TRIES):
        found = make(rng, dials, rank)
        if found is not None:
            return found
    raise InputError(
        f"task isobench/physics found no problem in {_TRIES:,} tries with {dials}; allow more resistors"
    )


def quantity(c: Circuit, asked: str, part: str) -> Fraction:
    """A quantity of a circuit, in the unit of ``UNITS``."""
    if asked == "total":
        return _circuits.total_current(c)
    if asked == "resistance":
        return c.volts / _circuits.total_current(c)
    current = _circuits.currents(c)[part]
    ohms = next(r.ohms for r in c.resistors if r.name == part)
    return {"current": current, "voltage": current * ohms, "power": current * current * ohms}[asked]


def first_thought(c: Circuit, asked: str, part: str) -> Fraction:
    """What one gets who takes the battery to be at the part alone, or all resistors to be in series."""
    all_ohms = sum(r.ohms for r in c.resistors)
    ohms = next((r.ohms for r in c.resistors if r.name == part), all_ohms)
    return {
        "total": Fraction(c.volts, all_ohms),
        "resistance": Fraction(all_ohms),
        "current": Fraction(c.volts, ohms),
        "voltage": Fraction(c.volts),
        "power": Fraction(c.volts * c.volts, ohms),
    }[asked]


def _circuit(rng: np.random.Generator, dials: Dials, rank: int) -> CircuitProblem | None:
    count = between(rng, dials.min_resistors, dials.max_resistors)
    bridge = count >= 5 and 100 * rng.random() < dials.bridges
    tree = _circuits.random_tree(rng, count, bridge=bridge)
    plan = _circuits.laid_out(tree, [pick(rng, _circuits.OHMS) for _ in range(count)], 1)
    if plan is None:
        return None
    asked = pick(rng, tuple(UNITS))
    part = "" if asked in ("total", "resistance") else f"R{between(rng, 1, count)}"
    circuit = _circuits.read_plan(plan)
    at_one_volt = quantity(circuit, asked, part)
    power = {"resistance": 0, "power": 2}.get(asked, 1)
    for volts in shuffled(rng, range(2, 61))[:12]:
        value = at_one_volt * volts**power
        if not (is_short(value) and Fraction(1, 10) <= value < 1000):
            continue
        guess = first_thought(replace(circuit, volts=volts), asked, part)
        if dials.decoys and guess == value:
            continue
        chosen = around(rng, value, [guess, *(value * f for f in _FACTORS)], rank)
        if chosen is not None and not (dials.decoys and guess not in chosen and rng.random() < _TEMPTING):
            choices = tuple(f"{written(v)} {UNITS[asked]}" for v in chosen)
            return CircuitProblem(_charged(plan, volts), asked, part, choices)
    return None


def _charged(plan: Plan, volts: int) -> Plan:
    edges = (
        Edge(e.start, e.end, e.kind, e.name, volts if e.kind == "battery" else e.value) for e in plan.edges
    )
    return Plan(frozenset(edges), plan.letters)


def _forces(rng: np.random.Generator, dials: Dials, rank: int) -> ForceProblem | None:
    crossed = 100 * rng.random() < dials.crossed
    if crossed and rng.random() < 0.5:
        return _slanted(rng, rank)
    asked, way = pick(rng, ("net", "balance")), pick(rng, WAYS)
    sizes = shuffled(rng, range(1, 61))[:2]
    counts = pick(rng, ((1, 2), (2, 1), (2, 2)) if dials.crossed else ((1, 1), (1, 2), (2, 1)))
    forces = _mechanics.one_line(rng, sizes[0], way, *counts)
    if forces is None or (dials.decoys and not _misleads(rng, forces, way)):
        return None
    if crossed:
        across = ("up", "down") if way in ("left", "right") else ("left", "right")
        forces |= dict.fromkeys(across, (between(rng, 1, _mechanics.LARGEST),))
    choices = tuple(f"{size} N {TOWARDS[w]}" for size in sizes for w in (way, AGAINST[way]))
    return ForceProblem(_mechanics.in_order(forces), asked, shuffled(rng, choices))


def _misleads(rng: np.random.Generator, forces: dict[str, tuple[int, ...]], way: str) -> bool:
    """Whether the draw is kept, so that the largest force says nothing about the sum.

    Of itself it points along the net force far more often: most of those are left out.
    """
    largest = max(forces, key=lambda w: max(forces[w]))
    return largest != way or rng.random() < _AGREEING


def _slanted(rng: np.random.Generator, rank: int) -> ForceProblem | None:
    sizes = sorted(shuffled(rng, tuple(_mechanics.HYPOTENUSES))[:4])
    legs = shuffled(rng, pick(rng, _mechanics.HYPOTENUSES[sizes[rank]]))
    forces: dict[str, tuple[int, ...]] = {}
    for leg, ways in zip(legs, (("right", "left"), ("up", "down")), strict=True):
        along = _mechanics.one_line(rng, leg, pick(rng, ways), 1, pick(rng, (0, 1, 1)))
        if along is None:
            return None
        forces |= along
    return ForceProblem(
        _mechanics.in_order(forces), "size", shuffled(rng, tuple(f"{size} newtons" for size in sizes))
    )


def _magnets(rng: np.random.Generator, two: bool) -> MagnetProblem:
    def poles() -> str:
        return pick(rng, ("NS", "SN"))

    if not two:
        pair = (poles(), poles(), between(rng, 2, 40))
        return MagnetProblem((pair,), "way", shuffled(rng, ("attract", "repel")))
    first, second = poles(), poles()
    near, far = sorted(shuffled(rng, range(2, 41))[:2])
    distances = pick(rng, ((near, far), (far, near), (near, near)))
    pairs = tuple((first, second, distance) for distance in distances)
    return MagnetProblem(pairs, "stronger", shuffled(rng, ("pair 1", "pair 2", "the same")))


def question(p: PhysicsProblem) -> str:
    """What is asked."""
    if isinstance(p, CircuitProblem):
        return {
            "current": f"What is the current through {p.part}, in amperes?",
            "voltage": f"What is the voltage across {p.part}, in volts?",
            "power": f"What is the power that {p.part} takes up, in watts?",
            "total": "What is the current through the battery, in amperes?",
            "resistance": "What is the resistance between the poles of the battery, in ohms?",
        }[p.asked]
    if isinstance(p, ForceProblem):
        return {
            "net": "What is the net force on the block?",
            "size": "How large is the net force on the block, in newtons?",
            "balance": "Which additional force would make the net force on the block zero?",
        }[p.asked]
    if p.asked == "way":
        return "Do the two magnets attract or repel each other?"
    return "All magnets are equally strong. In which pair is the force between the magnets stronger?"


def options(p: PhysicsProblem) -> tuple[str, ...]:
    """Two to four, the right one among them."""
    return p.choices


def answer(p: PhysicsProblem) -> str:
    """The option that is right."""
    if isinstance(p, CircuitProblem):
        return f"{written(quantity(p.shown, p.asked, p.part))} {UNITS[p.asked]}"
    if isinstance(p, ForceProblem):
        x, y = _mechanics.net(p.shown)
        if p.asked == "size":
            return f"{round((x * x + y * y) ** 0.5)} newtons"
        way = ("right" if x > 0 else "left") if x else ("up" if y > 0 else "down")
        return f"{abs(x) + abs(y)} N {TOWARDS[way if p.asked == 'net' else AGAINST[way]]}"
    if p.asked == "way":
        (left, right, _), *_ = p.shown
        return "repel" if left[1] == right[0] else "attract"
    first, second = (distance for *_, distance in p.shown)
    return "the same" if first == second else "pair 1" if first < second else "pair 2"


def difficulty(p: PhysicsProblem) -> dict[str, float | int | str]:
    """What it is about, how many parts, forces or pairs there are, and points of a circuit."""
    if isinstance(p, CircuitProblem):
        return {"about": "circuit", "parts": len(p.shown.resistors), "points": len(p.plan.letters)}
    if isinstance(p, ForceProblem):
        return {"about": "forces", "parts": sum(len(sizes) for _, sizes in p.shown), "points": 0}
    return {"about": "magnets", "parts": len(p.shown), "points": 0}


def group(p: PhysicsProblem) -> str:
    """A hash of what is shown."""
    return f"physics-{identity_of(p.shown)}"


def content(p: PhysicsProblem) -> Circuit | Forces | Magnets:
    """What is shown."""
    return p.shown


def drawing(p: PhysicsProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    look = style_of(style.style, identity_of(p.shown))
    if isinstance(p, CircuitProblem):
        return draw_circuit(p.plan, pixels=style.pixels, style=look)
    if isinstance(p, ForceProblem):
        return draw_forces(dict(p.shown), pixels=style.pixels, style=look)
    return draw_magnets(p.shown, pixels=style.pixels, style=look)


def render(p: PhysicsProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """What is shown, in one representation."""
    if representation == "image":
        return (drawing(p, style).image(),)
    plain = representation == "description"
    if isinstance(p, CircuitProblem):
        write = _circuits.write_description if plain else _circuits.write_table
        return (Text(write(p.shown)),)
    if isinstance(p, ForceProblem):
        return (Text((_mechanics.write_forces if plain else _mechanics.write_force_table)(p.shown)),)
    return (Text((_mechanics.write_magnets if plain else _mechanics.write_magnet_table)(p.shown)),)


def decode(representation: str, parts: tuple[Part, ...]) -> Circuit | Forces | Magnets:
    """What is shown, read back from one representation.

    Raises:
        FileError: if it is not what modgap writes or draws.
    """
    if representation == "image":
        return _seen(parts)
    text = only_text(parts)
    if "magnets" in text or text.startswith("pair "):
        return _mechanics.read_magnets_written(text)
    if "forces" in text or text.startswith("direction "):
        return _mechanics.read_forces_written(text)
    return _circuits.read_written(text)


def _seen(parts: tuple[Part, ...]) -> Circuit | Forces | Magnets:
    picture = only_picture(parts).to_pil()
    if is_circuit(picture):
        return _circuits.read_plan(read_circuit(picture))
    return _mechanics.in_order(read_forces(picture)) if has_block(picture) else read_magnets(picture)


def parse(text: str, options: Sequence[str]) -> Answer:
    """What a reply says: one of the options, or what else it states."""
    return as_option(read_letter(text, options), options)


def _table(shown: Circuit | Forces | Magnets) -> str:
    if isinstance(shown, Circuit):
        return _circuits.write_table(shown)
    forces = tuple((way, sizes) for way, sizes, *rest in shown if isinstance(sizes, tuple))
    if forces:
        return _mechanics.write_force_table(forces)
    return _mechanics.write_magnet_table(tuple((a, str(b), d) for a, b, *rest in shown for d in rest))


TRANSCRIPT = of_tables(_table)
