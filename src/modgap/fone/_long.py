"""Rows of numbers of every length, longer than int64 holds if need be.

Integers of more than 18 digits are Python's own, in arrays of objects; sums, order and equality of numpy work
on them as they do on int64, only slower.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

INT64_DIGITS = 18
"""So many digits always fit in int64."""

_PIECE = 15


def numbers_of_lengths(rng: np.random.Generator, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A uniform number of each length; one digit is 0 to 9, more do not begin with 0.

    Args:
        rng: where chance comes from.
        lengths: digits of each, any shape, 1 or more.

    Returns:
        The same shape; int64, or objects if a length is over 18.
    """
    longest = int(lengths.max(initial=1))
    if longest <= INT64_DIGITS:
        low = np.where(lengths > 1, 10 ** (lengths - 1), 0)
        return rng.integers(low, 10**lengths)
    pieces = rng.integers(0, 10**_PIECE, (-(-longest // _PIECE), *lengths.shape)).astype(object)
    below = sum(piece * 10 ** (_PIECE * i) for i, piece in enumerate(pieces))
    powers = np.array([10**i for i in range(longest)], dtype=object)[lengths - 1]
    first = rng.integers(np.where(lengths > 1, 1, 0), 10).astype(object)
    return np.asarray(first * powers + below % powers)


def lengths_evenly(rng: np.random.Generator, count: int, most: int) -> npt.NDArray[np.int64]:
    """Two numbers of 1 to ``most`` digits, every pair of lengths equally often (McLeish et al., Abacus,
    2024); shape (count, 2)."""
    return numbers_of_lengths(rng, rng.integers(1, most + 1, (count, 2)))
