"""Against a real server on loopback that answers with every kind of trouble at once."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from modgap._errors import ModelError
from modgap.media import Text
from modgap.models import Model, Query, Reply
from modgap.models.endpoint import Endpoint, load

from .fault_server import Fault, FaultServer

PASSING: tuple[Fault, ...] = ("too_many", "error", "html", "truncated", "wrong", "slow", "short", "drop")
LASTING: tuple[Fault, ...] = (
    "bad",
    "huge",
    "error",
    "html",
    "truncated",
    "empty",
    "drop",
    "wrong",
    "too_many",
)
RETRIES = 3
LONG = 60.0
"""A time limit that is never met, in seconds: what ends long before it was not waiting for it."""


def problem(number: int) -> Query:
    return Query((Text(f"problem {number}"),), problem_id=str(number))


def plan(number: int, attempt: int) -> Fault:
    """Every tenth problem fails for good; of the others, most fail up to three times and then work."""
    if number % 10 == 0:
        return LASTING[number // 10 % len(LASTING)]
    if attempt <= number % 4:
        return PASSING[(number + attempt) % len(PASSING)]
    return "none"


def opened(server: FaultServer, **options: Any) -> Endpoint:
    return load("m", url=server.url, **{"backoff": 0.02, **options})


@pytest.fixture(scope="module")
def shared() -> Iterator[FaultServer]:
    """One server for tests of one call each: starting and stopping one takes longer than the call."""
    with FaultServer(plan) as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """No thread stays; unclosed sockets and loops are warnings, which are errors."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    assert set(threading.enumerate()) <= before


def test_200_problems_at_once() -> None:
    with FaultServer(plan) as server:
        model = opened(server, concurrency=200, retries=RETRIES)
        queries = [problem(number) for number in range(200)]
        pairs = list(model.reply(queries))
        replies = dict(pairs)
        assert len(pairs) == 200  # none twice
        assert sorted(replies) == list(range(200))  # none lost
        failed = [number for number in range(200) if number % 10 == 0]
        for number, reply in replies.items():
            if number in failed:
                assert reply.text is None and reply.error, number
            else:
                assert (reply.text, reply.error) == (f"Answer: {number}", None)
                assert reply.usage == {"input_tokens": 9.0, "output_tokens": 3.0}
        assert max(server.attempts.values()) <= RETRIES + 1
        assert all(count == 1 for count in server.answered.values())
        assert server.attempts[0] == 1, "a query the server calls bad is not repeated"
        assert server.attempts[20] == RETRIES + 1
        assert 10 < server.most_under_way <= 200

        # The second time only what failed is asked, and the server is well.
        server.plan = lambda number, attempt: "none"
        server.attempts.clear()
        again = list(model.reply([queries[number] for number in failed]))
        assert {failed[index]: reply.text for index, reply in again} == {n: f"Answer: {n}" for n in failed}
        assert server.attempts == dict.fromkeys(failed, 1)
        model.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("bad", "HTTP 400: too long for the model"),
        ("huge", "the reply is longer than 4 MB"),
        ("error", "HTTP 500: crashed (gave up after 2 attempts)"),
        ("too_many", "HTTP 429: slower (gave up after 2 attempts)"),
        ("html", "expected JSON, got an HTML page beginning '<!doctype html><title>maintenance"),
        ("truncated", "expected JSON, got text that is not complete JSON beginning"),
        ("wrong", "content is dict, expected text (gave up after 2 attempts)"),
        ("empty", "the reply holds no choices (gave up after 2 attempts)"),
        ("short", "the connection broke ("),
        ("drop", "the connection broke ("),
        ("nothing", "no complete reply within 0.3 s (gave up after 2 attempts)"),
    ],
)
def test_each_trouble_is_named(fault: Fault, error: str, shared: FaultServer) -> None:
    shared.plan = lambda number, attempt: fault
    shared.attempts.clear()
    model = opened(shared, retries=1, timeout=0.3 if fault == "nothing" else 5.0)
    ((_, reply),) = model.reply([problem(1)])
    model.close()
    assert reply.text is None
    assert reply.error is not None
    assert reply.error.startswith(f"{shared.url.split('/')[2]}: {error}")
    assert shared.attempts[1] == (1 if fault in ("bad", "huge") else 2)


def test_a_server_that_allows_three_at_once_answers_everything() -> None:
    server = FaultServer(lambda number, attempt: "too_many" if server.under_way > 3 else "slow")
    with server:
        model = opened(server, concurrency=12, retries=8, backoff=0.1)
        replies = [reply for _, reply in model.reply([problem(number) for number in range(60)])]
        model.close()
    assert [reply.error for reply in replies if reply.error] == []


def test_replies_come_as_soon_as_they_are_there() -> None:
    with FaultServer(lambda number, attempt: "nothing" if number == 0 else "none") as server:
        model = opened(server, concurrency=2, retries=0, timeout=1.0)
        order = [index for index, _ in model.reply([problem(number) for number in range(20)])]
        model.close()
    assert order[-1] == 0


def test_closing_the_generator_cancels_what_is_under_way() -> None:
    with FaultServer(lambda number, attempt: "none" if number == 0 else "nothing") as server:
        model = opened(server, concurrency=10, timeout=LONG)
        replies = model.reply([problem(number) for number in range(30)])
        assert next(replies) == (0, replies_to(0))
        began = time.monotonic()
        replies.close()  # type: ignore[attr-defined]
        wait_for(lambda: server.under_way == 0)
        assert time.monotonic() - began < LONG / 2
        assert sum(server.attempts.values()) <= 12
        server.plan = lambda number, attempt: "none"
        assert len(list(model.reply([problem(5)]))) == 1  # it can go on afterwards
        model.close()


def replies_to(number: int) -> Any:
    class Same:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Reply) and other.text == f"Answer: {number}"

    return Same()


def wait_for(condition: Any, seconds: float = LONG / 2) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_interrupt_from_the_keyboard_ends_it_promptly() -> None:
    with FaultServer(lambda number, attempt: "nothing") as server:
        model = opened(server, concurrency=5, timeout=LONG)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            list(model.reply([problem(number) for number in range(5)]))
        model.close()
        assert time.monotonic() - began < LONG / 2
        wait_for(lambda: server.under_way == 0)


def test_closing_the_model_ends_a_reply_that_is_awaited() -> None:
    with FaultServer(lambda number, attempt: "nothing") as server:
        model = opened(server, timeout=LONG)
        threading.Timer(0.3, model.close).start()
        with pytest.raises(ModelError, match="the endpoint was closed while replies were awaited"):
            list(model.reply([problem(1)]))


def test_a_model_that_nobody_closed_is_cleaned_up() -> None:
    with FaultServer(lambda number, attempt: "none") as server:
        model = opened(server)
        list(model.reply([problem(1)]))
        gone = weakref.ref(model)
        del model
        gc.collect()
        assert gone() is None
        wait_for(lambda: not any(thread.name == "modgap-endpoint" for thread in threading.enumerate()))


def test_two_replies_may_run_at_once() -> None:
    with FaultServer(lambda number, attempt: "slow") as server:
        model = opened(server, concurrency=4)
        one = model.reply([problem(number) for number in range(10)])
        two = model.reply([problem(number) for number in range(100, 110)])
        texts = {pair[1].text for both in zip(one, two, strict=True) for pair in both}
        model.close()
        assert texts == {f"Answer: {n}" for n in (*range(10), *range(100, 110))}
        assert server.most_under_way <= 4


def test_nothing_is_asked_for_nothing_and_closing_twice_is_fine() -> None:
    model: Model = load("m", url="http://127.0.0.1:9/v1")
    assert list(model.reply([])) == []
    model.close()
    model.close()


def test_nobody_listens() -> None:
    model = load("m", url="http://127.0.0.1:9/v1", retries=1, backoff=0.01)
    with pytest.raises(
        ModelError, match=r"127\.0\.0\.1:9: cannot connect \(.*\); is the server running at http:"
    ):
        list(model.reply([problem(1)]))
    model.close()
