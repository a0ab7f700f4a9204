"""What is read from the logits, against adding up all numbers one by one."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
import torch

from modgap._errors import InputError, ModelError
from modgap.fone import Codec, NumberLogits
from modgap.fone._slots import slots_of

CODECS = [
    Codec(2, 2),
    Codec(2, 2, extras=("sign",)),
    Codec(2, 1, extras=()),
    Codec(0, 2),
    Codec.floating(2, 1),
    Codec.floating(2, 1, extras=()),
]


def random_logits(codec: Codec, seed: int, rows: int = 1) -> NumberLogits:
    rng = torch.Generator().manual_seed(seed)
    slots = slots_of(codec)
    return NumberLogits(
        slots,
        2 * torch.randn(rows, slots.tens, 10, generator=rng),
        torch.randn(rows, len(slots.flags), generator=rng),
    )


def chances(logits: NumberLogits) -> dict[str, float]:
    """Probability of every printed number, by adding up all rows of labels."""
    slots = logits.slots
    # integer_length and zero are not printed: any value will do.
    skipped = slots.ten_way.get("integer_length", slice(0, 0))
    ten_way = logits.ten_way[0].double().softmax(dim=-1).numpy()
    options = [[0] if skipped.start <= i < skipped.stop else range(10) for i in range(slots.tens)]
    options += [[0] if name == "zero" else range(2) for name in slots.flags]
    rows = np.array(list(itertools.product(*options)))
    chance = np.ones(len(rows))
    for i in range(slots.tens):
        if len(options[i]) > 1:
            chance *= ten_way[i, rows[:, i]]
    for i, name in enumerate(slots.flags):
        yes = 1 / (1 + math.exp(-float(logits.flags[0, i])))
        if name != "zero":
            chance *= np.where(rows[:, slots.tens + i] == 1, yes, 1 - yes)
    found: defaultdict[str, float] = defaultdict(float)
    for text, value in zip(slots.numbers(rows), chance, strict=True):
        found[str(text)] += value
    return found


@pytest.mark.parametrize("codec", CODECS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_the_best_numbers_and_their_probabilities_are_exact(codec: Codec, seed: int) -> None:
    logits = random_logits(codec, seed)
    expected = chances(logits)
    assert abs(sum(expected.values()) - 1) < 1e-9
    found = logits.top(5)[0]
    best = sorted(expected.values(), reverse=True)[:5]
    for candidate, chance in zip(found, best, strict=True):
        assert abs(candidate.probability - expected[candidate.text]) < 1e-6
        assert abs(candidate.probability - chance) < 1e-6


@pytest.mark.parametrize("codec", CODECS[:4], ids=str)
def test_the_probability_of_a_number_is_exact(codec: Codec) -> None:
    logits = random_logits(codec, 11)
    expected = chances(logits)
    likely = logits.labels()
    assert abs(float(logits.chances(likely)) - expected[logits.numbers()[0]]) < 1e-6
    for text in ("0.7", "-1", "12.34", "5.6"):
        try:
            labels = torch.from_numpy(logits.slots.labels([text]))
        except InputError:
            continue
        printed = str(logits.slots.numbers(labels)[0])
        assert abs(float(logits.chances(labels)) - expected[printed]) < 1e-6


@pytest.mark.parametrize("codec", CODECS[:4], ids=str)
def test_mean_and_entropy_are_exact(codec: Codec) -> None:
    logits = random_logits(codec, 7)
    expected = chances(logits)
    mean = sum(float(text) * chance for text, chance in expected.items())
    assert abs(float(logits.expected()) - mean) < 1e-4
    entropy = -sum(chance * math.log(chance) for chance in expected.values())
    assert abs(float(logits.entropy()) - entropy) < 1e-3


def test_a_draw_follows_the_probabilities() -> None:
    logits = random_logits(Codec(1, 1), 3)
    many = NumberLogits(logits.slots, logits.ten_way.expand(20_000, -1, -1), logits.flags.expand(20_000, -1))
    labels = many.draw(np.random.default_rng(0))
    drawn = many.slots.numbers(labels)
    for candidate in logits.top(5)[0]:
        share = drawn.count(candidate.text) / len(drawn)
        # Four standard deviations of a share of 20,000.
        margin = 4 * math.sqrt(candidate.probability * (1 - candidate.probability) / len(drawn))
        assert abs(share - candidate.probability) < margin
    assert torch.equal(many.draw(np.random.default_rng(0)), labels)
    cold = set(many.slots.numbers(many.draw(np.random.default_rng(1), temperature=1e-3)))
    assert cold == {logits.numbers()[0]}


def test_many_rows_are_many_single_ones() -> None:
    logits = random_logits(Codec(3, 2), 5, rows=4)
    for i in range(4):
        one = NumberLogits(logits.slots, logits.ten_way[i : i + 1], logits.flags[i : i + 1])
        assert logits.top(3)[i] == pytest.approx(one.top(3)[0])
        assert logits.numbers()[i] == one.numbers()[0]
    assert logits.probabilities().shape == (4, 5, 10)
    torch.testing.assert_close(logits.probabilities().sum(dim=2), torch.ones(4, 5))
    empty = NumberLogits(logits.slots, logits.ten_way[:0], logits.flags[:0])
    assert (empty.numbers(), empty.top(2), empty.expected().tolist()) == ([], [], [])


def test_sixty_certain_digits_are_exact() -> None:
    slots = slots_of(Codec(60, 10))
    text = "-" + "987654321" * 6 + "012345.0000000001"
    rows = torch.from_numpy(slots.labels([text])).long()
    ten_way = 50 * torch.nn.functional.one_hot(rows[:, : slots.tens], 10).float()
    logits = NumberLogits(slots, ten_way, rows[:, slots.tens :] * 100.0 - 50)
    assert logits.numbers() == [text]
    assert logits.top(1)[0][0].text == text
    assert logits.top(1)[0][0].probability > 0.999
    assert float(logits.entropy()) < 1e-3


def test_what_cannot_be_computed_is_refused() -> None:
    with pytest.raises(InputError, match="the mean of a floating codec, or of more than 308 integer places"):
        random_logits(Codec.floating(3, 1), 0).expected()
    with pytest.raises(InputError, match="k 0 is not a number of candidates: give 1 or more"):
        random_logits(Codec(2), 0).top(0)
    with pytest.raises(InputError, match="temperature 0 is not positive: use labels"):
        random_logits(Codec(2), 0).draw(np.random.default_rng(0), temperature=0)
    broken = NumberLogits(slots_of(Codec(2)), torch.full((1, 3, 10), torch.nan), torch.zeros(1, 2))
    with pytest.raises(ModelError, match="numbers are not finite: its states overflowed; use bfloat16"):
        broken.numbers()
