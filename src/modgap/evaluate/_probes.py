"""Linear probes: ridge regression on one-hot labels in closed form, the penalty chosen on validation data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

PENALTIES = (1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
"""Ridge penalties that are tried, on features of unit variance (our choice)."""


@dataclass(frozen=True)
class Probe:
    """A linear classifier.

    Args:
        mean: of the features it was trained on.
        scale: their standard deviation.
        weights: from scaled features, with a constant last, to a score of each class.
        penalty: ridge penalty it was trained with.
    """

    mean: Float[np.ndarray, " d_model"]
    scale: Float[np.ndarray, " d_model"]
    weights: Float[np.ndarray, "features classes"]
    penalty: float

    def scores(
        self, features: Float[np.ndarray, "n d_model"], *, mean: Float[np.ndarray, " d_model"] | None = None
    ) -> Float[np.ndarray, "n classes"]:
        """Score of each class.

        Args:
            features: states, as in training.
            mean: of the features of another modality, taken in place of the probe's own.
        """
        scaled = (features - (self.mean if mean is None else mean)) / self.scale
        found: np.ndarray = scaled @ self.weights[:-1] + self.weights[-1]
        return found

    def accuracy(
        self,
        features: Float[np.ndarray, "n d_model"],
        labels: Int[np.ndarray, " n"],
        *,
        mean: Float[np.ndarray, " d_model"] | None = None,
    ) -> float:
        """Share of labels that have the largest score, 0 to 1."""
        return float((self.scores(features, mean=mean).argmax(axis=1) == labels).mean())


def fit_probe(
    features: Float[np.ndarray, "n d_model"],
    labels: Int[np.ndarray, " n"],
    classes: int,
    validation: tuple[Float[np.ndarray, "m d_model"], Int[np.ndarray, " m"]],
) -> Probe:
    """Train a probe for each penalty and keep the best on validation data.

    Args:
        features: training states.
        labels: class of each, 0 .. ``classes`` - 1.
        classes: number of classes.
        validation: states and labels that choose the penalty.
    """
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    x = np.concatenate([(features - mean) / scale, np.ones((len(features), 1))], axis=1)
    targets = np.eye(classes)[labels]
    gram, cross = x.T @ x, x.T @ targets
    values, vectors = np.linalg.eigh(gram)
    rotated = vectors.T @ cross
    probes = [
        Probe(mean, scale, vectors @ (rotated / (values + penalty)[:, None]), penalty)
        for penalty in PENALTIES
    ]
    return max(probes, key=lambda probe: probe.accuracy(*validation))
