"""One requirement of the bundled model and what was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modgap.evaluate._statistics import Interval, wilson
from modgap.scenes import Scene
from modgap.tasks.scenes import LEVELS, sample_world

LEVEL = "plain"


@dataclass(frozen=True)
class Gate:
    """One requirement and what was found.

    Args:
        name: what it is about.
        wanted: the requirement, in words.
        found: the figure.
        low: lower end of its 95 % interval.
        high: upper end.
        n: problems, objects or words behind it.
        unit: ``%`` or ``points``.
        passed: whether the requirement is met.
        note: a control, or a choice made on validation data.
    """

    name: str
    wanted: str
    found: float
    low: float
    high: float
    n: int
    unit: str
    passed: bool
    note: str = ""


def percent(name: str, wanted: str, k: float, n: int, least: float, note: str = "") -> Gate:
    """A share of problems that must be at least so many %."""
    low, high = wilson(k, n)
    return Gate(name, wanted, 100 * k / n, 100 * low, 100 * high, n, "%", 100 * k / n >= least, note)


def interval(name: str, wanted: str, share: float, spread: Interval, n: int, passed: bool, note: str) -> Gate:
    """A share with an interval of its own."""
    return Gate(name, wanted, 100 * share, 100 * spread.low, 100 * spread.high, n, "%", passed, note)


def scenes_of(seed: int, part: int, count: int) -> list[Scene]:
    """Scenes of one part of the gates; no two parts share one."""
    return [sample_world(np.random.default_rng([seed, part, i]), LEVELS[LEVEL]) for i in range(count)]
