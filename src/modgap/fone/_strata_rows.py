"""Rows by what makes them hard: chains of carries, and the lengths of the numbers.

carry_rows(task, np.random.default_rng(0), each=100)      # {0: rows without a carry, 1: …, 6: …}
length_rows(task, np.random.default_rng(0), each=100)     # {(1, 1): …, (1, 2): …, …}
"""

from __future__ import annotations

import numpy as np

from modgap._errors import InputError

from ._draws import Integers
from ._long import numbers_of_lengths
from .tasks import FREE, Rows, Task

_MOST_OTHERS = 10  # digits; among so many, other carries than those of the chain are left to chance


def carry_rows(task: Task, rng: np.random.Generator, each: int) -> dict[int, Rows]:
    """Sums of two numbers by the length of their longest chain of carries.

    Chance makes long chains rare (of six digits, one sum in two hundred), so every length is made on purpose:
    a pair of digits that carries, pairs that add up to nine, and no other carry that is as long. Among more
    than ten digits, where chance would hardly ever leave it the longest, there is no other carry.

    Args:
        task: an addition.
        rng: where chance comes from.
        each: rows of each length.

    Returns:
        Rows by length, 0 to the number of digits of an operand.

    Raises:
        InputError: not an addition of any two numbers.
    """
    if task.symbol != "+" or not task.drawn_freely:
        raise InputError(f"carries are those of sums of any two numbers, and {task.name!r} has none")
    places = task.digits
    found = {}
    for length in range(places + 1):
        if places > _MOST_OTHERS:
            operands = _with_one_chain(rng, each, places, length)
        else:
            operands = _with_chain(rng, each, places, length, task.most)
        found[length] = task.rows(operands)
    return found


def longest_carries(operands: Integers) -> Integers:
    """Length of the longest run of consecutive carries when two numbers are added; shape (rows,)."""
    a, b = operands[:, 0].copy(), operands[:, 1].copy()
    carry = np.zeros(len(a), dtype=np.int64)
    run, longest = carry.copy(), carry.copy()
    while a.any() or b.any():
        carry = (a % 10 + b % 10 + carry) // 10
        run = (run + 1) * carry
        longest = np.maximum(longest, run)
        a, b = a // 10, b // 10
    return longest


def length_rows(task: Task, rng: np.random.Generator, each: int) -> dict[tuple[int, int], Rows]:
    """Problems by the number of digits of both operands, every pair of lengths that the task can have.

    Args:
        task: one of two operands that are drawn independently (+, × and differences of any sign).
        rng: where chance comes from.
        each: rows of each pair of lengths.

    Raises:
        InputError: a task of another kind.
    """
    if not task.drawn_freely:
        raise InputError(f"{task.name!r} does not draw two operands freely; these do: {', '.join(FREE)}")
    places = task.digits
    found = {}
    for i in range(1, places + 1):
        for j in range(1, places + 1):
            found[i, j] = task.rows(numbers_of_lengths(rng, np.tile([i, j], (each, 1))))
    return found


def _with_one_chain(rng: np.random.Generator, count: int, places: int, length: int) -> Integers:
    """Pairs of long numbers with one chain of carries of exactly this length; as objects."""
    place = np.arange(places)[:, None]
    first = rng.integers(0, places - length + 1, count)
    start = (place == first) & (length > 0)
    inside = (place > first) & (place < first + length)
    after = (place == first + length) & (length > 0)
    a, free = rng.integers(0, 10, (2, places, count))
    a = np.where(start, np.maximum(a, 1), np.where(after, np.minimum(a, 8), a))
    b = free % (10 - a)
    b = np.where(after, free % np.maximum(9 - a, 1), b)
    b = np.where(inside, 9 - a, np.where(start, 10 - a + free % np.maximum(a, 1), b))
    powers = np.array([10**i for i in range(places)], dtype=object)[:, None]
    return np.stack([(digits.astype(object) * powers).sum(axis=0) for digits in (a, b)], axis=1)


def _with_chain(rng: np.random.Generator, count: int, places: int, length: int, most: int) -> Integers:
    """Pairs whose longest chain of carries has exactly this length."""
    found: list[Integers] = []
    missing = count
    while missing > 0:
        size = 4 * missing + 64
        first = rng.integers(0, places - length + 1, size) if length else np.zeros(size, dtype=np.int64)
        digits = np.empty((2, places, size), dtype=np.int64)
        for place in range(places):
            a = rng.integers(0, 10, size)
            free = rng.integers(0, 10, size)
            start = (place == first) & (length > 0)
            inside = (place > first) & (place < first + length)
            # Begins a chain: 10 or more together. Goes on: 9. Elsewhere whatever comes, and what makes
            # another chain that is as long is thrown away.
            a = np.where(start & (a == 0), rng.integers(1, 10, size), a)
            carrying = 10 - a + free % np.maximum(a, 1)
            digits[0, place] = a
            digits[1, place] = np.where(start, carrying, np.where(inside, 9 - a, free))
            if not length:
                digits[1, place] = free % (10 - a)
        powers = 10 ** np.arange(places)
        operands = np.einsum("p,opn->no", powers, digits)
        good = (longest_carries(operands) == length) & (operands <= most).all(axis=1)
        found.append(operands[good][:missing])
        missing -= len(found[-1])
    return np.concatenate(found)
