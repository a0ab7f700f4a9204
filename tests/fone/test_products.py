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


@pytest.mark.parametrize("decimals", [0, 2])
def test_phases_of_a_product_are_those_that_the_codec_gives_it(decimals: int) -> None:
    """Closed form: the remainder of the product modulo the period of each place, over that period."""
    rng = np.random.default_rng(0)
    codec = Codec(9 - decimals, decimals, "both")
    factors = rng.integers(0, 10**4, (50, 2))
    left, right = (torch.from_numpy(codec.encode(factors[:, i], scale=decimals)) for i in (0, 1))
    turns = SlotProducts(codec, 8, convolve=True)._phases(left, right).numpy()
    places = 10 ** np.arange(1 + decimals, 10 + decimals)  # in units of the product, 10**(-2 decimals)
    expected = factors.prod(axis=1)[:, None] % places / places
    assert np.abs(np.exp(2j * np.pi * (turns - expected)) - 1).max() < 1e-9


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


def test_the_transformer_sees_no_number() -> None:
    """So it cannot tell rows apart, which is what few of them are learned by heart by."""
    task = task_named("add-3")
    arm = build_arm("fone-products", task, "tiny", 0)
    states: list[torch.Tensor] = []
    products = arm.get_submodule("products")
    products.register_forward_pre_hook(lambda _, given: states.append(given[2]))
    arm.loss(arm.batch(make_data(task, rows=5, seed=0, validation=1, test=1).train))
    assert states[0].shape == (5, 64)
    assert (states[0] == states[0][:1]).all()


def test_codecs_without_digits_of_fixed_places_are_refused() -> None:
    for codec in (Codec(3), Codec.floating(5, features="both"), Codec(3, 0, "both", periods=("10", "7"))):
        with pytest.raises(InputError, match="products of slots need the digits of fixed places"):
            SlotProducts(codec, 8)
