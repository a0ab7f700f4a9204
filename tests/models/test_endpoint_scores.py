"""Options scored from log-probabilities: right where they can be told, and silence everywhere else."""

from __future__ import annotations

import math
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError, ModelError
from modgap.media import Text
from modgap.models import Query, Reply, Sampling
from modgap.models._endpoint import scored_reply

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
