"""How fast calls are made: waits between repetitions, and fewer calls at once when the server asks for it.

A server that answers 429 is asked by fewer workers at once (half as many), and one more per round of
successes afterwards: additive increase, multiplicative decrease, as in TCP. A ``Retry-After`` stops all.
"""

from __future__ import annotations

import asyncio
import email.utils
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np

MAX_WAIT = 60.0
"""Longest single wait, in seconds; a longer ``Retry-After`` is cut to it (our choice)."""

CUT_SECONDS = 1.0
"""Least time between two cuts of the calls at once (our choice, about the length of a call). Without it a few
refusals among many quick calls leave one worker."""


@dataclass(frozen=True)
class Clock:
    """Time, replaceable in tests.

    Args:
        now: monotonic seconds.
        sleep: waits that many seconds.
        wall: seconds since 1970, to read dates.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wall: Callable[[], float] = time.time


def backoff_seconds(attempt: int, base: float, rng: np.random.Generator) -> float:
    """Exponential backoff with full jitter.

    Args:
        attempt: 1 after the first failure.
        base: upper end of the first wait, in seconds.
        rng: source of the jitter.

    Returns:
        Uniform between 0 and ``base * 2 ** (attempt - 1)``, that at most ``MAX_WAIT``.
    """
    return float(rng.uniform(0, min(MAX_WAIT, base * 2.0 ** min(attempt - 1, 30))))


def retry_after_seconds(value: str | None, wall: float) -> float | None:
    """Read a ``Retry-After`` header, a number of seconds or a date.

    Args:
        value: the header, untrusted.
        wall: now, in seconds since 1970.

    Returns:
        Seconds from 0 to ``MAX_WAIT``, or ``None`` if there is nothing to read.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - wall
        except (ValueError, OverflowError):
            return None
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), MAX_WAIT)


class Pace:
    """How many calls may be under way, and from when on. Used from one event loop only.

    Args:
        most: calls at once when the server is content.
        clock: time.
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._limit = float(most)
        self._under_way = 0
        self._open_from = -math.inf
        self._last_cut = -math.inf
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def limit(self) -> int:
        """Calls that may be under way now."""
        return int(self._limit)

    async def enter(self) -> float:
        """Wait for a place; returns the time the call began, for :meth:`slow_down`."""
        while True:
            wait = self._open_from - self._clock.now()
            if wait > 0:
                await self._clock.sleep(wait)
            elif self._under_way >= self.limit:
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await waiter
            else:
                self._under_way += 1
                return self._clock.now()

    def leave(self) -> None:
        """Give the place back. Everyone who waits looks again, so a cancelled one loses nobody's turn."""
        self._under_way -= 1
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def speed_up(self) -> None:
        """A call succeeded: one more at once after every round of successes."""
        self._limit = min(float(self._most), self._limit + 1 / self._limit)

    def slow_down(self, began: float) -> None:
        """The server said "too many": half as many at once.

        Args:
            began: when the refused call began. Calls begun before the last cut say nothing new.
        """
        now = self._clock.now()
        if began >= self._last_cut and now - self._last_cut >= CUT_SECONDS:
            self._limit = max(1.0, self._limit / 2)
            self._last_cut = now

    def pause(self, seconds: float) -> None:
        """Begin no call for that many seconds."""
        self._open_from = max(self._open_from, self._clock.now() + seconds)
