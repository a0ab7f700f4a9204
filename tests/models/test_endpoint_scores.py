"""Options scored from log-probabilities: right where they can be told, and silence everywhere else."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError, ModelError
from modgap.evaluate._prompts import build_parts
from modgap.media import Image, Text
from modgap.models import Query, Reply, Sampling, bundled, load_model
from modgap.models._endpoint import scored_reply
from modgap.tasks import load_suite

from .mock_endpoint import Server, ask, completion, endpoint, questions, refusal_of_calls

Place = tuple[str, float, dict[str, float]]
"""A token of the reply, its log-probability, and those of the likely tokens at its place."""

PREFIX: list[Place] = [("Answer", -0.1, {}), (":", -0.01, {})]
LEFT: Place = (" left", -0.2, {" left": -0.2, " right": -1.8, " the": -4.0})


def asked(*options: str, **fields: Any) -> Query:
    return Query((Text("where?"),), options=options, **fields)


def choice(*places: Place) -> dict[str, Any]:
    """A choice in the form of the OpenAI reference."""
    content = [
        {
            "token": token,
            "logprob": value,
            "bytes": None,
            "top_logprobs": [{"token": t, "logprob": v, "bytes": None} for t, v in likely.items()],
        }
        for token, value, likely in places
    ]
    text = "".join(token for token, _, _ in places)
    return {"message": {"content": text}, "finish_reason": "stop", "logprobs": {"content": content}}


def scored(query: Query, *places: Place) -> Reply | None:
    return scored_reply(choice(*places), query)


def test_whole_words_after_the_prefix() -> None:
    assert scored(asked("right", "left"), *PREFIX, LEFT) == Reply("Answer: left", option_scores=(-1.8, -0.2))


def test_a_space_that_is_a_token_of_its_own() -> None:
    space: Place = (" ", -0.5, {" ": -0.5, " two": -1.0})
    digits: Place = ("2", -0.25, {"1": -3.0, "2": -0.25, "3": -2.0})
    assert scored(asked("1", "2", "3"), *PREFIX, space, digits) == Reply(
        "Answer: 2", option_scores=(-3.5, -0.75, -2.5)
    )


def test_the_best_option_is_named_even_when_the_model_said_something_else() -> None:
    place: Place = (" the", -0.3, {" the": -0.3, " right": -1.9, " left": -2.0})
    reply = scored(asked("left", "right"), *PREFIX, place, (" left", -0.1, {}))
    assert reply == Reply("Answer: right", option_scores=(-2.0, -1.9))


def test_white_space_before_the_prefix_and_another_prefix() -> None:
    assert scored(asked("left", "right"), ("\n", -0.1, {}), *PREFIX, LEFT) is not None
    one: Place = ("left", -0.2, {"left": -0.2, "right": -1.8})
    reply = scored(asked("left", "right", answer_prefix=""), one)
    assert reply == Reply("left", option_scores=(-0.2, -1.8))


@pytest.mark.parametrize(
    ("options", "places"),
    [
        (("left", "above"), [*PREFIX, LEFT]),  # one is not among the likely tokens
        (("left", "left of it"), [*PREFIX, LEFT]),  # the shorter one could never lose
        (("red square", "red star"), [*PREFIX, (" red", -0.1, {" red": -0.1, " blue": -3.0})]),
        # Both are written " 1", " 2" in this tokenizer; that the model put a space first is no way to tell.
        (("1", "2"), [*PREFIX, (" ", -0.9, {" ": -0.9, " 1": -1.0}), ("2", -0.1, {"1": -3.0, "2": -0.1})]),
        (("left", "right"), [("**", -0.1, {}), *PREFIX, LEFT]),
        (("left", "right"), [("It is left of it. ", -0.1, {}), *PREFIX, LEFT]),
        (("left", "right"), [("Answer", -0.1, {}), (" is", -0.1, {}), LEFT]),
        (("left", "right"), PREFIX),
        (("left", "right"), []),
        (("left", "right"), [*PREFIX, ("left", -0.2, {"left": -0.2, "right": -1.8})]),  # the space is hidden
        (("left", "right"), [*PREFIX, (" left", -0.2, {" left": -0.2, " right": -9999.0})]),
        (("left", "right"), [*PREFIX, (" left", -0.2, {" left": -0.2, " right": -math.inf})]),
        (("left", "right"), [*PREFIX, (" left", math.nan, {" left": -0.2, " right": -1.0})]),
        (("left", "right"), [*PREFIX, (" left", -0.2, {" left": 7.0, " right": -1.0})]),
    ],
)
def test_what_cannot_be_told_exactly_is_not_scored(options: tuple[str, ...], places: list[Place]) -> None:
    assert scored(asked(*options), *places) is None


def test_tokens_that_read_alike_do_not_count() -> None:
    twice = choice(*PREFIX, LEFT)
    twice["logprobs"]["content"][2]["top_logprobs"] += [{"token": "\ufffd", "logprob": -5.0}] * 2
    assert scored_reply(twice, asked("left", "right")) is not None
    twice["logprobs"]["content"][2]["top_logprobs"] += [{"token": " left", "logprob": -5.0}]
    assert scored_reply(twice, asked("left", "right")) is None


def test_they_are_asked_for_only_where_there_is_something_to_score() -> None:
    server = Server(httpx2.Response(200, json={"choices": [choice(*PREFIX, LEFT)]}))
    (reply,) = ask(server, [asked("left", "right")], answer="options")
    assert (reply.text, reply.option_scores) == ("Answer: left", (-0.2, -1.8))
    assert (server.bodies[0]["logprobs"], server.bodies[0]["top_logprobs"]) == (True, 20)
    for mode in ("auto", "generate"):
        server = Server(completion())
        ask(server, [asked("left", "right")], answer=mode)
        assert not {"logprobs", "top_logprobs"} & set(server.bodies[0])


def test_a_server_that_sends_none_leaves_the_reply_as_it_was_written() -> None:
    (reply,) = ask(
        Server(completion("It is left.\nAnswer: left")), [asked("left", "right")], answer="options"
    )
    assert reply == Reply("It is left.\nAnswer: left")


def test_an_open_question_cannot_be_scored() -> None:
    (reply,) = ask(Server(completion()), questions(1), answer="options")
    assert reply.error == (
        "answer mode 'options' needs options and this query has none; use 'auto' or 'generate'"
    )


def test_a_temperature_stops_the_run() -> None:
    query = asked("left", "right", sampling=Sampling(temperature=0.5))
    with pytest.raises(InputError, match="answer mode 'options' needs temperature 0 at an endpoint"):
        ask(Server(completion()), [query], answer="options")
    ask(Server(completion()), [query], answer="options", temperature=0.0)


def test_a_server_that_refuses_log_probabilities_stops_the_run() -> None:
    server = Server(refusal_of_calls(400, "'logprobs' is not supported with this model"))
    with (
        endpoint(server, answer="options") as model,
        pytest.raises(ModelError, match=r"options cannot be scored here, use answer 'generate'"),
    ):
        list(model.reply([asked("left", "right")] * 9))
    assert len(server.requests) == 1


class Host:
    """A server whose model is the bundled one, and which sends log-probabilities."""

    def __init__(self) -> None:
        self.pretrained = load_model("bundled").pretrained  # type: ignore[attr-defined]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        import torch

        body = json.loads(request.content)
        content = body["messages"][0]["content"]
        pictures = [
            Image(base64.b64decode(part["image_url"]["url"].partition(",")[2]), "image/png").to_pil()
            for part in content
            if part["type"] == "image_url"
        ]
        shown = [{"type": "image"} if part["type"] == "image_url" else part for part in content]
        processor, tokenizer = self.pretrained.processor, self.pretrained.tokenizer
        prompt = processor.apply_chat_template(
            [{"role": "user", "content": shown}], add_generation_prompt=True, tokenize=False
        )
        read = processor(text=[prompt], images=[pictures] if pictures else None, return_tensors="pt")
        written = self.pretrained.model.generate(
            **read, max_new_tokens=16, do_sample=False, output_logits=True, return_dict_in_generate=True
        )
        ids = written.sequences[0, read["input_ids"].shape[1] :].tolist()
        places: list[Place] = []
        for token, logits in zip(ids, written.logits, strict=True):
            if token in self.pretrained.end_ids:
                break
            values = logits[0].log_softmax(dim=-1)
            best = torch.topk(values, body["top_logprobs"])
            likely = {
                tokenizer.decode([i]): v
                for i, v in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            }
            places.append((tokenizer.decode([token]), float(values[token]), likely))
        return httpx2.Response(200, json={"choices": [choice(*places)]})


@pytest.mark.skipif(not (bundled.FOLDER / "config.json").is_file(), reason="the bundled model is not made")
def test_scores_are_those_of_the_same_model_run_locally() -> None:
    problems = list(load_suite("scenes", level="plain").problems(1, 1, ("story", "image")))
    queries = [
        Query(build_parts(problem, representation), options=problem.options)
        for problem in problems
        for representation in problem.representations
        if problem.options
    ]
    here = load_model("bundled", answer="options")
    local = dict(here.reply(queries))
    here.close()
    served = ask(Server(Host()), queries, answer="options")
    # Options of two words ("red square") and those beyond the likeliest 20 are not scored; the others are.
    assert sum(reply.option_scores is not None for reply in served) > len(served) / 4
    for index, reply in enumerate(served):
        if reply.option_scores is not None:
            assert reply.text == local[index].text
            assert reply.option_scores == pytest.approx(local[index].option_scores, abs=1e-4)


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["Answer:", " left", "right"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["logprobs", "content", "token", "logprob", "top_logprobs"]), inner, max_size=4
        )
    ),
    max_leaves=15,
)


@settings(deadline=None, max_examples=200)
@given(places=hostile | st.lists(hostile))
def test_no_response_breaks_the_reader(places: Any) -> None:
    for found in (places, {"logprobs": places}, {"logprobs": {"content": places}}):
        reply = scored_reply(found, asked("left", "right"))
        assert reply is None or (reply.option_scores is not None and len(reply.option_scores) == 2)
