r"""How many breakpoints a piecewise linear function has: as cases or as a plot.

    "... How many breakpoints does f have?"   3

Pieces meet exactly: slopes and intercepts are exact decimals. At level ``published`` knots alternate
between about 100 and -100, so every knot is a peak or a valley. At our levels slopes of one sign follow one
another, and a text may cut a straight piece in two (``splits``), so neither peaks nor lines of the formula
can be counted instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
from ._common import between, decimal, identity_of, own_rng, pick, thousandths
from ._functions import REPRESENTATIONS as REPRESENTATIONS
from ._functions import Domain, Drawn, Floats, Term
from ._transcripts import of_functions

SPOKEN = _speech.PIECES
CHANCE = None
"""Open: a guess is worth a half at ``published``, where answers are 2 and 3, and an eighth at ``hard``."""

_TRIES = 4000


@dataclass(frozen=True)
class Dials:
    """What is asked (our choice, but for ``published``)."""

    published: bool = setting(False, "draw functions as the published problems have them")
    min_knots: int = setting(1, "fewest breakpoints", low=1, high=8)
    max_knots: int = setting(6, "most breakpoints", low=1, high=8)
    min_turn: float = setting(25, "least angle between two pieces as drawn, degrees", low=8, high=60)
    min_gap: int = setting(6, "least distance between two knots, percent of the domain", low=3, high=10)
    splits: int = setting(2, "most straight pieces that the text cuts in two", low=0, high=3)

    def __post_init__(self) -> None:
        check_order(self, "min_knots", "max_knots")


LEVELS: dict[str, Dials] = {
    "published": Dials(True, 2, 3, 8, 3, 0),
    "easy": Dials(False, 1, 3, 40, 8, 0),
    "medium": Dials(),
    "hard": Dials(False, 1, 8, 14, 4, 3),
}


@dataclass(frozen=True)
class Pieces:
    """A continuous piecewise linear function; everything in thousandths.

    Args:
        ends: where pieces begin and end, one more than there are pieces, all in multiples of 100.
        slopes: of the pieces, in multiples of 10.
        intercepts: of the lines that the pieces are part of.
    """

    ends: tuple[int, ...]
    slopes: tuple[int, ...]
    intercepts: tuple[int, ...]

    @property
    def domain(self) -> Domain:
        """Its ends."""
        return self.ends[0], self.ends[-1]

    @property
    def kinks(self) -> tuple[int, ...]:
        """Where two pieces meet that do not lie on one line."""
        return tuple(
            x
            for x, *slopes in zip(self.ends[1:-1], self.slopes[:-1], self.slopes[1:], strict=True)
            if slopes[0] != slopes[1]
        )

    def values(self, x: Floats) -> Floats:
        """Its values at ``x``."""
        piece = np.clip(np.searchsorted(np.array(self.ends) / 1000, x) - 1, 0, len(self.slopes) - 1)
        return np.array(self.slopes)[piece] / 1000 * x + np.array(self.intercepts)[piece] / 1000


@dataclass(frozen=True)
class BreakpointsProblem:
    """How many breakpoints ``function`` has."""

    function: Pieces


def smallest_turn(f: Pieces) -> float:
    """Smallest angle at a breakpoint as drawn in a square that the curve fills, degrees."""
    ys = f.values(np.array(f.ends) / 1000)
    stretch = (f.ends[-1] - f.ends[0]) / 1000 / max(float(np.ptp(ys)), 1e-9)
    angles = [math.degrees(math.atan(slope / 1000 * stretch)) for slope in f.slopes]
    return min(
        (
            abs(a - b)
            for a, b, x, y in zip(angles, angles[1:], f.slopes, f.slopes[1:], strict=False)
            if x != y
        ),
        default=0.0,
    )


def extrema_of(f: Pieces) -> int:
    """How many breakpoints are peaks or valleys."""
    slopes = [s for s, after in zip(f.slopes, (*f.slopes[1:], None), strict=True) if s != after]
    return sum(a * b < 0 for a, b in pairwise(slopes))


def sample(rng: np.random.Generator, dials: Dials) -> BreakpointsProblem:
    """Draw a problem; every number of breakpoints that the dials allow is equally likely."""
    rng = own_rng(rng, "breakpoints")
    knots = between(rng, dials.min_knots, dials.max_knots)
    for _ in range(_TRIES):
        f = _published(rng, knots) if dials.published else _free(rng, knots, dials)
        if f is not None and smallest_turn(f) >= dials.min_turn:
            return BreakpointsProblem(f)
    raise InputError(
        f"task isobench/breakpoints found no function with {knots} breakpoints in {_TRIES:,} tries "
        f"with {dials}; "
        "lower min_turn, min_gap or max_knots"
    )


def _published(rng: np.random.Generator, knots: int) -> Pieces | None:
    """Knots at about 100 and -100 in turn, the left end anywhere between; x in tenths."""
    xs = sorted(100 * between(rng, -100, 100) for _ in range(knots))
    ends = (-100 * between(rng, 100, 150), *xs, 100 * between(rng, 100, 150))
    if min(b - a for a, b in pairwise(ends)) < 600:
        return None
    side = pick(rng, (-1, 1))
    heights = [between(rng, -99, 99) * 1000, *(side * (-1) ** i * 100_000 for i in range(knots + 1))]
    return _through(ends, heights)


def _through(ends: tuple[int, ...], heights: list[int]) -> Pieces | None:
    """Pieces through about these heights, with slopes in hundredths and every value an exact thousandth."""
    slopes, y = [], heights[0]
    for a, b, wanted in zip(ends, ends[1:], heights[1:], strict=False):
        slope = round((wanted - y) / (b - a) * 100) * 10
        slopes.append(slope)
        y += slope * (b - a) // 1000
    return _pieces(ends, slopes, heights[0])


def _pieces(ends: tuple[int, ...], slopes: list[int], height: int) -> Pieces | None:
    intercepts, y = [], height
    for a, b, slope in zip(ends, ends[1:], slopes, strict=False):
        intercepts.append(y - slope * a // 1000)  # a is in tenths, slope in hundredths: nothing is lost
        y += slope * (b - a) // 1000
    if any(a == b for a, b in pairwise(slopes)):
        return None
    return Pieces(ends, tuple(slopes), tuple(intercepts))


def _free(rng: np.random.Generator, knots: int, dials: Dials) -> Pieces | None:
    """Slopes of any sign, each at an angle of its own; then some straight pieces are cut in the text."""
    domain = -10_000, 10_000
    gap = dials.min_gap * (domain[1] - domain[0]) // 100
    # Places at least a gap apart: draw in what is left without the gaps, then put them back.
    room = (domain[1] - domain[0] - gap * (knots + 1)) // 100
    xs = sorted(between(rng, 0, room) for _ in range(knots))
    ends = (domain[0], *(domain[0] + 100 * x + gap * (i + 1) for i, x in enumerate(xs)), domain[1])
    slopes: list[int] = []
    angle = 0.0
    for _ in range(knots + 1):
        # Turn from the piece before by more than what is asked for, staying below 70 degrees.
        low = dials.min_turn if slopes else 0.0
        choices = [t for t in (-1, 1) if abs(angle + t * low) < 68]
        side = pick(rng, choices)
        angle += side * (low + (70 - low - side * angle) * rng.random() ** 2)
        slopes.append(round(math.tan(math.radians(angle)) * 100) * 10)
    f = _pieces(ends, slopes, 10 * between(rng, -500, 500))
    return f and _cut(rng, f, between(rng, 0, dials.splits), gap)


def _cut(rng: np.random.Generator, f: Pieces, splits: int, gap: int) -> Pieces:
    """The same function with some pieces written as two."""
    for _ in range(splits):
        wide = [i for i, (a, b) in enumerate(zip(f.ends, f.ends[1:], strict=False)) if b - a >= 2 * gap + 200]
        if not wide:
            break
        i = pick(rng, wide)
        x = 100 * between(rng, (f.ends[i] + gap) // 100, (f.ends[i + 1] - gap) // 100)
        f = Pieces(
            (*f.ends[: i + 1], x, *f.ends[i + 1 :]),
            (*f.slopes[: i + 1], *f.slopes[i:]),
            (*f.intercepts[: i + 1], *f.intercepts[i:]),
        )
    return f


def question(p: BreakpointsProblem) -> str:
    """What is asked."""
    return (
        "f is continuous and piecewise linear. A breakpoint is a point where its slope changes; "
        "the two ends of the domain do not count. How many breakpoints does f have?"
    )


def options(p: BreakpointsProblem) -> tuple[str, ...]:
    """None: the question is open."""
    return ()


def answer(p: BreakpointsProblem) -> str:
    """The number in decimal digits."""
    return str(len(p.function.kinks))


def difficulty(p: BreakpointsProblem) -> dict[str, float | int | str]:
    """Breakpoints, those that are no peak or valley, pieces cut in the text, and the smallest angle."""
    f = p.function
    knots = len(f.kinks)
    return {
        "knots": knots,
        "knots_without_extremum": knots - extrema_of(f),
        "splits": len(f.slopes) - 1 - knots,
        "smallest_turn": round(smallest_turn(f), 1),
    }


def group(p: BreakpointsProblem) -> str:
    """A hash of the function."""
    return f"breakpoints-{identity_of(p.function)}"


def content(p: BreakpointsProblem) -> Pieces:
    """The function."""
    return p.function


def drawing(p: BreakpointsProblem, style: Style) -> Drawing:
    """The picture as strokes."""
    return _functions.plot(p.function, style)


def render(p: BreakpointsProblem, representation: str, style: Style) -> tuple[Part, ...]:
    """The function in one representation."""
    f = p.function
    if representation == "image":
        return (drawing(p, style).image(),)
    rows = []
    for i, (a, b, slope, intercept) in enumerate(
        zip(map(decimal, f.ends), map(decimal, f.ends[1:]), f.slopes, f.intercepts, strict=False)
    ):
        line = tuple(t for t in (Term(slope, "power", 1), Term(intercept, "power", 0)) if t.coefficient)
        if representation == "latex":
            after = "<" if i else r"\le"
            rows.append(rf"{_functions.write_latex(line)} & {a} {after} x \le {b}")
        else:
            rows.append(f"({_functions.write_sympy(line)}, (x {'>' if i else '>='} {a}) & (x <= {b}))")
    if representation == "latex":
        body = "\\begin{cases}\n" + " \\\\\n".join(rows) + "\n\\end{cases}"
    else:
        body = f"Piecewise({', '.join(rows)})"
    return _functions.write_text(representation, body, f.domain)


_N = r"-?\d{1,6}(?:\.\d{1,3})?"
_ROW = {
    "latex": re.compile(rf"([^&\n]+) & ({_N}) (?:<|\\le) x \\le ({_N})(?: \\\\)?\n"),
    "sympy": re.compile(rf"\(([^,()]+), \(x >=? ({_N})\) & \(x <= ({_N})\)\)"),
}


def decode(representation: str, parts: tuple[Part, ...]) -> Pieces | Drawn:
    """The function, read back; from a picture its curve."""
    if representation == "image":
        return _functions.decode_plot(parts)
    body, domain = _functions.read_written(representation, parts)
    rows = _ROW[representation].findall(body)
    ends = [thousandths(a) for _, a, _ in rows] + [thousandths(b) for _, _, b in rows[-1:]]
    if not rows or (ends[0], ends[-1]) != domain:
        raise FileError(f"{representation} does not hold pieces over its domain, as modgap writes them")
    lines = [{t.parameter: t.coefficient for t in _functions.read_sum(line)} for line, _, _ in rows]
    return Pieces(
        tuple(ends), tuple(line.get(1, 0) for line in lines), tuple(line.get(0, 0) for line in lines)
    )


def parse(text: str, options: Sequence[str]) -> Answer:
    """The number that a reply gives."""
    return READERS["breakpoints"](text, options)


def _coefficients(f: Pieces) -> list[tuple[int, int, int, int]]:
    return list(zip(f.ends[:-1], f.ends[1:], f.slopes, f.intercepts, strict=True))


TRANSCRIPT = of_functions(decode, _coefficients)
