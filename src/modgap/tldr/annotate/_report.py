"""Seconds per caption with and without flags, and how many of the known errors were found.

Time is active time until a caption was first said to be done. The arms are compared within each annotator and
then averaged over annotators, so one who did more does not count more; intervals draw whole captions, with
all that annotators did on them. The difference is of annotators with a caption done in each arm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modgap.evaluate._statistics import (
    Interval,
    design_effect,
    percentile_interval,
    resample_totals,
    wilson,
)

from ._agreement import WordAgreement, agreement
from ._items import Flag, Item
from ._words import touched
from ._work import Work

DRAWS = 4_000
"""Bootstrap draws (our choice)."""


@dataclass(frozen=True)
class Arm:
    """One arm: captions with flags, or without.

    Args:
        with_flags: which.
        n: captions done, each annotator's counted.
        seconds: mean over annotators of their mean active time per caption; ``None`` without captions.
        interval: of that, 95 %; ``None`` below two different captions.
        median: of all captions, in seconds.
        marks: made, per caption.
        outside: of these, on words without a flag, per caption.
        clean: share of captions without a mark.
    """

    with_flags: bool
    n: int
    seconds: float | None
    interval: Interval | None
    median: float | None
    marks: float
    outside: float
    clean: float


@dataclass(frozen=True)
class Recall:
    """Known errors in captions that are done.

    Args:
        with_flags: the arm.
        flagged: whether the detector flags the error (shown or not), or ``None`` for all errors.
        found: with a mark on one of its words.
        n: known errors, each annotator's counted.
        interval: of the share found, 95 %.
    """

    with_flags: bool
    flagged: bool | None
    found: int
    n: int
    interval: Interval


@dataclass(frozen=True)
class AnnotationReport:
    """What ``modgap tldr annotate DIR --report`` prints.

    Args:
        progress: annotator → captions done and dealt.
        arms: with flags, then without.
        difference: seconds per caption with flags minus without, over annotators with both; ``None`` if none.
        difference_interval: of that, 95 %.
        recall: for each arm: all known errors, those flagged, those not flagged; empty rows left out.
        agreement: of the annotators, on words.
    """

    progress: Mapping[str, tuple[int, int]]
    arms: tuple[Arm, Arm]
    difference: float | None
    difference_interval: Interval | None
    recall: tuple[Recall, ...]
    agreement: WordAgreement


def report(works: Sequence[Work], items: Mapping[str, Item], seed: int = 0) -> AnnotationReport:
    """Figures of the work so far.

    Args:
        works: of all annotators.
        items: by id.
        seed: of the bootstrap.
    """
    progress: dict[str, tuple[int, int]] = {}
    for work in works:
        done, dealt = progress.get(work.annotator, (0, 0))
        progress[work.annotator] = (done + work.done, dealt + 1)
    done_work = [work for work in works if work.done and work.first_ms is not None]
    drawn = _mean_seconds(done_work, np.random.default_rng(seed))
    difference, interval = _difference(drawn)
    return AnnotationReport(
        progress,
        (_arm(done_work, items, drawn[True], True), _arm(done_work, items, drawn[False], False)),
        difference,
        interval,
        tuple(_recalls(done_work, items)),
        agreement(works, items),
    )


_Means = dict[str, NDArray[np.float64]]


def _mean_seconds(works: Sequence[Work], rng: np.random.Generator) -> dict[bool, _Means]:
    """Arm → annotator → mean seconds: first of the data, then of each draw of captions.

    It is not a number where a draw has no caption of that annotator in that arm.
    """
    rows = {name: at for at, name in enumerate(dict.fromkeys(work.item_id for work in works))}
    cells = sorted({(work.with_flags, work.annotator) for work in works})
    columns = {cell: 2 * at for at, cell in enumerate(cells)}
    table = np.zeros((len(rows), 2 * len(columns)))  # seconds and a count of each cell
    for work in works:
        column = columns[work.with_flags, work.annotator]
        table[rows[work.item_id], column : column + 2] += ((work.first_ms or 0) / 1000, 1)
    means: dict[bool, _Means] = {True: {}, False: {}}
    if works:
        totals = np.vstack([table.sum(axis=0), resample_totals(table, rng, DRAWS)])
        with np.errstate(invalid="ignore"):
            for (shown, annotator), at in columns.items():
                means[shown][annotator] = totals[:, at] / totals[:, at + 1]
    return means


def _summary(means: Sequence[NDArray[np.float64]]) -> tuple[float | None, Interval | None]:
    if not means:
        return None, None
    over = np.mean(means, axis=0)
    usable = over[1:][~np.isnan(over[1:])]
    spread = len(usable) > DRAWS / 2 and float(np.ptp(usable)) > 1e-9
    return float(over[0]), percentile_interval(usable) if spread else None


def _difference(drawn: Mapping[bool, _Means]) -> tuple[float | None, Interval | None]:
    both = [name for name in drawn[True] if name in drawn[False]]
    return _summary([drawn[True][name] - drawn[False][name] for name in both])


def _arm(works: Iterable[Work], items: Mapping[str, Item], means: _Means, with_flags: bool) -> Arm:
    mine = [work for work in works if work.with_flags == with_flags]
    n = len(mine)
    seconds, interval = _summary(list(means.values()))
    marks = sum(len(work.marks) for work in mine)
    outside = sum(
        _is_outside(mark.start, mark.end, items[work.item_id]) for work in mine for mark in work.marks
    )
    return Arm(
        with_flags,
        n,
        seconds,
        interval,
        float(np.median([(work.first_ms or 0) / 1000 for work in mine])) if mine else None,
        marks / n if n else 0.0,
        outside / n if n else 0.0,
        sum(not work.marks for work in mine) / n if n else 0.0,
    )


def _is_outside(start: int, end: int, item: Item) -> bool:
    mine = set(touched(item.words, start, end))
    return not any(mine.intersection(touched(item.words, flag.start, flag.end)) for flag in item.flags)


def _recalls(works: Iterable[Work], items: Mapping[str, Item]) -> Iterable[Recall]:
    seen: dict[tuple[bool, bool | None], list[tuple[str, bool]]] = {}
    for work in works:
        item = items[work.item_id]
        for error in item.known:
            hit = (work.item_id, _is_found(error, work, item))
            flagged = not _is_outside(error.start, error.end, item)
            for key in (None, flagged):
                seen.setdefault((work.with_flags, key), []).append(hit)
    for shown in (True, False):
        for key in (None, True, False):
            hits = seen.get((shown, key), [])
            if hits:
                found = [hit for _, hit in hits]
                # Errors in one caption, and several people on one error, are not independent.
                effect = design_effect(np.array(found, dtype=np.float64), [item for item, _ in hits])
                n = max(1, round(len(found) / effect))
                interval = wilson(n * sum(found) / len(found), n)
                yield Recall(shown, key, sum(found), len(found), interval)


def _is_found(error: Flag, work: Work, item: Item) -> bool:
    wanted = set(touched(item.words, error.start, error.end))
    return any(wanted.intersection(touched(item.words, mark.start, mark.end)) for mark in work.marks)
