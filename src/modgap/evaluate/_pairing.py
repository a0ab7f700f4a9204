"""Records laid side by side: the same problem in words and in another modality.

The text score of a problem is the mean over its text representations and samples, never the best of them (the
best form chosen on the test items overstates the gap); the score in another modality likewise. Records with
outcome ``error`` are left out; a problem is paired when it has another record on both sides.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from modgap.evaluate._agreement import Agreement, cohen_kappa, kappa_of
from modgap.evaluate._record import Record
from modgap.evaluate._statistics import Floats

Reading = tuple[bool, str | None]
"""Whether one reply was right, and the answer read from it."""


@dataclass(frozen=True)
class Asked:
    """One problem of one task: the readings of every representation, by sample."""

    problem_id: str
    group: str
    readings: dict[str, dict[int, Reading]]

    def score(self, representations: Iterable[str]) -> float | None:
        """Mean over representations of the mean over samples; ``None`` without any reply."""
        means = []
        for name in representations:
            samples = self.readings.get(name)
            if samples:
                means.append(sum(right for right, _ in samples.values()) / len(samples))
        return sum(means) / len(means) if means else None


def collect(records: Iterable[Record]) -> dict[str, dict[str, Asked]]:
    """Arrange records by task and problem, without those that ended in error.

    Returns:
        task → problem id → what was asked of it.
    """
    tasks: dict[str, dict[str, Asked]] = {}
    for record in records:
        if record.outcome == "error":
            continue
        problems = tasks.setdefault(record.task, {})
        asked = problems.get(record.problem_id)
        if asked is None:
            group = record.group or record.problem_id
            asked = problems[record.problem_id] = Asked(record.problem_id, group, {})
        reading = (record.outcome == "correct", record.answer)
        asked.readings.setdefault(record.representation, {})[record.sample] = reading
    return tasks


class Table(NamedTuple):
    """How paired problems fall, in problems; shares when a problem has several forms or samples."""

    both_right: float
    only_text: float
    only_other: float
    both_wrong: float


@dataclass(frozen=True)
class Paired:
    """The problems of one task that have a score on both sides, in a fixed order.

    Args:
        groups: group of each problem.
        first: score of the first side (text), 0 to 1.
        second: score of the other side.
    """

    groups: tuple[Hashable, ...]
    first: Floats
    second: Floats

    @property
    def n(self) -> int:
        """Number of problems."""
        return len(self.groups)

    @property
    def differences(self) -> Floats:
        """First minus second, −1 to 1."""
        return self.first - self.second

    @property
    def binary(self) -> bool:
        """Whether every score is 0 or 1 and every problem its own group, as McNemar's test assumes."""
        whole = np.isin(self.first, (0.0, 1.0)).all() and np.isin(self.second, (0.0, 1.0)).all()
        return bool(whole) and len(set(self.groups)) == self.n

    def table(self) -> Table:
        """The 2 × 2 table; ``only_text − only_other`` is the sum of the differences."""
        a, b = self.first, self.second
        cells = (a * b, a * (1 - b), (1 - a) * b, (1 - a) * (1 - b))
        return Table(*(float(cell.sum()) for cell in cells))


def pair(problems: Iterable[Asked], text: Iterable[str], other: Iterable[str]) -> Paired:
    """Pair the scores of ``text`` with those of ``other`` representations, problem by problem."""
    text, other = tuple(text), tuple(other)
    rows = []
    for asked in problems:
        first, second = asked.score(text), asked.score(other)
        if first is not None and second is not None:
            rows.append((asked.group, first, second))
    return Paired(
        tuple(row[0] for row in rows), np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    )


def agreement(problems: Iterable[Asked], text: Iterable[str], other: Iterable[str]) -> Agreement | None:
    """How often both sides give the same answer, averaged over pairs of forms.

    Sample i of one side is compared with sample i of the other. A missing answer agrees with nothing.

    Returns:
        The agreement with its chance level, or ``None`` if no problem has a reply on both sides.
    """
    problems = tuple(problems)
    found: list[tuple[int, Agreement]] = []
    other = tuple(other)
    for first in text:
        for second in other:
            sides: tuple[list[str | None], list[str | None]] = ([], [])
            for asked in problems:
                left, right = asked.readings.get(first, {}), asked.readings.get(second, {})
                for sample in left.keys() & right.keys():
                    sides[0].append(left[sample][1])
                    sides[1].append(right[sample][1])
            if sides[0]:
                found.append((len(sides[0]), cohen_kappa(*sides)))
    if not found:
        return None
    return mean_agreement(found)


def mean_agreement(found: Iterable[tuple[int, Agreement]]) -> Agreement:
    """Weighted mean of agreements (weight, agreement); kappa is that of the means."""
    found = tuple(found)
    total = sum(weight for weight, _ in found)
    observed = sum(weight * one.observed for weight, one in found) / total
    chance = sum(weight * one.chance for weight, one in found) / total
    return Agreement(observed, chance, kappa_of(observed, chance))
