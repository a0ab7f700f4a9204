"""Scores against closed forms."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from modgap.fone._score import score


def test_exact_means_equal_to_the_last_place() -> None:
    """The published metric counts three in four of these as right (facts, section 0); none is."""
    answers = np.arange(1_000, 2_000)
    found = score(answers + 1, np.ones(1_000, dtype=bool), answers, scale=3)
    assert (found.exact, found.n, found.unparsed) == (0.0, 1_000, 0)
    assert found.rmse == pytest.approx(0.001)


def test_figures_by_hand() -> None:
    found = score(np.array([10, 21, 30, 7]), np.array([True, True, True, False]), np.array([10, 20, 30, 40]))
    assert found.exact == 0.5
    assert found.unparsed == 1
    assert found.rmse == pytest.approx(math.sqrt(1 / 3))
    assert found.r2 == pytest.approx(1 - (1 / 3) / (200 / 3))
    assert found.log_smape == pytest.approx((2 * 15 + math.log10(41)) / 3 / 15)
    # Wilson's interval of 2 of 4, from the formula.
    assert (found.low, found.high) == (pytest.approx(0.15, abs=0.001), pytest.approx(0.85, abs=0.001))


def test_nothing_that_can_be_read_is_no_number_in_json() -> None:
    found = score(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=bool), np.arange(3))
    assert (found.exact, found.unparsed) == (0.0, 3)
    content = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert content["rmse"] is content["r2"] is content["log_smape"] is None


def test_zero_for_zero_is_exact() -> None:
    found = score(np.zeros(2, dtype=np.int64), np.ones(2, dtype=bool), np.zeros(2, dtype=np.int64))
    assert (found.exact, found.log_smape) == (1.0, 1.0)
    assert math.isnan(found.r2)
