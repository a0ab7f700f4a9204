"""Choices from a generator, made of its integers only: the same on every machine, and cheap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")


class Draws:
    """Small integers from one generator, taken in blocks because a call costs more than the numbers."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._block: list[int] = []

    def below(self, n: int) -> int:
        """0 .. n - 1; the bias of taking the remainder of 32 bits is below 1e-7."""
        if not self._block:
            self._block = self._rng.integers(0, 2**32, size=64, dtype=np.uint32).tolist()
        return self._block.pop() % n

    def between(self, low: int, high: int) -> int:
        """low .. high, both included."""
        return low + self.below(high - low + 1)

    def pick(self, values: Sequence[_T]) -> _T:
        """One of the values."""
        return values[self.below(len(values))]

    def some(self, values: Sequence[_T], n: int) -> list[_T]:
        """Up to ``n`` of the values, none twice, in random order."""
        pool = list(values)
        for i in range(min(n, len(pool))):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:n]
