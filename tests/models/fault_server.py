"""A real HTTP server on loopback that misbehaves on request: chat completions, with faults by problem.

Each request holds ``problem N`` in its text; ``plan(N, attempt)`` says what happens at that attempt (from 1).
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import uvicorn
from starlette.responses import HTMLResponse, JSONResponse, Response

Fault = Literal[
    "none",
    "too_many",
    "error",
    "html",
    "truncated",
    "empty",
    "wrong",
    "huge",
    "slow",
    "short",
    "drop",
    "nothing",
    "bad",
]
Plan = Callable[[int, int], Fault]

CALL_SECONDS = 0.005
"""Time every call takes at least, so that calls overlap."""

SLOW_SECONDS = 0.05
"""A slow answer, still in time."""


class FaultServer:
    """Runs in a thread while it is entered as a context.

    Args:
        plan: (problem, attempt from 1) → what happens.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.attempts: Counter[int] = Counter()
        self.answered: Counter[int] = Counter()
        self.under_way = 0
        self.most_under_way = 0
        self.cancelled = 0
        # Naming TCP lets asyncio switch Nagle's algorithm off, which adds 40 ms to every call.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            interface="asgi3",
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> FaultServer:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
        assert not self._thread.is_alive()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        number = int(re.search(rb"problem (\d+)", body).group(1))  # type: ignore[union-attr]
        self.attempts[number] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(CALL_SECONDS)
            await self._answer(self.plan(number, self.attempts[number]), number, scope, receive, send)
        except asyncio.CancelledError:
            self.cancelled += 1
        finally:
            self.under_way -= 1

    async def _answer(self, fault: Fault, number: int, scope: Any, receive: Any, send: Any) -> None:
        choice = {"message": {"role": "assistant", "content": f"Answer: {number}"}, "finish_reason": "stop"}
        good = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 3}})
        match fault:
            case "none" | "slow":
                if fault == "slow":
                    await asyncio.sleep(SLOW_SECONDS)
                self.answered[number] += 1
                response: Response = Response(good, media_type="application/json")
            case "too_many":
                response = JSONResponse({"error": {"message": "slower"}}, 429, {"Retry-After": "0.01"})
            case "error":
                response = JSONResponse({"error": {"message": "crashed"}}, 500)
            case "bad":
                response = JSONResponse({"error": {"message": "too long for the model"}}, 400)
            case "html":
                response = HTMLResponse("<!doctype html><title>maintenance</title><script>alert(1)</script>")
            case "truncated":
                response = Response(good[:-20], media_type="application/json")
            case "empty":
                response = JSONResponse({"choices": []})
            case "wrong":  # complete, but not of the form of the protocol
                response = JSONResponse({"choices": [{"message": {"content": {"answer": number}}}]})
            case "huge":
                response = Response(good[:-1] + " " * 10_000_000 + "}", media_type="application/json")
            case "short":  # promises more than it sends, then closes the connection
                headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": good[:30].encode(), "more_body": True})
                send.__self__.transport.abort()
                return
            case "drop":
                send.__self__.transport.abort()
                return
            case "nothing":
                await receive()  # until the client goes away
                self.cancelled += 1
                return
        await response(scope, receive, send)
