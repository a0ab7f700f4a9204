"""Planted periods are found, and nothing is found where there is nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from modgap._errors import InputError
from modgap.fone import Codec, fourier_basis, measure_spectrum, probe_modulo
from modgap.fone.spectrum import component_norms, usable_count

Floats = npt.NDArray[np.float64]


def sizes(n: int) -> Floats:
    """How large a number is, in the ways a model may hold it: no period is in these."""
    x = np.arange(n)
    columns = np.stack([np.log1p(x), np.sqrt(x), x / n, np.sin(2 * x / n), np.tanh(x / 50)], axis=1)
    scaled: Floats = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return scaled


def planted(rng: np.random.Generator, n: int, width: int, periods: dict[float, float]) -> Floats:
    """Size, noise, and waves of these periods with these amplitudes, each in a plane of its own."""
    rows = sizes(n) @ rng.standard_normal((5, width)) + rng.standard_normal((n, width))
    for period, amplitude in periods.items():
        angle = 2 * np.pi * np.arange(n) / period
        plane = np.linalg.qr(rng.standard_normal((width, 2)))[0] * math.sqrt(width)
        rows += amplitude * np.stack([np.cos(angle), np.sin(angle)], axis=1) @ plane.T
    return rows


@pytest.mark.parametrize("n", [21, 100, 520])
def test_the_basis_is_orthonormal_and_its_norms_are_those_of_the_fast_transform(n: int) -> None:
    basis = fourier_basis(n)
    np.testing.assert_allclose(basis @ basis.T, np.eye(n), atol=1e-12)
    rows = np.random.default_rng(0).standard_normal((n, 7))
    coefficients = np.linalg.norm(basis @ rows, axis=1)
    norms = component_norms(rows)
    for k in range(1, n // 2 + 1):
        pair = coefficients[2 * k - 1 : 2 * k + 1]  # the last of an even n has no sine
        assert abs(norms[k - 1] - np.linalg.norm(pair)) < 1e-9


def test_the_published_basis_has_its_frequencies_on_one_number_more() -> None:
    """Section 9 of the facts: p = 521, ω = 2πk/520, rows √(2/520)·sin and cos; so period 10 is k = 52."""
    published = fourier_basis(521, published=True)
    x = np.arange(521)
    np.testing.assert_allclose(published[0], 1 / math.sqrt(520))
    for k in (1, 52, 104, 208):
        angle = 2 * np.pi * k * x / 520
        np.testing.assert_allclose(published[2 * k - 1], math.sqrt(2 / 520) * np.sin(angle), atol=1e-9)
        np.testing.assert_allclose(published[2 * k], math.sqrt(2 / 520) * np.cos(angle), atol=1e-9)
        np.testing.assert_allclose(published[2 * k, :520], fourier_basis(520)[2 * k], atol=1e-9)
    products = published @ published.T
    assert np.abs(products - np.diag(np.diag(products))).max() > 1e-3  # not orthogonal


@pytest.mark.parametrize("seed", range(3))
def test_planted_periods_are_found_and_no_others(seed: int) -> None:
    """The periods of section 9: 2, 2.5, 5 and 10, beside size and noise."""
    rng = np.random.default_rng(seed)
    rows = planted(rng, 521, 96, {2: 0.1, 2.5: 0.1, 5: 0.1, 10: 0.1})
    found = measure_spectrum(rows, rng)
    assert found.numbers == 520
    assert sorted(c.period for c in found.outliers) == [2, 2.5, 5, 10]
    assert all(c.p <= 0.01 for c in found.outliers)
    assert found.verdict().startswith(
        "Periods that stand out: 2, 2.5, 5, 10, all of them parts of 10. A linear probe reads the number"
    )


def test_a_long_period_is_found_beside_size() -> None:
    rng = np.random.default_rng(0)
    found = measure_spectrum(planted(rng, 1000, 64, {100: 0.3}), rng, moduli=())
    assert [c.period for c in found.outliers] == [100]


def test_the_norm_of_a_wave_is_its_amplitude() -> None:
    """A wave of amplitude a in a plane of length √width: a·√(width·n/2) each for its cosine and sine."""
    rng = np.random.default_rng(0)
    rows = planted(rng, 520, 64, {10: 5.0})
    norm = component_norms(rows)[51]
    assert abs(norm / (5.0 * math.sqrt(64 * 520)) - 1) < 0.02


NULLS: dict[str, Callable[[np.random.Generator, int, int], Floats]] = {
    "white": lambda rng, n, width: rng.standard_normal((n, width)),
    "correlated": lambda rng, n, width: (
        rng.standard_normal((n, width)) @ (rng.standard_normal((width, width)) / np.arange(1, width + 1))
    ),
    "size": lambda rng, n, width: (
        3 * sizes(n) @ rng.standard_normal((5, width)) + rng.standard_normal((n, width))
    ),
    "walk": lambda rng, n, width: rng.standard_normal((n, width)).cumsum(axis=0),
    # The first ten numbers, and the hundreds, are longer than the others in many models.
    "lengths": lambda rng, n, width: (
        rng.standard_normal((n, width))
        * np.where((np.arange(n) < 10) | (np.arange(n) % 100 == 0), 5, 1)[:, None]
    ),
}


@pytest.mark.parametrize("kind", NULLS)
def test_vectors_without_periods_give_no_spikes(kind: str) -> None:
    """The level is 0.01 for a whole spectrum: of 60 seeds, 4 or more false alarms have a chance of 0.3 %."""
    alarms = 0
    for seed in range(60):
        rows = NULLS[kind](np.random.default_rng(seed), 100, 32)
        alarms += bool(measure_spectrum(rows, np.random.default_rng(1000 + seed), moduli=()).outliers)
    assert alarms <= 3


def test_without_noise_waves_still_stand_out() -> None:
    """Features as FoNE publishes them have no noise at all; their ratios are finite."""
    features = Codec(3, extras=()).encode(np.arange(1000))
    found = measure_spectrum(features, np.random.default_rng(0), moduli=())
    # 1000 is the range itself, and a period of that length is not tested: size is there.
    assert sorted(c.period for c in found.outliers) == [10, 100]
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["outlier_periods"]
    digits = Codec(3, features="digits", extras=()).encode(np.arange(1000))
    periods = {c.period for c in measure_spectrum(digits, np.random.default_rng(0), moduli=()).outliers}
    assert 10 in periods


def test_probes_read_what_is_there_and_shuffled_labels_what_is_not() -> None:
    rng = np.random.default_rng(0)
    # Period 5 says nothing about odd and even.
    rows = planted(rng, 520, 96, {5: 1.0})
    five, two, ten = (probe_modulo(rows, modulus, rng) for modulus in (5, 2, 10))
    assert five.accuracy > 0.95
    assert abs(five.shuffled - five.chance) < 0.03
    assert five.p <= 0.02
    assert 0.4 < two.accuracy < 0.6
    assert two.p > 0.02
    assert 0.2 < ten.accuracy < 0.6  # the residue modulo 5, and a guess


def test_a_probe_is_the_ridge_of_a_textbook() -> None:
    """Against scikit-learn: the same penalty, folds and targets give the same predictions."""
    from sklearn.linear_model import Ridge

    from modgap.fone import _probe

    rng = np.random.default_rng(0)
    train, test = rng.standard_normal((60, 30)), rng.standard_normal((20, 30))
    wanted = rng.standard_normal((1, 60, 3))
    centred = train - train.mean(axis=0)
    mean_eigenvalue = np.linalg.eigvalsh(centred @ centred.T).clip(0).mean()
    peers, errors = [], []
    for strength in _probe._STRENGTHS:
        penalty = strength * mean_eigenvalue
        peer = Ridge(alpha=penalty, fit_intercept=False).fit(centred, wanted[0])
        peers.append(peer.predict(test - train.mean(axis=0)))
        left_out = [
            Ridge(alpha=penalty, fit_intercept=False)
            .fit(np.delete(centred, i, 0), np.delete(wanted[0], i, 0))
            .predict(centred[i : i + 1])
            - wanted[0][i]
            for i in range(60)
        ]
        errors.append(np.mean(np.square(left_out)))
    found = _probe._predict(train, test, wanted)[0]
    np.testing.assert_allclose(found, peers[int(np.argmin(errors))], atol=1e-6)


def test_spikes_without_separability_are_said_to_be_so() -> None:
    """Period 3 says nothing about the number modulo 2, 5 or 10."""
    rng = np.random.default_rng(0)
    found = measure_spectrum(planted(rng, 300, 32, {3: 0.5}), rng)
    assert found.verdict() == (
        "Periods that stand out: 3. No linear probe reads the number modulo 2, 5 or 10 better than shuffled "
        "labels: spikes without separability."
    )


def test_wide_vectors_give_the_same_as_their_rotation() -> None:
    rng = np.random.default_rng(0)
    rows = planted(rng, 100, 40, {10: 0.4, 2: 0.4})
    wide = rows @ np.linalg.qr(rng.standard_normal((300, 40)))[0].T
    first = measure_spectrum(rows, np.random.default_rng(5))
    second = measure_spectrum(wide, np.random.default_rng(5))
    for a, b in zip(first.components, second.components, strict=True):
        assert a.norm == pytest.approx(b.norm)
        assert a.ratio == pytest.approx(b.ratio, nan_ok=True)
    assert [c.k for c in first.outliers] == [c.k for c in second.outliers]
    assert [p.accuracy for p in first.probes] == [p.accuracy for p in second.probes]


def test_a_seed_fixes_everything() -> None:
    rows = planted(np.random.default_rng(0), 200, 32, {5: 0.3})
    first, again = (measure_spectrum(rows, np.random.default_rng(3)).as_json() for _ in range(2))
    assert first == again


def test_vectors_that_are_all_alike_have_no_spectrum() -> None:
    found = measure_spectrum(np.ones((100, 8)), np.random.default_rng(0))
    assert found.verdict() == (
        "No period stands out. No linear probe reads the number modulo 2, 5 or 10 better than shuffled "
        "labels."
    )


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (
            np.ones((39, 4)),
            {},
            r"vectors have shape \(39, 4\): a spectrum needs one row for each number from 0",
        ),
        (np.ones(100), {}, r"vectors have shape \(100,\)"),
        (np.full((100, 2), np.nan), {}, "vectors are not finite: the model they come from overflowed"),
        (np.ones((100, 2)), {"level": 0.001}, "level 0.001 cannot be reached with 199 permutations: give at"),
        (np.ones((100, 2)), {"level": 0.0}, "level 0.0 cannot be reached"),
    ],
)
def test_mistakes_are_named(rows: Any, settings: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        measure_spectrum(rows, np.random.default_rng(0), **settings)


def test_probes_of_too_few_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="modulus 30 with 50 numbers: give a modulus of 2 or more"):
        probe_modulo(np.ones((50, 2)), 30, np.random.default_rng(0))


def test_counts_in_which_decimal_periods_fit() -> None:
    assert [usable_count(n) for n in (1000, 521, 119, 99, 45)] == [1000, 520, 100, 90, 40]
