"""A real ``transformers serve`` on loopback, for as long as it is needed."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 300.0
"""The server is given up after this; it starts in 4 s on two idle cores."""


def missing() -> list[str]:
    """Packages of ``transformers[serving]`` that are not installed."""
    return [name for name in ("fastapi", "uvicorn", "openai") if importlib.util.find_spec(name) is None]


@contextmanager
def served(model: Path, log: Path) -> Iterator[str]:
    """Serve a model folder in float32 on the CPU.

    Args:
        model: folder of the model.
        log: file that takes what the server says.

    Yields:
        Address to give to ``--url``.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    with log.open("wb") as said:
        server = subprocess.Popen(
            command,
            stdout=said,
            stderr=said,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if server.poll() is not None:
                raise RuntimeError(f"the server ended:\n{log.read_text()}") from None
            if time.monotonic() > end:
                raise RuntimeError(f"the server did not start:\n{log.read_text()}") from None
            time.sleep(0.2)
