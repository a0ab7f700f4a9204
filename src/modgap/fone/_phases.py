"""From decimal digits to points on circles.

For a period of ten to the power i, the phase of x is its residue as a share of the period, (x mod 10**i) /
10**i. With the digits of x this is a recurrence from the finest place up, ``share = (digit + share below) /
10``, whose rounding error stays below 4e-16 however many digits there are: each step divides the error so far
by ten. (Reducing the value itself in float64 leaves nothing of the low digits beyond 15.)

Sine and cosine come from a table of 1,000 points plus a short series for the rest. The table is made from
integers and the rest uses only addition and multiplication, so the features have the same bits on every
machine, which the sine of a platform's library does not promise.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Digits = npt.NDArray[np.uint8]

_STEPS = 1000
_BITS = 120
_PI = 31415926535897932384626433832795028841971693993751 * 2**_BITS // 10**49  # fixed point, _BITS bits


def _sine_series(angle: int, first: int, power: int) -> int:
    """Taylor series in fixed point: the sine from ``angle`` and power 1, the cosine from 1 and power 0."""
    total = term = first
    while term:
        term = -((term * angle >> _BITS) * angle >> _BITS) // ((power + 1) * (power + 2))
        total += term
        power += 2
    return total


@lru_cache(maxsize=1)
def circle() -> tuple[Floats, Floats]:
    """Cosine and sine of k/1000 turn for k = 0..1000, each the float64 nearest to the true value."""
    cosine, sine = np.empty(_STEPS + 1), np.empty(_STEPS + 1)
    one, eighth = 1 << _BITS, _STEPS // 8
    for k in range(eighth + 1):
        angle = 2 * _PI * k // _STEPS
        s, c = _sine_series(angle, angle, 1) / one, _sine_series(angle, one, 0) / one
        quarter = _STEPS // 4
        for at, octant_point in ((k, complex(c, s)), (quarter - k, complex(s, c))):
            for turn, direction in enumerate((1, 1j, -1, -1j)):
                point = octant_point * direction  # exact: products with 0 and ±1 only
                cosine[at + turn * quarter], sine[at + turn * quarter] = point.real, point.imag
    cosine[_STEPS], sine[_STEPS] = 1.0, 0.0
    return cosine + 0.0, sine + 0.0  # + 0.0: no negative zeros


def cosine_and_sine(turns: Floats) -> tuple[Floats, Floats]:
    """Cosine and sine of angles in turns, 0 to 1, to within 1e-15."""
    table_cosine, table_sine = circle()
    rest = turns * _STEPS
    index = rest.astype(np.intp)
    rest -= index
    rest *= 2 * np.pi / _STEPS  # radians, below 0.0063
    c = table_cosine.take(index, mode="clip")
    s = table_sine.take(index, mode="clip")
    square = rest * rest
    sine = square * (1 / 120)
    sine -= 1 / 6
    sine *= square
    sine += 1
    sine *= rest
    cosine_less_one = square * (1 / 24)
    cosine_less_one -= 0.5
    cosine_less_one *= square
    x = c * cosine_less_one
    x -= s * sine
    x += c
    sine *= c
    cosine_less_one *= s
    cosine_less_one += sine
    cosine_less_one += s
    return x, cosine_less_one


@lru_cache(maxsize=1)
def digit_points() -> Floats:
    """The points (cos 2πd/10, sin 2πd/10) of the digits d = 0..9, shape (10, 2)."""
    cosine, sine = circle()
    return np.stack([cosine[: _STEPS : _STEPS // 10], sine[: _STEPS : _STEPS // 10]], axis=1)


def shares(digits: Digits, group_places: int | None) -> Floats:
    """Residues as shares of their period, for periods one place above each digit.

    Args:
        digits: shape (places, numbers), finest place first.
        group_places: the recurrence starts again every so many places, None for never.

    Returns:
        Shape (places, numbers); entry j is 0.d_j d_(j-1) … d_0 in decimal, in turns.
    """
    out = np.empty(digits.shape)
    for j in range(len(digits)):
        if j == 0 or (group_places and j % group_places == 0):
            np.multiply(digits[j], 0.1, out=out[j])
        else:
            np.add(digits[j], out[j - 1], out=out[j])
            out[j] *= 0.1
    return out
