"""Products of slots meet where they should, and sums are learned from few rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from modgap._errors import InputError
from modgap.fone import Codec
from modgap.fone._arms import build_arm
from modgap.fone.products import SlotProducts
from modgap.fone.tasks import make_data, task_named


@pytest.mark.parametrize("decimals", [0, 1])
def test_places_meet_as_in_a_product(decimals: int) -> None:
    """Closed form: entry k is the sum over i + j = k + decimals, by two loops."""
    torch.manual_seed(0)
    layer = SlotProducts(Codec(3, decimals, "digits"), 8, convolve=True)
    a, b = torch.randn(2, 3 + decimals, 4), torch.randn(2, 3 + decimals, 4)
    expected = torch.zeros_like(a)
    for i in range(a.shape[1]):
        for j in range(a.shape[1]):
            if 0 <= i + j - decimals < a.shape[1]:
                expected[:, i + j - decimals] += a[:, i] * b[:, j]
    assert torch.allclose(layer._convolved(a, b), expected, atol=1e-5)


def test_a_finer_place_never_depends_on_a_coarser_one() -> None:
    codec = Codec(4, 0, "both", extras=())
    layer = SlotProducts(codec, 8)
    numbers = torch.from_numpy(codec.encode(["0123", "9123", "12", "12"]))
    states = torch.zeros(1, 8)
    found, flags = layer(numbers[:1], numbers[2:3], states)
    other, _ = layer(numbers[1:2], numbers[3:4], states)
    assert found.shape == (1, 4, 10)
    assert flags.shape == (1, 0)
    assert torch.equal(found[:, :3], other[:, :3])
    assert not torch.equal(found[:, 3], other[:, 3])


def test_sums_of_twenty_digits_are_learned_from_few_rows() -> None:
    """Chance is 1e-20: 60 steps on 500 rows are enough only because places share what is learned."""
    task = task_named("add-lengths-20")
    data = make_data(task, rows=500, seed=0, validation=200, test=1)
    arm = build_arm("fone-products", task, "tiny", 0)
    optimiser = torch.optim.AdamW(arm.parameters(), lr=1e-2)
    rng = np.random.default_rng(0)
    for _ in range(60):
        optimiser.zero_grad()
        arm.loss(arm.batch(data.train[rng.integers(0, 500, 64)])).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(arm.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        found = arm.answers(arm.batch(data.validation))
    assert (found.values == data.validation.answers).mean() > 0.3


def test_codecs_without_digits_of_fixed_places_are_refused() -> None:
    for codec in (Codec(3), Codec.floating(5, features="both"), Codec(3, 0, "both", periods=("10", "7"))):
        with pytest.raises(InputError, match="products of slots need the digits of fixed places"):
            SlotProducts(codec, 8)
