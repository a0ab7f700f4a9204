"""Numbers that a model writes are what it reads next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from modgap._errors import InputError
from modgap.fone import Codec, NumberModel, Written, attach

CODEC = Codec(3, 1)
PROMPTS = ["the answer is 12", "34 of", "a"]


@pytest.fixture
def model(make_model: Any, tokenizer: Any) -> NumberModel:
    """An untrained model that often writes numbers."""
    model = attach(make_model(len(tokenizer)), tokenizer, codec=CODEC)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        model.mark_out += 2.0 * torch.randn(model.mark_out.shape, generator=rng)
    return model


def replayed(model: NumberModel, prompt: str, written: Written) -> tuple[list[int], list[str]]:
    """The most likely token, and number, after each token of a text that is read in one go."""
    batch = model.encode_text([prompt])
    start = batch["input_ids"].shape[1]
    ids = torch.cat([batch["input_ids"], torch.tensor([written.ids])], dim=1)
    values: list[str | None] = [None] * len(written.ids)
    numbers = iter(written.numbers)
    for i, token in enumerate(written.ids):
        if token == model.text.number_id:
            values[i] = next(numbers).text
    features = torch.from_numpy(model.settings.codec.encode(values))[None]
    features = torch.cat([batch["number_features"], features], dim=1)
    with torch.no_grad():
        output = model(ids, number_features=features)
    assert model.head is not None
    assert output.states is not None
    likely = output.logits[0, start - 1 : -1].argmax(dim=1).tolist()
    at = [i for i, token in enumerate(written.ids) if token == model.text.number_id]
    return likely, model.head(output.states[0, start - 1 : -1][at]).numbers()


def test_each_step_reads_what_was_written_before(model: NumberModel) -> None:
    """One pass over the whole text, without cache or padding, makes the same choices at every position."""
    count = 0
    for prompt, written in zip(PROMPTS, model.generate(PROMPTS, max_new_tokens=20), strict=True):
        tokens, numbers = replayed(model, prompt, written)
        assert tokens == list(written.ids)
        assert numbers == [number.text for number in written.numbers]
        for number in written.numbers:
            assert written.text[number.start : number.end] == number.text
            assert 0 < number.probability <= 1
        count += len(written.numbers)
    assert count >= 3


def test_a_batch_a_cache_and_padding_change_nothing(model: NumberModel) -> None:
    together = model.generate(PROMPTS, max_new_tokens=12)
    apart = [model.generate([prompt], max_new_tokens=12)[0] for prompt in PROMPTS]
    without = model.generate(PROMPTS, max_new_tokens=12, use_cache=False)
    for others in (apart, without):
        assert [w.text for w in others] == [w.text for w in together]
        assert [w.ids for w in others] == [w.ids for w in together]


def test_draws_are_fixed_by_their_seed_and_do_not_depend_on_the_batch(model: NumberModel) -> None:
    def drawn(prompts: list[str], seed: int) -> list[str]:
        found = model.generate(
            prompts,
            max_new_tokens=8,
            temperature=1.0,
            top_p=0.9,
            number_temperature=1.0,
            rng=np.random.default_rng(seed),
        )
        return [written.text for written in found]

    first = drawn(PROMPTS, 0)
    assert drawn(PROMPTS, 0) == first
    assert drawn(PROMPTS, 1) != first
    assert drawn([PROMPTS[0], "kg kg", "12"], 0)[0] == first[0]
    greedy = [written.text for written in model.generate(PROMPTS, max_new_tokens=8)]
    cold = model.generate(
        PROMPTS, max_new_tokens=8, temperature=1e-4, number_temperature=1e-4, rng=np.random.default_rng(0)
    )
    assert [written.text for written in cold] == greedy


def test_a_small_nucleus_is_greedy(model: NumberModel) -> None:
    greedy = model.generate(PROMPTS, max_new_tokens=8)
    nucleus = model.generate(
        PROMPTS, max_new_tokens=8, temperature=1.0, top_p=1e-6, rng=np.random.default_rng(0)
    )
    assert [written.ids for written in nucleus] == [written.ids for written in greedy]


def test_added_numbers_are_read_as_they_are_written(make_model: Any, tokenizer: Any) -> None:
    model = attach(make_model(len(tokenizer)), tokenizer, mode="add", codec=CODEC)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        model.gate += torch.randn(model.gate.shape, generator=rng)
    seen: list[torch.Tensor] = []
    hook = model.embedding.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    # Draws of an untrained model that likes digits.
    with torch.no_grad():
        model.inner.get_output_embeddings().weight[tokenizer.convert_tokens_to_ids(list("0123456789"))] *= 3
    written = model.generate(PROMPTS, max_new_tokens=60, temperature=2.0, rng=np.random.default_rng(0))
    hook.remove()
    read = torch.cat(seen, dim=1)  # (batch, longest prompt + written, columns)
    longest = model.encode_text(PROMPTS)["input_ids"].shape[1]
    digits = 0
    for row, (prompt, line) in enumerate(zip(PROMPTS, written, strict=True)):
        ids = model.encode_text([prompt])["input_ids"][0].tolist()
        for i, token in enumerate(line.ids[:-1]):
            number = model.text.added_by(ids + list(line.ids[:i]), token)
            expected = CODEC.encode([number])[0]
            assert np.array_equal(read[row, longest + i].numpy(), expected)
            digits += number is not None
    assert digits >= 3


def test_the_end_of_a_text_ends_it(make_llama: Any, tokenizer: Any) -> None:
    base = make_llama(len(tokenizer))
    with torch.no_grad():
        base.lm_head.weight[2] = 30 * base.lm_head.weight[5]
    model = attach(base, tokenizer, codec=CODEC)
    found = model.generate(PROMPTS, max_new_tokens=40)
    ended = [written for written in found if written.ended]
    assert ended
    assert all(2 not in written.ids for written in found)
    assert all(len(written.ids) < 40 for written in ended)


def test_the_window_of_the_model_is_respected(make_gpt2: Any, tokenizer: Any) -> None:
    """GPT-2 has a row for every position and fails beyond the last one."""
    model = attach(make_gpt2(len(tokenizer)), tokenizer, codec=CODEC)
    long = "a" * 120
    assert len(model.generate([long, "a"], max_new_tokens=50)[0].ids) <= 8
    with pytest.raises(InputError, match="the longest prompt has 128 tokens and the model room for 128"):
        model.generate(["a" * 128], max_new_tokens=1)


def test_spaces_come_out_as_they_went_in(make_llama: Any, space_tokenizer: Any) -> None:
    """A tokenizer that drops the space at the beginning of a text must not drop those around numbers."""
    from modgap.fone._write import _finished, _Line

    model = attach(make_llama(len(space_tokenizer)), space_tokenizer, codec=CODEC)
    whole = "the answer is 12, 7 kg or -3"
    batch = model.encode_text(["the answer", whole])
    ids, prompt = (batch["input_ids"][i][batch["attention_mask"][i] == 1].tolist() for i in (1, 0))
    line = _Line(prompt, None, ids[len(prompt) :], [("12", 0.5), ("7", 0.5), ("-3", 0.5)])
    assert _finished(model, line).text == " is 12, 7 kg or -3"


def test_dropout_is_off_while_writing_and_back_on_after(make_gpt2: Any, tokenizer: Any) -> None:
    model = attach(make_gpt2(len(tokenizer)), tokenizer, codec=CODEC)
    calm = [written.ids for written in model.generate(PROMPTS, max_new_tokens=5)]
    assert not model.training  # as the model it was attached to
    model.train()
    assert [written.ids for written in model.generate(PROMPTS, max_new_tokens=5)] == calm
    assert model.training
    assert model.base.training
    model.base.eval()
    model.generate(PROMPTS, max_new_tokens=1)
    assert model.training
    assert not model.base.training


def test_mistakes_are_named(model: NumberModel) -> None:
    for settings, message in (
        ({"temperature": -1.0}, "temperature -1.0 is negative: give 0 for the most likely, or more"),
        ({"top_p": 0.0}, "top_p 0.0 is not above 0 and at most 1"),
        ({"number_temperature": 1.0}, "drawing needs chance: give rng=numpy.random.default_rng"),
        ({"max_new_tokens": 0}, "max_new_tokens 0 is less than 1"),
    ):
        with pytest.raises(InputError, match=message):
            model.generate(PROMPTS, **settings)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="prompt 1 has no tokens: give a text to continue"):
        model.generate(["a", ""])


def test_a_tiny_model_learns_sums_and_repeats_the_numbers_it_draws(make_llama: Any, tokenizer: Any) -> None:
    """One-digit sums in a few seconds; and ``say n n``, where n is drawn: only a number that is fed back can
    be written again."""
    torch.manual_seed(0)
    model = attach(make_llama(len(tokenizer), width=64), tokenizer, codec=Codec(2, features="both"))
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=6e-3)
    rng = np.random.default_rng(0)
    sums = [(f"{a}+{b}=", f"{a + b}") for a in range(10) for b in range(10)]
    for _ in range(250):
        rows = [sums[i] for i in rng.integers(0, 100, 40)]
        rows += [("say ", f"{n} {n}") for n in rng.integers(0, 100, 40)]
        prompts, answers = zip(*rows, strict=True)
        optimiser.zero_grad()
        model(**model.encode_text(prompts, answers, end=True)).loss.backward()
        optimiser.step()
    written = model.generate([prompt for prompt, _ in sums], max_new_tokens=4)
    right = sum(line.text == answer for line, (_, answer) in zip(written, sums, strict=True))
    assert right >= 95, f"{right} of 100 sums"
    assert all(line.ended for line in written)
    said = model.generate(
        ["say "] * 40, max_new_tokens=4, number_temperature=1.0, rng=np.random.default_rng(1)
    )
    pairs = [line.text.split(" ") for line in said]
    assert len({pair[0] for pair in pairs}) >= 10  # the first number is open
    same = sum(len(pair) == 2 and pair[0] == pair[1] for pair in pairs)
    assert same >= 34, f"{same} of 40 numbers repeated"  # by chance: 0.4 of 40
