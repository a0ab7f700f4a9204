"""Whether a function is even, odd or neither: a rational function as a formula or as a plot.

    "... Is f even, odd or neither?"   options odd, even, neither

Numerators are polynomials over an even polynomial without zeros, so the powers of the numerator decide,
exactly. At the levels of our own every function is a large part of one parity plus a small part: of the
same parity, or of the other one, and then it is neither. The small part vanishes at 0 and at both ends, so
neither the ends of the curve nor its value at 0 say anything; its size is the dial.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import FileError, InputError
from modgap.media import Part
from modgap.media.drawing import Drawing
from modgap.tasks._answers import READERS
from modgap.tasks._problem import Answer
from modgap.tasks._settings import check_order, setting

from . import _functions, _speech
from ._common import INSTRUCTION as INSTRUCTION
from ._common import Style as Style
from ._common import between, identity_of, own_rng, pick, shuffled
from ._functions import REPRESENTATIONS as REPRESENTATIONS
from ._functions import Domain, Drawn, Floats, Term
from ._transcripts import of_functions

CHANCE = 1 / 3
SPOKEN = _speech.FORMULA
LABELS = ("even", "odd", "neither")
DOMAIN: Domain = (-5000, 5000)
_TRIES = 2000
_GRID = np.linspace(0, 5, 201)
_WHOLE = np.linspace(-5, 5, 401)
_ASIDE = 4  # steps of it that are a hundredth
_VISIBLE = 0.015  # six pixels of a picture of 448, more than the curve is wide


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "draw functions as the published problems have them")
    min_asymmetry: float = setting(
        0.06,
        "least max |f(x) ∓ f(-x)| over the range of f, of functions that are neither",
        low=0.02,
        high=0.5,
    )
    max_asymmetry: float = setting(0.2, "most of it", low=0.03, high=2)

    def __post_init__(self) -> None:
        check_order(self, "min_asymmetry", "max_asymmetry", equal=False)


LEVELS: dict[str, Dials] = {
    "published": Dials(True, 0.02, 2.0),
    "easy": Dials(False, 0.2, 2.0),
    "medium": Dials(),
    "hard": Dials(False, 0.02, 0.06),
}


@dataclass(frozen=True)
class Rational:
    """A quotient of two sums of powers; ``below`` has no zero."""

    above: tuple[Term, ...]
    below: tuple[Term, ...]
    domain: Domain = DOMAIN
    kinks: tuple[int, ...] = ()

    def values(self, x: Floats) -> Floats:
        """Its values at ``x``."""
        return _functions.total(self.above, x) / _functions.total(self.below, x)


@dataclass(frozen=True)
class ParityProblem:
    """Which parity ``function`` has."""

    function: Rational
    choices: tuple[str, ...]


def parity_of(f: Rational) -> str:
    """``even``, ``odd`` or ``neither``; the denominator is even, so the powers above decide."""
    return {frozenset({0}): "even", frozenset({1}): "odd"}.get(
        frozenset(t.parameter % 2 for t in f.above), "neither"
    )


def asymmetry_of(f: Rational) -> float:
    """How far from even and from odd it is: the smaller of max |f(x) ∓ f(-x)|, over the range of f."""
    right, left = f.values(_GRID), f.values(-_GRID)
    spread = max(right.max(), left.max()) - min(right.min(), left.min())
    return float(min(np.abs(right - left).max(), np.abs(right + left).max()) / spread) if spread else 0.0


def _is_visible(f: Rational) -> bool:
    """Whether a picture tells the curve from its two mirror images.

    Somewhere they are apart by more than ``_VISIBLE`` of the range even when moved to the side by a hundredth
    of the domain: where a curve is steep, two values may differ much and their points hardly.
    """
    ys = f.values(_WHOLE)
    near = np.lib.stride_tricks.sliding_window_view(ys, 2 * _ASIDE + 1)
    places = ys[_ASIDE:-_ASIDE]
    apart = [np.abs(sign * near[::-1] - places[:, None]).min(1).max() for sign in (1, -1)]
    return bool(min(apart) > _VISIBLE * np.ptp(ys))


def sample(rng: np.random.Generator, dials: Dials) -> ParityProblem:
    """Draw a problem; the three answers are equally likely."""
    rng = own_rng(rng, "parity")
    label = pick(rng, LABELS)
    for _ in range(_TRIES):
        f = _published(rng, label) if dials.published else _layered(rng, label, dials)
        if f is None or not f.above or parity_of(f) != label:
            continue
        if np.ptp(f.values(_GRID)) < 1e-3:  # a constant
            continue
        fits = dials.min_asymmetry <= asymmetry_of(f) <= dials.max_asymmetry and _is_visible(f)
        if label != "neither" or fits:
            return ParityProblem(f, shuffled(rng, LABELS))
    raise InputError(
        f"task isobench/parity found no function that is {label} in {_TRIES:,} tries with {dials}; "
        "widen the range of asymmetry"
    )


def _below(rng: np.random.Generator) -> tuple[Term, ...]:
    """An even polynomial with positive coefficients, so it has no zero."""
    leading = pick(rng, (8, 10)) if rng.random() < 0.9 else pick(rng, (4, 6))
    others = shuffled(rng, [k for k in (2, 4, 6, 8) if k < leading])[: pick(rng, (0, 1, 2, 2, 3))]
    powers = sorted({leading, *others}, reverse=True)
    terms = [Term(1000 * between(rng, 1, 5), "power", k) for k in powers]
    return (*terms, Term(10 * between(rng, 230, 6200), "power", 0))


def _coefficient(rng: np.random.Generator, most: int = 5) -> int:
    return pick(rng, (-1, 1)) * between(rng, 1, most)


def _published(rng: np.random.Generator, label: str) -> Rational:
    """Mixed small coefficients; even and odd functions are such a one plus or minus its mirror image."""
    powers = sorted(shuffled(rng, range(1, 11))[: between(rng, 2, 6)], reverse=True)
    terms = [Term(1000 * _coefficient(rng), "power", k) for k in powers]
    terms.append(Term(10 * between(rng, -3500, 2300), "power", 0))
    if label != "neither":
        wanted = LABELS.index(label)
        terms = [Term(2 * t.coefficient, "power", t.parameter) for t in terms if t.parameter % 2 == wanted]
    return Rational(_functions.merged(tuple(terms)), _below(rng))


def _layered(rng: np.random.Generator, label: str, dials: Dials) -> Rational | None:
    """A large part of one parity and a small one, of the same or the other."""
    large = LABELS.index(label) if label != "neither" else pick(rng, (0, 1))
    small = large if label != "neither" else 1 - large
    below = _below(rng)
    degree = below[0].parameter
    powers = shuffled(rng, range(large, degree + 1, 2))[: between(rng, 2, 4)]
    main = tuple(Term(10 * _coefficient(rng, 900), "power", k) for k in powers)
    # x^k (25 - x^2) is 0 at -5, 0 and 5.
    k = pick(rng, [k for k in range(2 - small, max(degree - 3, 4)) if k % 2 == small])
    shape = (Term(25_000, "power", k), Term(-1000, "power", k + 2))
    divisor = _functions.total(below, _GRID)
    first, second = (_functions.total(part, _GRID) / divisor for part in (main, shape))
    spread = 2 * np.abs(first).max() if large else np.ptp(first)
    wanted = dials.min_asymmetry + (dials.max_asymmetry - dials.min_asymmetry) * rng.random() ** 2
    scale = round(pick(rng, (-1, 1)) * wanted * spread / (2 * np.abs(second).max()) * 100)  # hundredths
    if scale == 0 or abs(scale) > 100_000:
        return None
    minor = tuple(Term(t.coefficient // 100 * scale, "power", t.parameter) for t in shape)
    terms = _functions.merged((*main, *minor))
    return Rational(tuple(sorted(terms, key=lambda t: -t.parameter)), below)


def question(p: ParityProblem) -> str:
    """What is asked."""
    return (
        "A function is even if f(-x) = f(x) for every x, and odd if f(-x) = -f(x) for every x; "
        "otherwise it is neither. Is f even, odd or neither?"
    )


def options(p: ParityProblem) -> tuple[str, ...]:
    """The three words."""
    return p.choices


def answer(p: ParityProblem) -> str:
    """The parity."""
    return parity_of(p.function)


def difficulty(p: ParityProblem) -> dict[str, float | int | str]:
    """Asymmetry, terms of the numerator, and degree of the denominator."""
    return {
        "asymmetry": round(asymmetry_of(p.function), 3),
        "terms": len(p.function.above),
        "degree": p.function.below[0].parameter,
    }


def group(p: ParityProblem) -> str:
    """A hash of the function."""
    return f"parity-{identity_of(p.function)}"


def content(p: ParityProblem) -> Rational:
    """The function."""
    return p.function


def drawing(p: ParityProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    return _functions.plot(p.function, style)


def render(p: ParityProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """The function in one representation."""
    f = p.function
    if representation == "image":
        return (drawing(p, style).image(),)
    if representation == "latex":
        body = rf"\frac{{{_functions.write_latex(f.above)}}}{{{_functions.write_latex(f.below)}}}"
    else:
        body = f"({_functions.write_sympy(f.above)})/({_functions.write_sympy(f.below)})"
    return _functions.write_text(representation, body, f.domain)


_BODY = {"latex": re.compile(r"\\frac\{(.+)\}\{(.+)\}"), "sympy": re.compile(r"\((.+)\)/\((.+)\)")}


def decode(representation: str, parts: tuple[Part, ...]) -> Rational | Drawn:
    """The function, read back; from a picture its curve."""
    if representation == "image":
        return _functions.decode_plot(parts)
    body, domain = _functions.read_written(representation, parts)
    found = _BODY[representation].fullmatch(body)
    if found is None:
        raise FileError(f"{body!r:.80} is not a quotient, as modgap writes it")
    return Rational(_functions.read_sum(found[1]), _functions.read_sum(found[2]), domain)


def parse(text: str, options: Sequence[str]) -> Answer:
    """What a reply says: one of the options, or what else it states."""
    return READERS["parity"](text, options)


def _coefficients(f: Rational) -> list[tuple[str, Term]]:
    return [("above", term) for term in f.above] + [("below", term) for term in f.below]


TRANSCRIPT = of_functions(decode, _coefficients)
