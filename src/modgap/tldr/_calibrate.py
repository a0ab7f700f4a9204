"""From logits to probabilities that mean what they say, and a threshold with a guarantee.

Scale and shift are fitted by maximum likelihood on labelled captions. The threshold is conformal: of captions
without an error at most a fraction ``alpha`` has a token above it, on average over data sets, whatever the
detector is; the pictures to come must be exchangeable with those it was set on, one caption each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from modgap._errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

BINS = 15
"""Bins of the calibration error, with as many tokens in each (Guo et al. 2017 use 15 of equal width)."""
_STEPS = 50


def fit_scale_shift(
    logits: Float[np.ndarray, " n"], wrong: Bool[np.ndarray, " n"], weights: Float[np.ndarray, " n"]
) -> tuple[float, float]:
    """Scale and shift of logits of "wrong", by Newton's method with a weak pull to (1, 0).

    Args:
        logits: of "wrong".
        wrong: whether it is.
        weights: how much each counts.
    """
    scale, shift = 1.0, 0.0
    pull = 1e-3 * max(float(weights.sum()), 1.0) / max(len(logits), 1)
    for _ in range(_STEPS):
        p = _sigmoid(scale * logits + shift)
        error, curve = weights * (p - wrong), weights * p * (1 - p)
        gradient = np.array([(error * logits).sum() + pull * (scale - 1), error.sum() + pull * shift])
        cross = (curve * logits).sum()
        hessian = np.array([[(curve * logits**2).sum() + pull, cross], [cross, curve.sum() + pull]])
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))  # far from the optimum Newton overshoots
        scale, shift = scale - step[0], shift - step[1]
        if np.abs(step).max() < 1e-9:
            break
    # A detector that is worse than chance is not turned round: its order of tokens stays.
    return max(float(scale), 1e-3), float(shift)


def calibration_error(
    probabilities: Float[np.ndarray, " n"], wrong: Bool[np.ndarray, " n"], weights: Float[np.ndarray, " n"]
) -> float:
    """Expected calibration error, 0 to 1: mean distance over bins, by their size; ``nan`` of nothing."""
    bins = calibration_bins(probabilities, wrong, weights)
    return sum(n * abs(p - f) for p, f, n in bins) / sum(n for _, _, n in bins) if bins else math.nan


def calibration_bins(
    probabilities: Float[np.ndarray, " n"], wrong: Bool[np.ndarray, " n"], weights: Float[np.ndarray, " n"]
) -> tuple[tuple[float, float, float], ...]:
    """Mean probability, frequency and weight of ``BINS`` bins with as many tokens each."""
    order = np.argsort(probabilities, kind="stable")
    found = []
    for some in np.array_split(order, BINS):
        n = float(weights[some].sum())
        if n:
            p, f = weights[some] @ np.stack([probabilities[some], wrong[some]], axis=1) / n
            found.append((float(p), float(f), n))
    return tuple(found)


def conformal_threshold(highest: Sequence[float], alpha: float) -> float:
    """Threshold that a new clean caption exceeds with probability at most ``alpha``.

    Args:
        highest: per clean caption, the highest probability of "wrong" of its tokens; one caption per picture.
        alpha: above 0 and below 1.

    Returns:
        A number from 0 to 1; 1, which flags nothing, if there are too few captions for so small an ``alpha``.

    Raises:
        InputError: if ``alpha`` is not accepted.
    """
    if not 0 < alpha < 1:
        raise InputError(f"alpha {alpha} is not accepted; give a fraction above 0 and below 1")
    rank = math.ceil((len(highest) + 1) * (1 - alpha))
    return 1.0 if rank > len(highest) else float(sorted(highest)[rank - 1])


def _sigmoid(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))
