"""Sums of terms with exact coefficients: written as LaTeX and SymPy, read back, drawn as a plot.

Every coefficient is a whole number of thousandths, so a decimal in a text is the number and not a rounding
of it. A function has a domain, stated in the texts and drawn in the picture; all three show the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from modgap._errors import FileError
from modgap.media import Modality, Part, Text
from modgap.media.drawing import Drawing, Trace, draw_plot, read_plot

from ._common import Style, decimal, identity_of, only_picture, only_text, style_of, thousandths

Floats = NDArray[np.float64]
Domain = tuple[int, int]

REPRESENTATIONS: dict[str, Modality] = {"latex": "text", "sympy": "text", "image": "image"}

_NUMBER = r"\d{1,12}(?:\.\d{1,3})?"


@dataclass(frozen=True)
class Term:
    """``coefficient`` (thousandths) times a function of x.

    Args:
        coefficient: in thousandths, not 0.
        kind: ``power``, ``abs``, ``log`` or ``exp``.
        parameter: the exponent of a power; the rate of an ``exp``, in thousandths; else 0.
    """

    coefficient: int
    kind: str
    parameter: int = 0

    def values(self, x: Floats) -> Floats:
        """The term at ``x``."""
        return self.coefficient / 1000 * self._shape(x)

    def curvature(self, x: Floats) -> Floats:
        """The second derivative at ``x``; 0 for ``abs``, whose kink has none."""
        c, p = self.coefficient / 1000, self.parameter
        if self.kind == "power":
            return c * p * (p - 1) * x ** max(p - 2, 0)
        if self.kind == "log":
            return -c / x**2
        if self.kind == "exp":
            return c * (p / 1000) ** 2 * np.exp(p / 1000 * x)
        return np.zeros_like(x)

    def _shape(self, x: Floats) -> Floats:
        if self.kind == "power":
            return x**self.parameter
        if self.kind == "abs":
            return np.abs(x)
        return np.log(x) if self.kind == "log" else np.exp(self.parameter / 1000 * x)


def total(terms: tuple[Term, ...], x: Floats) -> Floats:
    """The sum of terms at ``x``."""
    result = np.zeros_like(x)
    for term in terms:
        result = result + term.values(x)
    return result


def merged(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """Terms of the same function added up, those that vanish left out, in the order of first appearance."""
    sums: dict[tuple[str, int], int] = {}
    for term in terms:
        key = (term.kind, term.parameter)
        sums[key] = sums.get(key, 0) + term.coefficient
    return tuple(Term(c, kind, parameter) for (kind, parameter), c in sums.items() if c)


def write_latex(terms: tuple[Term, ...]) -> str:
    """Such as ``3x^{4} - 2.5|x| + 1``."""
    return _signed([(t.coefficient, _latex(t), "") for t in terms])


def write_sympy(terms: tuple[Term, ...]) -> str:
    """Such as ``3*x**4 - 2.5*Abs(x) + 1``."""
    return _signed([(t.coefficient, _sympy(t), "*") for t in terms])


def _signed(terms: list[tuple[int, str, str]]) -> str:
    text = ""
    for coefficient, shape, times in terms:
        size = decimal(abs(coefficient))
        body = size if not shape else shape if abs(coefficient) == 1000 else f"{size}{times}{shape}"
        if not text:
            text = f"-{body}" if coefficient < 0 else body
        else:
            text += f" {'-' if coefficient < 0 else '+'} {body}"
    return text or "0"


def _latex(term: Term) -> str:
    if term.kind == "power":
        return "" if term.parameter == 0 else "x" if term.parameter == 1 else f"x^{{{term.parameter}}}"
    if term.kind == "exp":
        return f"e^{{{_rate(term.parameter, '')}}}"
    return {"abs": "|x|", "log": r"\log(x)"}[term.kind]


def _sympy(term: Term) -> str:
    if term.kind == "power":
        return "" if term.parameter == 0 else "x" if term.parameter == 1 else f"x**{term.parameter}"
    if term.kind == "exp":
        return f"exp({_rate(term.parameter, '*')})"
    return {"abs": "Abs(x)", "log": "log(x)"}[term.kind]


def _rate(parameter: int, times: str) -> str:
    if abs(parameter) == 1000:
        return "x" if parameter > 0 else "-x"
    return f"{decimal(parameter)}{times}x"


_TERM = re.compile(
    rf"(?P<c>{_NUMBER})?\*?"
    rf"(?:(?P<abs>Abs\(x\)|\|x\|)|(?P<log>\\?log\(x\))|(?:e\^\{{|exp\()(?P<rate>-?(?:{_NUMBER})?)\*?x[)}}]"
    r"|(?P<x>x)(?:(?:\*\*|\^\{)(?P<k>\d{1,2})\}?)?)?"
)


def read_sum(text: str) -> tuple[Term, ...]:
    """Read what :func:`write_latex` or :func:`write_sympy` wrote.

    Raises:
        FileError: if a term is not of a kind that is written.
    """
    if text == "0":
        return ()
    return tuple(map(_read_term, text.replace(" - ", " -").replace(" + ", " ").split(" ")))


def _read_term(body: str) -> Term:
    found = _TERM.fullmatch(body.removeprefix("-"))
    if found is None or not found[0]:
        raise FileError(
            f"term {body!r:.60} is not one that modgap writes; expected such as 3x^{{4}} or 2*log(x)"
        )
    coefficient = thousandths(found["c"]) if found["c"] else 1000
    coefficient = -coefficient if body.startswith("-") else coefficient
    if found["abs"] or found["log"]:
        return Term(coefficient, "abs" if found["abs"] else "log")
    if found["rate"] is not None:
        rate = found["rate"]
        return Term(coefficient, "exp", thousandths(rate) if rate.strip("-") else int(f"{rate}1000"))
    if found["x"]:
        return Term(coefficient, "power", int(found["k"] or 1))
    return Term(coefficient, "power", 0)


def write_text(representation: str, body: str, domain: Domain) -> tuple[Part, ...]:
    r"""A formula and its domain: ``$$f(x) = ..., \quad -5 \le x \le 5$$`` or two lines of SymPy."""
    low, high = map(decimal, domain)
    if representation == "latex":
        return (Text(rf"$$f(x) = {body}, \quad {low} \le x \le {high}$$"),)
    return (Text(f"f(x) = {body}\n{low} <= x <= {high}"),)


_WRITTEN = {
    "latex": re.compile(rf"\$\$f\(x\) = (.+), \\quad (-?{_NUMBER}) \\le x \\le (-?{_NUMBER})\$\$", re.S),
    "sympy": re.compile(rf"f\(x\) = (.+)\n(-?{_NUMBER}) <= x <= (-?{_NUMBER})"),
}


def read_written(representation: str, parts: tuple[Part, ...]) -> tuple[str, Domain]:
    """The inverse of :func:`write_text`: the formula and the domain.

    Raises:
        FileError: if the representation is not one piece of text of that form.
    """
    found = _WRITTEN[representation].fullmatch(only_text(parts))
    if found is None:
        raise FileError(f"{representation} is not a formula with its domain, f(x) = ..., as modgap writes it")
    return found[1], (thousandths(found[2]), thousandths(found[3]))


class Function(Protocol):
    """A function on a domain (thousandths), with the places where it has kinks (thousandths)."""

    @property
    def domain(self) -> Domain:
        """Ends of the domain."""

    @property
    def kinks(self) -> tuple[int, ...]:
        """Where the slope jumps."""

    def values(self, x: Floats) -> Floats:
        """Its values at ``x``."""


class Drawn:
    """A curve read from a picture. It equals every function whose curve it is, to about a pixel."""

    __hash__ = None  # type: ignore[assignment]  # equality with tolerance is not transitive

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __eq__(self, other: object) -> bool:
        if not hasattr(other, "values") or not hasattr(other, "domain"):
            return NotImplemented
        low, high = other.domain
        return self.trace.fits(other.values, low / 1000, high / 1000)


def sampled(f: Function, n: int) -> Floats:
    """About ``n`` places over the domain, with both ends and all kinks."""
    low, high = f.domain
    xs = np.linspace(low / 1000, high / 1000, n)
    return np.union1d(xs, np.array(f.kinks) / 1000) if f.kinks else xs


def plot(f: Function, style: Style) -> Drawing:
    """The picture of a function as strokes."""
    identity = identity_of(f)
    xs = sampled(f, style.pixels)
    look = style_of(style.style, identity)
    return draw_plot(xs, f.values(xs), pixels=style.pixels, style=look, hue=int(identity[:4], 16))


def decode_plot(parts: tuple[Part, ...]) -> Drawn:
    """The curve in a picture.

    Raises:
        FileError: if it is not one picture of a plot.
    """
    return Drawn(read_plot(only_picture(parts).to_pil()))
