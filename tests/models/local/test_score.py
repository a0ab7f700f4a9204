"""Option scores against the definition: one forward pass over prompt, prefix and option, a row at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from modgap.media import Image, Text
from modgap.models import Query, Reply, local
from modgap.models.local._model import LocalModel
from modgap.models.local._score import log_probabilities

# Float32 keeps seven digits, and a score is a sum of up to a dozen terms.
CLOSE = {"rtol": 1e-6, "atol": 1e-5}


def naive(model: LocalModel, query: Query) -> list[float]:
    """Log-probability of each option: one forward pass over the whole string, nothing cached or padded."""
    processor, network = model.pretrained.processor, model.pretrained.model
    content = [
        {"type": "text", "text": part.text} if isinstance(part, Text) else {"type": "image"}
        for part in query.parts
    ]
    pictures = [[part.to_pil() for part in query.parts if isinstance(part, Image)]]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    scores: list[float] = []
    ended = any(a != b and b.startswith(a) for a in query.options for b in query.options)
    for option in query.options:
        text = f"{prompt} Answer: {option}" + ("<end_of_utterance>" if ended else "")
        inputs = processor(text=[text], images=pictures if pictures[0] else None, return_tensors="pt")
        with torch.inference_mode():
            logits = network(**inputs).logits[0].double()
        ids = inputs["input_ids"][0]
        count = len(processor.tokenizer(f" {option}")["input_ids"]) + ended
        chosen = logits.log_softmax(dim=-1)[:-1].gather(1, ids[1:, None])[-count:]
        scores.append(float(chosen.sum()))
    return scores


def assert_same(one: dict[int, Reply], other: dict[int, Reply]) -> None:
    assert one.keys() == other.keys()
    for index, reply in one.items():
        assert reply.error is None
        assert reply.text == other[index].text
        np.testing.assert_allclose(reply.option_scores, other[index].option_scores, **CLOSE)


def test_scores_equal_a_naive_forward_pass(model: LocalModel, queries: list[Query]) -> None:
    replies = dict(model.reply(queries))
    assert sorted(replies) == list(range(len(queries)))
    for index, query in enumerate(queries):
        expected = naive(model, query)
        np.testing.assert_allclose(replies[index].option_scores, expected, **CLOSE)
        assert replies[index].text == f"Answer: {query.options[int(np.argmax(expected))]}"
    assert model.notes == []


def test_the_scores_of_the_tiny_model_depend_on_the_picture(
    model: LocalModel, picture: Callable[[int], Image]
) -> None:
    # Else the tests of pictures could not fail.
    asked = [Query((Text("Look. "), picture(i), Text("Where?")), ("left", "right")) for i in range(2)]
    one, other = (reply.option_scores for _, reply in sorted(model.reply(asked)))
    assert one is not None and other is not None
    assert abs(one[0] - other[0]) > 1e-2


def test_shared_equals_apart(model: LocalModel, apart: LocalModel, queries: list[Query]) -> None:
    assert_same(dict(model.reply(queries)), dict(apart.reply(queries)))
    assert model.notes == [] and apart.notes == []


@pytest.mark.parametrize("share", ["auto", "off"])
def test_a_batch_equals_one_at_a_time(tiny: Path, queries: list[Query], share: local.SharePrefix) -> None:
    batched = local.load(str(tiny), share_prefix=share)
    single = local.load(str(tiny), share_prefix=share, batch_size=1)
    assert_same(dict(batched.reply(queries)), {i: dict(single.reply([q]))[0] for i, q in enumerate(queries)})


def test_order_does_not_matter(model: LocalModel, queries: list[Query]) -> None:
    backwards = {len(queries) - 1 - i: reply for i, reply in model.reply(queries[::-1])}
    assert_same(dict(model.reply(queries)), backwards)


def test_small_batches_change_nothing(tiny: Path, model: LocalModel, queries: list[Query]) -> None:
    small = local.load(str(tiny), batch_tokens=300, batch_size=3)
    assert_same(dict(model.reply(queries)), dict(small.reply(queries)))


def test_many_questions_on_one_picture(
    model: LocalModel, apart: LocalModel, picture: Callable[[int], Image]
) -> None:
    # More than share one reading.
    shown = picture(3)
    asked = [
        Query((Text("Look. "), shown, Text(f"Question: {n}?")), ("left", "north", "right")[: 2 + n % 2])
        for n in range(20)
    ]
    assert_same(dict(model.reply(asked)), dict(apart.reply(asked)))


def test_the_same_question_twice(model: LocalModel, queries: list[Query]) -> None:
    first, second = (reply.option_scores for _, reply in sorted(model.reply([queries[-1], queries[-1]])))
    np.testing.assert_allclose(first, second, **CLOSE)


def test_several_pictures_in_one_prompt(
    model: LocalModel, apart: LocalModel, picture: Callable[[int], Image]
) -> None:
    asked = [
        Query((picture(0), Text(" and "), picture(1), Text(f"Question: {n}?")), ("left", "north"))
        for n in range(3)
    ]
    replies = dict(model.reply(asked))
    assert_same(replies, dict(apart.reply(asked)))
    np.testing.assert_allclose(replies[0].option_scores, naive(model, asked[0]), **CLOSE)


def test_scoring_chooses_what_greedy_generation_writes(tiny: Path, queries: list[Query]) -> None:
    model, writer = local.load(str(tiny)), local.load(str(tiny), answer="generate")
    tokenizer = model.pretrained.tokenizer
    sampling = replace(queries[0].sampling, max_tokens=1)
    texts = {i: tokenizer.decode([i]) for i in range(len(tokenizer))}
    words = {i: text.strip() for i, text in texts.items() if text[:1] == " " and text[1:].isalpha()}
    with torch.no_grad():
        for one in (model, writer):  # make words likely: an untrained model rarely writes one
            head = one.pretrained.model.lm_head.weight
            head[[i for i in texts if i not in words]] = 0
    replies = set()
    for query in queries:
        asked = Query(query.parts, sampling=sampling)
        greedy = words.get(int(first_logits(model, asked).argmax()))
        assert greedy is not None
        ((_, written),) = writer.reply([asked])
        options = (*(word for word in sorted(words.values())[::5] if word != greedy), greedy)
        ((_, scored),) = model.reply([Query(asked.parts, options, answer_prefix="")])
        assert scored.text == written.text == greedy
        replies.add(greedy)
    assert len(replies) > 1


def first_logits(model: LocalModel, query: Query) -> torch.Tensor:
    """Logits after the prompt of a query, from a plain forward pass."""
    processor = model.pretrained.processor
    content = [
        {"type": "text", "text": part.text} if isinstance(part, Text) else {"type": "image"}
        for part in query.parts
    ]
    pictures = [[part.to_pil() for part in query.parts if isinstance(part, Image)]]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(text=[prompt], images=pictures if pictures[0] else None, return_tensors="pt")
    with torch.inference_mode():
        logits: torch.Tensor = model.pretrained.model(**inputs).logits[0, -1]
    return logits


def test_temperature_draws_options_in_proportion(tiny: Path, model: LocalModel, queries: list[Query]) -> None:
    query = queries[0]
    scores = dict(model.reply([query]))[0].option_scores
    assert scores is not None
    temperature = 2.0
    expected = np.exp(np.array(scores) / temperature)
    expected /= expected.sum()
    draws = 400
    sampling = replace(query.sampling, temperature=temperature)
    asked = [replace(query, sampling=sampling, sample=n) for n in range(draws)]
    texts = [reply.text for _, reply in sorted(model.reply(asked))]
    counts = np.array([texts.count(f"Answer: {option}") for option in query.options])
    assert counts.sum() == draws
    # Five standard errors of a binomial share; the seeds are fixed, so this passes or fails for good.
    assert np.all(np.abs(counts / draws - expected) <= 5 * np.sqrt(expected * (1 - expected) / draws))
    assert (counts > 0).sum() > 1


def test_log_probabilities_match_a_closed_form() -> None:
    # softmax of log(1, 2, 3, 4) is (1, 2, 3, 4) / 10; the end of a reply is either of the last two.
    logits = torch.tensor([1.0, 2.0, 3.0, 4.0]).log()[None, None]
    found = log_probabilities(logits, [(0, 0, 1), (0, 0, -1)], end_ids=(2, 3))
    np.testing.assert_allclose(found, np.log([0.2, 0.7]), rtol=1e-6)


def test_half_precision_is_summed_in_float32() -> None:
    logits = torch.zeros(1, 1, 4096, dtype=torch.bfloat16)
    (found,) = log_probabilities(logits, [(0, 0, 7)], end_ids=())
    assert found == pytest.approx(-np.log(4096), abs=1e-5)  # a sum of 4096 ones in bfloat16 stops at 256
