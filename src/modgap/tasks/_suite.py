"""Suites: what ``--suite`` names.

    suite = load_suite("scenes", tasks=["count", "relation"], level="hard")
    for problem in suite.problems(n=100, seed=0, representations=["story", "image"]): ...

A suite is a folder of task files (``scenes``), one task (``scenes/count``), or problems of one's own: a
``.jsonl`` or ``.parquet`` file, or a folder that was written from a suite (it has a ``manifest.json``). A
published set is ``NAME:FOLDER``, such as ``cv_bench:data/CV-Bench``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from modgap._errors import FileError, InputError, UnknownName
from modgap.media import MODALITIES, Modality

from . import _datasets, _file_suite
from ._problem import Answer, Problem
from ._read_reply import read_reply
from ._settings import resolve
from ._task import Task, check_seed, load, names


class Suite(Protocol):
    """Problems of several tasks."""

    @property
    def name(self) -> str:
        """Short name for folders and tables."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Full names of its tasks."""

    @property
    def representations(self) -> dict[str, Modality]:
        """Representation → modality, of all tasks together."""

    def problems(
        self, n: int | None, seed: int = 0, representations: Iterable[str] | None = None, offset: int = 0
    ) -> Iterator[Problem]:
        """Problems one by one, those of one scene next to each other.

        Args:
            n: how many of each task; ``None`` is all there are, where they are finite.
            seed: of the draw, where they are drawn.
            representations: which to make, in this order; all if ``None``.
            offset: how many of each task to leave out at the start.

        Raises:
            InputError: if an argument is not accepted.
            FileError: if a file turns out not to hold problems.
        """

    def parse(self, problem: Problem, reply: str) -> Answer:
        """What a reply to one of its problems says."""

    def settings(self) -> dict[str, Any]:
        """Everything that changes the problems, as JSON."""


@dataclass(frozen=True)
class TaskSuite:
    """Tasks that draw their problems from a seed.

    Args:
        name: of the suite.
        loaded: its tasks.
        given: settings, checked when the suite was made.
    """

    name: str
    loaded: tuple[Task, ...] = field(repr=False)
    given: Mapping[str, object] = field(default_factory=dict)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Full names of the tasks."""
        return tuple(task.name for task in self.loaded)

    @property
    def representations(self) -> dict[str, Modality]:
        """Representation → modality, of all tasks together."""
        return {name: m for task in self.loaded for name, m in task.representations.items()}

    @property
    def on_request(self) -> dict[str, Modality]:
        """Those that are made only when asked for; see :attr:`Task.on_request`."""
        return {name: m for task in self.loaded for name, m in task.on_request.items()}

    def problems(
        self, n: int | None, seed: int = 0, representations: Iterable[str] | None = None, offset: int = 0
    ) -> Iterator[Problem]:
        """Problem ``offset`` of every task, then the next of every task, ``n`` times; see :class:`Suite`."""
        if n is None:
            raise InputError(f"suite {self.name!r} has no end; give a number of problems")
        check_counts(n, offset)
        check_seed(seed)
        wanted = None if representations is None else tuple(representations)
        every = self.representations | self.on_request
        for name in wanted or ():
            if name not in every:
                raise UnknownName("representation", name, every)
        return self._draw(n, seed, wanted, offset)

    def _draw(self, n: int, seed: int, wanted: Sequence[str] | None, offset: int) -> Iterator[Problem]:
        for index in range(offset, offset + n):
            for task, (dials, style) in zip(self.loaded, self._resolved, strict=True):
                own = wanted and [name for name in wanted if name in task.representations | task.on_request]
                if own or not wanted:  # a task that has none of the representations wanted is left out
                    yield task.make(seed, index, own, dials, style)

    def parse(self, problem: Problem, reply: str) -> Answer:
        """What a reply says, as the task reads it."""
        return read_reply(problem, reply)

    def settings(self) -> dict[str, Any]:
        """The suite, its tasks and every setting with its value."""
        each = [{**dataclasses.asdict(dials), **dataclasses.asdict(style)} for dials, style in self._resolved]
        same = all(values == each[0] for values in each)
        values = each[0] if same else dict(zip(self.tasks, each, strict=True))
        return {"suite": self.name, "tasks": list(self.tasks), "settings": values}

    @cached_property
    def _resolved(self) -> list[tuple[Any, Any]]:
        return [task.resolve(_own_settings(task, self.given)) for task in self.loaded]


def suites() -> tuple[str, ...]:
    """Names of all suites of tasks."""
    return tuple(sorted({name.split("/")[0] for name in names()}))


def load_suite(
    spec: str,
    *,
    tasks: Iterable[str] | None = None,
    **settings: object,
) -> Suite:
    """Load what ``--suite`` names.

    Args:
        spec: a suite, a task, a ``.jsonl`` or ``.parquet`` file of problems, a folder with a manifest, or a
            published set as ``NAME:FOLDER``.
        tasks: only these of its tasks, by full or short name.
        settings: settings of the tasks, checked here; files have none.

    Raises:
        UnknownName: if there is no such suite or task.
        InputError: naming every setting that is not accepted.
        FileError: if a file is not what it should be.
        MissingExtra: if it is parquet and pyarrow is not installed.
    """
    wanted = None if tasks is None else tuple(tasks)
    if _datasets.names_dataset(spec):
        return _datasets.open_dataset(spec, wanted, settings)
    if _is_path(spec):
        if settings:
            given = ", ".join(sorted(settings))
            raise InputError(
                f"settings {given} do not apply: {spec} is a file, and its problems are what they are"
            )
        return _file_suite.open_suite(Path(spec), wanted)
    known = names()
    if spec in suites():
        name, full = spec, [task for task in known if task.startswith(f"{spec}/")]
    else:
        try:
            full = [load(spec).name]
        except UnknownName:
            raise UnknownName("suite or task", spec, (*suites(), *known)) from None
        name = full[0].replace("/", "-")
    if wanted is not None:
        full = _file_suite.select(full, wanted)
    loaded = tuple(load(task) for task in full)
    _check_settings(loaded, settings)
    if wanted is None and spec in suites():
        loaded = tuple(task for task in loaded if task.can_ask(_own_settings(task, settings)))
    return TaskSuite(name, loaded, dict(settings))


def choose(
    suite: Suite, representations: Sequence[str] | None, modalities: Sequence[str] | None
) -> tuple[str, ...] | None:
    """Names of the representations of some modalities.

    Args:
        suite: what offers them; those on request only count where their modality is named.
        representations: names to choose from; all if ``None``.
        modalities: those to keep; all if ``None``.

    Returns:
        The names, or ``None`` for all that a suite makes without being asked.

    Raises:
        UnknownName: if a modality does not exist.
        InputError: if nothing is left.
    """
    if modalities is None:
        return None if representations is None else tuple(representations)
    for name in modalities:
        if name not in MODALITIES:
            raise UnknownName("modality", name, MODALITIES)
    offered = suite.representations | getattr(suite, "on_request", {})
    found = tuple(
        name
        for name, modality in offered.items()
        if modality in modalities and (representations is None or name in representations)
    )
    if not found:
        raise InputError(
            f"suite {suite.name} has nothing to show for modalities {', '.join(modalities)}; it has "
            + ", ".join(f"{name} ({modality})" for name, modality in offered.items())
        )
    return found


def _is_path(spec: str) -> bool:
    if spec in suites() or any(spec in (name, name.split("/")[-1]) for name in names()):
        return False
    path = Path(spec)
    if path.suffix in (".jsonl", ".parquet", ".json") or path.is_file():
        return True
    if path.is_dir():
        if (path / _file_suite.MANIFEST).is_file():
            return True
        raise FileError(
            f"{path}: a folder without {_file_suite.MANIFEST}; expected one that `modgap generate` wrote"
        )
    return False


def _own_settings(task: Task, given: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if name in task.settings or name == "level"}


def _check_settings(tasks: Sequence[Task], given: Mapping[str, object]) -> None:
    """Refuse what no task has, and values any task refuses, all in one message."""
    kinds = dict.fromkeys(kind for task in tasks for kind in (task.module.Dials, task.module.Style))
    presets = {task.module.Dials: task.module.LEVELS for task in tasks}
    resolve(list(kinds), given, [presets.get(kind, {}) for kind in kinds])


def check_counts(n: int | None, offset: int) -> None:
    """Refuse a number of problems below 1 or a negative offset."""
    if n is not None and n < 1:
        raise InputError(f"n {n} is not accepted; give 1 or more problems of each task")
    if offset < 0:
        raise InputError(f"offset {offset} is not accepted; give 0 or more")
