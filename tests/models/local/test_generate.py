"""Generated replies: greedy as transformers writes them, drawn as the closed form says, no shared dice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from modgap.media import Text
from modgap.models import Query, Sampling, local
from modgap.models.local._generate import draw, stream
from modgap.models.local._model import LocalModel


@pytest.fixture(scope="module")
def writer(tiny: Path) -> LocalModel:
    return local.load(str(tiny), answer="generate")


def with_sampling(queries: list[Query], sampling: Sampling) -> list[Query]:
    return [replace(query, sampling=sampling) for query in queries]


def test_greedy_replies_are_those_of_transformers(writer: LocalModel, queries: list[Query]) -> None:
    processor, network = writer.pretrained.processor, writer.pretrained.model
    asked = with_sampling(queries, Sampling(max_tokens=6))
    for index, reply in writer.reply(asked):
        prompt = writer._writer.write(asked[index].parts)
        pictures = [[image.to_pil() for image in prompt.images]] if prompt.images else None
        inputs = processor(text=[prompt.text], images=pictures, return_tensors="pt")
        new = network.generate(**inputs, max_new_tokens=6)[0, inputs["input_ids"].shape[1] :]
        assert reply.text == processor.decode(new, skip_special_tokens=True).strip()
        assert reply.usage == {
            "input_tokens": inputs["input_ids"].shape[1],
            "output_tokens": sum(token not in writer.pretrained.end_ids for token in new.tolist()),
        }


def test_replies_do_not_depend_on_the_batch(tiny: Path, writer: LocalModel, queries: list[Query]) -> None:
    single = local.load(str(tiny), answer="generate", batch_size=1)
    asked = with_sampling(queries, Sampling(max_tokens=4, temperature=1.0, top_p=0.9))
    batched = {i: reply.text for i, reply in writer.reply(asked)}
    assert batched == {i: reply.text for i, reply in single.reply(asked)}
    backwards = {len(asked) - 1 - i: reply.text for i, reply in writer.reply(asked[::-1])}
    assert batched == backwards


def test_samples_and_seeds_differ_and_repeat(writer: LocalModel, queries: list[Query]) -> None:
    query = replace(queries[0], sampling=Sampling(max_tokens=4, temperature=1.0))
    other_seed = replace(query, sampling=replace(query.sampling, seed=1))
    asked = [query, replace(query, sample=1), other_seed, query]
    texts = [reply.text for _, reply in sorted(writer.reply(asked))]
    assert len(set(texts)) == 3
    assert texts[0] == texts[3]


def test_global_random_state_is_neither_read_nor_changed(writer: LocalModel, queries: list[Query]) -> None:
    asked = with_sampling(queries[:2], Sampling(max_tokens=3, temperature=1.0))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = dict(writer.reply(asked))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert {i: r.text for i, r in one.items()} == {i: r.text for i, r in writer.reply(asked)}


def test_a_reply_stops_at_its_end(own_tiny: Path, writer: LocalModel, queries: list[Query]) -> None:
    query = Query(queries[1].parts, sampling=Sampling(max_tokens=6))
    prompt = writer._writer.write(query.parts)
    inputs = writer.pretrained.inputs(writer._writer.read([prompt]))
    new = writer.pretrained.model.generate(**inputs, max_new_tokens=6)[
        0, inputs["input_ids"].shape[1] :
    ].tolist()
    stop = next(i for i in range(1, 6) if new[i] not in new[:i])
    config = own_tiny / "generation_config.json"
    config.write_text(json.dumps({"eos_token_id": [2, new[stop]], "pad_token_id": 0}))
    reply = dict(local.load(str(own_tiny), answer="generate").reply([query]))[0]
    assert reply.usage is not None and reply.usage["output_tokens"] == stop
    assert reply.text == writer.pretrained.tokenizer.decode(new[:stop], skip_special_tokens=True).strip()


def test_an_open_question_is_answered_by_generation(model: LocalModel, queries: list[Query]) -> None:
    asked = [Query(queries[0].parts, sampling=Sampling(max_tokens=3)), queries[0]]
    open_reply, scored = (reply for _, reply in sorted(model.reply(asked)))
    assert open_reply.option_scores is None and open_reply.text is not None
    assert scored.option_scores is not None


def test_saved_habits_of_a_model_do_not_change_replies(
    own_tiny: Path, writer: LocalModel, queries: list[Query]
) -> None:
    config = own_tiny / "generation_config.json"
    config.write_text(
        '{"eos_token_id": 2, "pad_token_id": 0, "repetition_penalty": 5.0, "no_repeat_ngram_size": 1}'
    )
    asked = with_sampling(queries[:4], Sampling(max_tokens=8))
    habits = local.load(str(own_tiny), answer="generate")
    assert {i: r.text for i, r in habits.reply(asked)} == {i: r.text for i, r in writer.reply(asked)}


def test_draws_follow_the_closed_form() -> None:
    # softmax(log(1, 2, 3, 4) / T) is (1, 2, 3, 4)^(1/T), normalised; a grid of uniforms shows the shares.
    logits = torch.tensor([1.0, 2.0, 3.0, 4.0]).log()
    grid = (np.arange(2000) + 0.5) / 2000
    for temperature in (0.5, 1.0, 2.0):
        expected = np.arange(1, 5) ** (1 / temperature)
        expected /= expected.sum()
        drawn = [draw(logits, Sampling(temperature=temperature), u) for u in grid]
        np.testing.assert_allclose(np.bincount(drawn, minlength=4) / len(grid), expected, atol=1e-3)


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    # Probabilities .1 .2 .3 .4: 0.7 is reached by the last two, 0.71 needs a third, 0 keeps the first alone.
    logits = torch.tensor([1.0, 2.0, 3.0, 4.0]).log()
    grid = (np.arange(1000) + 0.5) / 1000
    for top_p, kept in ((0.69, {2, 3}), (0.71, {1, 2, 3}), (0.0, {3}), (1.0, {0, 1, 2, 3})):
        assert {draw(logits, Sampling(temperature=1.0, top_p=top_p), u) for u in grid} == kept


@pytest.mark.parametrize("uniform", [0.0, 1.0 - 2**-53])
def test_the_edges_of_a_draw_are_choices(uniform: float) -> None:
    logits = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    assert 0 <= draw(logits, Sampling(temperature=1.0), uniform) < 1000


def test_impossible_choices_are_never_drawn() -> None:
    logits = torch.tensor([0.0, -torch.inf, 0.0])
    assert {draw(logits, Sampling(temperature=1.0), u) for u in np.linspace(0, 0.999999, 101)} == {0, 2}


def test_streams_are_those_of_the_query_alone() -> None:
    query = Query((Text("a"),), problem_id="p")
    assert (
        stream(query).random() == stream(replace(query, parts=(Text("b"),), representation="image")).random()
    )
    different = [
        replace(query, sample=1),
        replace(query, problem_id="q"),
        replace(query, sampling=Sampling(seed=1)),
    ]
    assert len({stream(one).random() for one in (query, *different)}) == 4
