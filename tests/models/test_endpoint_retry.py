"""Repetition, waiting and limits, on a clock that does not wait."""

from __future__ import annotations

import asyncio

import httpx2
import numpy as np
import pytest

from modgap._errors import ModelError
from modgap.models._endpoint import Pace, backoff_seconds, retry_after_seconds

from .mock_endpoint import FakeTime, Server, ask, completion, endpoint, questions, refusal_of_calls


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_passing_trouble_is_repeated(status: int) -> None:
    server = Server(refusal_of_calls(status), refusal_of_calls(status), completion())
    time = FakeTime()
    (reply,) = ask(server, time=time)
    assert reply.text == "Answer: left"
    assert len(server.requests) == 3
    assert len(time.slept) == 2
    assert server.requests[0].content == server.requests[2].content


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (httpx2.ReadTimeout("slow"), "no complete reply within 7 s"),
        (httpx2.PoolTimeout("full"), "no complete reply within 7 s"),
        (httpx2.ReadError("reset"), "the connection broke (reset)"),
        (httpx2.RemoteProtocolError("cut"), "the connection broke (cut)"),
        (httpx2.WriteError(""), "the connection broke (WriteError)"),
        (refusal_of_calls(503, "busy"), "HTTP 503: busy"),
    ],
)
def test_repetition_is_bounded(trouble: httpx2.Response | Exception, message: str) -> None:
    server, time = Server(trouble), FakeTime()
    (reply,) = ask(server, time=time, timeout=7.0, retries=5)
    assert reply.text is None
    assert reply.error == f"api.example.com: {message} (gave up after 6 attempts)"
    assert len(server.requests) == 6
    # Full jitter: waits between 0 and 0.5, 1, 2, 4, 8 s.
    assert len(time.slept) == 5
    assert all(0 <= slept <= 0.5 * 2**n for n, slept in enumerate(time.slept))
    assert len(set(time.slept)) == 5


def test_one_failure_does_not_touch_the_others() -> None:
    server = Server(*[refusal_of_calls(500)] * 3, completion())
    first, second = ask(server, questions(2), retries=2)
    assert first.error is not None
    assert second.text == "Answer: left"


def test_backoff_fills_its_range() -> None:
    # Full jitter is uniform on [0, cap]: mean cap / 2, here 4 s with a standard error of 0.05 s.
    rng = np.random.default_rng(1)
    waits = [backoff_seconds(5, 0.5, rng) for _ in range(2000)]
    assert max(waits) <= 8
    assert np.mean(waits) == pytest.approx(4, abs=0.25)
    assert max(backoff_seconds(10_000, 0.5, rng) for _ in range(100)) <= 60


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0.25", 0.25),
        ("86400", 60.0),
        ("inf", 60.0),
        ("-5", 0.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        # The date of RFC 9110, section 5.6.7, is 784111777 s after 1970; "now" is 20 s before.
        ("Sun, 06 Nov 1994 08:49:37 GMT", 20.0),
        ("Sat, 05 Nov 1994 08:49:37 GMT", 0.0),
        ("Sun, 06 Nov 99999 08:49:37 GMT", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, wall=784111757.0) == seconds


def test_retry_after_is_waited_for() -> None:
    busy = httpx2.Response(429, headers={"Retry-After": "12"}, json={})
    server, time = Server(busy, completion()), FakeTime()
    began = time.seconds
    (reply,) = ask(server, time=time)
    assert reply.text == "Answer: left"
    assert 12 <= time.seconds - began <= 12.5


def test_retry_after_stops_all_workers() -> None:
    """The worker that was refused waits, and so does the one that was not."""
    time, seen = FakeTime(), []

    async def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(time.seconds)
        if len(seen) == 1:
            return httpx2.Response(429, headers={"Retry-After": "30"}, json={})
        await asyncio.sleep(0)
        return completion()

    began = time.seconds
    replies = ask(Server(handle), questions(6), time=time, concurrency=2)
    assert all(reply.text for reply in replies)
    # One call of the other worker was already under way; all later ones are after the pause.
    assert [moment for moment in seen[2:] if moment < began + 30] == []


def test_429_halves_the_calls_under_way_and_success_restores_them() -> None:
    async def play() -> None:
        time = FakeTime()
        pace = Pace(8, time.clock())
        begun = [await pace.enter() for _ in range(8)]
        time.seconds += 1
        for began in begun:
            pace.slow_down(began)  # eight refusals of one burst count once
            pace.leave()
        assert pace.limit == 4
        pace.slow_down(time.seconds)
        assert pace.limit == 4  # too soon after the last cut
        time.seconds += 1
        for _ in range(4):
            await pace.enter()
        late = asyncio.create_task(pace.enter())
        await asyncio.sleep(0.01)
        assert not late.done()
        pace.leave()
        began = await late
        pace.slow_down(began)
        assert pace.limit == 2
        for _ in range(200):
            pace.speed_up()
        assert pace.limit == 8

    asyncio.run(play())


def test_a_cancelled_wait_costs_nobody_a_place() -> None:
    async def play() -> None:
        pace = Pace(1, FakeTime().clock())
        await pace.enter()
        first, second = asyncio.create_task(pace.enter()), asyncio.create_task(pace.enter())
        await asyncio.sleep(0)
        first.cancel()
        pace.leave()
        await asyncio.wait_for(second, 1)

    asyncio.run(play())


def test_a_server_that_is_not_there_stops_the_run() -> None:
    server = Server(httpx2.ConnectError("connection refused"))
    with pytest.raises(ModelError) as raised:
        ask(server, questions(50), retries=2)
    assert str(raised.value) == (
        "api.example.com: cannot connect (connection refused); is the server running at https://api.example.com/v1?"
    )
    assert len(server.requests) == 3


def test_a_server_that_goes_away_stops_the_run_after_as_many_errors_as_workers() -> None:
    server = Server(completion(), completion(), httpx2.ConnectTimeout("nobody"))
    got = []
    with (
        pytest.raises(ModelError, match="is the server running"),
        endpoint(server, retries=1, concurrency=2) as model,
    ):
        got.extend(model.reply(questions(50)))
    assert len(server.requests) <= 2 + 2 * 3


def test_a_server_that_comes_back_costs_one_record_at_most() -> None:
    away = httpx2.ConnectError("refused")
    server = Server(completion(), away, away, completion(), away, away, completion())
    replies = ask(server, questions(5), retries=1, concurrency=2)
    assert sum(reply.error is not None for reply in replies) <= 2


def test_the_budget_counts_every_call() -> None:
    server = Server(completion(), refusal_of_calls(500), completion())
    replies = ask(server, questions(6), budget=4)
    assert [reply.text for reply in replies[:3]] == ["Answer: left"] * 3
    assert len(server.requests) == 4
    for reply in replies[3:]:
        assert reply.error == "budget of 4 calls reached; run again to go on with the rest"


def test_a_repetition_the_budget_forbids_says_what_failed() -> None:
    (reply,) = ask(Server(refusal_of_calls(500, "oops")), budget=1)
    assert reply.error == (
        "budget of 1 calls reached; run again to go on with the rest "
        "(this call failed before: api.example.com: HTTP 500: oops)"
    )


def test_the_budget_holds_at_full_concurrency() -> None:
    server = Server(completion())
    replies = ask(server, questions(100), budget=10, concurrency=50)
    assert len(server.requests) == 10
    assert sum(reply.error is None for reply in replies) == 10


def priced(cost: float) -> httpx2.Response:
    body = {
        "choices": [{"message": {"content": "Answer: left"}}],
        "usage": {"prompt_tokens": 1, "cost": cost},
    }
    return httpx2.Response(200, json=body)


def test_the_limit_on_cost_stops() -> None:
    server = Server(priced(0.25))
    replies = ask(server, questions(10), max_cost=1.0)
    assert len(server.requests) == 4
    assert replies[4].error == "budget of 1 reached (1 spent); run again to go on with the rest"


def test_the_limit_on_cost_reckons_with_calls_under_way() -> None:
    """Four workers, 0.25 a call: the first four are unknown, afterwards no call goes beyond the limit."""
    server = Server(priced(0.25))
    replies = ask(server, questions(40), max_cost=3.0, concurrency=4)
    spent = sum(reply.usage["cost"] for reply in replies if reply.usage)
    assert 2.25 <= spent <= 3.0


def test_a_limit_on_cost_needs_a_cost() -> None:
    with pytest.raises(ModelError) as raised:
        ask(Server(completion()), max_cost=1.0)
    assert str(raised.value) == (
        "max_cost is 1, but api.example.com does not report what a call costs; "
        "give input_price and output_price, or limit the number of calls with budget"
    )


def test_failed_calls_cost_money_too() -> None:
    empty = httpx2.Response(200, json={"choices": [], "usage": {"cost": 0.6}})
    (reply,) = ask(Server(empty), max_cost=1.0, retries=5)
    assert reply.error is not None
    assert reply.error.startswith("budget of 1 reached (1.2 spent)")


def test_a_record_has_the_usage_of_all_its_attempts() -> None:
    empty = httpx2.Response(200, json={"choices": [], "usage": {"prompt_tokens": 5, "cost": 0.5}})
    answered, failed = (
        ask(Server(*script), retries=1)[0] for script in ((empty, priced(0.25)), (empty, empty))
    )
    assert answered.usage == {"input_tokens": 6.0, "cost": 0.75}
    assert failed.text is None
    assert failed.usage == {"input_tokens": 10.0, "cost": 1.0}


def test_seconds_are_those_of_the_last_call() -> None:
    time = FakeTime()

    async def slow(request: httpx2.Request) -> httpx2.Response:
        time.seconds += 2.5
        return completion()

    (reply,) = ask(Server(refusal_of_calls(500), slow), time=time)
    assert reply.seconds == pytest.approx(2.5)
