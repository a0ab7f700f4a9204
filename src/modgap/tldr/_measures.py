"""How well scores find what is wrong: average precision, operating points, calibration.

    pool = pool_words(examples, scores)
    ranked(pool, rng)                  # AP of wrong words, prevalence, AUROC, with intervals

Words are pooled over captions. Average precision is that of *wrong* words, AP(neg) in the paper; a detector
that knows nothing has the prevalence, so the two belong side by side. Resampling is by group: captions of one
picture, and the four of a twin, are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modgap._errors import InputError
from modgap.evaluate._statistics import Interval, group_codes, percentile_interval

from ._calibrate import calibration_bins, calibration_error
from ._example import Example
from ._labels import token_labels
from ._scores import TokenScores, words

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

DRAWS = 400
"""Bootstrap draws of rankings (our choice: an end of an interval moves by about a tenth of its width)."""
_CELLS = 8_000_000  # weights held at once


@dataclass(frozen=True)
class Figure:
    """One figure of a table.

    Args:
        name: what it is.
        value: mostly a fraction, 0 to 1.
        low: lower end of its 95 % interval over pictures.
        high: upper end.
        n: captions, words or tokens behind it.
        baseline: what one that knows nothing has, where there is such a figure.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    baseline: float | None = None


@dataclass(frozen=True)
class Pool:
    """Words or tokens of many captions.

    Args:
        bad: score of each, the higher the more likely wrong.
        wrong: whether it is.
        caption: which caption it is from, in order.
        group: number of the group of each.
        groups: how many groups there are.
        form: number of the spelling of each, capitals ignored; of words.
    """

    bad: Float[np.ndarray, " n"]
    wrong: Bool[np.ndarray, " n"]
    caption: Int[np.ndarray, " n"]
    group: Int[np.ndarray, " n"]
    groups: int
    form: Int[np.ndarray, " n"] | None = None

    def only(self, kept: Bool[np.ndarray, " n"]) -> Pool:
        """Some of the words; groups without any are gone."""
        codes, group = np.unique(self.group[kept], return_inverse=True)
        form = None if self.form is None else self.form[kept]
        return Pool(self.bad[kept], self.wrong[kept], self.caption[kept], group, len(codes), form)

    def that_err(self) -> Pool:
        """The words whose spelling is wrong somewhere. The others ("the", "picture") are known to be right
        without a look, so the prevalence among these is what knowing nothing of the picture has."""
        if self.form is None:
            raise ValueError("tokens have no spelling")
        return self.only(np.isin(self.form, self.form[self.wrong]))


def pool_words(examples: Sequence[Example], scores: Sequence[TokenScores], *, unit: str = "word") -> Pool:
    """Scores beside labels. Words that are neither right nor wrong are left out.

    Args:
        examples: with labels.
        scores: of each.
        unit: ``word``, comparable between models; or ``token``, as published.

    Raises:
        InputError: if there are not as many scores as examples, or the unit is another.
    """
    if len(examples) != len(scores):
        raise InputError(f"{len(examples)} examples and {len(scores)} scores do not match; give one for each")
    if unit not in ("word", "token"):
        raise InputError(f"unit {unit!r} is not accepted; give word or token")
    codes = group_codes([example.group for example in examples])
    bad, wrong, caption = [], [], []
    forms: dict[str, int] = {}
    form: list[int] = []
    for index, (example, one) in enumerate(zip(examples, scores, strict=True)):
        offsets, values = one.offsets, one.bad
        if unit == "word":
            found = words(one, example.response)
            offsets = np.array([(w.start, w.end) for w in found], dtype=np.int64).reshape(len(found), 2)
            values = np.array([w.bad for w in found])
        labels, weights = token_labels(offsets, example.spans)
        kept = weights > 0
        if unit == "word":
            form += [
                forms.setdefault(example.response[a:b].strip(".,;:!?").lower(), len(forms))
                for a, b in offsets[kept]
            ]
        bad.append(values[kept])
        wrong.append(labels[kept] == 0)
        caption.append(np.full(int(kept.sum()), index))
    whose = np.concatenate([*caption, np.zeros(0, dtype=np.int64)]).astype(np.int64)
    return Pool(
        np.concatenate([*bad, np.zeros(0)]),
        np.concatenate([*wrong, np.zeros(0, dtype=np.bool_)]).astype(np.bool_),
        whose,
        codes[whose],
        int(codes.max(initial=-1)) + 1,
        np.array(form, dtype=np.int64) if unit == "word" else None,
    )


def draw_areas(
    pool: Pool, rng: np.random.Generator, draws: int = DRAWS
) -> tuple[Float[np.ndarray, "draws 3"], Float[np.ndarray, " 3"]]:
    """AP, AUROC and prevalence, of resampled groups and as observed.

    Pools of the same captions with generators of one seed have the same draws, so differences are paired.
    """
    counts = rng.multinomial(pool.groups, np.full(pool.groups, 1 / pool.groups), size=draws)
    drawn = _areas(pool.wrong, pool.bad, pool.group, counts.astype(np.float64))
    return drawn, _areas(pool.wrong, pool.bad, pool.group, np.ones((1, pool.groups)))[0]


def ranked(pool: Pool, rng: np.random.Generator) -> tuple[Figure, Figure]:
    """AP of wrong words, beside the prevalence, and AUROC.

    Raises:
        InputError: if nothing in the pool is wrong, or nothing right.
    """
    if pool.wrong.all() or not pool.wrong.any():
        raise InputError(
            f"{len(pool.wrong)} words with {int(pool.wrong.sum())} wrong ones: a ranking needs right and "
            "wrong ones; give labelled captions with both"
        )
    drawn, seen = draw_areas(pool, rng)
    ap, area = (percentile_interval(drawn[~np.isnan(drawn[:, i]), i]) for i in (0, 1))
    n = len(pool.wrong)
    return (
        Figure("AP of wrong words", float(seen[0]), *ap, n, float(seen[2])),
        Figure("AUROC of words", float(seen[1]), *area, n, 0.5),
    )


def _areas(
    wrong: NDArray[np.bool_], bad: NDArray[np.float64], group: NDArray[np.int64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """AP, AUROC and prevalence for each row of group weights.

    Both areas are sums over wrong words, which are few: of a run of equal scores with a wrong word in it,
    they need the weight of all words before and in it, which is a product of group weights and counts of
    words by group.
    """
    order = np.argsort(-bad, kind="stable")
    hit, whose = wrong[order], group[order]
    run = np.cumsum(np.diff(bad[order], prepend=np.inf) != 0) - 1
    chosen = np.unique(run[hit])  # the runs that hold a wrong word
    inside = np.isin(run, chosen)
    # Segment 2k: words between the chosen runs k - 1 and k; segment 2k + 1: those of run k.
    segment = 2 * np.searchsorted(chosen, run) + inside
    groups = counts.shape[1]
    total = counts @ np.bincount(whose, minlength=groups)
    positive = counts @ np.bincount(whose[hit], minlength=groups)
    negative = total - positive
    every, true, ap, area = (np.zeros(len(counts)) for _ in range(4))
    step = max(1, _CELLS // max(2 * groups, len(counts)))
    for start in range(0, len(chosen), step):
        n = min(step, len(chosen) - start)
        now = (segment >= 2 * start) & (segment < 2 * (start + n))
        cell = whose[now] * 2 * n + segment[now] - 2 * start
        found = np.bincount(cell, minlength=groups * 2 * n).reshape(groups, 2 * n)
        ends = every[:, None] + np.cumsum(counts @ found, axis=1)
        cell = whose[now & hit] * n + segment[now & hit] // 2 - start
        trues = counts @ np.bincount(cell, minlength=groups * n).reshape(groups, n)
        above = true[:, None] + np.cumsum(trues, axis=1)
        before, after = ends[:, 0::2], ends[:, 1::2]
        ap += (np.divide(above, after, out=np.zeros_like(above), where=after > 0) * trues).sum(axis=1)
        false_before, false_after = before - above + trues, after - above
        area += ((negative[:, None] - (false_before + false_after) / 2) * trues).sum(axis=1)
        every, true = ends[:, -1], above[:, -1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([ap / positive, area / (positive * negative), positive / total], axis=1)


def best_threshold(pool: Pool) -> float:
    """The score above which flagging has the highest F1 of wrong words; midway between two scores.

    Raises:
        InputError: if nothing is wrong.
    """
    if not pool.wrong.any():
        raise InputError("no wrong word to choose a threshold with; give labelled captions with errors")
    order = np.argsort(-pool.bad, kind="stable")
    bad, hit = pool.bad[order], pool.wrong[order]
    ends = np.flatnonzero(np.diff(bad, append=-np.inf))
    true = np.cumsum(hit)[ends]
    f1 = 2 * true / (ends + 1 + hit.sum())
    best = int(np.argmax(f1))
    lower = bad[ends[best] + 1] if ends[best] + 1 < len(bad) else bad[ends[best]] - 1.0
    return float((bad[ends[best]] + lower) / 2)


@dataclass(frozen=True)
class OperatingPoint:
    """What is found at a fixed number of false alarms.

    Args:
        false_per_1000_words: right words that are flagged, of 1,000 words; at most what was asked for.
        recall: fraction of the wrong words that are flagged.
        precision: fraction of the flagged words that are wrong; ``nan`` if none is flagged.
        threshold: words with a score of at least this are flagged; infinite if none is.
    """

    false_per_1000_words: float
    recall: float
    precision: float
    threshold: float


def at_false_flags(pool: Pool, per_1000_words: float) -> OperatingPoint:
    """The highest recall with at most so many false flags in 1,000 words."""
    order = np.argsort(-pool.bad, kind="stable")
    bad, hit = pool.bad[order], pool.wrong[order]
    ends = np.flatnonzero(np.diff(bad, append=-np.inf))
    true = np.cumsum(hit)[ends]
    false = ends + 1 - true
    fine = np.flatnonzero(false <= per_1000_words / 1000 * len(bad))
    if len(fine) == 0:
        return OperatingPoint(0.0, 0.0, float("nan"), float("inf"))
    at = fine[-1]
    return OperatingPoint(
        1000 * float(false[at]) / len(bad),
        float(true[at]) / max(int(hit.sum()), 1),
        float(true[at]) / float(ends[at] + 1),
        float(bad[ends[at]]),
    )


@dataclass(frozen=True)
class CalibrationError:
    """How far probabilities are from frequencies.

    Args:
        ece: mean distance of probability and frequency over bins with as many tokens each, 0 to 1.
        brier: mean squared distance of probability and outcome, 0 to 1.
        base_brier: Brier score of saying the prevalence everywhere.
        bins: mean probability, frequency and count of each bin.
    """

    ece: float
    brier: float
    base_brier: float
    bins: tuple[tuple[float, float, float], ...]


def calibration_of(pool: Pool) -> CalibrationError | None:
    """Calibration of scores that are probabilities; ``None`` if one is outside 0 to 1, or there are none."""
    if len(pool.bad) == 0 or pool.bad.min() < 0 or pool.bad.max() > 1:
        return None
    weights = np.ones(len(pool.bad))
    rate = float(pool.wrong.mean())
    return CalibrationError(
        calibration_error(pool.bad, pool.wrong, weights),
        float(np.mean((pool.bad - pool.wrong) ** 2)),
        rate * (1 - rate),
        calibration_bins(pool.bad, pool.wrong, weights),
    )


def interval_of(drawn: Float[np.ndarray, " draws"]) -> Interval:
    """Percentile interval of the draws that are numbers."""
    numbers = drawn[np.isfinite(drawn)]
    return percentile_interval(numbers) if len(numbers) else Interval(float("nan"), float("nan"))
