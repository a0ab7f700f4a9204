"""Merging: the closed form against least squares, and a planted direction that the weights find."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from modgap._errors import InputError
from modgap.models import load_model
from modgap.models.local._model import LocalModel
from modgap.steering import Change, SteeringVector, extract, judge_merged, load_concept, merge, slopes
from modgap.steering._first_order import Slopes
from modgap.steering._merge import weigh
from modgap.steering._study import problems_of

from .test_planted import ENOUGH, Changed, planted_text


def test_the_weights_are_ridge_regression_of_one() -> None:
    rng = np.random.default_rng(0)
    effects = rng.normal(size=(50, 6)) + 0.3
    penalty = 0.1 * np.trace(effects.T @ effects / 50) / 6
    augmented = np.concatenate([effects / np.sqrt(50), np.sqrt(penalty) * np.eye(6)])
    target = np.concatenate([np.ones(50) / np.sqrt(50), np.zeros(6)])
    assert np.allclose(weigh(effects, 0.1), np.linalg.lstsq(augmented, target, rcond=None)[0])


def test_a_pair_that_helps_all_gets_the_weight() -> None:
    """Concept ``a`` raises every margin at block 1; ``b`` helps half of the questions and hurts half."""
    sums = np.zeros((2, 40, 3))
    sums[1, :, 0] = 2.0
    sums[1, :, 1] = np.resize([5.0, -5.0], 40)
    found = Slopes(np.zeros(40), {"image": sums})
    a, b = (SteeringVector(name, "x", torch.eye(3)[[k, k]]) for k, name in enumerate("ab"))
    merged = merge(found, [a, b])
    assert merged.weights["a", 1] == pytest.approx(0.5, rel=0.05)  # two nats times a half is one
    assert abs(merged.weights["b", 1]) < 0.02
    assert merged.weights["a", 0] == merged.weights["b", 0] == 0
    assert [change.block for change in merged.changes()] == [1]
    assert merged.expected_nats == pytest.approx(1, abs=0.1)
    assert merged.conflict is not None
    with pytest.raises(InputError, match="own name"):
        merge(found, [a, a])


def disturbed(direction: torch.Tensor, noise: torch.Tensor) -> LocalModel:
    """The bundled model with noise after block 4, less of it the more of a direction stands after block 3."""
    model = load_model("bundled")
    assert isinstance(model, LocalModel)

    def disturb(given: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        found = (given @ direction).sum(dim=1) / ENOUGH  # no lower bound, where first order would see nothing
        return out + (1 - found.clamp(max=1))[:, None, None] * noise

    layers = model.pretrained.model.model.text_model.layers
    layers[4] = Changed(layers[4], disturb)
    return model


def test_a_planted_direction_is_found() -> None:
    """Vectors that hold the hidden direction from block 3 on, and random ones: the weights find block 3."""
    rng = torch.Generator().manual_seed(0)
    direction, noise = torch.randn(2, 128, generator=rng)
    direction = direction / direction.norm()
    concept = load_concept("spatial")
    hidden = extract(planted_text(3, direction, {anchor for anchor, _ in concept.sentences}), concept)
    other = SteeringVector("other", "random", torch.randn(8, 128, generator=rng))
    model = disturbed(direction, 5 * noise)
    sets = [problems_of(("relation",), n, seed, level="plain") for seed, n in ((1, 60), (2, 12), (3, 60))]
    found = judge_merged(model, [hidden, other], (sets[0], sets[1], sets[2]), strengths=(2.0, 4.0))
    slope = slopes(model, sets[0], positions=("image",))
    shares = {
        (vector.concept, block): found.merged.weights[vector.concept, block]
        * slope.gain(Change(vector.directions[block], block, 1.0)).mean()
        for vector in (hidden, other)
        for block in range(8)
    }
    assert max(shares, key=lambda pair: shares[pair]) == ("spatial", 3)
    assert torch.cosine_similarity(found.merged.vector.directions[3], direction, dim=0) > 0.9
    assert found.gain_points > 10
    assert found.gain_points > found.control_points
    assert found.as_json()["n"] == 60


def test_what_cannot_be_merged() -> None:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    found = slopes(model, problems_of(("relation",), 6, 0, level="plain"), positions=("image",))
    vector = SteeringVector("a", "x", torch.ones(8, 128))
    with pytest.raises(InputError, match="at least one"):
        merge(found, [])
    with pytest.raises(InputError, match="positions 'text' were not read"):
        merge(found, [vector], positions="text")
