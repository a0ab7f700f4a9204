"""Every arm reads the same problems and gives integers back; sizes are those of the paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from modgap._errors import InputError, UnknownName
from modgap.fone import Codec
from modgap.fone._abacus import places_of
from modgap.fone._arms import ARMS, FoneArm, SlotsArm, build_arm, parameter_counts, values_of
from modgap.fone._backbone import SIZES, build_backbone
from modgap.fone._bits_arm import BitsArm, bits_of, values_of_bits
from modgap.fone._slots import slots_of
from modgap.fone._token_arm import CUTS, TokenArm, padded, unpadded
from modgap.fone._xval_arm import XvalArm
from modgap.fone.tasks import TASKS, make_data, task_named


@pytest.mark.parametrize("name", ARMS)
@pytest.mark.parametrize("task_name", ["add-3", "add-decimal", "subtract-signed", "classify"])
def test_every_arm_does_every_task(name: str, task_name: str) -> None:
    task = task_named(task_name)
    if name == "fone-published" and task.signed:
        with pytest.raises(InputError, match="the published numbers have no sign, and 'subtract-signed' has"):
            build_arm(name, task, "tiny", 0)
        return
    if name.startswith("abacus") and (task.signed or task.scale):
        with pytest.raises(InputError, match="is for whole numbers without a sign"):
            build_arm(name, task, "tiny", 0)
        return
    if name == "fone-products" and task.operands != 2:
        with pytest.raises(InputError, match="multiplies two operands and 'classify' has 3"):
            build_arm(name, task, "tiny", 0)
        return
    rows = make_data(task, rows=12, seed=0, validation=1, test=1).train
    arm = build_arm(name, task, "tiny", 0)
    batch = arm.batch(rows)
    loss = arm.loss(batch)
    assert torch.isfinite(loss)
    loss.backward()  # type: ignore[no-untyped-call]
    # Everything that is trained is used; tokens that no row has are rows of one table.
    missing = [name for name, p in arm.named_parameters() if p.grad is None or not p.grad.any()]
    assert missing == []
    with torch.no_grad():
        right, found = arm.right(batch), arm.answers(batch)
    assert np.array_equal(right, found.parsed & (found.values == rows.answers))


def test_the_same_seed_gives_the_same_model() -> None:
    task = task_named("add-3")
    for name in ARMS:
        first, again, other = (build_arm(name, task, "tiny", seed) for seed in (1, 1, 2))
        pairs = zip(first.parameters(), again.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
        assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_sizes_without_vocabulary_are_those_of_the_paper() -> None:
    """Table of section 5 of the facts, in millions, and 986,240 of the reference run: 16 tokens of 128."""
    task = task_named("add-3")
    found = {size: parameter_counts(build_arm("slots", task, size, 0))["transformer"] for size in SIZES}
    millions = [round(found[f"level-{i}"] / 1e6, 2) for i in (1, 2, 3, 5, 6)]
    assert millions == [0.10, 0.59, 1.99, 8.61, 14.16]
    assert round(found["paper"] / 1e6, 2) == 4.72
    assert found["small"] + 16 * 128 == 986_240
    assert parameter_counts(build_arm("digits", task, "small", 0))["total"] == found["small"] + 20 * 128


def test_numbers_of_the_fone_arms_are_those_of_their_codecs() -> None:
    task = task_named("add")
    rows = make_data(task, rows=5, seed=0, validation=1, test=1).train
    published, exact = (build_arm(name, task, "tiny", 0) for name in ("fone-published", "fone"))
    assert isinstance(published, FoneArm)
    assert isinstance(exact, FoneArm)
    assert published.codec == Codec(10, 0, extras=())
    assert exact.codec == Codec(7, 0, features="both", extras=())
    assert published.numbers.head is not None
    assert published.numbers.head.map is published.numbers.head.log_scale is None
    for arm in (published, exact):
        batch = arm.batch(rows)
        assert arm.codec.decode(batch["features"][:, 0].numpy()) == [str(a) for a in rows.operands[:, 0]]
        assert not batch["features"][:, 1::2].any()  # + and = carry no number
        assert arm.numbers.head is not None
        assert arm.numbers.head.slots.numbers(batch["labels"].numpy()) == [str(a) for a in rows.answers]


@pytest.mark.parametrize("name", TASKS)
def test_integers_come_back_from_slots(name: str) -> None:
    task = task_named(name)
    rows = make_data(task, rows=40, seed=0, validation=1, test=1).train
    slots = slots_of(Codec(*task.places, features="digits", extras=("sign",) if task.signed else ()))
    labels = slots.labels(task.texts(rows.answers)).astype(np.int64)
    assert np.array_equal(values_of(slots, labels), rows.answers)


@pytest.mark.parametrize(
    ("cut", "text", "pieces"),
    [
        ("digits", "-1234.500", ["-", "1", "2", "3", "4", ".", "5", "0", "0"]),
        ("digits-reversed", "-1234.500", ["0", "0", "5", ".", "4", "3", "2", "1", "-"]),
        ("subword", "-1234.500", ["-", "123", "4", ".", "500"]),
        ("subword-right", "-1234.500", ["-", "1", "234", ".", "500"]),
        ("subword-right", "123456", ["123", "456"]),
        ("subword", "7", ["7"]),
    ],
)
def test_numbers_are_cut_into_tokens(cut: str, text: str, pieces: list[str]) -> None:
    assert CUTS[cut](text) == pieces


@pytest.mark.parametrize(
    ("text", "wide"), [("7", "0007"), ("1234", "1234"), ("-5.250", "-0005.250"), ("0", "0000")]
)
def test_padded_numbers_are_read_back(text: str, wide: str) -> None:
    assert padded(text, 4) == wide
    assert unpadded(wide, 4) == text
    assert unpadded(wide[:-4] + wide[-3:], 4) == ""  # a digit is missing
    assert unpadded(text, 1) == padded(text, 1) == text


@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut != "digits-padded"])
def test_lines_of_tokens_read_as_the_problem(cut: str) -> None:
    task = task_named("add-3")
    arm = build_arm(cut, task, "tiny", 0)
    assert isinstance(arm, TokenArm)
    rows = task.rows(np.array([[5, 1000], [123, 45]]))
    batch = arm.batch(rows)
    lines = ["".join(arm.words[i] for i in line) for line in batch["ids"].tolist()]
    back = slice(None, None, -1) if arm.reversed else slice(None)
    begin, end = ("<unk>", "<end>") if cut.startswith("abacus") else ("", "")
    assert lines[0] == f"{begin}5{end}+{'1000'[back]}{end}={'1005'[back]}<end>"
    assert lines[1].startswith(f"{begin}{'123'[back]}{end}+{'45'[back]}{end}={'168'[back]}<end>")
    wanted = ["".join(arm.words[i] for i in line if i >= 0) for line in batch["wanted"].tolist()]
    assert wanted == [f"{'1005'[back]}<end>", f"{'168'[back]}<end>"]


def test_generated_answers_are_those_that_the_shortcut_calls_right() -> None:
    """A model that has learned some rows by heart and not others."""
    task = task_named("add-3")
    rows = make_data(task, rows=24, seed=0, validation=1, test=1).train
    arm = build_arm("digits", task, "tiny", 0)
    optimiser = torch.optim.AdamW(arm.parameters(), lr=1e-2)
    batch = arm.batch(rows[:12])
    for _ in range(60):
        optimiser.zero_grad()
        arm.loss(batch).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    whole = arm.batch(rows)
    with torch.no_grad():
        right, found = arm.right(whole), arm.answers(whole)
    assert right[:12].sum() > 6
    assert np.array_equal(right, found.parsed & (found.values == rows.answers))


def test_values_of_xval_are_linear_and_its_answer_is_the_nearest_integer() -> None:
    task = task_named("add")
    arm = build_arm("xval", task, "tiny", 0)
    assert isinstance(arm, XvalArm)
    batch = arm.batch(task.rows(np.array([[1_000_000, 1_000_000], [0, 500_000]])))
    assert batch["operands"].tolist() == [[2.5, 2.5], [0.0, 1.25]]
    assert batch["wanted"].tolist() == [5.0, 1.25]
    with torch.no_grad():
        arm.head.weight.zero_()
        arm.head.bias.fill_(123_456.4 / arm.unit)
        assert arm.answers(batch).values.tolist() == [123_456, 123_456]
        arm.head.bias.fill_(float("nan"))
        assert arm.answers(batch).parsed.tolist() == [False, False]


def test_bits_are_those_of_doubles() -> None:
    """IEEE 754: 1.0 is 0x3FF0000000000000 and -2.5 is 0xC004000000000000."""
    bits = bits_of(np.array([1_000, -2_500]), 3)
    assert [f"{int(''.join(map(str, row)), 2):X}" for row in bits.tolist()] == [
        "3FF0000000000000",
        "C004000000000000",
    ]
    assert values_of_bits(bits.astype(bool)).tolist() == [1.0, -2.5]
    arm = build_arm("bits", task_named("add-decimal"), "tiny", 0)
    assert isinstance(arm, BitsArm)
    arm._logits = lambda batch: batch["wanted"].float() - 0.5  # type: ignore[method-assign]
    rows = make_data(task_named("add-decimal"), rows=500, seed=0, validation=1, test=1).train
    assert arm.right(arm.batch(rows)).all()


def test_places_start_again_in_every_number() -> None:
    found = places_of(torch.tensor([[0, 1, 1, 0, 1, 1, 1, 0], [1, 0, 0, 1, 1, 0, 0, 1]]).bool())
    assert found.tolist() == [[0, 1, 2, 0, 1, 2, 3, 0], [1, 0, 0, 1, 2, 0, 0, 1]]


def test_ends_of_numbers_have_places_and_the_beginning_has_none() -> None:
    """Two numbers, 12 and 3, are 2 1 end and 3 end; the vectors of places are what is added to the tokens."""
    arm = build_arm("abacus", task_named("add-lengths-5"), "tiny", 0).eval()
    assert isinstance(arm, TokenArm)
    assert arm.abacus is not None
    line = arm.batch(arm.task.rows(np.array([[12, 3]])))["ids"]
    assert [arm.words[i] for i in line[0]] == [
        "<unk>", "2", "1", "<end>", "+", "3", "<end>", "=", "5", "1", "<end>",
    ]  # fmt: skip
    given: list[torch.Tensor] = []
    arm.abacus.places.register_forward_hook(lambda _, places, __: given.append(places[0]))
    arm.abacus(line)
    first = 5  # outside training numbers begin five places on
    assert (given[0] - first).tolist() == [[-first, 1, 2, 3, 0, 1, 2, 0, 1, 2, 3]]


def test_vectors_of_numbers_are_as_long_as_their_features() -> None:
    for name, length in (("fone", 14**0.5), ("slots", 7**0.5), ("bits", 8.0)):
        arm: Any = build_arm(name, task_named("add"), "small", 0)
        rows = make_data(arm.task, rows=200, seed=0, validation=1, test=1).train
        batch = arm.batch(rows)
        vectors = {
            "fone": lambda arm=arm, batch=batch: arm.numbers.embedding(batch["features"][:, 0]),
            "slots": lambda arm=arm, batch=batch: arm.digits(batch["digits"]).sum(dim=2)[:, 0],
            "bits": lambda arm=arm, batch=batch: arm.number(batch["bits"])[:, 0],
        }[name]()
        assert float(vectors.norm(dim=1).mean().detach()) == pytest.approx(length, rel=0.15)


def test_published_numbers_are_followed_by_zeros() -> None:
    arm = build_arm("fone-published", task_named("add"), "tiny", 0)
    assert isinstance(arm, FoneArm)
    vectors = arm.numbers.embedding(arm.batch(arm.task.rows(np.array([[12, 3]])))["features"][0, :1])
    assert torch.count_nonzero(vectors[:, 20:]) == 0
    assert float(vectors.norm()) == pytest.approx(10**0.5)


def test_digits_of_abacus_move_on_in_training_alone() -> None:
    arm = build_arm("abacus-fone", task_named("add-lengths-5"), "tiny", 0)
    assert isinstance(arm, TokenArm)
    assert arm.abacus is not None
    ids = torch.tensor([[arm.index[word] for word in "21+3="]])
    with torch.no_grad():
        states = {}
        for training in (False, True):
            arm.train(training)
            states[training] = arm.abacus(ids)
        assert not torch.equal(states[True], states[False])
        # A later token does not change what was seen before it, and an earlier one does.
        assert torch.allclose(arm.eval().abacus(ids[:, :3]), states[False][:, :3], atol=1e-5)
        other = ids.clone()
        other[0, 0] += 1
        assert not torch.allclose(arm.abacus(other)[:, -1], states[False][:, -1], atol=1e-3)


def test_a_near_digit_costs_less_than_a_far_one_with_the_number_token_loss() -> None:
    task = task_named("add-3")
    losses = {}
    for answer in (5, 9):
        arm = build_arm("digits-ntl", task, "tiny", 0)
        assert isinstance(arm, TokenArm)
        batch = arm.batch(task.rows(np.array([[1, 3]])))
        logits = torch.zeros(2, len(arm.words))
        logits[0, arm.index[str(answer)]] = 9.0
        wanted = torch.tensor([arm.index["4"], arm.index["<end>"]])
        arm._logits = lambda _, found=(logits, wanted): found  # type: ignore[method-assign, misc]
        losses[answer] = float(arm.loss(batch))
    assert losses[9] - losses[5] == pytest.approx(0.3 * (25 - 1), rel=0.05)


def test_periods_of_another_base_are_for_the_published_arm() -> None:
    arm = build_arm("fone-published", task_named("add-3"), "tiny", 0, bases=(2, 5))
    assert isinstance(arm, FoneArm)
    assert arm.codec.periods is not None
    assert arm.codec.periods[:4] == ("2e0", "5e0", "2e1", "5e1")
    with pytest.raises(InputError, match="bases are those of the phases of arm 'fone-published', and this"):
        build_arm("fone", task_named("add-3"), "tiny", 0, bases=(2,))


def test_slots_look_up_the_digit_at_its_place() -> None:
    arm = build_arm("slots", task_named("add-3"), "tiny", 0)
    assert isinstance(arm, SlotsArm)
    batch = arm.batch(task_named("add-3").rows(np.array([[507, 12]])))
    assert batch["digits"][0].tolist() == [[7, 10, 25, 30], [2, 11, 20, 30]]


def test_tokens_per_number() -> None:
    values = np.array([7, 1234])
    counts: dict[str, Any] = {
        name: build_arm(name, task_named("add"), "tiny", 0).tokens(values) for name in ARMS
    }
    assert counts == {
        "fone": 2, "fone-products": 2, "fone-published": 2, "slots": 2, "bits": 2, "xval": 2,
        "digits": 5, "digits-ntl": 5, "digits-reversed": 5, "digits-padded": 14, "subword": 3,
        "subword-right": 3, "abacus": 7, "abacus-fone": 7,
    }  # fmt: skip


def test_first_parameters_are_as_wide_as_asked() -> None:
    for name, init, std in (("digits", None, 64**-0.5), ("fone", None, 0.02), ("digits", 0.05, 0.05)):
        arm = build_arm(name, task_named("add-3"), "tiny", 0, init)
        assert float(arm.backbone.model.layers[0].mlp.up_proj.weight.detach().std()) == pytest.approx(
            std, rel=0.05
        )


def test_mistakes_are_named() -> None:
    with pytest.raises(UnknownName, match=r"arm 'fon' is not one of fone, .*did you mean 'fone'"):
        build_arm("fon", task_named("add"), "tiny", 0)
    with pytest.raises(UnknownName, match="size 'smal' is not one of tiny, small"):
        build_backbone("smal", 10, 0)
