"""What ``modgap tldr rates`` says of a set of captions: rates of every unit, and what else a rate depends on.

A terse model makes few errors because it says little, and one that refuses makes none. So length, refusals
and, where the scene is known, coverage stand beside the rates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
from modgap.scenes import Scene, read_caption

from ._example import Example
from ._measures import best_threshold, pool_words
from ._measures_report import items_of
from ._rates import UNITS, Estimate, Mean, RateEstimates, count_units, estimate
from ._scores import Detector
from .annotate._words import words as split

MEANS: tuple[Mean, ...] = ("micro", "macro")
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|unable|not able)|i (?:can(?:no|')t|will not|won't) |as an ai\b)",
    re.IGNORECASE,
)
_BEGINNING = 200  # characters in which a refusal is looked for


@dataclass(frozen=True)
class RateReport:
    """Rates of captions, and what stands beside them.

    Args:
        captions: that the rates are about.
        labelled: captions with labels that correct them.
        threshold: above which a word is flagged.
        recall: of wrong words, on the labelled captions.
        false_alarms: fraction of the right words there that are flagged.
        rates: of words, sentences and captions, micro and macro.
        exact: unit and mean → the rate of 100 by the labels of the captions, where they are known.
        mean_words: length of a caption.
        empty: fraction of captions without a word.
        refused: fraction that begins by declining.
        coverage: mean fraction of a scene's objects whose shape a true word names; ``None`` without scenes.
    """

    captions: int
    labelled: int
    threshold: float
    recall: float
    false_alarms: float
    rates: tuple[RateEstimates, ...]
    exact: dict[str, float]
    mean_words: float
    empty: float
    refused: float
    coverage: float | None


def rate_report(
    detector: Detector,
    captions: Sequence[Example],
    labelled: Sequence[Example],
    *,
    threshold: float | None = None,
    known: bool = False,
    seed: int = 0,
) -> RateReport:
    """Rates of captions of one model.

    Args:
        detector: that flags.
        captions: that the rates are about; their labels are not used but for ``exact``.
        labelled: others of the same kind, with labels.
        threshold: a word is flagged if its score is above it; ``None`` for the best F1 on the labelled, which
            then also say how well it flags.
        known: whether the labels of ``captions`` are known; then the exact rates are given too.
        seed: of the bootstrap.

    Raises:
        InputError: if a caption is in both, or there are too few.
    """
    if both := {e.group for e in captions} & {e.group for e in labelled}:
        raise InputError(
            f"picture {min(both)!r} has captions among the labelled and the others; keep them apart"
        )
    spoken = [e for e in captions if split(e.response)]
    labelled = [e for e in labelled if split(e.response)]
    flags, marks = detector.score(items_of(spoken)), detector.score(items_of(labelled))
    pool = pool_words(labelled, marks)
    if threshold is None:
        threshold = best_threshold(pool)
    rates, exact = [], {}
    for unit in UNITS:
        texts, groups = [e.response for e in spoken], [e.group for e in spoken]
        spans = [e.spans for e in spoken] if known else None
        mine = count_units(texts, flags, threshold, unit, spans=spans, groups=groups)
        theirs = count_units(
            [e.response for e in labelled],
            marks,
            threshold,
            unit,
            spans=[e.spans for e in labelled],
            groups=[e.group for e in labelled],
        )
        for mean in MEANS:
            rates.append(estimate(mine, theirs, np.random.default_rng(seed), unit=unit, mean=mean))
            if mine.wrong is not None:
                full = mine.total > 0
                shares = mine.wrong[full] / mine.total[full]
                value = shares.mean() if mean == "macro" else mine.wrong.sum() / mine.total.sum()
                exact[f"{unit}, {mean}"] = 100 * float(value)
    flagged = pool.bad > threshold
    return RateReport(
        len(captions),
        len(labelled),
        threshold,
        float(flagged[pool.wrong].mean()) if pool.wrong.any() else float("nan"),
        float(flagged[~pool.wrong].mean()) if not pool.wrong.all() else float("nan"),
        tuple(rates),
        exact,
        float(np.mean([len(split(e.response)) for e in captions])),
        float(np.mean([not split(e.response) for e in captions])),
        float(np.mean([bool(_REFUSAL.search(e.response[:_BEGINNING])) for e in captions])),
        _coverage(captions),
    )


def _coverage(captions: Sequence[Example]) -> float | None:
    shares = [coverage(e.response, e.scene) for e in captions if e.scene is not None and e.scene.objects]
    return float(np.mean(shares)) if shares and len(shares) == len(captions) else None


def coverage(caption: str, scene: Scene) -> float:
    """Fraction of the objects of a scene that a caption names with the right shape, 0 to 1."""
    named = {
        word.fact.subject
        for word in read_caption(caption, scene).words
        if word.holds and word.fact is not None and word.fact.kind == "shape"
    }
    return len(named - {None}) / max(len(scene.objects), 1)


def interval_text(found: Estimate) -> str:
    """``4.1 (3.2 to 5.0)``, or a dash."""
    return "–" if np.isnan(found.rate) else f"{found.rate:.2f} ({found.low:.2f} to {found.high:.2f})"
