"""Calibration of scores, and the threshold with a guarantee."""

from __future__ import annotations

import numpy as np
import pytest

from modgap._errors import InputError
from modgap.tldr._calibrate import calibration_error, conformal_threshold, fit_scale_shift


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def test_scale_and_shift_that_were_put_in_are_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(-2, 2, 60_000)
    wrong = rng.random(len(logits)) < sigmoid(1.7 * logits - 0.8)
    scale, shift = fit_scale_shift(logits, wrong, np.ones(len(logits)))
    assert scale == pytest.approx(1.7, abs=0.08)
    assert shift == pytest.approx(-0.8, abs=0.08)
    ones = np.ones(len(logits))
    assert calibration_error(sigmoid(scale * logits + shift), wrong, ones) < 0.005
    assert calibration_error(sigmoid(logits), wrong, ones) > 0.03


def test_fits_that_have_no_maximum_end_and_keep_the_order() -> None:
    logits = np.array([-3.0, -2.0, 2.0, 3.0])
    ones = np.ones(4)
    for wrong in ([False, False, True, True], [False] * 4, [True, True, False, False]):
        scale, shift = fit_scale_shift(logits, np.array(wrong), ones)
        assert np.isfinite([scale, shift]).all()
        assert scale > 0


def test_tokens_of_weight_nothing_do_not_count() -> None:
    probabilities, wrong = np.array([0.9, 0.1]), np.array([False, False])
    assert calibration_error(probabilities, wrong, np.array([0.0, 1.0])) == pytest.approx(0.1)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_a_clean_caption_is_flagged_at_most_as_often_as_promised(alpha: float) -> None:
    rng = np.random.default_rng(1)
    flagged = []
    for _ in range(2000):
        *known, new = rng.beta(1, 8, 60)
        flagged.append(new > conformal_threshold(known, alpha))
    # Exact for continuous scores: between alpha - 1/61 and alpha; 4 standard errors.
    assert alpha - 1 / 61 - 0.03 < np.mean(flagged) < alpha + 0.03


def test_too_few_captions_flag_nothing_and_a_strange_alpha_is_refused() -> None:
    assert conformal_threshold([0.1, 0.2], 0.1) == 1.0
    assert conformal_threshold([0.3] * 9, 0.1) == 0.3
    with pytest.raises(InputError, match="alpha 1 is not accepted; give a fraction above 0 and below 1"):
        conformal_threshold([0.1], 1)
