"""What a strategy gains over asking directly, and how much of the gap to words it closes.

All differences are paired by problem. The share closed is a ratio of two means over the same problems, and is
given only where the gap itself can be told from 0: a share of nothing has no meaning.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modgap.evaluate._pairing import Asked, collect
from modgap.evaluate._record import Record
from modgap.evaluate._statistics import (
    DRAWS,
    Floats,
    group_codes,
    holm,
    paired_bootstrap,
    percentile_interval,
    resample_totals,
    sign_flip_test,
)
from modgap.media import MODALITIES, Modality

DIRECT = "direct"


@dataclass(frozen=True)
class Gain:
    """One strategy against ``direct`` in one modality, for one task or all together.

    Args:
        strategy: name of the strategy.
        modality: what was shown.
        task: full task name, or ``pooled``.
        n: problems asked both ways, and in words where there are any.
        groups: independent groups among them.
        text_accuracy: of ``direct`` in words, 0 to 1; ``None`` without words.
        direct_accuracy: of ``direct`` in this modality.
        accuracy: of the strategy.
        gain_points: 100 × (strategy − direct).
        low_points: lower end of its bootstrap interval over groups.
        high_points: upper end.
        closed: share of the gap between words and ``direct`` that the strategy closes: 1 closes it, below 0
            widens it. ``None`` where the gap cannot be told from 0.
        closed_low: lower end of its bootstrap interval.
        closed_high: upper end.
        p_value: exact sign-flip test of the gain over groups.
        p_holm: the same, adjusted over all tasks and strategies of this modality; for ``pooled`` over the
            strategies.
    """

    strategy: str
    modality: Modality
    task: str
    n: int
    groups: int
    text_accuracy: float | None
    direct_accuracy: float
    accuracy: float
    gain_points: float
    low_points: float
    high_points: float
    closed: float | None
    closed_low: float | None
    closed_high: float | None
    p_value: float
    p_holm: float

    @property
    def claimed(self) -> bool:
        """Whether a difference can be claimed: the interval excludes 0 and the adjusted p is below 0.05."""
        return (self.low_points > 0 or self.high_points < 0) and self.p_holm < 0.05


Rows = list[tuple[str, float, float, float | None]]
"""Of each problem: group, score of the strategy, score of direct, score in words."""


def gains(
    records: Iterable[Record],
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> tuple[Gain, ...]:
    """Every strategy against ``direct``.

    Args:
        records: of one run, of all its strategies.
        level: confidence of the intervals, 0 to 1.
        draws: bootstrap draws.
        rng: of the bootstrap; ``None`` is a fixed seed.

    Returns:
        By modality and strategy, all tasks together first; empty where nothing was asked both ways.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    asked, forms = by_strategy(records)
    direct = asked.get(DIRECT, {})
    found: list[Gain] = []
    for modality in MODALITIES:
        if modality == "text" or modality not in forms:
            continue
        here: list[Gain] = []
        for strategy in sorted(set(asked) - {DIRECT}):
            tasks = {
                task: rows
                for task in sorted(asked[strategy])
                if (rows := _rows(asked[strategy][task], direct.get(task, {}), forms, modality))
            }
            if not tasks:
                continue
            together = [row for rows in tasks.values() for row in rows]
            for task, rows in {"pooled": together, **tasks}.items():
                here.append(_gain(strategy, modality, task, rows, level=level, draws=draws, rng=rng))
        found += _adjusted(here)
    return tuple(found)


def by_strategy(
    records: Iterable[Record],
) -> tuple[dict[str, dict[str, dict[str, Asked]]], dict[Modality, tuple[str, ...]]]:
    """Strategy → task → problem → what was asked; and modality → names of its representations."""
    split: dict[str, list[Record]] = {}
    forms: dict[Modality, set[str]] = {}
    for record in records:
        split.setdefault(record.strategy, []).append(record)
        forms.setdefault(record.modality, set()).add(record.representation)
    asked = {strategy: collect(mine) for strategy, mine in sorted(split.items())}
    return asked, {modality: tuple(sorted(found)) for modality, found in forms.items()}


def _rows(
    this: Mapping[str, Asked],
    direct: Mapping[str, Asked],
    forms: Mapping[Modality, tuple[str, ...]],
    modality: Modality,
) -> Rows:
    rows: Rows = []
    written = forms.get("text", ())
    for name in sorted(this.keys() & direct.keys()):
        mine = [form for form in forms[modality] if form in this[name].readings]
        score, plain = this[name].score(mine), direct[name].score(mine)
        words = direct[name].score(written)
        if score is not None and plain is not None and (words is not None or not written):
            rows.append((direct[name].group, score, plain, words))
    return rows


def _gain(
    strategy: str,
    modality: Modality,
    task: str,
    rows: Rows,
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> Gain:
    groups = [row[0] for row in rows]
    score, plain = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    words = None if rows[0][3] is None else np.array([row[3] for row in rows], dtype=np.float64)
    interval = paired_bootstrap(score - plain, rng, groups, draws, level)
    codes = group_codes(groups)
    closed = (
        None
        if words is None
        else _closed(score - plain, words - plain, groups, level=level, draws=draws, rng=rng)
    )
    p_value = sign_flip_test(np.bincount(codes, weights=score - plain), rng)
    return Gain(
        strategy=strategy,
        modality=modality,
        task=task,
        n=len(rows),
        groups=int(codes.max()) + 1,
        text_accuracy=None if words is None else float(words.mean()),
        direct_accuracy=float(plain.mean()),
        accuracy=float(score.mean()),
        gain_points=100 * float((score - plain).mean()),
        low_points=100 * interval.low,
        high_points=100 * interval.high,
        closed=closed[0] if closed else None,
        closed_low=closed[1] if closed else None,
        closed_high=closed[2] if closed else None,
        p_value=p_value,
        p_holm=p_value,
    )


def _closed(
    gain: Floats,
    gap: Floats,
    groups: Sequence[str],
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[float, float, float] | None:
    """Share of the gap that is closed, with its interval; ``None`` where the gap may be 0."""
    interval = paired_bootstrap(gap, rng, groups, draws, level)
    codes = group_codes(groups)
    p_value = sign_flip_test(np.bincount(codes, weights=gap), rng)
    if interval.low <= 0 <= interval.high or p_value >= 1 - level:
        return None
    rows = np.column_stack([np.bincount(codes, weights=gain), np.bincount(codes, weights=gap)])
    totals = resample_totals(rows, rng, draws)
    totals = totals[np.abs(totals[:, 1]) > 1e-9]
    spread = percentile_interval(totals[:, 0] / totals[:, 1], level)
    return float(gain.mean() / gap.mean()), spread.low, spread.high


def _adjusted(found: Sequence[Gain]) -> list[Gain]:
    """p-values adjusted over everything that is tested: the tasks among themselves, the pooled likewise."""
    p_holm = [0.0] * len(found)
    for pooled in (True, False):
        places = [i for i, one in enumerate(found) if (one.task == "pooled") == pooled]
        for i, p in zip(places, holm([found[i].p_value for i in places]), strict=True):
            p_holm[i] = p
    return [dataclasses.replace(one, p_holm=p) for one, p in zip(found, p_holm, strict=True)]
