"""Figures of a detector on labelled captions, and its calibration from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._blind import auroc, average_precision
from ._calibrate import calibration_error, conformal_threshold, fit_scale_shift
from ._detector import Calibration, TldrDetector
from ._example import Example
from ._labels import token_labels
from ._scores import Item

_EDGE = 1e-12


def validate(
    detector: TldrDetector, examples: Sequence[Example], alpha: float
) -> tuple[Calibration, dict[str, float | int | None]]:
    """Calibrate a detector.

    Args:
        detector: with any calibration; the one it has is not used.
        examples: labelled; those of one group stay together.
        alpha: see :class:`Calibration`.

    Returns:
        The calibration, and figures: ``ap_neg`` (average precision for wrong tokens, pooled, 0 to 1), the
        ``prevalence`` that is its chance level, ``auroc_response`` by the highest token, and counts.
    """
    raw = detector.with_calibration(Calibration())
    scores = raw.score([Item(e.image, e.response, e.prompt) for e in examples])
    groups = {name: i for i, name in enumerate(dict.fromkeys(e.group for e in examples))}
    logits: list[np.ndarray] = []
    wrong: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    half: list[np.ndarray] = []
    highest: list[float] = []
    is_wrong: list[bool] = []
    clean: dict[str, float] = {}
    for example, one in zip(examples, scores, strict=True):
        labels, counts = token_labels(one.offsets, example.spans)
        bad = np.clip(one.bad, _EDGE, 1 - _EDGE)
        logits.append(np.log(bad) - np.log1p(-bad))
        wrong.append(labels == 0)
        weights.append(counts.astype(np.float64))
        half.append(np.full(len(labels), groups[example.group] % 2))
        highest.append(float(logits[-1].max()))
        is_wrong.append(example.is_wrong)
        if not example.is_wrong:
            clean.setdefault(example.group, highest[-1])
    z, y, w, side = (np.concatenate(part) for part in (logits, wrong, weights, half))
    scale, shift = fit_scale_shift(z, y, w)
    fitted = fit_scale_shift(z[side == 0], y[side == 0], w[side == 0])
    apart = side == 1
    ece = calibration_error(_probability(z[apart], *fitted), y[apart], w[apart]) if apart.any() else None
    before = calibration_error(_probability(z[apart], 1.0, 0.0), y[apart], w[apart]) if apart.any() else None
    tops = [float(_probability(np.array([top]), scale, shift)[0]) for top in clean.values()]
    calibration = Calibration(scale, shift, ece, before, alpha, conformal_threshold(tops, alpha), len(tops))
    counted = w > 0
    figures: dict[str, float | int | None] = {
        "captions": len(examples),
        "tokens": int(counted.sum()),
        "prevalence": float(y[counted].mean()),
        "ap_neg": _number(average_precision(y[counted], z[counted])),
        "auroc_response": _number(auroc(np.array(is_wrong, dtype=np.bool_), np.array(highest))),
    }
    return calibration, figures


def _probability(logits: np.ndarray, scale: float, shift: float) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh((scale * logits + shift) / 2)))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
