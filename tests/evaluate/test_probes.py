"""Linear probes against data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from modgap.evaluate._probes import fit_probe


def data(rng: np.random.Generator, n: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Three classes, each a cloud around its own corner of a space of 20 dimensions."""
    labels = rng.integers(3, size=n)
    return 10 + np.eye(20)[labels] + spread * rng.normal(size=(n, 20)), labels


def test_reads_what_is_linearly_there() -> None:
    rng = np.random.default_rng(0)
    probe = fit_probe(*data(rng, 400, 0.1), 3, data(rng, 100, 0.1))
    assert probe.accuracy(*data(rng, 400, 0.1)) > 0.99


def test_shuffled_labels_are_read_at_chance() -> None:
    rng = np.random.default_rng(1)
    states, labels = data(rng, 900, 0.1)
    probe = fit_probe(states, rng.permutation(labels), 3, data(rng, 100, 0.1))
    assert probe.accuracy(*data(rng, 900, 0.1)) == pytest.approx(1 / 3, abs=0.15)


def test_equals_ridge_in_normal_equations() -> None:
    """Closed form: weights = (XᵀX + λI)⁻¹XᵀY on scaled features with a constant."""
    rng = np.random.default_rng(2)
    states, labels = data(rng, 60, 0.5)
    probe = fit_probe(states, labels, 3, data(rng, 50, 0.5))
    x = np.concatenate([(states - probe.mean) / probe.scale, np.ones((60, 1))], axis=1)
    wanted = np.linalg.solve(x.T @ x + probe.penalty * np.eye(21), x.T @ np.eye(3)[labels])
    np.testing.assert_allclose(probe.weights, wanted, atol=1e-8)


def test_the_mean_of_another_modality_takes_the_place_of_its_own() -> None:
    rng = np.random.default_rng(3)
    probe = fit_probe(*data(rng, 400, 0.1), 3, data(rng, 100, 0.1))
    states, labels = data(rng, 300, 0.1)
    moved = states + 50 * rng.normal(size=20)
    assert probe.accuracy(moved, labels) < 0.7
    assert probe.accuracy(moved, labels, mean=moved.mean(axis=0)) > 0.99
