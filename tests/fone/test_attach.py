"""A model with numbers: what goes in, what is learned, and that the first step changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError, ModelError, UnknownName
from modgap.fone import Codec, NumberModel, Policy, attach
from modgap.fone._parse import DEFAULT_POLICY
from modgap.fone._text import NumberText

quick = settings(deadline=None, max_examples=60)  # a busy machine is no failure

TEXTS = ["the answer is -34, 1,234.5 kg (12) on 2024-05-01", "7 of 12", "no number"]
CODEC = Codec(6, 3)


def numbers_at(model: NumberModel, batch: dict[str, Any], row: int) -> dict[int, str]:
    """Positions that carry a number, and which."""
    found = model.settings.codec.decode(batch["number_features"][row].numpy())
    return {i: number for i, number in enumerate(found) if number is not None}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("positions", ["each", "last"])
def test_added_numbers_leave_the_first_step_bit_for_bit_as_it_was(
    make_model: Any, tokenizer: Any, dtype: torch.dtype, side: Any, positions: Any
) -> None:
    base = make_model(len(tokenizer)).to(dtype)
    model = attach(base, tokenizer, mode="add", positions=positions)
    batch = model.encode_text(TEXTS, padding_side=side)
    assert batch["number_features"].any(dim=2).sum() > 3
    with torch.no_grad():
        expected = base(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        assert torch.equal(model(**batch).logits, expected)
        model.gate.fill_(0.5)
        assert not torch.equal(model(**batch).logits, expected)


def test_added_numbers_can_be_learned_although_the_gate_is_zero(make_model: Any, tokenizer: Any) -> None:
    model = attach(make_model(len(tokenizer)), tokenizer, mode="add")
    optimiser = torch.optim.SGD(model.number_parameters(), lr=0.1)
    before = copy.deepcopy(model.embedding.weight)
    for _ in range(2):  # the gate moves first, the map once it has
        optimiser.zero_grad()
        model(**model.encode_text(TEXTS)).loss.backward()
        optimiser.step()
    assert torch.count_nonzero(model.gate) > 0
    assert before is not None
    assert model.embedding.weight is not None
    assert not torch.equal(model.embedding.weight, before)


def test_replaced_numbers_leave_a_text_without_numbers_as_it_was(make_model: Any, tokenizer: Any) -> None:
    base = make_model(len(tokenizer))
    model = attach(base, tokenizer)
    batch = model.encode_text(["no number", "of the answer or none"])
    with torch.no_grad():
        expected = base(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        found = model(**batch).logits
    assert found.shape[2] == len(tokenizer) + 1
    assert torch.equal(found[..., :-1], expected)


def test_a_number_is_one_token_that_carries_its_value(make_llama: Any, tokenizer: Any) -> None:
    model = attach(make_llama(len(tokenizer)), tokenizer, codec=CODEC)
    batch = model.encode_text(TEXTS)
    ids = batch["input_ids"]
    assert len(tokenizer) == model.text.number_id
    assert (ids == model.text.number_id).sum(dim=1).tolist() == [3, 2, 0]
    assert list(numbers_at(model, batch, 0).values()) == ["-34", "1234.5", "12"]
    assert [int(ids[0, i]) for i in numbers_at(model, batch, 0)] == [len(tokenizer)] * 3
    labels = batch["number_labels"][0, sorted(numbers_at(model, batch, 0))]
    assert model.head is not None
    assert model.head.slots.numbers(labels) == ["-34", "1234.5", "12"]
    assert "2024-05-01" in model.text.decode(ids[0].tolist())
    assert len(tokenizer) == 282, "the tokenizer that was given is not changed"


def test_a_number_is_as_long_as_its_features_or_as_the_tokens_beside_it(
    make_llama: Any, tokenizer: Any
) -> None:
    torch.manual_seed(0)
    base = make_llama(len(tokenizer))
    features = torch.from_numpy(CODEC.encode([str(n) for n in range(1, 500, 7)]))
    with torch.no_grad():
        one = attach(base, tokenizer, codec=CODEC).embedding(features)
        beside = attach(base, tokenizer, codec=CODEC, mode="add").embedding(features)
        tokens = base.get_input_embeddings().weight.detach()
    assert float(one.norm(dim=1).mean()) == pytest.approx(float(features.norm(dim=1).mean()), rel=0.3)
    assert float(beside.square().mean()) == pytest.approx(float(tokens.square().mean()), rel=0.6)


def test_numbers_that_the_codec_cannot_hold_stay_text(make_llama: Any, tokenizer: Any) -> None:
    model = attach(make_llama(len(tokenizer)), tokenizer, codec=Codec(3, 1, extras=("number",)))
    batch = model.encode_text(["12 and 1234 and 1.25 and -3 and 0.5"])
    assert list(numbers_at(model, batch, 0).values()) == ["12.0", "0.5"]
    text = model.text.decode([i for i in batch["input_ids"][0].tolist() if i != model.text.number_id])
    assert text == " and 1234 and 1.25 and -3 and "
    floating = attach(make_llama(len(tokenizer)), tokenizer, codec=Codec.floating(3, 2))
    found = numbers_at(floating, floating.encode_text(["6.02e23 and 1.234 and 1e-99 and 1e-100"]), 0)
    assert list(found.values()) == ["602" + "0" * 21, "0." + "0" * 98 + "1"]


def test_sub_tokens_carry_the_number_so_far(make_llama: Any, tokenizer: Any) -> None:
    model = attach(make_llama(len(tokenizer)), tokenizer, mode="add", codec=CODEC)
    text = "is -1234.5, 5-3 on 2024-05"
    batch = model.encode_text([text])
    tokens = tokenizer.convert_ids_to_tokens(batch["input_ids"][0])
    assert tokens == tokenizer.tokenize(text)
    assert [(tokens[i], n) for i, n in numbers_at(model, batch, 0).items()] == [
        ("12", "-12"),
        ("34", "-1234"),
        ("5", "-1234.5"),
        ("5", "5"),
        ("3", "3"),
        ("2", "2"),
        ("0", "20"),
        ("2", "202"),
        ("4", "2024"),
        ("0", "0"),
    ]
    last = attach(make_llama(len(tokenizer)), tokenizer, mode="add", codec=CODEC, positions="last")
    found = numbers_at(last, last.encode_text([text]), 0)
    assert [(tokens[i], n) for i, n in found.items()] == [("5", "-1234.5"), ("5", "5"), ("3", "3")]


@quick
@given(st.text("0123456789 .,-+/:eE$(%aA", max_size=30), st.data())
def test_what_a_sub_token_carries_depends_on_nothing_later(tokenizer: Any, text: str, data: Any) -> None:
    """And the number so far, read from the ids alone as while writing, is the one read from the text."""
    reader = NumberText(tokenizer, Codec(40, 40), DEFAULT_POLICY, None, each=True)
    row = reader.read(text, special=False)
    cut = data.draw(st.integers(0, len(row.ids)))
    shorter = reader.read(reader.decode(row.ids[:cut]), special=False)
    if shorter.ids == row.ids[:cut]:  # tokens may change where a text is cut
        assert shorter.numbers == row.until(cut).numbers
    for i, token in enumerate(row.ids):
        assert reader.added_by(row.ids[:i], token) == dict(row.numbers).get(i)


def test_the_last_sub_token_alone_tells_where_a_number_ends(tokenizer: Any) -> None:
    """Why "each" is the default: with "last", what comes later changes what a model sees."""
    features = {}
    for each in (True, False):
        reader = NumberText(tokenizer, Codec(6), DEFAULT_POLICY, None, each=each)
        for text in ("is 12", "is 1234"):
            row = reader.read(text, special=False)
            features[each, text] = dict(row.numbers).get(1)
    assert features[True, "is 12"] == features[True, "is 1234"]
    assert features[False, "is 12"] is not None
    assert features[False, "is 1234"] is None


def test_answers_alone_are_predicted(make_model: Any, tokenizer: Any) -> None:
    model = attach(make_model(len(tokenizer)), tokenizer, codec=CODEC)
    batch = model.encode_text(["3+4=", "the answer of 12 is "], ["7", "34 kg"], end=True)
    number_id = model.text.number_id
    kept = int(batch["attention_mask"][0].sum())
    assert batch["labels"][0].tolist()[:kept] == [-100, -100, -100, -100, number_id, 2]
    for row, numbers in enumerate((["3", "4", "7"], ["12", "34"])):
        assert list(numbers_at(model, batch, row).values()) == numbers
        predicted = batch["labels"][row] == number_id
        assert predicted.sum() == 1
        assert (batch["number_labels"][row, :, 0] != -100).equal(predicted)
    with torch.no_grad():
        output = model(**batch)
        # By hand: the mean over the predicted tokens, and over the slots of the predicted numbers.
        log = output.logits.log_softmax(dim=2)
        tokens, slots = [], []
        for row, position in (batch["labels"] != -100).nonzero().tolist():
            tokens.append(-log[row, position - 1, batch["labels"][row, position]])
            if batch["labels"][row, position] == number_id:
                assert model.head is not None
                logits = model.head(output.states[row, position - 1][None])
                slots.append(model.head.loss(logits, batch["number_labels"][row, position][None]))
    assert len(slots) == 2
    torch.testing.assert_close(output.token_loss, torch.stack(tokens).mean())
    torch.testing.assert_close(output.number_loss, torch.stack(slots).mean())
    torch.testing.assert_close(output.loss, output.token_loss + output.number_loss)
    weighted = attach(make_model(len(tokenizer)), tokenizer, codec=CODEC, number_weight=0.0)
    assert torch.equal(weighted(**batch).loss, weighted(**batch).token_loss)


def test_a_space_that_a_tokenizer_puts_before_a_text_does_not_come_between(
    make_llama: Any, space_tokenizer: Any
) -> None:
    model = attach(make_llama(len(space_tokenizer)), space_tokenizer, codec=CODEC)
    for prompt, answer in (("the answer of 12 is", " 34 kg"), ("3+4=", "7"), ("the answ", "er")):
        both = model.encode_text([prompt], [answer])["input_ids"][0].tolist()
        alone = model.encode_text([prompt])["input_ids"][0].tolist()
        assert both[: len(alone)] == alone
    assert both == [*alone, *space_tokenizer("er", add_special_tokens=False)["input_ids"]]  # no prefix: apart
    both = model.encode_text(["3+4="], ["7"])["input_ids"][0].tolist()
    assert both == model.encode_text(["3+4=7"])["input_ids"][0].tolist()
    apart = model.encode_text(["5"], ["-3"])  # together they would be read as 5 and 3
    assert list(numbers_at(model, apart, 0).values()) == ["5", "-3"]


def test_padding_and_cutting(make_llama: Any, tokenizer: Any) -> None:
    model = attach(make_llama(len(tokenizer)), tokenizer, codec=CODEC)
    right = model.encode_text(TEXTS)
    left = model.encode_text(TEXTS, padding_side="left")
    for row in range(3):
        kept, moved = right["attention_mask"][row] == 1, left["attention_mask"][row] == 1
        for name in ("input_ids", "number_features", "labels", "number_labels"):
            assert torch.equal(right[name][row][kept], left[name][row][moved])
            assert (right["labels"][row][~kept] == -100).all()
    cut = model.encode_text(TEXTS, ["7", "8", "9"], max_length=5)
    assert cut["input_ids"].shape == (3, 5)
    assert torch.equal(cut["input_ids"][::2], right["input_ids"][::2, :5])
    assert numbers_at(model, cut, 1) == {0: "7", 3: "12", 4: "8"}
    with torch.no_grad():
        one = model(**model.encode_text(TEXTS[1:2])).logits[0, -1]
        many = model(**right).logits[1, int(right["attention_mask"][1].sum()) - 1]
    torch.testing.assert_close(one, many, rtol=1e-4, atol=1e-4)


def test_published_settings_are_the_published_model(make_llama: Any, tokenizer: Any) -> None:
    """Input = Emb([NUM]) + FoNE(x), zero-padded; digits read from the first entries of the last state."""
    codec = Codec(7, 3, extras=())
    model = attach(
        make_llama(len(tokenizer)), tokenizer, codec=codec, projection="pad", read="slice", temperature=None
    )
    assert sum(p.numel() for p in model.number_parameters()) == 4 * 32  # two rows and the layer norm
    batch = model.encode_text(["12.5"])
    found = model._embed(batch["input_ids"], batch["number_features"])[0, 0]
    expected = model.mark_in.detach().clone()
    for i in range(10):
        angle = 2 * np.pi * (12.5 / 10.0 ** (i - 2))
        expected[2 * i : 2 * i + 2] += torch.tensor([np.cos(angle), np.sin(angle)], dtype=torch.float32)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_the_base_is_not_changed(make_llama: Any, tokenizer: Any) -> None:
    base = make_llama(len(tokenizer), tied=True)
    before = {name: value.clone() for name, value in base.state_dict().items()}
    model = attach(base, tokenizer)
    names = {name for name, _ in model.named_parameters() if not name.startswith("base.")}
    assert names == {
        "mark_in", "mark_out", "embedding.weight", "head.log_scale", "head.norm.weight", "head.norm.bias",
        "head.map.weight", "head.map.bias",
    }  # fmt: skip
    assert len(model.number_parameters()) == len(names)
    assert not list(model.embedding.buffers()) + list(model.head.buffers())  # type: ignore[union-attr]
    assert base.get_input_embeddings().weight is base.get_output_embeddings().weight
    for name, value in base.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_vocabulary_with_spare_rows_keeps_its_size(make_llama: Any, tokenizer: Any) -> None:
    """Some models have more rows than their tokenizer has tokens; the number token takes the first."""
    base = make_llama(len(tokenizer) + 6)
    model = attach(base, tokenizer, codec=CODEC)
    batch = model.encode_text(["is 12"])
    with torch.no_grad():
        logits = model(**batch).logits
        without = base(inputs_embeds=model._embed(batch["input_ids"], batch["number_features"])).logits
    assert logits.shape == without.shape
    differs = (logits != without).any(dim=1).any(dim=0)
    assert differs.nonzero().flatten().tolist() == [model.text.number_id]


def test_half_precision_trains(make_model: Any, tokenizer: Any) -> None:
    model = attach(make_model(len(tokenizer)), tokenizer, codec=CODEC).to(torch.bfloat16)
    loss = model(**model.encode_text(TEXTS)).loss
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.number_parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.isfinite(model(**model.encode_text(TEXTS)).loss)


def test_mistakes_are_named(make_llama: Any, tokenizer: Any) -> None:
    base = make_llama(len(tokenizer))
    with pytest.raises(UnknownName, match="mode 'ad' is not one of replace, add; did you mean 'add'"):
        attach(base, tokenizer, mode="ad")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="mode 'add' brings features to the model by a learned map"):
        attach(base, tokenizer, mode="add", projection="pad")
    with pytest.raises(InputError, match=r"mark '\[N1\]' cannot stand for a number: give a word without"):
        attach(base, tokenizer, mark="[N1]")
    with pytest.raises(InputError, match="number_weight -1 is negative"):
        attach(base, tokenizer, number_weight=-1)
    with pytest.raises(ModelError, match="Linear has no token embeddings: give a causal language model of"):
        attach(torch.nn.Linear(2, 2), tokenizer)
    with pytest.raises(ModelError, match="the tokenizer has tokens up to 282 and the model rows for 200"):
        attach(make_llama(200), tokenizer)
    with pytest.raises(ModelError, match="object is not a fast tokenizer, which knows where tokens are"):
        attach(base, object())
    model = attach(base, tokenizer)
    with pytest.raises(
        InputError, match=r"the text contains '\[NUM\]', which stands for a number: take it out"
    ):
        model.encode_text(["a [NUM] b"])
    with pytest.raises(InputError, match="a single text given where several are read: give a list"):
        model.encode_text("3+4=")
    with pytest.raises(
        InputError, match="1 texts and 2 answers given: give at least one text, and an answer"
    ):
        model.encode_text(["3+4="], ["7", "8"])
    other = attach(base, tokenizer, mark="<number>", policy=Policy(decimal_mark=",", group_marks=(".",)))
    batch = other.encode_text(["a [NUM] b 1.234,5"])
    assert list(numbers_at(other, batch, 0).values()) == ["1234.5"]
