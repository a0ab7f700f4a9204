"""Answers about functions a second time, from the SymPy text alone, in exact rationals."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy

from modgap._errors import InputError
from modgap.tasks import Problem, load

LEVELS = ("published", "easy", "medium", "hard")
X = sympy.Symbol("x", real=True)


def problems(task: str, level: str, n: int = 25) -> list[Problem]:
    return [load(f"isobench/{task}").problem(31, i, ["sympy"], level=level) for i in range(n)]


def formula(problem: Problem) -> tuple[sympy.Expr, Fraction, Fraction]:
    """The function with exact coefficients, and its domain."""
    body, domain = problem.representations[0].parts[0].text.removeprefix("f(x) = ").split("\n")  # type: ignore[union-attr]
    low, high = map(Fraction, domain.split(" <= x <= "))
    read = sympy.sympify(body, locals={"x": X}, rational=True)
    return read, low, high


@pytest.mark.parametrize("level", LEVELS)
def test_parity_at_exact_places_and_of_exact_polynomials(level: str) -> None:
    for problem in problems("parity", level):
        f, low, high = formula(problem)
        assert low == -high
        above, below = sympy.fraction(sympy.together(f))
        assert sympy.Poly(below, X).count_roots() == 0
        # An identity of polynomials of degree d holds if it holds at more than d places.
        mirrored = above.subs(X, -X) * below, above * below.subs(X, -X)
        even = sympy.Poly(mirrored[0] - mirrored[1], X).is_zero
        odd = sympy.Poly(mirrored[0] + mirrored[1], X).is_zero
        places = [sympy.Rational(k, 7) for k in range(1, 36)]
        assert even == all(f.subs(X, x) == f.subs(X, -x) for x in places[:12])
        assert not (even and odd), "f is 0"
        assert problem.answer == ("even" if even else "odd" if odd else "neither")


@pytest.mark.parametrize("level", LEVELS)
def test_convexity_by_chords_and_by_the_second_derivative(level: str) -> None:
    rng = np.random.default_rng(5)
    for problem in problems("convexity", level, 20):
        f, low, high = formula(problem)
        ends = float(low), float(high)
        sign = 1 if problem.answer == "convex" else -1
        value = sympy.lambdify(X, f, "numpy")
        a, b = (rng.uniform(*ends, 4000) for _ in range(2))
        above = (value(a) + value(b)) / 2 - value((a + b) / 2)
        size = np.abs(value(a)) + np.abs(value(b))
        assert np.all(sign * above >= -1e-12 * size)
        assert np.any(sign * above > 1e-9 * size), "f is a straight line"
        smooth = f.replace(sympy.Abs, lambda inside: sympy.Integer(0) * inside)
        second = sympy.lambdify(X, sympy.diff(smooth, X, 2), "numpy")
        bend = second(np.linspace(*ends, 2001)) * np.ones(2001)
        assert np.all(sign * bend >= 0)


@pytest.mark.parametrize("level", LEVELS)
def test_breakpoints_are_where_slopes_differ_and_pieces_meet_exactly(level: str) -> None:
    for problem in problems("breakpoints", level):
        f, low, high = formula(problem)
        cuts = sorted({low, high, *(Fraction(str(v)) for v in re_cuts(problem))})
        slopes = []
        for a, b in pairwise(cuts):
            one, two = (a + (b - a) * Fraction(k, 3) for k in (1, 2))
            slopes.append((f.subs(X, two) - f.subs(X, one)) / (two - one))
        for i, cut in enumerate(cuts[1:-1]):
            one = sympy.Rational(1, 1000)
            assert f.subs(X, cut + one) - f.subs(X, cut) == slopes[i + 1] * one, "the function jumps"
            assert f.subs(X, cut) - f.subs(X, cut - one) == slopes[i] * one, "the function jumps"
        assert problem.answer == str(sum(a != b for a, b in pairwise(slopes)))


def re_cuts(problem: Problem) -> list[str]:
    text = problem.representations[0].parts[0].text  # type: ignore[union-attr]
    return re.findall(r"x <= (-?[\d.]+)\)", text)


def test_published_families_are_as_published() -> None:
    """Ranges of the released problems: pieces, knots at ±100, powers, signs, and balanced labels."""
    for problem in problems("breakpoints", "published", 60):
        assert problem.answer in ("2", "3")
        f, low, high = formula(problem)
        assert -15 <= low <= -10
        assert 10 <= high <= 15
        knots = sorted({Fraction(v) for v in re_cuts(problem)} - {high})
        assert all(abs(abs(f.subs(X, x)) - 100) < 1 for x in knots)
    parity = load("isobench/parity").module
    degrees, labels = [], []
    for i in range(300):
        p = parity.sample(np.random.default_rng([4, i]), parity.LEVELS["published"])
        degrees.append(p.function.below[0].parameter)
        labels.append(parity.answer(p))
        assert all(t.coefficient > 0 and t.parameter % 2 == 0 for t in p.function.below)
        assert all(t.parameter <= 10 for t in p.function.above)
    assert np.mean([d in (8, 10) for d in degrees]) == pytest.approx(0.9, abs=0.06)
    assert all(labels.count(label) == pytest.approx(100, abs=35) for label in set(labels))


def test_dials_move_what_they_are_called_after() -> None:
    for task, measure in (("parity", "asymmetry"), ("convexity", "bend"), ("breakpoints", "smallest_turn")):
        means = []
        for level in ("easy", "medium", "hard"):
            seen = [p.difficulty[measure] for p in problems(task, level, 40)]
            means.append(np.mean([float(v) for v in seen if v]))
        assert means == sorted(means, reverse=True)


@pytest.mark.parametrize(
    ("task", "settings", "message"),
    [
        ("parity", {"min_asymmetry": 0.3}, "min_asymmetry 0.3 is not less than max_asymmetry 0.2"),
        ("convexity", {"min_bend": 0.8}, "min_bend 0.8 is not less than max_bend 0.4"),
        ("breakpoints", {"min_knots": 7}, "min_knots 7 is more than max_knots 6"),
    ],
)
def test_settings_that_cannot_be_met_say_so(task: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(f"isobench/{task}").problem(0, 0, (), **settings)
