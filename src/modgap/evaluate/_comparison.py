"""Several runs over the same problems, compared with the first of them.

    comparison = compare([(run.name, run.records()) for run in runs])

What is unusual: nothing is compared that was not asked in both runs. Scores are paired by problem and
representation, so two runs with other text forms or another n are compared on what they share. Two separate
intervals that overlap say little about a difference; the paired interval here does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
from modgap.evaluate._pairing import Asked, Paired, collect
from modgap.evaluate._record import Record
from modgap.evaluate._statistics import (
    DRAWS,
    Floats,
    Interval,
    group_codes,
    holm,
    paired_bootstrap,
    sign_flip_test,
)
from modgap.evaluate._summary import Summary, of_strategy, summarize
from modgap.media import MODALITIES, Modality


@dataclass(frozen=True)
class Difference:
    """One run against the first, in one modality, for one task or all together.

    Args:
        run: name of the run that is compared.
        modality: what was shown.
        task: full task name, or ``pooled``.
        n: problems asked in both runs.
        groups: independent groups among them.
        first_accuracy: of the first run on these problems, 0 to 1.
        accuracy: of this run on these problems, 0 to 1.
        difference_points: 100 × (this − first).
        low_points: lower end of its bootstrap interval over groups.
        high_points: upper end.
        only_first: problems right only in the first run; shares when there are several forms or samples.
        only_this: problems right only in this run.
        p_value: exact test, McNemar's where it applies.
        p_holm: the same, adjusted over the tasks of this run and modality; for ``pooled`` the p-value itself.
    """

    run: str
    modality: Modality
    task: str
    n: int
    groups: int
    first_accuracy: float
    accuracy: float
    difference_points: float
    low_points: float
    high_points: float
    only_first: float
    only_this: float
    p_value: float
    p_holm: float

    @property
    def claimed(self) -> bool:
        """Whether a difference can be claimed: the interval excludes 0 and the adjusted p is below 0.05."""
        return (self.low_points > 0 or self.high_points < 0) and self.p_holm < 0.05


@dataclass(frozen=True)
class GapChange:
    """How the gap of one run differs from that of the first, on problems asked in both modalities of both.

    Args:
        run: name of the run that is compared.
        modality: the modality that is compared with words.
        n: problems.
        first_gap_points: gap of the first run on these problems.
        gap_points: gap of this run on these problems.
        change_points: this gap minus the first; below 0 the gap is smaller.
        low_points: lower end of its bootstrap interval over groups.
        high_points: upper end.
        p_value: exact sign-flip test over groups.
    """

    run: str
    modality: Modality
    n: int
    first_gap_points: float
    gap_points: float
    change_points: float
    low_points: float
    high_points: float
    p_value: float

    @property
    def claimed(self) -> bool:
        """Whether a change can be claimed: the interval excludes 0 and p is below 0.05."""
        return (self.low_points > 0 or self.high_points < 0) and self.p_value < 0.05


@dataclass(frozen=True)
class Comparison:
    """Several runs side by side.

    Args:
        names: of the runs, the first being what the others are compared with.
        summaries: one per run, over all of its own problems.
        differences: by run, modality and task, ``pooled`` first.
        gap_changes: by run and modality.
        level: confidence of every interval, 0 to 1.
        version: of this format.
    """

    names: tuple[str, ...]
    summaries: tuple[Summary, ...]
    differences: tuple[Difference, ...]
    gap_changes: tuple[GapChange, ...]
    level: float
    version: int = 1


Scored = Mapping[str, Mapping[str, Asked]]


def compare(
    runs: Sequence[tuple[str, Iterable[Record]]],
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> Comparison:
    """Compare runs with the first of them.

    Args:
        runs: name and records of each, at least two.
        level: confidence of the intervals, 0 to 1.
        draws: bootstrap draws.
        rng: of the bootstrap; ``None`` is a fixed seed, so that a comparison made again is the same.

    Returns:
        The comparison.

    Raises:
        InputError: if there are fewer than two runs, or they did not ask the same problems.
    """
    if len(runs) < 2:
        raise InputError(f"compare: {len(runs)} run was given; give two or more run folders")
    rng = np.random.default_rng(0) if rng is None else rng
    kept = [(name, of_strategy(records, None)[0]) for name, records in runs]
    (first_name, first_records), *others = kept
    first = collect(first_records)
    modality_of = {record.representation: record.modality for _, records in kept for record in records}
    differences: list[Difference] = []
    changes: list[GapChange] = []
    for name, records in others:
        _check_same((first_name, first_records), (name, records))
        this = collect(records)
        for modality in MODALITIES:
            forms = sorted(form for form, m in modality_of.items() if m == modality)
            differences.extend(
                _differences(name, modality, (first, this), forms, level=level, draws=draws, rng=rng)
            )
            written = sorted(form for form, m in modality_of.items() if m == "text")
            if modality != "text":
                change = _gap_change(first, this, written, forms)
                if change is not None:
                    changes.append(_finish(name, modality, change, level=level, draws=draws, rng=rng))
    return Comparison(
        tuple(name for name, _ in kept),
        tuple(summarize(records, level=level, draws=draws) for _, records in kept),
        tuple(differences),
        tuple(changes),
        level,
    )


def _check_same(first: tuple[str, Sequence[Record]], this: tuple[str, Sequence[Record]]) -> None:
    expected = {record.problem_id: record.expected for record in first[1]}
    shared = [record for record in this[1] if record.problem_id in expected]
    advice = "measure both with the same suite, settings and seed"
    if not shared:
        raise InputError(f"runs {first[0]} and {this[0]} have no problem in common; {advice}")
    for record in shared:
        if record.expected != expected[record.problem_id]:
            raise InputError(
                f"runs {first[0]} and {this[0]} differ in problem {record.problem_id!r}: its right answer is "
                f"{expected[record.problem_id]!r} in one and {record.expected!r} in the other; {advice}"
            )


def _shared(first: Asked, this: Asked, forms: Iterable[str]) -> tuple[float, float] | None:
    """Scores of both over the representations that both have."""
    both = [form for form in forms if form in first.readings and form in this.readings]
    before, after = first.score(both), this.score(both)
    return None if before is None or after is None else (before, after)


def _pair(first: Mapping[str, Asked], this: Mapping[str, Asked], forms: Sequence[str]) -> Paired:
    rows = []
    for name in sorted(first.keys() & this.keys()):
        found = _shared(first[name], this[name], forms)
        if found is not None:
            rows.append((first[name].group, *found))
    before, after = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    return Paired(tuple(row[0] for row in rows), after, before)


def _differences(
    run: str,
    modality: Modality,
    scored: tuple[Scored, Scored],
    forms: Sequence[str],
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> list[Difference]:
    first, this = scored
    pairs = {task: _pair(first[task], this[task], forms) for task in sorted(first.keys() & this.keys())}
    pairs = {task: paired for task, paired in pairs.items() if paired.n}
    if not pairs:
        return []
    together = Paired(
        tuple(group for paired in pairs.values() for group in paired.groups),
        np.concatenate([paired.first for paired in pairs.values()]),
        np.concatenate([paired.second for paired in pairs.values()]),
    )
    found = []
    for task, paired in ({"pooled": together} | (pairs if len(pairs) > 1 else {})).items():
        interval = paired_bootstrap(paired.differences, rng, paired.groups, draws, level)
        codes = group_codes(paired.groups)
        p_value = sign_flip_test(np.bincount(codes, weights=paired.differences), rng)
        table = paired.table()
        found.append(
            Difference(
                run=run,
                modality=modality,
                task=task,
                n=paired.n,
                groups=int(codes.max()) + 1,
                first_accuracy=float(paired.second.mean()),
                accuracy=float(paired.first.mean()),
                difference_points=100 * float(paired.differences.mean()),
                low_points=100 * interval.low,
                high_points=100 * interval.high,
                only_first=table.only_other,
                only_this=table.only_text,
                p_value=p_value,
                p_holm=p_value,
            )
        )
    adjusted = holm([one.p_value for one in found[1:]])
    tasks = [dataclasses.replace(one, p_holm=p) for one, p in zip(found[1:], adjusted, strict=True)]
    return [found[0], *tasks]


@dataclass(frozen=True)
class _Gaps:
    groups: tuple[str, ...]
    before: Floats
    after: Floats


def _gap_change(first: Scored, this: Scored, written: Sequence[str], forms: Sequence[str]) -> _Gaps | None:
    rows: list[tuple[str, float, float]] = []
    for task in sorted(first.keys() & this.keys()):
        for name in sorted(first[task].keys() & this[task].keys()):
            text = _shared(first[task][name], this[task][name], written)
            other = _shared(first[task][name], this[task][name], forms)
            if text is not None and other is not None:
                rows.append((first[task][name].group, text[0] - other[0], text[1] - other[1]))
    if not rows:
        return None
    return _Gaps(
        tuple(row[0] for row in rows), np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    )


def _finish(
    run: str, modality: Modality, gaps: _Gaps, *, level: float, draws: int, rng: np.random.Generator
) -> GapChange:
    change = gaps.after - gaps.before
    # Gaps lie between −1 and 1, so their change lies between −2 and 2: halved for the interval, which knows
    # −1 to 1.
    half = paired_bootstrap(change / 2, rng, gaps.groups, draws, level)
    interval = Interval(2 * half.low, 2 * half.high)
    return GapChange(
        run=run,
        modality=modality,
        n=len(change),
        first_gap_points=100 * float(gaps.before.mean()),
        gap_points=100 * float(gaps.after.mean()),
        change_points=100 * float(change.mean()),
        low_points=100 * interval.low,
        high_points=100 * interval.high,
        p_value=sign_flip_test(np.bincount(group_codes(gaps.groups), weights=change), rng),
    )
