"""What a response means. Bodies follow the OpenAI reference and the ways in which gateways depart from it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import ModelError
from modgap.models import Reply
from modgap.models._endpoint import Failure, Response, Settings, read_response

from .mock_endpoint import URL, Server, ask, completion, endpoint, questions, refusal_of_calls


def one(response: httpx2.Response, **options: Any) -> Reply:
    (reply,) = ask(Server(response), **{"retries": 0, **options})
    return reply


def test_a_string() -> None:
    assert one(completion("I see it.\nAnswer: left")).text == "I see it.\nAnswer: left"


def test_white_space_around_a_reply_is_dropped_as_local_models_do() -> None:
    assert one(completion(" Answer: left\n\n")).text == "Answer: left"
    assert one(completion(" \n")).text == ""


def test_parts_of_which_only_text_counts() -> None:
    parts = [
        {"type": "thinking", "thinking": "Answer: right?"},
        {"type": "text", "text": "Answer: "},
        {"type": "output_text", "text": "left"},
        {"type": "text", "text": 7},
        "stray",
    ]
    assert one(completion(parts)).text == "Answer: left"


def test_reasoning_is_not_the_answer() -> None:
    assert one(completion("Answer: left", reasoning_content="Answer: right")).text == "Answer: left"
    reply = one(completion(None, reason="length", reasoning_content="Answer: right"))
    assert reply.text is None
    assert reply.error == (
        "api.example.com: the model reached the limit of max_tokens before it said anything; "
        "raise max_tokens (models that reason need thousands)"
    )


def test_a_reply_cut_by_the_limit_is_kept() -> None:
    assert one(completion("Well, the", reason="length")) == Reply("Well, the")


def test_a_refusal() -> None:
    reply = one(completion(None, refusal="I cannot help with that."))
    assert (reply.refused, reply.text, reply.error) == (True, "I cannot help with that.", None)


def test_a_content_filter() -> None:
    assert one(completion("Ans", reason="content_filter")) == Reply("Ans", refused=True)
    assert one(completion(None, reason="content_filter")) == Reply("", refused=True)
    reply = one(refusal_of_calls(400, "The prompt was filtered", code="content_filter"))
    assert (reply.refused, reply.text, reply.error) == (True, "The prompt was filtered", None)


def test_an_empty_reply_is_a_reply() -> None:
    assert one(completion("")) == Reply("")
    assert one(completion(None)) == Reply("")


def test_a_tool_call_is_an_error() -> None:
    reply = one(completion(None, reason="tool_calls", tool_calls=[{"id": "1"}]))
    assert reply.error == "api.example.com: the model called a tool and gave no text"


def test_half_a_character_is_replaced() -> None:
    body = b'{"choices": [{"message": {"content": "so \\ud83d"}, "finish_reason": "length"}]}'
    assert one(httpx2.Response(200, content=body)).text == "so ?"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b"<!DOCTYPE html><title>Bad\x00 gateway</title>",
            "expected JSON, got an HTML page beginning '<!DOCTYPE html>",
        ),
        (b'{"choices": [{"mess', "expected JSON, got text that is not complete JSON beginning"),
        (b"", "expected JSON, got an empty reply"),
        (b"\xff\xfe\xfd", "expected JSON, got text that is not complete JSON"),
        (b"[" * 100_000, "expected JSON, got text that is not complete JSON"),
        (b'{"choices": 1' + b"0" * 5000 + b"}", "expected JSON, got text that is not complete JSON"),
        (b"[]", "expected a JSON object, got list"),
        (b"{}", "the reply holds no choices"),
        (b'{"choices": []}', "the reply holds no choices"),
        (b'{"choices": {"0": 1}}', "the reply holds no choices"),
        (b'{"choices": [null]}', "the first choice holds no message"),
        (b'{"choices": [{"message": "x"}]}', "the first choice holds no message"),
        (b'{"choices": [{"message": {"content": 7}}]}', "content is int, expected text"),
        (b'{"error": {"message": "upstream is busy"}}', "error in the reply: upstream is busy"),
    ],
)
def test_what_is_not_a_completion_is_tried_again_and_then_an_error(body: bytes, message: str) -> None:
    server = Server(httpx2.Response(200, content=body))
    (reply,) = ask(server, retries=2)
    assert reply.text is None
    assert reply.error is not None
    assert reply.error.startswith(f"api.example.com: {message}")
    assert reply.error.endswith(" (gave up after 3 attempts)")
    assert len(reply.error) < 250
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [200, 500])
def test_a_body_is_read_to_4_mb_and_no_further(status: int) -> None:
    produced = 0

    async def endless() -> Any:
        nonlocal produced
        while True:
            produced += 1
            yield b" " * 2**20

    (reply,) = ask(Server(lambda request: httpx2.Response(status, content=endless())), retries=0)
    assert reply.error is not None
    assert produced == 5
    if status == 200:
        assert reply.error == "api.example.com: the reply is longer than 4 MB"


def test_a_small_body_that_unpacks_to_much_is_cut_too() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 100_000
    headers = {"Content-Encoding": "gzip"}

    async def packed() -> Any:
        yield bomb

    server = Server(lambda request: httpx2.Response(200, headers=headers, content=packed()))
    (reply,) = ask(server, retries=5)
    assert reply.error == "api.example.com: the reply is longer than 4 MB"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (
            refusal_of_calls(401, "bad key"),
            "HTTP 401: bad key; no key was sent; set the environment variable OPENAI_A",
        ),
        (refusal_of_calls(403, "not yours"), "HTTP 403: not yours; no key was sent"),
        (
            refusal_of_calls(404, "no such model"),
            "HTTP 404: no such model; check the model name 'm' and the url, which",
        ),
        (httpx2.Response(405, text="<html>"), "HTTP 405: expected JSON, got an HTML page"),
        (
            refusal_of_calls(402, "pay"),
            "HTTP 402: pay; the account cannot pay for more calls; run again when it can",
        ),
        (
            refusal_of_calls(429, "quota", code="insufficient_quota"),
            "HTTP 429: quota; the account cannot pay",
        ),
        (
            refusal_of_calls(400, "Use 'b'", code="unsupported_parameter"),
            "Use 'b'; set max_tokens_field=max_completion_tokens, or omit=temperature for the field it names",
        ),
    ],
)
def test_what_would_fail_for_all_stops_the_run_at_once(
    response: httpx2.Response, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server = Server(response)
    with pytest.raises(ModelError) as raised:
        ask(server, questions(100), concurrency=4)
    assert message in str(raised.value)
    assert str(raised.value).startswith("api.example.com: ")
    assert len(server.requests) <= 4


def test_replies_before_the_stop_are_handed_over() -> None:
    server = Server(completion(), completion(), refusal_of_calls(401))
    replies = []
    with pytest.raises(ModelError, match="HTTP 401"), endpoint(server) as model:
        for index, _ in model.reply(questions(5)):
            replies.append(index)
    assert replies == [0, 1]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_bad_query_is_an_error_of_its_own(status: int) -> None:
    server = Server(refusal_of_calls(status, "context is too long"), completion())
    first, second = ask(server, questions(2))
    assert first.error == f"api.example.com: HTTP {status}: context is too long"
    assert second.text == "Answer: left"
    assert len(server.requests) == 2


def test_403_after_a_success_is_about_that_query() -> None:
    server = Server(completion(), refusal_of_calls(403, "flagged"), completion())
    replies = ask(server, questions(3))
    assert [reply.error for reply in replies] == [None, "api.example.com: HTTP 403: flagged", None]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "plain"}, "plain"),
        ({"detail": "of fastapi"}, "of fastapi"),
        ({"message": "bare"}, "bare"),
        ({"error": {"message": "two\nlines\x1b[31m"}}, "two lines [31m"),
        ({"error": {"message": "long " * 100}}, "long " * 59 + "lon"),
        ({"error": {}}, "no explanation"),
        (["list"], "['list']"),
    ],
)
def test_the_servers_words_are_short_and_printable(body: Any, said: str) -> None:
    reply = one(httpx2.Response(400, json=body))
    assert reply.error is not None
    assert reply.error.removeprefix("api.example.com: HTTP 400: ").startswith(said)
    assert len(reply.error) < 350
    assert reply.error.isprintable()


def test_usage_and_cost() -> None:
    body = {
        "choices": [{"message": {"content": "Answer: left"}}],
        "usage": {
            "prompt_tokens": 1000,
            "completion_tokens": 200,
            "completion_tokens_details": {"reasoning_tokens": 150},
        },
    }
    counted = {"input_tokens": 1000.0, "output_tokens": 200.0, "reasoning_tokens": 150.0}
    assert one(httpx2.Response(200, json=body)).usage == counted
    reply = one(httpx2.Response(200, json=body), input_price=2.0, output_price=10.0)
    assert reply.usage == {**counted, "cost": pytest.approx(1000 * 2e-6 + 200 * 10e-6)}


def test_usage_that_is_no_count_is_left_out() -> None:
    usage = b'{"prompt_tokens": NaN, "completion_tokens": true, "cost": -1}'
    content = b'{"choices": [{"message": {"content": "x"}}], "usage": ' + usage + b"}"
    assert one(httpx2.Response(200, content=content)).usage is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = (
    "choices",
    "message",
    "content",
    "type",
    "text",
    "finish_reason",
    "refusal",
    "usage",
    "error",
    "code",
)
bodies = st.recursive(
    json_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(body=bodies, status=st.sampled_from([200, 302, 400, 401, 429, 500]), location=st.text(max_size=30))
def test_no_body_breaks_the_reader(body: Any, status: int, location: str) -> None:
    response = Response(status, {"location": location}, json.dumps(body).encode())
    outcome = read_response(response, questions(1)[0], Settings("m", URL), None, False)
    assert isinstance(outcome, Reply | Failure)
    if isinstance(outcome, Reply):
        assert isinstance(outcome.text, str)
        outcome.text.encode()
