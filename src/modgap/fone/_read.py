"""From features back to digits.

Digit angles are read as the nearest of ten points. Continuous phases are read from the finest place up: place
j holds 0.d_j d_(j-1) … d_0 of a turn, and once the digits below are known, their share is cancelled (the
point is turned back by it), which leaves one of the same ten points.

How much error that survives. Ten points on a circle are told apart as long as the angle is off by less than a
twentieth of a turn, 18°. A pair that is moved by a vector of length r turns by at most asin(r), so every
place is read correctly while r < sin 18° = 0.309, at any number of places: errors do not add up, because what
is cancelled is computed from the digits and is exact. Rounding to p significand bits moves a pair by less
than 2**-p, which is far inside for every float type there is; the worst angle on the whole circle is 0.02°
for float16 (p = 11), 0.16° for bfloat16 (8), 2.3° and 4.5° for the 8-bit floats (4 and 3), and 14.8° for p =
1, where only powers of two are left. Signs alone (45°) are not enough. A decoder that did not cancel would be
lost: the pair of the longest period alone tells apart a few hundred numbers in bfloat16.
"""

from __future__ import annotations

import numpy as np

from ._phases import Digits, Floats, cosine_and_sine

TOLERANCE = float(np.sin(np.pi / 10))
"""Length of the error vector of a pair below which its digit is read correctly."""


def turns_of_points(points: Floats) -> Floats:
    """Angles in turns, -0.5 to 0.5, shape (slots, numbers), of pairs, shape (numbers, 2 * slots)."""
    return np.arctan2(points[:, 1::2].T, points[:, 0::2].T) * (0.5 / np.pi)


def nearest_digits(points: Floats) -> Digits:
    """Digits, shape (slots, numbers), whose points are nearest to the pairs, shape (numbers, 2 * slots)."""
    return (np.rint(turns_of_points(points) * 10) % 10).astype(np.uint8)


def read_phases(points: Floats, group_places: int | None) -> Digits:
    """Digits, shape (places, numbers), from published phases, shape (numbers, 2 * places)."""
    tenths = turns_of_points(points) * 10
    digits = np.empty(tenths.shape, dtype=np.uint8)
    for j in range(len(digits)):
        if j == 0 or (group_places and j % group_places == 0):
            below = np.zeros(tenths.shape[1])  # share of the digits below in one step of this place
        digit = np.rint(tenths[j] - below) % 10
        digits[j] = digit
        below += digit
        below *= 0.1
    return digits


def read_both(points: Floats, digit_points: Floats, group_places: int | None) -> Digits:
    """As ``read_phases``, with the digit's own pair added to the turned-back phase before the nearest is
    taken.

    Two errors then have to conspire: their sum has to exceed what the sum of two points allows.
    """
    places = points.shape[1] // 2
    digits = np.empty((places, len(points)), dtype=np.uint8)
    for j in range(places):
        if j == 0 or (group_places and j % group_places == 0):
            below = np.zeros(len(points))
        back_cosine, back_sine = cosine_and_sine(below * 0.1)
        x, y = points[:, 2 * j], points[:, 2 * j + 1]
        u = x * back_cosine + y * back_sine + digit_points[:, 2 * j]
        v = y * back_cosine - x * back_sine + digit_points[:, 2 * j + 1]
        digit = np.rint(np.arctan2(v, u) * (5 / np.pi)) % 10
        digits[j] = digit
        below += digit
        below *= 0.1
    return digits
