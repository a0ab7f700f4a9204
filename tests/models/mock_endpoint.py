"""An endpoint whose network is a function: what the tests of the HTTP adapter share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
import numpy as np

from modgap.media import Text
from modgap.models import Query, Reply
from modgap.models._endpoint import Clock, Settings
from modgap.models.endpoint import Endpoint

URL = "https://api.example.com/v1"


class FakeTime:
    """Time that passes only when someone sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    def clock(self, wall: float = 0.0) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep, wall=lambda: wall)


class Server:
    """Gives the responses of a script in turn, the last one for ever; keeps the requests."""

    def __init__(self, *script: httpx2.Response | Exception | Callable[[httpx2.Request], Any]) -> None:
        self.script = list(script)
        self.requests: list[httpx2.Request] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx2.Response):
            return httpx2.Response(step.status_code, headers=step.headers, content=step.content)
        response = step(request)
        return await response if asyncio.iscoroutine(response) else response

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


def completion(text: Any = "Answer: left", reason: str = "stop", **message: Any) -> httpx2.Response:
    """A response of status 200 with one choice."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, **message},
        "finish_reason": reason,
    }
    return httpx2.Response(200, json={"choices": [choice]})


def refusal_of_calls(status: int, message: str = "no", **error: Any) -> httpx2.Response:
    """A response with an error in the usual form."""
    return httpx2.Response(status, json={"error": {"message": message, **error}})


def questions(count: int) -> list[Query]:
    """Queries that differ in their text."""
    return [Query((Text(f"question {n}"),), problem_id=f"p{n}", representation="story") for n in range(count)]


@contextmanager
def endpoint(
    server: Server, time: FakeTime | None = None, wall: float = 0.0, **options: Any
) -> Iterator[Endpoint]:
    """An endpoint in front of ``server``, closed at the end."""
    settings = Settings(**{"model": "m", "url": URL, "concurrency": 1, **options})
    model = Endpoint(
        settings,
        transport=httpx2.MockTransport(server),
        clock=(time or FakeTime()).clock(wall),
        rng=np.random.default_rng(0),
    )
    try:
        yield model
    finally:
        model.close()


def ask(server: Server, queries: Sequence[Query] | None = None, **options: Any) -> list[Reply]:
    """Replies in the order of the queries; each must come exactly once."""
    queries = questions(1) if queries is None else queries
    with endpoint(server, **options) as model:
        replies = list(model.reply(queries))
    assert sorted(index for index, _ in replies) == list(range(len(queries)))
    return [reply for _, reply in sorted(replies, key=lambda pair: pair[0])]
