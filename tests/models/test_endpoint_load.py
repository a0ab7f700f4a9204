"""200 calls at once to a crowded server with every kind of trouble, on time that jumps: nothing waits, and
what is measured is how close the work comes to the server's own limit."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict

import httpx2
import numpy as np
import pytest

from modgap.media import Text
from modgap.models import Query
from modgap.models._endpoint import Clock, Settings
from modgap.models.endpoint import Endpoint

from .mock_endpoint import URL, completion, refusal_of_calls
from .virtual_time import VirtualLoop

QUERIES = 600
CALLS = 200
PLACES = 50
RETRIES = 6


class Crowded:
    """A server that works on ``places`` calls at a time, lets as many again wait, and refuses the others.

    A fifth of the calls goes wrong: an error, a cut-off body, a body of the wrong form, a broken connection,
    or silence until the client gives up. Another twentieth takes six times as long.

    Args:
        places: calls at a time.
    """

    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.most = 2 * places
        self.here = 0
        self.busy: dict[int, float] = defaultdict(float)  # seconds of a place that a question took in all
        self.tries: Counter[int] = Counter()
        self.answered: Counter[int] = Counter()
        self.seen: Counter[str] = Counter()

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        number = int(json.loads(request.content)["messages"][0]["content"][0]["text"])
        self.tries[number] += 1
        if self.here >= self.most:
            self.seen["refused"] += 1
            await asyncio.sleep(0.01)
            return refusal_of_calls(429, "too many")
        self.here += 1
        try:
            async with self.places:
                return await self.work(number)
        finally:
            self.here -= 1

    async def work(self, number: int) -> httpx2.Response:
        draw = np.random.default_rng([number, self.tries[number]]).random()
        fault = next((f for f, end in FAULTS.items() if draw < end), "none")
        self.seen[fault] += 1
        seconds = {"slow": 6.0, "silent": 1000.0, "error": 0.2}.get(fault, 1.0)
        began = asyncio.get_running_loop().time()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.busy[number] += asyncio.get_running_loop().time() - began
        good = completion(f"Answer: {number}")
        match fault:
            case "error":
                return refusal_of_calls(500, "crashed")
            case "cut":
                return httpx2.Response(200, content=good.content[:-20])
            case "form":
                return completion(7)
            case "broken":
                raise httpx2.RemoteProtocolError("cut")
        self.answered[number] += 1
        return good


FAULTS = {"error": 0.06, "cut": 0.10, "form": 0.14, "broken": 0.18, "silent": 0.20, "slow": 0.25}
"""Trouble → the share of calls up to and with it."""


def test_200_calls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = VirtualLoop()
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: loop)
    server = Crowded(PLACES)
    model = Endpoint(
        Settings("m", URL, concurrency=CALLS, retries=RETRIES, timeout=20.0),
        transport=httpx2.MockTransport(server),
        clock=Clock(now=loop.time),
        rng=np.random.default_rng(0),
    )
    pairs = list(model.reply([Query((Text(str(number)),)) for number in range(QUERIES)]))
    took = loop.time()
    model.close()
    assert len(pairs) == QUERIES  # none twice
    texts = {index: reply.text for index, reply in pairs}
    assert texts == {number: f"Answer: {number}" for number in range(QUERIES)}  # none lost or exchanged
    assert server.answered == dict.fromkeys(range(QUERIES), 1)
    assert max(server.tries.values()) <= RETRIES + 1
    assert set(server.seen) == {*FAULTS, "none", "refused"}
    # Work that is handed out as places become free takes at most this long (Graham, 1966, list scheduling);
    # the waits before repetitions and the calls held back after a refusal come on top.
    bound = sum(server.busy.values()) / PLACES + max(server.busy.values())
    assert took <= bound, f"{took:.1f} s, {took / bound:.2f} of the bound"
