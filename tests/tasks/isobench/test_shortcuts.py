"""What one can score without solving a task: high where problems are as published, near chance at level hard.

Rules for physics, winner and puzzle are in the tests of these tasks. Three of these rules were measured on
the released problems: connected if both nodes have edges .84,
the tighter of source and sink .82, same degrees .98. The others are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modgap.tasks import load
from modgap.tasks.isobench import breakpoints, chemistry

N = 300


def both_have_edges(p: Any) -> str:
    return "yes" if any(p.graph[p.a]) and any(p.graph[p.b]) else "no"


def within_two_steps(p: Any) -> str:
    row, column = np.array(p.graph[p.a]), np.array(p.graph[p.b])
    return "yes" if p.graph[p.a][p.b] or row @ column else "no"


def tighter_end(p: Any) -> str:
    return str(min(sum(p.network[0]), sum(row[-1] for row in p.network)))


def same_degrees(p: Any) -> str:
    return "yes" if sorted(map(sum, p.g)) == sorted(map(sum, p.h)) else "no"


def same_triangles(p: Any) -> str:
    traces = {int(np.trace(np.linalg.matrix_power(np.array(m), 3))) for m in (p.g, p.h)}
    return "yes" if len(traces) == 1 else "no"


def ends_and_origin(p: Any) -> str:
    """Looks at three points of the curve only."""
    left, middle, right = p.function.values(np.array([-5.0, 0.0, 5.0]))
    size = np.abs(p.function.values(np.linspace(-5, 5, 99))).max()
    if abs(left - right) < 1e-9 * size:
        return "even"
    return "odd" if abs(left + right) < 1e-9 * size and abs(middle) < 1e-9 * size else "neither"


def most_signs(p: Any) -> str:
    """Counts the signs of the terms that bend, as if each bent the way of x squared."""
    bend = 0
    for term in p.function.terms:
        if (term.kind, term.parameter) not in (("power", 0), ("power", 1)):
            bend += int(np.sign(term.coefficient)) * (-1 if term.kind == "log" else 1)
    return "convex" if bend > 0 else "concave"


def peaks_and_valleys(p: Any) -> str:
    return str(breakpoints.extrema_of(p.function))


def pieces_less_one(p: Any) -> str:
    return str(len(p.function.slopes) - 1)


RULES = [
    ("connectivity", both_have_edges, (0.75, 0.95), (0.4, 0.6)),
    ("connectivity", within_two_steps, (0.8, 0.97), (0.4, 0.6)),
    ("maxflow", tighter_end, (0.6, 0.95), (0.0, 0.05)),
    ("isomorphism", same_degrees, (0.9, 1.0), (0.4, 0.6)),
    ("isomorphism", same_triangles, (0.6, 1.0), (0.4, 0.6)),
    ("convexity", most_signs, (0.95, 1.0), (0.4, 0.6)),
    ("breakpoints", peaks_and_valleys, (0.99, 1.0), (0.0, 0.25)),
    ("breakpoints", pieces_less_one, (0.99, 1.0), (0.1, 0.35)),
]


def accuracy(task: str, rule: Callable[[Any], str], level: str) -> float:
    module = load(f"isobench/{task}").module
    problems = [module.sample(np.random.default_rng([17, i]), module.LEVELS[level]) for i in range(N)]
    return float(np.mean([rule(p) == module.answer(p) for p in problems]))


@pytest.mark.parametrize(
    ("task", "rule", "published", "hard"), RULES, ids=lambda x: getattr(x, "__name__", "")
)
def test_a_shortcut_works_as_published_and_fails_at_hard(
    task: str, rule: Callable[[Any], str], published: tuple[float, float], hard: tuple[float, float]
) -> None:
    assert published[0] <= accuracy(task, rule, "published") <= published[1]
    assert hard[0] <= accuracy(task, rule, "hard") <= hard[1]


def test_no_constant_turns_the_tighter_end_into_the_flow() -> None:
    module = load("isobench/maxflow").module
    problems = [module.sample(np.random.default_rng([17, i]), module.LEVELS["hard"]) for i in range(N)]
    over = [module.difficulty(p)["ends_overstate"] for p in problems]
    assert max(over.count(d) for d in set(over)) < 0.2 * N


def test_three_points_of_a_curve_never_show_that_it_is_neither() -> None:
    """At hard they tell the large part of a function, never that there is a small one of the other parity."""
    module = load("isobench/parity").module
    for level, found in (("published", 1.0), ("hard", 0.0)):
        problems = [module.sample(np.random.default_rng([17, i]), module.LEVELS[level]) for i in range(N)]
        neither = [p for p in problems if module.answer(p) == "neither"]
        assert len(neither) > N / 5
        assert np.mean([ends_and_origin(p) == "neither" for p in neither]) == pytest.approx(found, abs=0.02)


def group_by_its_elements(p: Any) -> str:
    """The rarest element that a group needs and the molecule has; where two groups are alike, the last."""
    needs = {"amine": "N", "chloride": "Cl"}
    fitting = [name for name in p.choices if needs.get(name, "O") in p.shown.atoms] or p.choices
    return str(max(fitting, key=lambda name: name in needs))


def hydrogen_without_rings(p: Any) -> str:
    """Fills the valences of the atoms as if they stood in one open chain of single bonds."""
    atoms = p.shown.atoms
    full = 2 * atoms.count("C") + 2 + atoms.count("N") - sum(atoms.count(e) for e in ("F", "Cl", "Br"))
    return str(min(p.choices, key=lambda name: abs(int(name.split()[0]) - full)))


def rings_by_size(p: Any) -> str:
    return str(min(p.choices, key=lambda name: abs(int(name.split()[0]) - round(len(p.shown.atoms) / 4 - 1))))


@pytest.mark.parametrize(
    ("asked", "rule", "published"),
    [
        ("group", group_by_its_elements, 0.55),
        ("hydrogens", hydrogen_without_rings, 0.6),
        ("rings", rings_by_size, 0.5),
    ],
)
def test_counting_letters_does_not_solve_hard_chemistry(asked: str, rule: Any, published: float) -> None:
    """Chance is 0.36 as published, where there are two to four options, and 0.25 at hard."""
    for level, low, high in (("published", published, 0.8), ("hard", 0.1, 0.36)):
        drawn = (
            chemistry.sample(np.random.default_rng([17, i]), chemistry.LEVELS[level]) for i in range(900)
        )
        problems = [p for p in drawn if getattr(p, "asked", "") == asked]
        right = float(np.mean([rule(p) == chemistry.answer(p) for p in problems]))
        assert low <= right <= high, (level, right, len(problems))
