"""How operands of arithmetic tasks are drawn, and what their answers are, in exact integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int64]
Draw: TypeAlias = Callable[[np.random.Generator, int], Integers]
"""Draws so many rows of operands, shape (rows, operands)."""

MOST_DRAWN = 1 << 20


def uniform(most: Sequence[int], least: int = 0) -> Draw:
    """Operands independent and uniform, from ``least`` to each of ``most``, inclusive."""
    return lambda rng, count: np.stack([rng.integers(least, top + 1, count) for top in most], axis=1)


def descending(most: int) -> Draw:
    return lambda rng, count: -np.sort(-rng.integers(0, most + 1, (count, 2)), axis=1)


def ascending(most: int) -> Draw:
    return lambda rng, count: np.sort(rng.integers(0, most + 1, (count, 2)), axis=1)


def balanced_products(most: int) -> Draw:
    """Pairs whose products fall into each tenth of the range equally often.

    The product of two uniform shares is at most z with probability z - z ln z, which says how often a pair of
    each tenth has to be thrown away.
    """
    edges = np.arange(11) / 10
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(edges > 0, edges - edges * np.log(edges), 0.0)
    share = np.diff(below)

    def draw(rng: np.random.Generator, count: int) -> Integers:
        size = min(20 * count, MOST_DRAWN)
        pairs: Integers = rng.integers(0, most + 1, (size, 2))
        tenth = np.minimum(pairs.prod(axis=1) * 10 // most**2, 9)
        return np.asarray(pairs[rng.random(size) < (share.min() / share)[tenth]])

    return draw


def dividends(quotients: int, divisors: int) -> Draw:
    def draw(rng: np.random.Generator, count: int) -> Integers:
        divisor = rng.integers(1, divisors + 1, count)
        return np.stack([divisor * rng.integers(0, quotients + 1, count), divisor], axis=1)

    return draw


def triples(most: int) -> Draw:
    return lambda rng, count: np.sort(rng.integers(0, most + 1, (count, 3)), axis=1)


def unordered(most: int) -> int:
    """Unordered pairs of 0 … most."""
    return (most + 1) * (most + 2) // 2


def added(operands: Integers) -> Integers:
    return np.asarray(operands.sum(axis=1))


def subtracted(operands: Integers) -> Integers:
    return np.asarray(operands[:, 0] - operands[:, 1])


def multiplied(operands: Integers) -> Integers:
    return np.asarray(operands.prod(axis=1))


def divided(operands: Integers) -> Integers:
    return np.asarray(operands[:, 0] // operands[:, 1])


def is_above(limit: int) -> Callable[[Integers], Integers]:
    """1.5·a − 2·b + 0.5·c − d > 0, doubled so that it stays in integers."""
    return lambda x: (3 * x[:, 0] - 4 * x[:, 1] + x[:, 2] - 2 * limit > 0).astype(np.int64)


def ranked(lists: int, most: int) -> Draw:
    """A rank from 1 to ``lists``, and so many numbers."""
    return lambda rng, count: np.concatenate(
        [rng.integers(1, lists + 1, (count, 1)), rng.integers(0, most + 1, (count, lists))], axis=1
    )


def bounded(bounds: int, most: int) -> Draw:
    """A number, and so many bounds in ascending order."""
    return lambda rng, count: np.concatenate(
        [rng.integers(0, most + 1, (count, 1)), np.sort(rng.integers(0, most + 1, (count, bounds)), axis=1)],
        axis=1,
    )


def of_rank(operands: Integers) -> Integers:
    """That of the numbers, ascending, which the first operand names, from 1."""
    return np.take_along_axis(np.sort(operands[:, 1:], axis=1), operands[:, :1] - 1, axis=1)[:, 0]


def interval(operands: Integers) -> Integers:
    """How many bounds are not above the first operand."""
    return np.asarray((operands[:, 1:] <= operands[:, :1]).sum(axis=1))


def mean(operands: Integers) -> Integers:
    """To the nearest integer, halves up."""
    n = operands.shape[1]
    return np.asarray((2 * operands.sum(axis=1) + n) // (2 * n))


def deviation(operands: Integers) -> Integers:
    """Standard deviation of all that there is (divided by n), to the nearest integer.

    4 n² times the variance is an integer, here below 2**52, of which the floor of numpy's root is exact.
    """
    n = operands.shape[1]
    squares = n * (operands**2).sum(axis=1) - operands.sum(axis=1) ** 2
    return np.asarray((np.sqrt(4 * squares).astype(np.int64) + n) // (2 * n))
