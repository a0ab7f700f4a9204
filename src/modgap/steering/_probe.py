"""Linear probes as directions: a sound one, and the one that was released with the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from modgap._errors import MissingExtra

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from ._extract import Anchored

FOLDS = 5
PENALTY = 0.1
"""Inverse of the strength of the ridge penalty, on standardised states (our choice)."""


def sound_probe(found: Anchored, seed: int) -> tuple[Float[Tensor, "block d_model"], float]:
    """Logistic regression, both classes weighing the same, as long as the mean difference.

    Returns:
        directions; balanced accuracy of the best block on sentences it was not trained on, 0 to 1.
    """
    try:
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("linear probes", "train") from error

    def model() -> LogisticRegression:
        return LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=500)

    labels = np.r_[np.ones(found.anchors.shape[1]), np.zeros(found.others.shape[1])]
    sentence = torch.cat([found.anchor_sentence, found.other_sentence]).numpy()
    order = np.random.default_rng(seed).permutation(np.unique(sentence))
    folds = [np.isin(sentence, order[k::FOLDS]) for k in range(FOLDS)]
    directions, accuracies = [], []
    for block in range(len(found.anchors)):
        states = torch.cat([found.anchors[block], found.others[block]]).double().numpy()
        mean, scale = states.mean(axis=0), states.std(axis=0) + 1e-9
        x = (states - mean) / scale
        right = np.zeros(len(labels), dtype=bool)
        for test in folds:
            right[test] = model().fit(x[~test], labels[~test]).predict(x[test]) == labels[test]
        accuracies.append(0.5 * (right[labels == 1].mean() + right[labels == 0].mean()))
        weights = model().fit(x, labels).coef_[0] / scale
        shift = (found.anchors[block].mean(dim=0) - found.others[block].mean(dim=0)).norm()
        directions.append(torch.from_numpy(weights / np.linalg.norm(weights)).float() * shift)
    return torch.stack(directions), float(max(accuracies))


def published_probe(found: Anchored, seed: int) -> tuple[Float[Tensor, "block d_model"], None]:
    """The released recipe (section 2.3 of the sheet): unit length, classes as they are, nothing held out."""
    rng = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.ones(found.anchors.shape[1]), torch.zeros(found.others.shape[1])])
    directions = []
    for block in range(len(found.anchors)):
        states = torch.cat([found.anchors[block], found.others[block]]).float()
        size = max(len(set(found.anchor_sentence.tolist())) // 2, 10)
        _, _, axes = torch.linalg.svd(states - states.mean(dim=0), full_matrices=False)
        axes = axes[:size]
        x = (states - states.mean(dim=0)) @ axes.T
        weights = torch.zeros(len(axes))
        for _ in range(400):
            order = torch.randperm(len(x), generator=rng)
            for start in range(0, len(x), 32):
                at = order[start : start + 32]
                error = torch.sigmoid(x[at] @ weights) - labels[at]
                weights -= 0.003 * x[at].T @ error / len(at)
        direction = weights @ axes
        directions.append(direction / direction.norm())
    return torch.stack(directions), None
