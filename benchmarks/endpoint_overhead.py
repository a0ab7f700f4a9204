"""What the HTTP adapter costs per call, against a bare httpx2 client at the same concurrency.

Both send the same requests to the same server on loopback, which runs in a process of its own and answers
at once. The adapter also encodes the prompt, counts the budget, keeps the pace, reads the reply and hands it
to another thread. Runs alternate, and the median of each is taken; beside wall time, the processor time of
this process is printed, which other work on the machine disturbs less.

    python benchmarks/endpoint_overhead.py [--calls 2000] [--concurrency 16] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import time
from typing import Any

import httpx2
import uvicorn

from modgap.media import Text
from modgap.models import Query
from modgap.models._endpoint import Settings, request_body
from modgap.models.endpoint import Endpoint, load

REPLY = json.dumps(
    {
        "choices": [{"message": {"role": "assistant", "content": "Answer: left"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 3},
    }
).encode()


Times = tuple[float, float]
"""Seconds of wall time and of processor time."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads a request and answers it."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(REPLY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": REPLY})


def serve(listening: socket.socket) -> None:
    """Runs the server until the process is ended."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", interface="asgi3"
    )
    uvicorn.Server(config).run(sockets=[listening])


def ask_bare(settings: Settings, queries: list[Query]) -> Times:
    """Time for all queries with a plain loop over one client."""
    bodies = [request_body(query, settings) for query in queries]

    async def run() -> Times:
        most = settings.concurrency
        limits = httpx2.Limits(max_connections=most, max_keepalive_connections=most)
        async with httpx2.AsyncClient(limits=limits, timeout=30) as client:
            waiting = iter(bodies)

            async def work() -> None:
                for body in waiting:
                    headers = {"Content-Type": "application/json"}
                    response = await client.post(settings.address, content=body, headers=headers)
                    assert response.json()["choices"]

            wall, processor = time.perf_counter(), time.process_time()
            await asyncio.gather(*[work() for _ in range(settings.concurrency)])
            return time.perf_counter() - wall, time.process_time() - processor

    return asyncio.run(run())


def ask_adapter(model: Endpoint, queries: list[Query]) -> Times:
    """Time for all queries with the adapter."""
    wall, processor = time.perf_counter(), time.process_time()
    replies = list(model.reply(queries))
    times = time.perf_counter() - wall, time.process_time() - processor
    assert all(reply.text == "Answer: left" for _, reply in replies)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    # Naming TCP lets asyncio switch Nagle's algorithm off, which adds 40 ms to every call.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listening,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        model = load("m", url=url, concurrency=arguments.concurrency)
        queries = [Query((Text(f"question {n} " * 50),)) for n in range(arguments.calls)]
        ask_bare(model.settings, queries[:100])  # waits for the server and warms both
        ask_adapter(model, queries[:100])
        bare, adapter = [], []
        for _ in range(arguments.rounds):
            bare.append(ask_bare(model.settings, queries))
            adapter.append(ask_adapter(model, queries))
        model.close()
    finally:
        server.terminate()
        server.join()
        listening.close()
    print(f"{arguments.calls} calls, {arguments.concurrency} at once, median of {arguments.rounds} rounds")
    for index, kind in enumerate(("wall time", "processor time")):
        of_bare, of_adapter = (
            statistics.median(times[index] for times in rounds) / arguments.calls * 1e3
            for rounds in (bare, adapter)
        )
        print(
            f"{kind}: bare httpx2 client {of_bare:.3f} ms per call, modgap endpoint {of_adapter:.3f} ms, "
            f"ratio {of_adapter / of_bare:.2f}"
        )


if __name__ == "__main__":
    main()
