"""The gap between words and another modality: for one task, pooled over tasks, and as the mean over tasks.

Pooled weighs problems alike, macro weighs tasks alike. Groups of problems may span tasks (several questions
about one scene), so one draw of groups serves all tasks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modgap.evaluate._agreement import Agreement
from modgap.evaluate._pairing import Asked, Paired, agreement, mean_agreement, pair
from modgap.evaluate._statistics import (
    Floats,
    Interval,
    constant_interval,
    design_effect,
    group_codes,
    holm,
    mcnemar_exact,
    minimum_detectable_gap,
    paired_bootstrap,
    percentile_interval,
    resample_totals,
    sign_flip_test,
    wilson,
)
from modgap.media import Modality

_SMALLEST_STRATUM = 20  # groups; smaller ones are drawn together, or their variance would be understated


@dataclass(frozen=True)
class FormGap:
    """One text representation against one other representation of a task.

    Args:
        text_representation: name of the first.
        representation: name of the second.
        n: paired problems.
        gap_points: 100 × (text − other).
        only_text: problems right only in the first; with several samples the majority counts.
        only_other: problems right only in the second.
        p_value: exact McNemar test.
    """

    text_representation: str
    representation: str
    n: int
    gap_points: float
    only_text: int
    only_other: int
    p_value: float


@dataclass(frozen=True)
class Gap:
    """Words against one other modality on the same problems, for one task or pooled over tasks.

    Args:
        task: full task name, or ``pooled``.
        modality: the other modality.
        n: paired problems.
        groups: independent groups among them.
        text_accuracy: mean over problems of the text score, 0 to 1.
        text_low: lower end of its Wilson interval.
        text_high: upper end.
        modality_accuracy: the same for the other modality.
        modality_low: lower end of its Wilson interval.
        modality_high: upper end.
        gap_points: 100 × (text − modality).
        low_points: lower end of its bootstrap interval over groups.
        high_points: upper end.
        p_value: exact sign-flip test over groups.
        p_holm: the same, adjusted over the tasks of this modality; for ``pooled`` the p-value itself.
        test: ``mcnemar`` where the test is McNemar's, else ``sign-flip``.
        both_right: problems right in both; shares when there are several forms or samples.
        only_text: right only in words.
        only_other: right only in the other modality.
        both_wrong: right in neither.
        agreement: share of pairs with the same answer; ``None`` without pairs.
        agreement_chance: share expected from how often each answer is given on each side.
        kappa: agreement beyond chance (Cohen).
        detectable_points: smallest gap found with 80 % power at this n and disagreement, in points.
        forms: every pair of a text form and another form, each with McNemar's test.
    """

    task: str
    modality: Modality
    n: int
    groups: int
    text_accuracy: float
    text_low: float
    text_high: float
    modality_accuracy: float
    modality_low: float
    modality_high: float
    gap_points: float
    low_points: float
    high_points: float
    p_value: float
    p_holm: float
    test: str
    both_right: float
    only_text: float
    only_other: float
    both_wrong: float
    agreement: float | None
    agreement_chance: float | None
    kappa: float | None
    detectable_points: float
    forms: tuple[FormGap, ...] = ()

    @property
    def claimed(self) -> bool:
        """Whether a difference can be claimed: the interval excludes 0 and the adjusted p is below 0.05."""
        return (self.low_points > 0 or self.high_points < 0) and self.p_holm < 0.05


@dataclass(frozen=True)
class MacroGap:
    """The unweighted mean over tasks of one modality's gaps.

    Args:
        modality: the other modality.
        tasks: number of tasks.
        text_accuracy: mean over tasks, 0 to 1.
        modality_accuracy: mean over tasks, 0 to 1.
        gap_points: 100 × (text − modality).
        low_points: lower end of the bootstrap interval over groups.
        high_points: upper end.
    """

    modality: Modality
    tasks: int
    text_accuracy: float
    modality_accuracy: float
    gap_points: float
    low_points: float
    high_points: float


def task_gaps(
    asked: Mapping[str, Mapping[str, Asked]],
    modality: Modality,
    text: Sequence[str],
    forms: Sequence[str],
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> list[tuple[Gap, Paired]]:
    """The gap of every task that has paired problems, with p-values adjusted over these tasks.

    Args:
        asked: task → problem id → what was asked.
        modality: the other modality.
        text: names of the text representations.
        forms: names of the representations of the other modality.
        level: confidence of the intervals, 0 to 1.
        draws: bootstrap draws.
        rng: of the bootstrap.

    Returns:
        The gaps, each with the scores it was computed from.
    """
    found = []
    for (task, problems), source in zip(asked.items(), rng.spawn(len(asked)), strict=True):
        paired = pair(problems.values(), text, forms)
        if paired.n == 0:
            continue
        interval = paired_bootstrap(paired.differences, source, paired.groups, draws, level)
        together = agreement(problems.values(), text, forms)
        compared = tuple(_form_gap(problems.values(), first, second) for first in text for second in forms)
        gap = _gap(task, modality, paired, interval=interval, together=together, rng=source, level=level)
        found.append((dataclasses.replace(gap, forms=tuple(c for c in compared if c.n)), paired))
    adjusted = holm([gap.p_value for gap, _ in found])
    return [
        (dataclasses.replace(gap, p_holm=p), paired) for (gap, paired), p in zip(found, adjusted, strict=True)
    ]


def _form_gap(problems: Iterable[Asked], first: str, second: str) -> FormGap:
    paired = pair(problems, [first], [second])
    left, right = paired.first > 0.5, paired.second > 0.5
    only_text, only_other = int((left & ~right).sum()), int((right & ~left).sum())
    gap = 100 * float(paired.differences.mean()) if paired.n else 0.0
    return FormGap(first, second, paired.n, gap, only_text, only_other, mcnemar_exact(only_text, only_other))


def _gap(
    task: str,
    modality: Modality,
    paired: Paired,
    *,
    interval: Interval,
    together: Agreement | None,
    rng: np.random.Generator,
    level: float,
) -> Gap:
    differences, n = paired.differences, paired.n
    codes = group_codes(paired.groups)
    p_value = sign_flip_test(np.bincount(codes, weights=differences), rng)
    effect = design_effect(differences, paired.groups)
    detectable = minimum_detectable_gap(n / effect, float((differences**2).mean()))
    text = wilson(min(float(paired.first.sum()), n), n, level)
    other = wilson(min(float(paired.second.sum()), n), n, level)
    table = paired.table()
    return Gap(
        task=task,
        modality=modality,
        n=n,
        groups=int(codes.max()) + 1,
        text_accuracy=float(paired.first.mean()),
        text_low=text.low,
        text_high=text.high,
        modality_accuracy=float(paired.second.mean()),
        modality_low=other.low,
        modality_high=other.high,
        gap_points=100 * float(differences.mean()),
        low_points=100 * interval.low,
        high_points=100 * interval.high,
        p_value=p_value,
        p_holm=p_value,
        test="mcnemar" if paired.binary else "sign-flip",
        both_right=table.both_right,
        only_text=table.only_text,
        only_other=table.only_other,
        both_wrong=table.both_wrong,
        agreement=together.observed if together else None,
        agreement_chance=together.chance if together else None,
        kappa=together.kappa if together else None,
        detectable_points=100 * detectable,
    )


def gaps_over_tasks(
    of_tasks: Sequence[tuple[Gap, Paired]],
    modality: Modality,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Gap, MacroGap]:
    """Pooled and macro gap of one modality.

    Args:
        of_tasks: what :func:`task_gaps` returned; not empty.
        modality: the other modality.
        level: confidence of the intervals, 0 to 1.
        draws: bootstrap draws.
        rng: of the bootstrap.

    Returns:
        Pooled gap, macro gap.
    """
    pairs = [paired for _, paired in of_tasks]
    everything = Paired(
        tuple(group for paired in pairs for group in paired.groups),
        np.concatenate([paired.first for paired in pairs]),
        np.concatenate([paired.second for paired in pairs]),
    )
    codes = group_codes(everything.groups)
    size, count = int(codes.max()) + 1, len(pairs)
    rows = np.zeros((size, 2 * count))  # per group: sum and number of differences of each task
    start = 0
    for column, paired in enumerate(pairs):
        mine = codes[start : start + paired.n]
        rows[:, column] = np.bincount(mine, weights=paired.differences, minlength=size)
        rows[:, count + column] = np.bincount(mine, minlength=size)
        start += paired.n
    gaps = np.array([gap.gap_points / 100 for gap, _ in of_tasks])
    if np.ptp(rows[:, :count].sum(axis=1) / rows[:, count:].sum(axis=1)) < 1e-12:
        pooled = macro = constant_interval(float(gaps.mean()), size, level)
    else:
        totals = resample_totals(rows, rng, draws, _strata(rows[:, count:]))
        sums, sizes = totals[:, :count], totals[:, count:]
        pooled = percentile_interval(sums.sum(axis=1) / sizes.sum(axis=1), level)
        means = np.where(sizes > 0, sums / np.maximum(sizes, 1), gaps)
        macro = percentile_interval(means.mean(axis=1), level)
    agreements = [
        (gap.n, Agreement(gap.agreement, gap.agreement_chance or 0.0, gap.kappa))
        for gap, _ in of_tasks
        if gap.agreement is not None
    ]
    together = mean_agreement(agreements) if agreements else None
    return (
        _gap("pooled", modality, everything, interval=pooled, together=together, rng=rng, level=level),
        MacroGap(
            modality,
            count,
            float(np.mean([gap.text_accuracy for gap, _ in of_tasks])),
            float(np.mean([gap.modality_accuracy for gap, _ in of_tasks])),
            100 * float(gaps.mean()),
            100 * macro.low,
            100 * macro.high,
        ),
    )


def _strata(sizes: Floats) -> Floats:
    """A code per group for the tasks it covers: n per task is set by the design, so draws keep it."""
    _, codes, counts = np.unique(sizes > 0, axis=0, return_inverse=True, return_counts=True)
    codes = codes.ravel()
    return np.where(counts[codes] < _SMALLEST_STRATUM, -1, codes).astype(np.float64)
