"""Whether a function is convex or concave on its domain: a sum of simple terms as a formula or as a plot.

    "... Is f convex or concave?"   options concave, convex

At level ``published`` all terms bend the same way and carry the same sign. At our levels one term of either
sign bends more than the others together, everywhere on the domain, and the others bend either way, so the
signs in the formula say nothing; a linear term sets how bent the curve looks, which is the dial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
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

CHANCE = 0.5
SPOKEN = _speech.FORMULA
LABELS = ("convex", "concave")
_TRIES = 2000
_REAL: Domain = (-10_000, 10_000)
_POSITIVE: Domain = (100, 10_000)  # the published x > 0: a picture ends somewhere, and so must the text
_AWAY_FROM_0: Domain = (500, 10_000)


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "draw functions as the published problems have them")
    min_bend: float = setting(
        0.12,
        "least distance of the curve from the chord of its ends, over the range of f",
        low=0.03,
        high=0.9,
    )
    max_bend: float = setting(0.4, "most of it", low=0.04, high=1)

    def __post_init__(self) -> None:
        check_order(self, "min_bend", "max_bend", equal=False)


LEVELS: dict[str, Dials] = {
    "published": Dials(True, 0.03, 1.0),
    "easy": Dials(False, 0.4, 1.0),
    "medium": Dials(),
    "hard": Dials(False, 0.03, 0.12),
}


@dataclass(frozen=True)
class Sum:
    """A sum of terms on a domain in thousandths."""

    terms: tuple[Term, ...]
    domain: Domain

    @property
    def kinks(self) -> tuple[int, ...]:
        """At 0 if an ``abs`` is in it."""
        inside = self.domain[0] < 0 < self.domain[1]
        return (0,) if inside and any(t.kind == "abs" for t in self.terms) else ()

    def values(self, x: Floats) -> Floats:
        """Its values at ``x``."""
        return _functions.total(self.terms, x)


@dataclass(frozen=True)
class ConvexityProblem:
    """Which way ``function`` bends."""

    function: Sum
    choices: tuple[str, ...]


def direction_of(f: Sum) -> int:
    """1 if it is convex, -1 if it is concave, 0 if it is neither or a straight line.

    Decided with certainty: the second derivative of every term rises or falls on either side of 0, so
    between two places of a grid that has 0 it lies between its values there; the sums of the smaller and of
    the larger values enclose that of the function.
    """
    xs = _grid(f.domain)
    bends = [t.curvature(xs) for t in f.terms]
    least = np.sum([np.minimum(b[:-1], b[1:]) for b in bends], axis=0)
    most = np.sum([np.maximum(b[:-1], b[1:]) for b in bends], axis=0)
    kinks = {int(np.sign(t.coefficient)) for t in f.terms if t.kind == "abs" and f.kinks}
    if np.all(least >= 0) and kinks <= {1} and (kinks or np.any(most)):
        return 1
    if np.all(most <= 0) and kinks <= {-1} and (kinks or np.any(least)):
        return -1
    return 0


def bend_of(f: Sum) -> float:
    """Largest distance between the curve and the chord of its ends, over the range of f; 0 for a line."""
    xs = _grid(f.domain)
    ys = f.values(xs)
    chord = ys[0] + (ys[-1] - ys[0]) * (xs - xs[0]) / (xs[-1] - xs[0])
    spread = float(np.ptp(ys))
    return float(np.abs(ys - chord).max() / spread) if spread else 0.0


def _grid(domain: Domain) -> Floats:
    return np.linspace(domain[0] / 1000, domain[1] / 1000, 401)


def sample(rng: np.random.Generator, dials: Dials) -> ConvexityProblem:
    """Draw a problem; both answers are equally likely."""
    rng = own_rng(rng, "convexity")
    label = pick(rng, LABELS)
    sign = 1 if label == "convex" else -1
    for _ in range(_TRIES):
        f = _published(rng, sign) if dials.published else _mixed(rng, sign, dials)
        if f and direction_of(f) == sign and dials.min_bend <= bend_of(f) <= dials.max_bend:
            return ConvexityProblem(f, shuffled(rng, LABELS))
    raise InputError(
        f"task isobench/convexity found no {label} function in {_TRIES:,} tries with {dials}; "
        "widen the range of bend"
    )


def _published(rng: np.random.Generator, sign: int) -> Sum:
    """Up to four pieces that bend the same way, a linear term now and then, and a constant."""
    constant = Term(10 * between(rng, -2900, 2500), "power", 0)
    terms: list[Term] = []
    positive = rng.random() < 0.6
    if rng.random() < 0.14:
        terms = [Term(10 * between(rng, 1, 540), "abs")]
        positive = False
    else:
        for kind in shuffled(rng, ("abs", "log", "exp", "power", "power"))[: between(rng, 1, 4)]:
            terms.extend(_published_piece(rng, kind, positive))
    if rng.random() < 0.3:
        terms.append(Term(10 * between(rng, -300, 300), "power", 1))
    own = [t for t in _functions.merged(tuple(terms)) if t.coefficient]
    bent = [Term(sign * t.coefficient, t.kind, t.parameter) for t in own]
    domain = _POSITIVE if positive else _REAL
    return Sum(_functions.merged((*bent, constant)), domain)


def _published_piece(rng: np.random.Generator, kind: str, positive: bool) -> list[Term]:
    if kind == "abs":
        return [Term(10 * between(rng, 1, 540), "abs")]
    if kind == "log":
        return [Term(-10 * between(rng, 2, 430), "log")] if positive else []
    if kind == "exp":
        return [Term(1000, "exp", 10 * between(rng, 3, 360)) for _ in range(pick(rng, (1, 1, 2, 3)))]
    power = pick(rng, (2, 3, 4, 5, 6, 7) if positive else (2, 4, 6))
    return [Term(10 * between(rng, 2, 290), "power", power)]


def _mixed(rng: np.random.Generator, sign: int, dials: Dials) -> Sum | None:
    """One term that bends most, two that bend less either way, and a linear term that sets the bend."""
    domain = pick(rng, (_AWAY_FROM_0, _REAL))
    xs = _grid(domain)
    shapes = [Term(1000, "exp", pick(rng, (-1, 1)) * 10 * between(rng, 5, 30)), Term(1000, "power", 2)]
    if domain == _AWAY_FROM_0:
        shapes += [Term(1000, "log"), Term(1000, "power", 3)]
    else:
        shapes += [Term(1000, "power", 4), Term(1000, "power", 3)]
    main, *others = shuffled(rng, shapes)[:3]
    own = main.curvature(xs)
    if np.any(own * own[0] <= 0):  # a power that does not bend at 0 outweighs nothing there
        return None
    size = 10 * between(rng, 50, 900) / 1000
    terms = [_times(main, sign * np.sign(own[0]) * size)]
    # One of the others bends the other way and one either way: the signs have no majority to trust.
    ways = shuffled(rng, (-sign, pick(rng, (-1, 1))))
    for share, way, other in zip((0.35, 0.5), ways, others, strict=True):
        room = float(np.min(np.abs(own) / np.maximum(np.abs(other.curvature(xs)), 1e-12)))
        amount = size * share * (0.5 + 0.5 * rng.random()) * room
        terms.append(_times(other, (-way if other.kind == "log" else way) * amount))
    if any(abs(t.coefficient) < 2 for t in terms) or any(abs(t.coefficient) > 10**7 for t in terms):
        return None
    bent = Sum(tuple(terms), domain)
    ys = bent.values(xs)
    width = xs[-1] - xs[0]
    chord = ys[0] + (ys[-1] - ys[0]) * (xs - xs[0]) / width
    wanted = dials.min_bend + (dials.max_bend - dials.min_bend) * rng.random()
    rise = pick(rng, (-1, 1)) * float(np.abs(ys - chord).max()) / wanted - float(ys[-1] - ys[0])
    terms.append(Term(round(rise / width * 100) * 10, "power", 1))
    terms.append(Term(10 * between(rng, -2900, 2500), "power", 0))
    return Sum(tuple(t for t in shuffled(rng, terms) if t.coefficient), domain)


def _times(term: Term, factor: float) -> Term:
    return Term(round(term.coefficient * factor), term.kind, term.parameter)


def question(p: ConvexityProblem) -> str:
    """What is asked."""
    return (
        "On its domain a function is convex if no chord between two points of its graph passes below the "
        "graph, and concave if none passes above it. Is f convex or concave?"
    )


def options(p: ConvexityProblem) -> tuple[str, ...]:
    """The two words."""
    return p.choices


def answer(p: ConvexityProblem) -> str:
    """Which way it bends."""
    return {1: "convex", -1: "concave"}[direction_of(p.function)]


def difficulty(p: ConvexityProblem) -> dict[str, float | int | str]:
    """How bent the curve is, 0 to 1, and the number of terms."""
    return {"bend": round(bend_of(p.function), 3), "terms": len(p.function.terms)}


def group(p: ConvexityProblem) -> str:
    """A hash of the function."""
    return f"convexity-{identity_of(p.function)}"


def content(p: ConvexityProblem) -> Sum:
    """The function."""
    return p.function


def drawing(p: ConvexityProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    return _functions.plot(p.function, style)


def render(p: ConvexityProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """The function in one representation."""
    f = p.function
    if representation == "image":
        return (drawing(p, style).image(),)
    write = _functions.write_latex if representation == "latex" else _functions.write_sympy
    return _functions.write_text(representation, write(f.terms), f.domain)


def decode(representation: str, parts: tuple[Part, ...]) -> Sum | Drawn:
    """The function, read back; from a picture its curve."""
    if representation == "image":
        return _functions.decode_plot(parts)
    body, domain = _functions.read_written(representation, parts)
    return Sum(_functions.read_sum(body), domain)


def parse(text: str, options: Sequence[str]) -> Answer:
    """What a reply says: one of the options, or what else it states."""
    return READERS["convexity"](text, options)


def _coefficients(f: Sum) -> tuple[Term, ...]:
    return f.terms


TRANSCRIPT = of_functions(decode, _coefficients)
