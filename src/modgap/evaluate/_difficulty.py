"""Accuracy along the difficulty dials of the problems, for each modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modgap.evaluate._pairing import Asked
from modgap.evaluate._statistics import wilson
from modgap.media import Modality

Value = float | int | str

_MOST_VALUES = 8  # distinct numbers shown one by one; more are put into bins
_BINS = 5  # of about as many problems each


@dataclass(frozen=True)
class DifficultyPoint:
    """Accuracy of one task and modality at one value of a dial.

    Args:
        task: full task name.
        dial: name of the dial.
        value: the value, or the bin, in words.
        modality: the modality.
        n: problems.
        accuracy: mean score of them, 0 to 1.
        low: lower end of the Wilson interval.
        high: upper end.
    """

    task: str
    dial: str
    value: str
    modality: Modality
    n: int
    accuracy: float
    low: float
    high: float


def difficulty_points(
    asked: Mapping[str, Mapping[str, Asked]],
    representations: Mapping[str, Modality],
    difficulty: Mapping[str, Mapping[str, Value]],
    level: float = 0.95,
) -> tuple[DifficultyPoint, ...]:
    """Accuracy by dial value, for every dial with at least two values in a task.

    Args:
        asked: task → problem id → what was asked.
        representations: name → modality.
        difficulty: problem id → dial → value.
        level: confidence of the intervals, 0 to 1.

    Returns:
        Points ordered by task, dial, modality and value.
    """
    points = []
    modalities = tuple(dict.fromkeys(representations.values()))
    for task, problems in asked.items():
        dials = sorted({dial for name in problems for dial in difficulty.get(name, {})})
        for dial in dials:
            with_dial = [name for name in problems if dial in difficulty.get(name, {})]
            bins = _bins({name: difficulty[name][dial] for name in with_dial})
            if len(bins) < 2:
                continue
            for modality in modalities:
                forms = [name for name, m in representations.items() if m == modality]
                for label, names in bins:
                    found = [problems[name].score(forms) for name in names]
                    scores = [score for score in found if score is not None]
                    if scores:
                        n, right = len(scores), sum(scores)
                        interval = wilson(min(right, n), n, level)
                        points.append(DifficultyPoint(task, dial, label, modality, n, right / n, *interval))
    return tuple(points)


def _bins(values: Mapping[str, Value]) -> Sequence[tuple[str, list[str]]]:
    """Problem ids by value, in the order of the values; many numbers are binned at their quantiles."""
    distinct = set(values.values())
    numeric = all(isinstance(value, int | float) for value in distinct)
    if not numeric or len(distinct) <= _MOST_VALUES:
        order = sorted(distinct, key=lambda value: (isinstance(value, str), value))
        return [(_words(value), [name for name, v in values.items() if v == value]) for value in order]
    numbers = np.array([float(value) for value in values.values()])
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _BINS + 1)))
    places = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, len(edges) - 2)
    names, bins = list(values), []
    for i in range(len(edges) - 1):
        inside = [names[j] for j in np.flatnonzero(places == i)]
        if inside:
            bins.append((f"{_words(float(edges[i]))}–{_words(float(edges[i + 1]))}", inside))
    return bins


def _words(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
