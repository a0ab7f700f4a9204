"""Which of two detectors tells wrong captions from right ones: the same captions, in pairs, for each type.

    found = compare_responses(detector, naive, examples, tune)
    for row in found.rows: ...

A detector of tokens becomes one of captions by a rule. The paper's is that one wrong token makes the caption
wrong, ``worst``; its authors blame it for the two types on which the response-level baseline wins. Others are
``any``, the probability that any token is wrong if they were independent, and ``three``, the mean logit of
the three worst. Rule and threshold are chosen on other captions. The baseline is a detector of the objective
``response``; its score is that of the last token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modgap._errors import InputError
from modgap.evaluate._statistics import DRAWS, group_codes, resample_totals

from ._blind import auroc
from ._example import Example
from ._measures import Figure, Pool, draw_areas, interval_of
from ._measures_report import items_of
from ._scores import Detector, TokenScores

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

RULES = ("worst", "any", "three")
_EDGE = 1e-9


@dataclass(frozen=True)
class ResponseRow:
    """Captions of the groups that have one type of error.

    Args:
        type: of the error, or ``all``.
        accuracy: share of captions whose verdict agrees with the label; ``n`` is captions.
        other_accuracy: of the other detector.
        gain: accuracy less that of the other, with a paired interval.
        area: AUROC of captions, by no threshold.
        other_area: of the other detector.
        area_gain: AUROC less that of the other, with a paired interval.
    """

    type: str
    accuracy: Figure
    other_accuracy: Figure
    gain: Figure
    area: Figure
    other_area: Figure
    area_gain: Figure


@dataclass(frozen=True)
class ResponseComparison:
    """Two detectors beside each other.

    Args:
        detector, other: names.
        rule, other_rule: how scores of tokens become one of the caption.
        tuned: AUROC of captions of the first by each rule, on the captions it was chosen on.
        rows: one for each type, ``all`` last.
    """

    detector: str
    other: str
    rule: str
    other_rule: str
    tuned: dict[str, float]
    rows: tuple[ResponseRow, ...]


def compare_responses(
    detector: Detector,
    other: Detector,
    examples: Sequence[Example],
    tune: Sequence[Example],
    *,
    seed: int = 0,
) -> ResponseComparison:
    """Hold two detectors against each other, caption by caption.

    Args:
        detector: of tokens.
        other: mostly the baseline, trained with ``--objective response``.
        examples: labelled, some wrong and some right.
        tune: other labelled captions, on which rules and thresholds are chosen.
        seed: of the bootstrap, which draws groups.

    Raises:
        InputError: if one of the two sets is empty, or all of it is right or all wrong.
    """
    wrong, tune_wrong = (np.array([e.is_wrong for e in some], dtype=np.bool_) for some in (examples, tune))
    for name, labels in (("captions", wrong), ("captions to tune on", tune_wrong)):
        if not labels.any() or labels.all():
            raise InputError(f"{len(labels)} {name}, {int(labels.sum())} of them wrong: give some of both")
    bad, right, rules, tuned = [], [], [], []
    for one in (detector, other):
        on_tune = one.score(items_of(tune))
        areas = {rule: auroc(tune_wrong, response_scores(on_tune, rule)) for rule in _rules_of(one, on_tune)}
        rule = max(areas, key=lambda name: areas[name])
        threshold = best_accuracy(response_scores(on_tune, rule), tune_wrong)
        values = response_scores(one.score(items_of(examples)), rule)
        bad.append(values)
        right.append((values > threshold) == wrong)
        rules.append(rule)
        tuned.append(areas)
    codes = group_codes([example.group for example in examples])
    rows = []
    for type_, members in [*_members(examples).items(), ("all", np.ones(len(wrong), dtype=np.bool_))]:
        if wrong[members].any() and not wrong[members].all():
            parts = [part[members] for part in (*bad, *right)]
            rows.append(_row(type_, wrong[members], codes[members], parts, seed))
    return ResponseComparison(detector.name, other.name, rules[0], rules[1], tuned[0], tuple(rows))


def response_scores(scores: Sequence[TokenScores], rule: str) -> Float[np.ndarray, " captions"]:
    """One score for each caption, the higher the more likely it is wrong.

    Args:
        scores: of its tokens; probabilities for ``any`` and ``three``.
        rule: one of ``RULES``, or ``last``, the score of the last token.
    """
    found = np.empty(len(scores))
    for index, one in enumerate(scores):
        if rule in ("worst", "last"):
            found[index] = one.bad.max() if rule == "worst" else one.bad[-1]
            continue
        p = np.clip(one.bad, _EDGE, 1 - _EDGE)
        if rule == "any":
            found[index] = -np.log1p(-p).sum()  # grows with 1 - prod(1 - p), and does not round to 1
        else:
            worst = np.sort(np.log(p) - np.log1p(-p))[-3:]
            found[index] = worst.mean()
    return found


def best_accuracy(bad: Float[np.ndarray, " captions"], wrong: Bool[np.ndarray, " captions"]) -> float:
    """The score above which calling captions wrong is right most often; midway between two scores."""
    values = np.unique(bad)
    cuts = np.concatenate([[values[0] - 1.0], (values[1:] + values[:-1]) / 2, [values[-1] + 1.0]])
    order = np.argsort(bad, kind="stable")
    below = np.searchsorted(bad[order], cuts)
    missed = np.concatenate([[0], np.cumsum(wrong[order])])[below]
    right = (below - missed) + (wrong.sum() - missed)
    return float(cuts[np.argmax(right)])


def _rules_of(detector: Detector, scores: Sequence[TokenScores]) -> tuple[str, ...]:
    config = getattr(getattr(detector, "detector", detector), "config", None)
    if config is not None and config.objective == "response":
        return ("last",)
    is_probability = all(len(one.bad) and one.bad.min() >= 0 and one.bad.max() <= 1 for one in scores)
    return RULES if is_probability else ("worst",)


def _members(examples: Sequence[Example]) -> dict[str, Bool[np.ndarray, " captions"]]:
    """Type → which captions are of a group that has it."""
    groups: dict[str, set[str]] = {}
    for example in examples:
        for type_ in example.types:
            groups.setdefault(type_, set()).add(example.group)
    return {
        type_: np.array([example.group in names for example in examples])
        for type_, names in sorted(groups.items())
    }


def _row(
    type_: str, wrong: np.ndarray, codes: np.ndarray, parts: Sequence[np.ndarray], seed: int
) -> ResponseRow:
    bad, other_bad, right, other_right = parts
    names, group = np.unique(codes, return_inverse=True)
    n = len(wrong)
    sums = np.zeros((len(names), 3))
    np.add.at(sums, group, np.stack([right, other_right, np.ones(n)], axis=1))
    drawn = resample_totals(sums, np.random.default_rng(seed), DRAWS)
    shares = drawn[:, :2] / drawn[:, 2:]
    seen = sums.sum(axis=0)[:2] / n
    always = float(max(wrong.mean(), 1 - wrong.mean()))
    areas = [
        draw_areas(
            Pool(scores, wrong, np.arange(n), group.astype(np.int64), len(names)), np.random.default_rng(seed)
        )
        for scores in (bad, other_bad)
    ]
    (area, area_seen), (other, other_seen) = ((some[:, 1], float(now[1])) for some, now in areas)
    return ResponseRow(
        type_,
        Figure("accuracy", float(seen[0]), *interval_of(shares[:, 0]), n, always),
        Figure("accuracy", float(seen[1]), *interval_of(shares[:, 1]), n, always),
        Figure("gain", float(seen[0] - seen[1]), *interval_of(shares[:, 0] - shares[:, 1]), n),
        Figure("AUROC", area_seen, *interval_of(area), n, 0.5),
        Figure("AUROC", other_seen, *interval_of(other), n, 0.5),
        Figure("gain", area_seen - other_seen, *interval_of(area - other), n),
    )
