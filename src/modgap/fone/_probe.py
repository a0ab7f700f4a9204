"""Linear probes of a number modulo T: ridge regression onto the residues, tested on numbers it has not seen.

In its dual form, so that one eigendecomposition per fold serves all strengths of the penalty and all shuffled
labels; the strength is chosen by the leave-one-out error within the training numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError

Floats = npt.NDArray[np.float64]

_STRENGTHS = 10.0 ** np.arange(-6, 3)  # of the penalty, in units of the mean eigenvalue


@dataclass(frozen=True)
class Probe:
    """A linear probe of the number modulo T.

    Args:
        modulus: T.
        accuracy: share of held-out numbers whose residue is right, 0 to 1.
        chance: 1/T.
        shuffled: mean accuracy with shuffled labels.
        p: share of runs with shuffled labels, this one counted, that do as well.
    """

    modulus: int
    accuracy: float
    chance: float
    shuffled: float
    p: float

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {
            "modulus": self.modulus,
            "accuracy": self.accuracy,
            "chance": self.chance,
            "shuffled": self.shuffled,
            "p": self.p,
        }


def probe_modulo(
    vectors: npt.ArrayLike, modulus: int, rng: np.random.Generator, *, shuffles: int = 49, folds: int = 5
) -> Probe:
    """Train and test a linear probe of the number modulo ``modulus``.

    Args:
        vectors: shape (numbers, width); row n belongs to the number n.
        modulus: 2 or more.
        rng: of the folds and the shuffled labels.
        shuffles: how many times labels are shuffled.
        folds: of the cross-validation; every number is tested once.

    Raises:
        InputError: a modulus below 2, or fewer than two numbers per residue and fold.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    if modulus < 2 or len(rows) < 2 * max(folds, modulus):
        raise InputError(
            f"modulus {modulus} with {len(rows)} numbers: give a modulus of 2 or more, and at least twice as "
            "many numbers"
        )
    residues = np.arange(len(rows)) % modulus
    labels = np.stack([residues, *(rng.permutation(residues) for _ in range(shuffles))])  # (runs, numbers)
    right = np.zeros(len(labels))
    for test in np.array_split(rng.permutation(len(rows)), folds):
        train = np.setdiff1d(np.arange(len(rows)), test)
        wanted = np.eye(modulus)[labels[:, train]] - 1 / modulus  # (runs, train, residues)
        guesses = _predict(rows[train], rows[test], wanted).argmax(axis=2)
        right += (guesses == labels[:, test]).sum(axis=1)
    accuracy = right / len(rows)
    return Probe(
        modulus=modulus,
        accuracy=float(accuracy[0]),
        chance=1 / modulus,
        shuffled=float(accuracy[1:].mean()) if shuffles else 1 / modulus,
        p=float((accuracy >= accuracy[0]).sum() / len(accuracy)),
    )


def _predict(train: Floats, test: Floats, wanted: Floats) -> Floats:
    """Ridge predictions, shape (runs, test, residues), of targets of shape (runs, train, residues)."""
    mean = train.mean(axis=0)
    train, test = train - mean, test - mean
    values, columns = np.linalg.eigh(train @ train.T)
    values = np.maximum(values, 0.0)
    across = test @ train.T @ columns  # (test, train)
    rotated = np.matmul(columns.T, wanted)  # (runs, train, residues)
    best = np.full(len(wanted), np.inf)
    out = np.empty((len(wanted), len(test), wanted.shape[2]))
    for penalty in _STRENGTHS * max(float(values.mean()), 1e-300):
        weights = rotated / (values + penalty)[:, None]
        # Leave-one-out residuals: dual coefficients over the diagonal of the inverse.
        dual = np.matmul(columns, weights)
        diagonal = (columns**2) @ (1 / (values + penalty))
        error = ((dual / diagonal[:, None]) ** 2).mean(axis=(1, 2))
        better = error < best
        best[better] = error[better]
        out[better] = np.matmul(across, weights[better])
    return out
