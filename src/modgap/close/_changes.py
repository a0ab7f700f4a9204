"""After minus before, paired by problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap.evaluate import Run
from modgap.evaluate._pairing import collect
from modgap.evaluate._statistics import group_codes, paired_bootstrap, sign_flip_test


@dataclass(frozen=True)
class Change:
    """After minus before, paired by problem.

    Args:
        task: full name, or ``pooled``.
        n: problems.
        before, after: accuracy on pictures, 0 to 1.
        points: 100 × the mean difference; with its 95 % interval over scenes.
        p: exact sign-flip test over scenes.
    """

    task: str
    n: int
    before: float
    after: float
    points: float
    low_points: float
    high_points: float
    p: float

    @property
    def clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low_points > 0 or self.high_points < 0

    @property
    def said(self) -> str:
        """Points after minus before, with their interval."""
        low, high = (f"{end:+.1f}".replace("-", "−") for end in (self.low_points, self.high_points))
        return f"{self.points:+.1f} points ({low} to {high})".replace("-", "−")


Scored = dict[str, dict[str, tuple[str, float]]]
"""Task → problem → (group, score)."""


def scores_of(run: Run, strategy: str, modality: str) -> Scored:
    records = [r for r in run.records() if r.strategy == strategy and r.modality == modality]
    forms = sorted({record.representation for record in records})
    found: Scored = {}
    for task, problems in collect(records).items():
        for name, asked in problems.items():
            score = asked.score(forms)
            if score is not None:
                found.setdefault(task, {})[name] = (asked.group, score)
    return found


def differences(before: Scored, after: Scored) -> list[Change]:
    rows: dict[str, list[tuple[str, float, float]]] = {"pooled": []}
    for task in before:
        for name, (group, score) in before[task].items():
            if name in after.get(task, {}):
                row = (group, score, after[task][name][1])
                rows["pooled"].append(row)
                rows.setdefault(task, []).append(row)
    return [_change(task, of_task) for task, of_task in rows.items() if of_task]


def _change(task: str, rows: Sequence[tuple[str, float, float]]) -> Change:
    groups = [group for group, _, _ in rows]
    first, second = (np.array([row[k] for row in rows]) for k in (1, 2))
    rng = np.random.default_rng(0)
    low, high = paired_bootstrap(second - first, rng, groups)
    p = sign_flip_test(np.bincount(group_codes(groups), weights=second - first), rng)
    mean = 100 * float((second - first).mean())
    return Change(task, len(rows), float(first.mean()), float(second.mean()), mean, 100 * low, 100 * high, p)


def pooled_difference(before: Scored, after: Scored) -> Change | None:
    found = differences(before, after)
    return found[0] if found else None
