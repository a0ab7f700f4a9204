"""Folders to annotate, a client and a server process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from modgap.tldr.annotate import Store, read_items

CAPTION = "Three brown dogs run on a red carpet, left of one cat."


def make_line(number: int, **fields: Any) -> dict[str, Any]:
    """Line ``number``: even ones have a flag on "Three", and a known error there or else on "cat"."""
    flags = [{"start": 0, "end": 5, "type": "counting", "score": 0.9}]
    known = {"start": 0, "end": 5} if number % 4 == 0 else {"start": 50, "end": 53}
    return {
        "id": f"c{number}",
        "image": f"images/{number % 3}.png",
        "caption": CAPTION,
        "spans": flags if number % 2 == 0 else [],
        "known": [known] if number % 2 == 0 else [],
    } | fields


@pytest.fixture
def line() -> Callable[..., dict[str, Any]]:
    """``line(number, **fields)`` is a line of captions.jsonl."""
    return make_line


def write_folder(folder: Path, lines: list[dict[str, Any]] | int = 8) -> Path:
    """Write captions.jsonl and three pictures."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number in range(3):
        color = (200, 60 + 60 * number, 40)
        PIL.Image.new("RGB", (40, 30), color).save(folder / "images" / f"{number}.png")
    rows = [make_line(number) for number in range(lines)] if isinstance(lines, int) else lines
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def make_folder(tmp_path) -> Callable[..., Path]:
    """``make_folder(lines)`` writes captions.jsonl and three pictures."""
    return lambda lines=8: write_folder(tmp_path / "work", lines)


@pytest.fixture
def make_store(make_folder) -> Iterator[Callable[..., Store]]:
    """``make_store(lines, **options)`` opens the store of a folder; it is closed after the test."""
    opened: list[Store] = []

    def made(lines: Any = 8, **options: Any) -> Store:
        folder = lines if isinstance(lines, Path) else make_folder(lines)
        opened.append(Store(folder, read_items(folder), **options))
        return opened[-1]

    yield made
    for store in opened:
        store.close()


class Server:
    """``modgap tldr annotate`` as a process, on one port over restarts."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options, self.port = folder, options, 0
        self.start()

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("modgap")), "tldr", "annotate", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), *self.options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        found = re.match(r"(http://127\.0\.0\.1:(\d+)/)  \(Ctrl-C stops; everything is saved\)", said)
        assert found, said
        self.address, self.port = found[1], int(found[2])

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """``serve(folder)`` starts a server; it is killed after the test."""
    servers: list[Server] = []

    def started(folder: Path, *options: str) -> Server:
        servers.append(Server(folder, *options))
        return servers[-1]

    yield started
    for server in servers:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="session")
def four_captions(tmp_path_factory) -> Iterator[Server]:
    """A server of four captions that all show their flags."""
    folder = write_folder(tmp_path_factory.mktemp("four"), 4)
    server = Server(folder, "--flags", "with", "--types", "counting,colour,object,place,other")
    yield server
    server.kill()
