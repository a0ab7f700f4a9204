"""Measuring a model behind HTTP that misbehaves in every way: errors stay errors, the rest goes on."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from modgap.cli._group import app
from modgap.evaluate import open_run

GOOD = json.dumps(
    {
        "choices": [{"message": {"content": "Answer: 2"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    }
)
BAD = [
    (429, "slow down"),
    (500, '{"error": {"message": "<script>alert(1)</script>"}}'),
    (200, "<html><body>It works!</body></html>"),
    (200, GOOD[:30]),
    (200, '{"choices": []}'),
    (200, ""),
]


class Server(ThreadingHTTPServer):
    """Answers well, but for every second call while ``bad``."""

    bad = True
    calls = 0

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        number = self.server.calls
        self.server.calls += 1
        status, body = BAD[number // 2 % len(BAD)] if self.server.bad and number % 2 else (200, GOOD)
        data = body.encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def measure(server: Server, out: Path, *more: str) -> Result:
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    flags = ["--tasks", "count", "-n", "6", "--representations", "list,image", "--name", "run", "--no-report"]
    options = ["--url", url, "--concurrency", "1", "--option", "retries=0", "--option", "backoff=0.001"]
    return CliRunner().invoke(
        app, ["measure", "-m", "endpoint:tiny", "--out", str(out), *flags, *options, *more]
    )


def test_a_server_that_misbehaves(server: Server, tmp_path: Path) -> None:
    first = measure(server, tmp_path)
    assert first.exit_code == 0, first.output
    records = open_run(tmp_path / "run").records()
    assert Counter(record.outcome == "error" for record in records) == {False: 6, True: 6}
    assert all(record.reply is None for record in records if record.outcome == "error")
    assert "6 errors; the same command asks again" in first.stderr
    server.bad, server.calls = False, 0
    second = measure(server, tmp_path)
    assert second.exit_code == 0, second.output
    assert server.calls == 6
    records = open_run(tmp_path / "run").records()
    assert len(records) == 12
    assert {record.outcome for record in records} <= {"correct", "wrong"}


def test_a_budget_stops_and_the_next_run_goes_on(server: Server, tmp_path: Path) -> None:
    server.bad = False
    first = measure(server, tmp_path, "--budget", "5")
    assert first.exit_code == 0, first.output
    assert server.calls == 5
    errors = Counter(record.error for record in open_run(tmp_path / "run").records())
    assert errors == {None: 5, "budget of 5 calls reached; run again to go on with the rest": 7}
    assert measure(server, tmp_path).exit_code == 0
    assert server.calls == 12
    assert measure(server, tmp_path).exit_code == 0
    assert server.calls == 12
    records = open_run(tmp_path / "run").records()
    assert len({record.key for record in records}) == len(records) == 12
    # The log has the tokens of every record.
    assert {record.usage["input_tokens"] for record in records if record.usage} == {7.0}


def test_a_limit_on_cost(server: Server, tmp_path: Path) -> None:
    server.bad = False
    prices = ["--option", "input_price=2", "--option", "output_price=10", "--option", "max_cost=0.0001"]
    done = measure(server, tmp_path, *prices)
    assert done.exit_code == 0, done.output
    records = open_run(tmp_path / "run").records()
    spent = [record.usage["cost"] for record in records if record.usage]
    assert spent == pytest.approx([7 * 2e-6 + 3 * 10e-6] * 3)
    assert sum("budget of 0.0001 reached (0.000132 spent)" in (record.error or "") for record in records) == 9


def test_options_of_the_adapter_on_the_command_line(server: Server, tmp_path: Path) -> None:
    server.bad = False
    reasoning = '{"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": false}}'
    given = ["max_tokens_field=max_completion_tokens", "omit=temperature", f"extra_body={reasoning}"]
    flags = [flag for option in given for flag in ("--option", option)]
    done = measure(server, tmp_path, "--answer", "options", "--max-tokens", "4000", *flags)
    assert done.exit_code == 0, done.output
    sent = server.bodies[0]
    assert sorted(set(sent) - {"messages"}) == [
        "chat_template_kwargs",
        "logprobs",
        "max_completion_tokens",
        "model",
        "reasoning_effort",
        "top_logprobs",
    ]
    assert sent["max_completion_tokens"] == 4000


def test_a_server_that_is_not_there(server: Server, tmp_path: Path) -> None:
    server.server_close()
    done = measure(server, tmp_path)
    assert done.exit_code == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("modgap: 127.0.0.1:")
    assert "is the server running at" in last
    assert "Traceback" not in done.output
