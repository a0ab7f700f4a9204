"""Suites of problems that are already made: a file, or a folder with a manifest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from modgap._errors import FileError, InputError, UnknownName
from modgap.media import Modality

from ._files import read_problems, scan_problems
from ._parquet import read_parquet, scan_parquet
from ._problem import Answer, Problem
from ._read_reply import read_reply

MANIFEST = "manifest.json"
PROBLEMS = "problems.jsonl"
CHUNK = 2**20


class Manifest(msgspec.Struct):
    """What a folder of problems says of itself.

    Args:
        name: of the suite.
        canary: a fixed string; text that has it should not be trained on.
        version: of this format.
        problems: how many.
        seed: of the draw, if they were drawn.
        settings: of the suite they were drawn from.
        representations: name → modality.
        made_with: versions of modgap and of what draws.
        sha256: relative path → hash, of every file but media, which are named by their hash.
    """

    name: str
    canary: str
    version: int
    problems: int
    seed: int | None
    settings: dict[str, Any]
    representations: dict[str, str]
    made_with: dict[str, str]
    sha256: dict[str, str]


@dataclass(frozen=True)
class Source:
    """How problems that are already made are read.

    Args:
        read: path → its problems, in order.
        scan: path → names of tasks, and representation → modality.
        settings: path → what tells this content from any other, as JSON.
    """

    read: Callable[[Path], Iterator[Problem]]
    scan: Callable[[Path], tuple[tuple[str, ...], dict[str, Modality]]]
    settings: Callable[[Path], dict[str, Any]]


def _is_parquet(path: Path) -> bool:
    return path.suffix == ".parquet"


FILE = Source(
    read=lambda path: (read_parquet if _is_parquet(path) else read_problems)(path),
    scan=lambda path: (scan_parquet if _is_parquet(path) else scan_problems)(path),
    settings=lambda path: {"sha256": hash_file(path)},
)
"""A file of problems as modgap writes it."""


@dataclass(frozen=True)
class FileSuite:
    """Problems of a file or folder, in its order.

    Args:
        name: of the suite.
        path: the file or folder.
        wanted: only these tasks; all if ``None``.
        source: how it is read.
    """

    name: str
    path: Path
    wanted: tuple[str, ...] | None = None
    source: Source = field(default=FILE, repr=False)

    @cached_property
    def _scanned(self) -> tuple[tuple[str, ...], dict[str, Modality]]:
        return self.source.scan(self.path)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, in the order of the file."""
        return self._scanned[0] if self.wanted is None else self.wanted

    @property
    def representations(self) -> dict[str, Modality]:
        """Representation → modality, of all problems together."""
        return self._scanned[1]

    def problems(
        self, n: int | None, seed: int = 0, representations: Iterable[str] | None = None, offset: int = 0
    ) -> Iterator[Problem]:
        """The first ``n`` problems of each task after ``offset``, in the order of the file.

        The seed has no effect. A problem that has none of the representations is left out.
        """
        if (n is not None and n < 1) or offset < 0:
            raise InputError(
                f"n {n} from {offset} on is not accepted; give 1 or more problems, from 0 or later on"
            )
        wanted = None if representations is None else tuple(representations)
        for name in wanted or ():
            if name not in self.representations:
                raise UnknownName("representation", name, self.representations)
        return self._read(n, wanted, offset)

    def _read(self, n: int | None, wanted: Sequence[str] | None, offset: int) -> Iterator[Problem]:
        tasks = set(self.tasks)
        count: Counter[str] = Counter()
        for problem in self.source.read(self.path):
            if problem.task not in tasks:
                continue
            count[problem.task] += 1
            if count[problem.task] <= offset:
                continue
            if n is not None and count[problem.task] > offset + n:
                if all(count[task] > offset + n for task in tasks):
                    return
                continue
            if wanted is None:
                yield problem
                continue
            own = {r.name: r for r in problem.representations}
            kept = tuple(own[name] for name in wanted if name in own)
            if kept:
                yield replace(problem, representations=kept)

    def parse(self, problem: Problem, reply: str) -> Answer:
        """What a reply says, as the task of that name reads it, else by the kind of answer."""
        return read_reply(problem, reply)

    def settings(self) -> dict[str, Any]:
        """The hash of the file or files, and the tasks chosen."""
        return {"suite": self.name, **self._content, "tasks": list(self.tasks)}

    @cached_property
    def _content(self) -> dict[str, Any]:
        return self.source.settings(self.path)


def open_suite(path: Path, wanted: Sequence[str] | None) -> FileSuite:
    """Open a file of problems, or a folder with a manifest.

    Raises:
        FileError: if it is missing or not what it should be.
        UnknownName: if a task is wanted that it does not have.
    """
    if path.is_dir() or path.name == MANIFEST:
        suite = _open_folder(path if path.is_dir() else path.parent)
    elif path.suffix not in (".jsonl", ".parquet"):
        raise FileError(f"{path}: not a suite; expected a .jsonl or .parquet file of problems, or a folder")
    elif not path.is_file():
        raise FileError(f"{path}: there is no such file; expected a .jsonl or .parquet file of problems")
    else:
        suite = FileSuite(path.stem, path)
    return suite if wanted is None else replace(suite, wanted=tuple(select(suite.tasks, wanted)))


def _open_folder(folder: Path) -> FileSuite:
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise FileError(
            f"{path}: cannot be read ({error.strerror}); expected the manifest of a suite"
        ) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileError(f"{path}: {error}; expected a manifest as `modgap generate` writes it") from error
    problems = folder / PROBLEMS
    if not problems.is_file():
        raise FileError(f"{problems}: missing; the manifest names it, so copy it again")
    if hash_file(problems) != manifest.sha256.get(PROBLEMS):
        raise FileError(
            f"{problems}: is not the file that the manifest describes; copy it again or generate anew"
        )
    return FileSuite(manifest.name, problems)


def select(tasks: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """Those of the tasks that are wanted by full or short name, in their own order.

    Raises:
        UnknownName: if one is not there.
        InputError: if none is wanted.
    """
    chosen = set()
    for name in wanted:
        matches = [task for task in tasks if name in (task, task.split("/")[-1])]
        if not matches:
            raise UnknownName("task", name, tasks)
        chosen.update(matches)
    if not chosen:
        raise InputError("no task was chosen; name at least one or leave the choice out")
    return [task for task in tasks if task in chosen]


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                digest.update(piece)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()
