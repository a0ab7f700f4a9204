"""The circle table, and features that are the same bits everywhere."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest

from modgap.fone import Codec
from modgap.fone._phases import circle, cosine_and_sine, digit_points, shares


def test_the_table_is_the_circle() -> None:
    """Reference: the C library, which is within one unit in the last place of the truth."""
    cosine, sine = circle()
    for k in range(1001):
        assert cosine[k] == pytest.approx(math.cos(2 * math.pi * k / 1000), abs=1e-15)
        assert sine[k] == pytest.approx(math.sin(2 * math.pi * k / 1000), abs=1e-15)
    quarters = [0, 250, 500, 750, 1000]
    assert cosine[quarters].tolist() == [1, 0, -1, 0, 1]
    assert sine[quarters].tolist() == [0, 1, 0, -1, 0]
    assert cosine[125] == sine[125] == math.sqrt(0.5)
    assert cosine[:251].tolist() == sine[250::-1].tolist()


def test_points_between_the_table_are_on_the_circle() -> None:
    turns = np.concatenate([np.random.default_rng(0).random(10_000), [0.0, 1.0, 1 - 2**-53, 2**-60]])
    cosine, sine = cosine_and_sine(turns)
    np.testing.assert_allclose(cosine, np.cos(2 * np.pi * turns), atol=1e-15, rtol=0)
    np.testing.assert_allclose(sine, np.sin(2 * np.pi * turns), atol=1e-15, rtol=0)
    np.testing.assert_allclose(cosine**2 + sine**2, 1, atol=1e-15, rtol=0)


def test_digits_are_ten_points_in_order() -> None:
    points = digit_points()
    np.testing.assert_allclose(
        points[:, 0] + 1j * points[:, 1], np.exp(2j * np.pi * np.arange(10) / 10), atol=1e-15
    )


def test_shares_keep_their_precision_at_any_length() -> None:
    """Reference: the leading 40 digits as an exact decimal."""
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 10, (500, 50)).astype(np.uint8)
    found = shares(digits, None)
    for j in (39, 200, 499):
        for n in range(50):
            exact = int("".join(map(str, digits[j - 39 : j + 1, n][::-1])))
            assert found[j, n] == pytest.approx(exact / 10**40, abs=4e-16)


def test_features_are_the_same_bits_on_every_machine() -> None:
    """Only table look-up, addition and multiplication in float64: this digest was recorded on x86-64 with
    AVX-512."""
    rng = np.random.default_rng(7)
    numbers = ["".join(map(str, rng.integers(0, 10, 60))) for _ in range(500)]
    rows = Codec(60, features="both").encode(numbers)
    digits = hashlib.sha256("".join(numbers).encode()).hexdigest()
    assert digits.startswith("7afb69fdc2e8f52c")
    assert hashlib.sha256(rows.astype("<f4").tobytes()).hexdigest().startswith("f5d1b0bd59436b5e")
