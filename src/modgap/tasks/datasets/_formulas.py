"""Published functions in SymPy source, read as data and solved exactly; nothing is run.

    parity("f(x) = -2*x**5/(2*x**8 + 11.16)")                  # "odd"
    direction("f(x) = 2.23*Abs(x) + 6.64", (-10_000, 10_000))  # "convex"
    breakpoints("f(x) = Piecewise((44.14*x + 375.09, (x <= -6.23) & (x > -10.36)), ...)")  # 2

Numbers are exact fractions of what is written. Each answer is ``None`` where a formula is of no known form,
and ``degenerate`` where more than one label is right.
"""

from __future__ import annotations

import ast
from fractions import Fraction
from itertools import pairwise

from modgap.tasks.isobench._functions import Domain, Term, merged
from modgap.tasks.isobench.convexity import Sum, direction_of

MAX_LENGTH = 4000
"""Longest formula that is read, in characters."""

DEGENERATE = "degenerate"
_MOST_DEGREE = 60
_MOST_BITS = 2000  # a power of a power of a number would take all memory
_MOST_PRODUCTS = 200  # of terms, in one product of sums; published ones have up to 66
_MOST_NODES = 1000  # of a formula; published ones have up to 150
_MOST_OF_A_SUM = 4  # power of a sum; published ones have none
_MOST_RATE = 60_000  # thousandths: e^600 is still a number

Powers = dict[int, Fraction]


class _Unknown(Exception):
    """A formula of another form."""


def _body(code: str) -> ast.expr:
    """The right side of ``f(x) = ...`` as a tree."""
    if len(code) > MAX_LENGTH:
        raise _Unknown
    try:
        tree = ast.parse(code.partition("=")[2].strip() if code.startswith("f(x)") else code, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _Unknown from error
    if sum(1 for _ in ast.walk(tree)) > _MOST_NODES:
        raise _Unknown
    return tree.body


def parity(code: str) -> str | None:
    """``even``, ``odd``, ``neither``, or ``degenerate`` for a function that is 0 everywhere."""
    try:
        above, below = _quotient(_body(code))
        here, mirrored = _times(above, _mirror(below)), _times(_mirror(above), below)
    except (_Unknown, RecursionError):
        return None
    even, odd = here == mirrored, here == {k: -c for k, c in mirrored.items()}
    return DEGENERATE if even and odd else "even" if even else "odd" if odd else "neither"


def direction(code: str, domain: Domain) -> str | None:
    """``convex`` or ``concave``, certain on the domain (thousandths); ``degenerate`` for a straight line."""
    try:
        terms = merged(tuple(_terms(_body(code), Fraction(1))))
    except (_Unknown, RecursionError):
        return None
    if all(t.kind == "power" and t.parameter < 2 for t in terms):
        return DEGENERATE
    return {1: "convex", -1: "concave"}.get(direction_of(Sum(terms, domain)))


def breakpoints(code: str) -> int | None:
    """How often the slope changes from one piece to the next."""
    try:
        pieces = sorted(_pieces(_body(code)))
    except (_Unknown, RecursionError):
        return None
    if any(a[1] != b[0] for a, b in pairwise(pieces)):
        return None  # a gap, or two that overlap
    return sum(a[2] != b[2] for a, b in pairwise(pieces))


def _number(node: ast.expr) -> Fraction | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12:
        return None
    return Fraction(repr(value))


def _is_x(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "x"


def _quotient(node: ast.expr) -> tuple[Powers, Powers]:
    """Numerator and denominator of a rational function."""
    number = _number(node)
    if number is not None:
        return ({0: number} if number else {}), {0: Fraction(1)}
    if _is_x(node):
        return {1: Fraction(1)}, {0: Fraction(1)}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        above, below = _quotient(node.operand)
        return {k: -c for k, c in above.items()}, below
    if not isinstance(node, ast.BinOp):
        raise _Unknown
    above, below = _quotient(node.left)
    if isinstance(node.op, ast.Pow):
        power = _number(node.right)
        if power is None or power.denominator != 1 or not 0 <= power <= _MOST_DEGREE:
            raise _Unknown
        if max(len(above), len(below)) > 1 and power > _MOST_OF_A_SUM:
            raise _Unknown
        result: tuple[Powers, Powers] = ({0: Fraction(1)}, {0: Fraction(1)})
        for _ in range(int(power)):
            result = _times(result[0], above), _times(result[1], below)
        return result
    other, under = _quotient(node.right)
    if isinstance(node.op, ast.Mult):
        return _times(above, other), _times(below, under)
    if isinstance(node.op, ast.Div) and other:
        return _times(above, under), _times(below, other)
    if isinstance(node.op, ast.Add | ast.Sub):
        sign = -1 if isinstance(node.op, ast.Sub) else 1
        sums = _times(above, under)
        for k, c in _times(other, below).items():
            sums[k] = sums.get(k, Fraction(0)) + sign * c
        return {k: c for k, c in sums.items() if c}, _times(below, under)
    raise _Unknown


def _times(a: Powers, b: Powers) -> Powers:
    product: Powers = {}
    if len(a) * len(b) > _MOST_PRODUCTS:
        raise _Unknown
    for i, c in a.items():
        for j, d in b.items():
            product[i + j] = product.get(i + j, Fraction(0)) + c * d
    if any(k > 4 * _MOST_DEGREE or _bits(c) > _MOST_BITS for k, c in product.items()):
        raise _Unknown
    return {k: c for k, c in product.items() if c}


def _bits(c: Fraction) -> int:
    return max(c.numerator.bit_length(), c.denominator.bit_length())


def _mirror(p: Powers) -> Powers:
    return {k: -c if k % 2 else c for k, c in p.items()}


def _terms(node: ast.expr, factor: Fraction) -> list[Term]:
    """A sum of terms, each times a factor."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _terms(node.operand, -factor)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        sign = -1 if isinstance(node.op, ast.Sub) else 1
        return [*_terms(node.left, factor), *_terms(node.right, sign * factor)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for one, other in ((node.left, node.right), (node.right, node.left)):
            number = _number(one)
            if number is not None:
                return _terms(other, factor * number)
    number = _number(node)
    kind, parameter = ("power", 0) if number is not None else _shape(node)
    size = factor * (1 if number is None else number) * 1000
    if size.denominator != 1:
        raise _Unknown
    return [Term(int(size), kind, parameter)] if size else []


def _shape(node: ast.expr) -> tuple[str, int]:
    """Kind and parameter of a term without its coefficient."""
    if _is_x(node):
        return "power", 1
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _is_x(node.left):
        power = _number(node.right)
        if power is not None and power.denominator == 1 and 0 <= power <= 20:
            return "power", int(power)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        name, inner = node.func.id, node.args[0]
        if name in ("Abs", "log") and _is_x(inner):
            return name.lower(), 0
        if name == "exp":
            rate = _quotient(inner)
            thousandths = rate[0].get(1, Fraction(0)) / rate[1].get(0, Fraction(1)) * 1000
            if set(rate[0]) == {1} and thousandths.denominator == 1 and abs(thousandths) <= _MOST_RATE:
                return "exp", int(thousandths)
    raise _Unknown


def _pieces(node: ast.expr) -> list[tuple[Fraction, Fraction, Fraction]]:
    """(low, high, slope) of every piece."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Piecewise"):
        raise _Unknown
    found = []
    for piece in node.args:
        if not isinstance(piece, ast.Tuple) or len(piece.elts) != 2:
            raise _Unknown
        line, below = _quotient(piece.elts[0])
        if set(below) != {0} or not set(line) <= {0, 1}:
            raise _Unknown
        low, high = _bounds(piece.elts[1])
        found.append((low, high, line.get(1, Fraction(0)) / below[0]))
    return found


def _bounds(node: ast.expr) -> tuple[Fraction, Fraction]:
    """The ends of ``(x <= b) & (x > a)``, in either order."""
    ends: dict[bool, Fraction] = {}
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd) else ()
    for side in sides:
        if not isinstance(side, ast.Compare) or len(side.ops) != 1 or not _is_x(side.left):
            raise _Unknown
        number = _number(side.comparators[0])
        if number is None or not isinstance(side.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            raise _Unknown
        ends[isinstance(side.ops[0], ast.Gt | ast.GtE)] = number
    if set(ends) != {True, False} or ends[True] >= ends[False]:
        raise _Unknown
    return ends[True], ends[False]
