"""Logits, loss and the published loss floor."""

from __future__ import annotations

import math

import pytest
import torch

from modgap._errors import InputError, UnknownName
from modgap.fone import Codec, NumberHead

PUBLISHED = Codec(7, 3, extras=())


def labels(head: NumberHead, numbers: list[str | None]) -> torch.Tensor:
    return torch.from_numpy(head.slots.labels(numbers))


def states_of(head: NumberHead, numbers: list[str | None], length: float = 1.0) -> torch.Tensor:
    """States whose pairs point at the digits and whose flag entries are ±1."""
    rows = labels(head, numbers).double()
    tens = head.slots.tens
    angle = rows[:, :tens] * 2 * math.pi / 10
    pairs = torch.stack([angle.cos(), angle.sin()], dim=2).flatten(1)
    state = torch.zeros(len(rows), head.width, dtype=torch.float64)
    state[:, : 2 * tens] = pairs
    state[:, 2 * tens : 2 * tens + len(head.slots.flags)] = rows[:, tens:] * 2 - 1
    return (state * length).float()


def test_logits_are_products_of_pairs_with_ten_points_after_a_layer_norm() -> None:
    """The published formula, section 2 of the facts, written out."""
    torch.manual_seed(0)
    head = NumberHead(PUBLISHED, 256)
    state = torch.randn(4, 256, dtype=torch.float64)
    centred = state - state.mean(dim=1, keepdim=True)
    normed = centred / (centred.square().mean(dim=1, keepdim=True) + 1e-5).sqrt()
    found = head(state).ten_way
    assert found.shape == (4, 10, 10)
    for slot in range(10):
        for digit in range(10):
            angle = 2 * math.pi * digit / 10
            wanted = normed[:, 2 * slot] * math.cos(angle) + normed[:, 2 * slot + 1] * math.sin(angle)
            torch.testing.assert_close(found[:, slot, digit].double(), wanted, rtol=1e-5, atol=1e-5)


def test_the_loss_is_the_mean_of_the_cross_entropies_of_the_digits() -> None:
    head = NumberHead(PUBLISHED, 64)
    logits = head(torch.randn(5, 64))
    wanted = labels(head, ["1", "22", "3.125", "9999999.999", None])
    each = torch.stack(
        [
            torch.nn.functional.cross_entropy(logits.ten_way[row, slot], wanted[row, slot].long())
            for row in range(4)
            for slot in range(10)
        ]
    )
    torch.testing.assert_close(head.loss(logits, wanted), each.mean())
    weights = torch.arange(10.0)
    weighted = (each.reshape(4, 10).mean(dim=0) * weights).sum() / 45
    torch.testing.assert_close(head.loss(logits, wanted, slot_weights=weights), weighted)


def test_label_smoothing_is_that_of_cross_entropy_for_digits_and_flags() -> None:
    head = NumberHead(Codec(2), 32, read="linear")
    logits = head(torch.randn(3, 32))
    wanted = labels(head, ["-7", "0", "12"]).long()
    tens = head.slots.tens
    digits = torch.nn.functional.cross_entropy(
        logits.ten_way.transpose(1, 2), wanted[:, :tens], reduction="none", label_smoothing=0.2
    )
    # A flag is a choice of two, whose logits are 0 and the flag's.
    pairs = torch.stack([torch.zeros_like(logits.flags), logits.flags], dim=1)
    flags = torch.nn.functional.cross_entropy(pairs, wanted[:, tens:], reduction="none", label_smoothing=0.2)
    expected = torch.cat([digits, flags], dim=1).mean()
    torch.testing.assert_close(head.loss(logits, wanted, label_smoothing=0.2), expected)


@pytest.mark.parametrize(
    ("width", "places", "floor", "probability"),
    [(256, 10, 0.601, 0.55), (768, 49, 0.733, 0.48), (1024, 60, 0.710, 0.49), (2048, 10, 0.122, None)],
)
def test_the_published_loss_has_a_floor_that_a_temperature_removes(
    width: int, places: int, floor: float, probability: float | None
) -> None:
    """Section 2 of the facts, 'Loss floor': ln Σ exp(r (cos 36°k − 1)) with r = √(width/S).

    The best state is searched for by gradient descent, so nothing of the formula enters the measurement.
    """
    r = math.sqrt(width / places)
    closed = math.log(sum(math.exp(r * (math.cos(math.pi * k / 5) - 1)) for k in range(10)))
    assert abs(closed - floor) < 5e-4
    reached = {}
    for temperature in (None, "learned"):
        head = NumberHead(Codec(places, extras=()), width, temperature=temperature)  # type: ignore[arg-type]
        head.norm.requires_grad_(False)  # gain 1: the floor is that of a head as it starts
        rng = torch.Generator().manual_seed(0)
        wanted = labels(
            head, ["".join(str(d) for d in torch.randint(0, 10, (places,), generator=rng).tolist())]
        )
        state = torch.randn(1, width, generator=rng, requires_grad=True)
        trained = [state, *(p for p in head.parameters() if p.requires_grad)]
        optimiser = torch.optim.Adam(trained, lr=0.1)
        for _ in range(300):
            optimiser.zero_grad()
            loss = head.loss(head(state), wanted)
            loss.backward()
            optimiser.step()
        reached[temperature] = float(loss.detach())
        if temperature is None and probability is not None:
            best = head(state).probabilities().amax(dim=2)
            assert abs(float(best.mean().detach()) - probability) < 0.01
    assert closed - 1e-3 < reached[None] < closed + 0.01
    assert reached["learned"] < 0.02


def test_sign_length_and_zero_have_outputs_of_their_own() -> None:
    head = NumberHead(Codec(3, 2), 64, temperature=0.05)
    numbers: list[str | None] = ["-12.5", "0", "-0.00", "999.99", "7.0"]
    logits = head(states_of(head, numbers))
    assert logits.flags.shape == (5, 2)
    assert logits.numbers() == numbers
    assert (logits.flags[:, 1] > 0).tolist() == [False, True, True, False, False]


def test_a_loss_without_numbers_is_zero_and_keeps_the_graph() -> None:
    head = NumberHead(Codec(3), 32, read="linear")
    loss = head.loss(head(torch.randn(2, 4, 32)), torch.full((2, 4, head.slots.count), -100))
    assert float(loss.detach()) == 0
    loss.backward()
    assert head.map is not None
    assert head.map.weight.grad is not None


def test_a_head_in_bfloat16_computes_in_float32() -> None:
    head = NumberHead(Codec(5), 64, read="linear", temperature="learned").bfloat16()
    states = torch.randn(3, 64, dtype=torch.bfloat16)
    found = head(states)
    assert found.ten_way.dtype == torch.float32
    assert not list(head.buffers())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(head(states).ten_way, found.ten_way)
    exact = head.double()
    # Not exact.forward, which computes in float32 again: the map by hand.
    assert exact.map is not None
    normed = torch.nn.functional.layer_norm(states.double(), (64,), exact.norm.weight, exact.norm.bias)
    pairs = exact.map(normed)[:, : 2 * head.slots.tens].reshape(3, -1, 2)
    torch.testing.assert_close(found.ten_way[:, :, 0].double(), pairs[:, :, 0], rtol=1e-5, atol=1e-5)


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="49 slots need 98 entries and the state has 64: use read='linear'"):
        NumberHead(Codec(17, 32, extras=()), 64)
    with pytest.raises(UnknownName, match="read 'slices' is not one of slice, linear; did you mean 'slice'"):
        NumberHead(Codec(5), 64, read="slices")  # type: ignore[arg-type]
    for bad in ("learn", 0.0, -1.0):
        with pytest.raises(InputError, match=r"is not one of None, 'learned' and a positive number"):
            NumberHead(Codec(5), 64, temperature=bad)  # type: ignore[arg-type]
    head = NumberHead(Codec(5, extras=()), 64)
    logits = head(torch.zeros(2, 64))
    with pytest.raises(
        InputError, match=r"labels have shape \(2, 4\) and the logits are of \(2,\) rows with 5"
    ):
        head.loss(logits, torch.zeros(2, 4, dtype=torch.int64))
    wanted = torch.zeros(2, 5, dtype=torch.int64)
    with pytest.raises(InputError, match=r"slot_weights have shape \(3,\): give one for each of 5 slots"):
        head.loss(logits, wanted, slot_weights=torch.ones(3))
    with pytest.raises(InputError, match="label_smoothing 1 is not from 0 to below 1"):
        head.loss(logits, wanted, label_smoothing=1)
