"""Wrong answers beside a right one, such that neither size nor alphabet says which is right."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from ._common import decimal, shuffled


def around(
    rng: np.random.Generator, right: Fraction, wrong: Iterable[Fraction], rank: int, count: int = 4
) -> tuple[Fraction, ...] | None:
    """Numbers among which the right one has a given rank.

    All have as many digits before the point, so that they are in alphabetical order too.

    Args:
        rng: where all randomness comes from.
        right: the right number, at least 0.
        wrong: numbers to choose from; those without a short decimal, or equal to ``right``, are left out.
        rank: how many of the numbers are to be smaller.
        count: how many there are in all.

    Returns:
        The numbers in random order, or ``None`` if there are not enough to choose from.
    """
    fitting = [w for w in dict.fromkeys(wrong) if w != right and w >= 0 and is_short(w)]
    fitting = [w for w in fitting if len(str(int(w))) == len(str(int(right)))]
    below = shuffled(rng, [w for w in fitting if w < right])[:rank]
    above = shuffled(rng, [w for w in fitting if w > right])[: count - 1 - rank]
    if len(below) + len(above) < count - 1:
        return None
    return shuffled(rng, (right, *below, *above))


def is_short(value: Fraction) -> bool:
    """Whether it is a multiple of 0.05, so that it can be given without rounding."""
    return 20 % value.denominator == 0


def written(value: Fraction) -> str:
    """A short number in decimal digits."""
    return decimal(int(value * 1000))
