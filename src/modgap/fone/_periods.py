"""Any list of periods: exact phases, and reading a number from them.

A period is a positive decimal, so an integer c times a power of ten, 10**e. The residue of x is then known
exactly from two small parts: the digits below place e, a share of 10**e, and the digits from place e up,
modulo c in integers.

Reading back is the Chinese remainder theorem on circles. The periods are taken in ascending order; with x
known modulo L so far, the next period P leaves P/gcd(L, P) candidates, equally spaced on its circle, and the
phase selects one. With periods 10, 100, 1000 … there are ten candidates each time, with 2, 5, 20, 50 … two or
five.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError

from ._parse import Numeric, as_number
from ._phases import Digits, Floats, shares

Period = tuple[int, int]
"""c and e of the period c × 10**e; c is not a multiple of ten."""

_LARGEST = 10**17  # ten times a residue and a digit fit in int64


def read_periods(periods: Sequence[Numeric]) -> tuple[Period, ...]:
    """Exact periods of numbers such as ``0.1``, ``"2.5"`` or ``1000``.

    Raises:
        InputError: one is zero, negative or has too many significant digits, or there is none.
    """
    exact = []
    for period in periods:
        number = as_number(period)
        coefficient, exponent = int(number.digits), -number.scale
        while coefficient and coefficient % 10 == 0:
            coefficient, exponent = coefficient // 10, exponent + 1
        if number.negative or not 0 < coefficient < _LARGEST:
            raise InputError(f"period {period} is not a positive decimal of at most 17 significant digits")
        exact.append((coefficient, exponent))
    if not exact:
        raise InputError("no periods given: give at least one, or None for the published ones")
    return tuple(exact)


def decimal_periods(integer_places: int, decimal_places: int) -> tuple[Period, ...]:
    """The published periods, 10**i for i = -decimal_places + 1 … integer_places."""
    return tuple((1, i) for i in range(-decimal_places + 1, integer_places + 1))


def periods_of_bases(bases: Sequence[int], integer_places: int, decimal_places: int) -> tuple[str, ...]:
    """Periods ``base × 10**k`` for every place k and base, finest place first.

    ``(10,)`` gives the published periods, ``(2, 5, 10)`` the three pairs per digit of the published ablation.
    """
    return tuple(f"{base}e{k}" for k in range(-decimal_places, integer_places) for base in bases)


def turns_of(digits: Digits, periods: Sequence[Period], decimal_places: int) -> Floats:
    """Phases in turns, shape (periods, numbers), from digits of shape (places, numbers), finest first."""
    share = shares(digits, None)
    places, count = digits.shape
    out = np.empty((len(periods), count))
    for coefficient in sorted({c for c, _ in periods}):
        rows = [i for i, (c, _) in enumerate(periods) if c == coefficient]
        quotients = _quotients(digits, coefficient, {periods[i][1] + decimal_places for i in rows})
        for i in rows:
            at = periods[i][1] + decimal_places  # digits [at:] are above the power of ten, [:at] below
            if at <= 0:
                below: Floats | float = 0.0
            else:
                below = share[min(at, places) - 1] * 10.0 ** -max(at - places, 0)
            np.add(quotients[at], below, out=out[i])
            out[i] /= coefficient
    return out


def _quotients(digits: Digits, modulus: int, cuts: set[int]) -> dict[int, npt.NDArray[np.int64]]:
    """floor(x / 10**cut) modulo ``modulus`` for each cut, counted in places from the finest."""
    places, count = digits.shape
    value = np.zeros(count, dtype=np.int64)
    found = {cut: value for cut in cuts if cut >= places or modulus == 1}
    if modulus == 1:
        return found
    for at in range(places - 1, min(cuts) - 1, -1):
        value = value * 10
        if at >= 0:
            value += digits[at]
        value %= modulus
        if at in cuts:
            found[at] = value
    return found


def candidates(periods: Sequence[Period], places: int, decimal_places: int) -> tuple[int, ...] | None:
    """How many candidates each period decides between, in ascending order of period.

    Returns:
        None if numbers of so many places are not determined by these periods.
    """
    known, whole, moduli = _moduli(periods, places, decimal_places)
    counts = []
    for modulus, _ in moduli:
        counts.append(modulus // math.gcd(known, modulus))
        known *= counts[-1]
    return tuple(counts) if known >= whole else None


def read_turns(turns: Floats, periods: Sequence[Period], places: int, decimal_places: int) -> Digits:
    """Digits, shape (places, numbers), of the phases in turns, shape (periods, numbers)."""
    step, whole, moduli = _moduli(periods, places, decimal_places)
    digits = np.empty((places, turns.shape[1]), dtype=np.uint8)
    for n in range(turns.shape[1]):
        residue, known = 0, step
        for modulus, i in moduli:
            shared = math.gcd(known, modulus)
            count = modulus // shared
            if count == 1:
                continue
            nearest = round(count * (float(turns[i, n]) - residue % modulus / modulus))
            residue += nearest * pow(known // shared, -1, count) % count * known
            known *= count
        text = str(residue % whole // step).rjust(places, "0")
        digits[:, n] = np.frombuffer(text.encode("ascii"), dtype=np.uint8)[::-1] - 48
    return digits


def _moduli(
    periods: Sequence[Period], places: int, decimal_places: int
) -> tuple[int, int, list[tuple[int, int]]]:
    """One unit of the last place, the number of units of all numbers, and the periods with their index.

    All are integers in units so fine that every period is one.
    """
    finest = max(decimal_places, *(-e for _, e in periods))
    step = 10 ** (finest - decimal_places)
    moduli = sorted((c * 10 ** (e + finest), i) for i, (c, e) in enumerate(periods))
    return step, step * 10**places, moduli
