"""Circuits solved a second way, forces added as vectors, everything read back, rules that must not work."""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest

from modgap._errors import FileError, InputError
from modgap.media import Text
from modgap.tasks import load
from modgap.tasks.isobench import _circuits, _mechanics, physics
from modgap.tasks.isobench._circuits import Circuit, Resistor
from modgap.tasks.isobench._options import around, written

LEVELS = ("published", "easy", "medium", "hard")


@cache
def drawn(level: str, n: int) -> list[Any]:
    return [physics.sample(np.random.default_rng([41, i]), physics.LEVELS[level]) for i in range(n)]


def circuits(level: str, n: int) -> list[physics.CircuitProblem]:
    return [p for p in drawn(level, n) if isinstance(p, physics.CircuitProblem)]


def forces(level: str, n: int) -> list[physics.ForceProblem]:
    return [p for p in drawn(level, n) if isinstance(p, physics.ForceProblem)]


def trees(places: set[str], edges: list[tuple[str, str, Fraction]]) -> Fraction:
    """Sum over all spanning trees of the product of conductances."""
    total = Fraction(0)
    for chosen in itertools.combinations(edges, len(places) - 1):
        of = {place: place for place in places}

        def root(place: str, of: dict[str, str] = of) -> str:
            while of[place] != place:
                place = of[place]
            return place

        product = Fraction(1)
        for a, b, conductance in chosen:
            if root(a) == root(b):
                product = Fraction(0)
                break
            of[root(a)] = root(b)
            product *= conductance
        total += product
    return total


def resistance_by_trees(c: Circuit) -> Fraction:
    """Kirchhoff 1847: two-tree over one-tree sums, with the poles taken as one place in the former."""
    edges = [(r.start, r.end, Fraction(1, r.ohms)) for r in c.resistors]
    places = {p for a, b, _ in edges for p in (a, b)}
    merged = [("A" if a == c.minus else a, "A" if b == c.minus else b, g) for a, b, g in edges]
    return trees(places - {c.minus}, [e for e in merged if e[0] != e[1]]) / trees(places, edges)


def test_resistances_and_powers_agree_with_spanning_trees() -> None:
    for p in circuits("hard", 60) + circuits("easy", 40):
        c = p.shown
        total = c.volts / resistance_by_trees(c)
        assert _circuits.total_current(c) == total
        powers = [physics.quantity(c, "power", r.name) for r in c.resistors]
        assert sum(powers) == c.volts * total  # what the battery gives is what the resistors take
        assert physics.quantity(c, "resistance", "") == resistance_by_trees(c)


def test_trees_of_parts_are_solved_by_adding_up() -> None:
    """Series and parallel rules, applied to the tree a circuit was laid out from."""
    rng = np.random.default_rng(5)
    done = 0
    for _ in range(60):
        tree = _circuits.random_tree(rng, 4, bridge=False)
        ohms = [int(x) for x in rng.integers(1, 40, 4)]
        plan = _circuits.laid_out(tree, ohms, 12)
        if plan is None:
            continue
        # Parts are numbered by where they stand; equal ones make their order in the tree irrelevant.
        plan = _circuits.laid_out(tree, [ohms[0]] * 4, 12)
        assert plan is not None

        def add(part: Any, ohm: int = ohms[0]) -> Fraction:
            if part == "R":
                return Fraction(ohm)
            each = [add(p) for p in part[1:]]
            return sum(each, Fraction(0)) if part[0] == "s" else 1 / sum((1 / r for r in each), Fraction(0))

        assert physics.quantity(_circuits.read_plan(plan), "resistance", "") == add(tree)
        done += 1
    assert done > 20


def test_a_known_bridge() -> None:
    """A balanced bridge carries no current across; 10 and 20 ohms above, 5 and 10 below."""
    plan = _circuits.laid_out("X", [10, 20, 99, 5, 10], 30)
    assert plan is not None
    c = _circuits.read_plan(plan)
    assert _circuits.currents(c)["R3"] == 0
    assert physics.quantity(c, "resistance", "") == Fraction(30 * 15, 45)


def test_forces_add_up() -> None:
    ways = {"right": 1, "left": -1, "up": 1j, "down": -1j}
    for p in forces("hard", 200) + forces("easy", 60):
        total = sum(ways[way] * size for way, sizes in p.shown for size in sizes)
        expected = {"net": total, "balance": -total}.get(p.asked)
        words = physics.answer(p).split(" ", 2)
        if expected is None:
            assert float(words[0]) == abs(total)
        else:
            way = next(w for w, phrase in _mechanics.TOWARDS.items() if phrase == words[2])
            assert ways[way] * int(words[0]) == expected


def test_magnets_follow_their_poles_and_distances() -> None:
    for p in drawn("published", 200):
        if isinstance(p, physics.MagnetProblem):
            (left, right, first), *rest = p.shown
            if p.asked == "way":
                assert physics.answer(p) == ("repel" if left + right in ("NSSN", "SNNS") else "attract")
            else:
                second = rest[0][2]
                expected = {-1: "pair 1", 0: "the same", 1: "pair 2"}[(first > second) - (first < second)]
                assert physics.answer(p) == expected


def test_published_problems_have_as_many_options_as_the_published_ones() -> None:
    sizes = [len(p.choices) for p in drawn("published", 200)]
    assert [sizes.count(k) / 200 for k in (2, 3, 4)] == pytest.approx([27 / 75, 36 / 75, 12 / 75], abs=0.1)


@pytest.mark.parametrize("level", LEVELS)
def test_every_representation_is_read_back(level: str) -> None:
    for i, p in enumerate(drawn(level, 40)):
        style = physics.Style((256, 301, 448, 1024)[i % 4], ("classic", "clean", "dark")[i % 3])
        for name in physics.REPRESENTATIONS:
            assert physics.decode(name, physics.render(p, name, style)) == physics.content(p), (name, style)


def test_texts_do_not_say_what_is_in_series() -> None:
    for p in circuits("hard", 60):
        text = physics.render(p, "description", physics.Style())[0].text
        assert not any(word in text for word in ("series", "parallel", "bridge"))


def test_options_stand_in_one_order_by_size_and_by_alphabet() -> None:
    for p in circuits("medium", 200):
        assert sorted(p.choices) == sorted(p.choices, key=lambda o: float(o.split()[0]))
    rng = np.random.default_rng(0)
    assert around(rng, Fraction(5), [Fraction(4), Fraction(6)], 0) is None
    found = around(rng, Fraction(5, 2), [Fraction(k, 2) for k in range(30)], 1)
    assert found is not None
    assert sorted(found).index(Fraction(5, 2)) == 1
    assert written(Fraction(13, 20)) == "0.65"


def number(option: str) -> float:
    return float(option.split(maxsplit=1)[0])


def nearest_to_first_thought(p: physics.CircuitProblem) -> str:
    guess = physics.first_thought(p.shown, p.asked, p.part)
    return min(p.choices, key=lambda o: abs(number(o) - guess))


def second_smallest(p: physics.CircuitProblem) -> str:
    return sorted(p.choices, key=number)[1]


def largest_force(p: physics.ForceProblem) -> bool:
    """Whether the largest force along the line points as the net force does."""
    x, y = _mechanics.net(p.shown)
    line = ("right", "left") if x else ("up", "down")
    largest = max((max(sizes), way) for way, sizes in p.shown if way in line)[1]
    return (x or y) * (1 if largest == line[0] else -1) > 0


def test_shortcuts_fail_at_level_hard() -> None:
    """A quarter is chance for a number, a half for a direction.

    What is nearest to the first thought is right in 0.30 (n = 731); the bound is two standard errors above.
    """
    found = circuits("hard", 1000)
    for rule in (nearest_to_first_thought, second_smallest):
        assert np.mean([rule(p) == physics.answer(p) for p in found]) < 0.35
    straight = [p for p in forces("hard", 400) + many_forces() if p.asked != "size"]
    assert np.mean([largest_force(p) for p in straight]) == pytest.approx(0.5, abs=0.12)


def many_forces() -> list[physics.ForceProblem]:
    dials, _ = load("isobench/physics").resolve({"level": "hard", "circuits": 0})
    found = [physics.sample(np.random.default_rng([42, i]), dials) for i in range(400)]
    return [p for p in found if isinstance(p, physics.ForceProblem)]


def test_the_first_thought_is_often_right_where_problems_are_easy() -> None:
    found = circuits("easy", 200)
    assert np.mean([nearest_to_first_thought(p) == physics.answer(p) for p in found]) > 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A battery of x volts", "is not a circuit as modgap writes it"),
        ("These forces act on a block: none.", "does not name forces"),
        ("direction newtons\nright 5 5", "does not name forces"),
        ("direction newtons\nright " + "9" * 5000, "does not name forces"),
        ("A pair of magnets", "does not describe magnets"),
        ("part from to value\nbattery A B 3 volts\nR1 A B 3 volts", "is not a circuit"),
    ],
)
def test_what_is_not_ours_is_refused(text: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        physics.decode("table", (Text(text),))


def test_a_circuit_needs_a_battery_and_letters() -> None:
    plan = _circuits.laid_out(("s", "R", "R"), [2, 3], 5)
    assert plan is not None
    assert _circuits.read_plan(plan) == Circuit(
        5, "C", (Resistor("R1", "A", "B", 2), Resistor("R2", "B", "C", 3))
    )
    with pytest.raises(FileError, match="a node of the circuit has no letter"):
        _circuits.read_plan(type(plan)(plan.edges, {}))


def test_dials_that_contradict_are_refused() -> None:
    with pytest.raises(InputError, match="min_resistors 5 is more than max_resistors 3"):
        load("isobench/physics").resolve({"min_resistors": 5, "max_resistors": 3})
