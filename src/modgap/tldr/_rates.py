"""How often captions are wrong, from a detector's flags, corrected for the detector's own errors.

    found = estimate(flagged, labelled, rng)      # tables of counts, one row a caption
    found.naive, found.rogan_gladen, found.powered

A detector's flags are not errors: it misses some and invents others, so the share of flagged words is biased
both ways (the paper reports it as the rate). Two corrections use a few captions with labels:

*Rogan–Gladen* (1978): (flagged share − false alarm rate) / (recall − false alarm rate), both rates from the
labelled captions. It holds if the detector errs in the same way on both; it is wide where it hardly detects.

*Prediction-powered* (Angelopoulos et al. 2023, with the weight of PPI++): the rate of the labelled captions,
plus a weight times the difference between the flags on all captions and on the labelled ones. It needs no
model of the detector's errors; at weight 0 it is the labelled rate alone, so a bad detector costs nothing.

All are per 100 words, or of 100 sentences or captions; *micro* (sums over all captions) or *macro* (mean of
captions, as published). Intervals resample captions, labelled and not, by group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from modgap._errors import InputError
from modgap.evaluate._statistics import Interval, group_codes, percentile_interval

from ._example import TypedSpan
from ._labels import token_labels
from ._scores import TokenScores, words
from ._sentences import sentences

if TYPE_CHECKING:
    from jaxtyping import Float, Int

UNITS = ("words", "sentences", "captions")
Mean = Literal["micro", "macro"]
DRAWS = 2000
LEAST_POWER = 0.02
"""Recall less false alarm rate below which Rogan–Gladen is not computed, as it divides by it (our choice)."""


@dataclass(frozen=True)
class Counts:
    """What was counted in captions, by unit.

    Args:
        total: units in each caption.
        flagged: of them, flagged by the detector.
        wrong: of them, wrong by the labels; ``None`` without labels.
        both: of them, flagged and wrong.
        group: number of the group of each caption.
    """

    total: Float[np.ndarray, " captions"]
    flagged: Float[np.ndarray, " captions"]
    wrong: Float[np.ndarray, " captions"] | None
    both: Float[np.ndarray, " captions"] | None
    group: Int[np.ndarray, " captions"]

    def __len__(self) -> int:
        return len(self.total)


@dataclass(frozen=True)
class Estimate:
    """A rate of 100, with its 95 % interval; ``nan`` where it cannot be computed."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class RateEstimates:
    """Rates of one unit.

    Args:
        unit: words, sentences or captions.
        mean: micro or macro.
        naive: what is flagged, as published.
        labelled: of the labelled captions alone.
        rogan_gladen: corrected by recall and false alarm rate.
        powered: prediction-powered.
        weight: of the detector in it, 0 to 1.
    """

    unit: str
    mean: Mean
    naive: Estimate
    labelled: Estimate
    rogan_gladen: Estimate
    powered: Estimate
    weight: float


def count_units(
    captions: Sequence[str],
    scores: Sequence[TokenScores],
    threshold: float,
    unit: str,
    *,
    spans: Sequence[Sequence[TypedSpan]] | None = None,
    groups: Sequence[str] | None = None,
) -> Counts:
    """Count what is flagged and what is wrong.

    Args:
        captions: as scored; empty ones count nothing.
        scores: of each.
        threshold: a word is flagged if its score is above it.
        unit: one of ``UNITS``; a sentence, or a caption, is wrong if a word of it is.
        spans: labels of each caption, or ``None``.
        groups: of each caption; every caption its own by default.

    Raises:
        InputError: if the unit is another.
    """
    if unit not in UNITS:
        raise InputError(f"unit {unit!r} is not one of {', '.join(UNITS)}")
    table = np.zeros((len(captions), 4))
    for row, (caption, one) in enumerate(zip(captions, scores, strict=True)):
        found = words(one, caption)
        offsets = np.array([(w.start, w.end) for w in found], dtype=np.int64).reshape(len(found), 2)
        flagged = np.array([w.bad > threshold for w in found], dtype=np.bool_)
        labels, weights = token_labels(offsets, () if spans is None else spans[row])
        kept = weights > 0
        offsets, flagged, wrong = offsets[kept], flagged[kept], (labels == 0)[kept]
        for part in _parts(caption, offsets, unit):
            f, w = bool(flagged[part].any()), bool(wrong[part].any())
            table[row] += (1, f, w, f and w)
    names = [str(i) for i in range(len(captions))] if groups is None else list(groups)
    known = spans is not None
    return Counts(
        table[:, 0],
        table[:, 1],
        table[:, 2] if known else None,
        table[:, 3] if known else None,
        np.array(group_codes(names)),
    )


def _parts(caption: str, offsets: np.ndarray, unit: str) -> list[np.ndarray]:
    """Which words each unit of a caption holds; units without a word are left out."""
    if unit == "words":
        return [np.array([i]) for i in range(len(offsets))]
    bounds = sentences(caption) if unit == "sentences" else [(0, len(caption))]
    inside = [np.flatnonzero((offsets[:, 0] < end) & (offsets[:, 1] > start)) for start, end in bounds]
    return [part for part in inside if len(part)]


def estimate(
    flagged: Counts,
    labelled: Counts,
    rng: np.random.Generator,
    *,
    unit: str = "words",
    mean: Mean = "micro",
    draws: int = DRAWS,
) -> RateEstimates:
    """Rates of captions whose labels are not known, from those of some that are.

    Args:
        flagged: captions that the rate is about, scored.
        labelled: captions of the same kind, scored and labelled; none of them among the others.
        rng: of the bootstrap.
        unit: what was counted.
        mean: ``micro`` or ``macro``.
        draws: of the bootstrap.

    Raises:
        InputError: if there are fewer than two groups of either, or no labels.
    """
    for name, counts in (("captions", flagged), ("labelled captions", labelled)):
        if len(np.unique(counts.group[counts.total > 0])) < 2:
            raise InputError(f"{name} of fewer than two pictures have no interval; give more")
    if labelled.wrong is None or labelled.both is None:
        raise InputError("the labelled captions have no labels; give captions whose wrong words are marked")
    mine, theirs = _sums(flagged, mean), _sums(labelled, mean)
    weight = _weight(mine, theirs)
    seen = _rates(mine.sum(axis=0, keepdims=True), theirs.sum(axis=0, keepdims=True), weight)[0]
    drawn = _rates(_resampled(mine, rng, draws), _resampled(theirs, rng, draws), weight)
    naive, alone, rogan, powered = (
        _estimate(float(value), column) for value, column in zip(seen, drawn.T, strict=True)
    )
    return RateEstimates(unit, mean, naive, alone, rogan, powered, weight)


_UNITS_, _FLAGGED, _WRONG, _BOTH = range(4)


def _sums(counts: Counts, mean: Mean) -> Float[np.ndarray, "groups 4"]:
    """Units, flagged, wrong, both, by group; for a macro mean each caption is one unit of shares."""
    none = np.zeros(len(counts))
    table = np.column_stack(
        [
            counts.total,
            counts.flagged,
            none if counts.wrong is None else counts.wrong,
            none if counts.both is None else counts.both,
        ]
    )[counts.total > 0]
    if mean == "macro":
        table = table / table[:, :1]
    sums = np.zeros((int(counts.group.max()) + 1, 4))
    np.add.at(sums, counts.group[counts.total > 0], table)
    return sums[sums[:, 0] > 0]


def _weight(mine: np.ndarray, theirs: np.ndarray) -> float:
    """PPI++'s weight: how much of the variance of errors the flags explain, 0 to 1."""
    units = theirs[:, _UNITS_]
    flags = theirs[:, _FLAGGED] - units * theirs[:, _FLAGGED].sum() / units.sum()
    wrong = theirs[:, _WRONG] - units * theirs[:, _WRONG].sum() / units.sum()
    variance = float((flags**2).sum())
    if variance == 0:
        return 0.0
    return float(np.clip((flags * wrong).sum() / (variance * (1 + len(theirs) / len(mine))), 0, 1))


def _rates(mine: np.ndarray, theirs: np.ndarray, weight: float) -> np.ndarray:
    """Naive, labelled, Rogan–Gladen and powered, as fractions, for each row of sums."""
    with np.errstate(invalid="ignore", divide="ignore"):
        naive = mine[:, _FLAGGED] / mine[:, _UNITS_]
        labelled = theirs[:, _WRONG] / theirs[:, _UNITS_]
        recall = theirs[:, _BOTH] / theirs[:, _WRONG]
        alarms = (theirs[:, _FLAGGED] - theirs[:, _BOTH]) / (theirs[:, _UNITS_] - theirs[:, _WRONG])
        power = np.where(recall - alarms < LEAST_POWER, np.nan, recall - alarms)
        rogan = np.clip((naive - alarms) / power, 0, 1)
        powered = np.clip(labelled + weight * (naive - theirs[:, _FLAGGED] / theirs[:, _UNITS_]), 0, 1)
    return np.column_stack([naive, labelled, rogan, powered])


def _resampled(sums: np.ndarray, rng: np.random.Generator, draws: int) -> np.ndarray:
    counts = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=draws)
    return np.asarray(counts @ sums)


def _estimate(value: float, drawn: np.ndarray) -> Estimate:
    fine = drawn[np.isfinite(drawn)]
    # An estimator that exists in some draws only has no interval worth the name.
    if not np.isfinite(value) or len(fine) < 0.975 * len(drawn):
        return Estimate(float("nan"), float("nan"), float("nan"))
    interval: Interval = percentile_interval(fine)
    return Estimate(100 * value, 100 * interval.low, 100 * interval.high)
