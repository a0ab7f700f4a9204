"""Published sets as suites: ``NAME:FOLDER``, or ``NAME:OWNER/SET`` for one on the hub.

    load_suite("cv_bench:data/CV-Bench").problems(100)

A reader is one file, ``tasks/datasets/<name>.py``, found by listing that folder.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from modgap._errors import FileError, InputError, MissingExtra
from modgap.media import Modality

from ._file_suite import FileSuite, Source, hash_file, select
from ._files import check_new
from ._problem import Problem
from ._settings import resolve


class Reader(Protocol):
    """What a file of the folder offers."""

    def files(self, folder: Path) -> list[Path]:
        """The files of the set, in a fixed order."""

    def read(self, folder: Path, dials: Any) -> Iterator[Problem]:
        """Its problems, in the order of the files."""


@cache
def datasets() -> tuple[str, ...]:
    """Names of all sets that can be read, sorted; nothing is imported."""
    folder = Path(__file__).parent / "datasets"
    return tuple(sorted(path.stem for path in folder.glob("[!_]*.py")))


def names_dataset(spec: str) -> bool:
    """Whether a suite is named as ``NAME:PLACE``."""
    return spec.partition(":")[0] in datasets() and ":" in spec


def open_dataset(spec: str, wanted: Sequence[str] | None, settings: Mapping[str, object]) -> FileSuite:
    """Open a published set.

    Args:
        spec: ``NAME:FOLDER``, ``NAME:FILE`` or ``NAME:OWNER/SET``.
        wanted: only these of its tasks, by full or short name.
        settings: dials of its reader, where it has any.

    Raises:
        InputError: if a setting is not accepted.
        FileError: if it is not there or not what it should be.
        UnknownName: if a task is wanted that it does not have.
        MissingExtra: if it needs a package that is not installed.
    """
    name, _, place = spec.partition(":")
    reader = cast(Reader, importlib.import_module(f".datasets.{name}", __package__))
    dials = _dials(name, reader, settings)
    folder = _folder(place, name)
    source = Source(
        read=lambda path: _checked(reader.read(path, dials), path),
        scan=lambda path: _scan(reader.read(path, dials), path),
        settings=lambda path: {
            "sha256": {_relative(file, path): hash_file(file) for file in reader.files(path)},
            "dials": {} if dials is None else asdict(dials),
        },
    )
    suite = FileSuite(name.replace("_", "-"), folder, source=source)
    return suite if wanted is None else replace(suite, wanted=tuple(select(suite.tasks, wanted)))


def _dials(name: str, reader: Reader, settings: Mapping[str, object]) -> Any:
    kind = getattr(reader, "Dials", None)
    if kind is None and settings:
        raise InputError(
            f"settings {', '.join(sorted(settings))} do not apply: {name} is read as it is published"
        )
    return None if kind is None else resolve([kind], settings)[0]


def _folder(place: str, name: str) -> Path:
    path = Path(place)
    if not place:
        raise InputError(f"{name}: is followed by nothing; give the folder of the set, or its id on the hub")
    if path.exists():
        return path
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", place):
        raise FileError(f"{path}: there is no such folder; expected the files of {name}, or an id on the hub")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise MissingExtra(f"a set on the hub ({place})", "data") from error
    download = cast(Callable[..., str], snapshot_download)
    try:
        return Path(download(place, repo_type="dataset"))
    except (OSError, ValueError, HfHubHTTPError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise FileError(
            f"{place}: no such folder here, and the hub gave none ({said}); expected the files of {name}"
        ) from error


def _checked(problems: Iterator[Problem], path: Path) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, problem in enumerate(problems, 1):
        check_new(problem.problem_id, number, seen, f"{path}, problem {number}")
        yield problem


def _scan(problems: Iterator[Problem], path: Path) -> tuple[tuple[str, ...], dict[str, Modality]]:
    """Tasks and representations in order of appearance; all is read once, pictures are not decoded."""
    tasks: dict[str, None] = {}
    found: dict[str, Modality] = {}
    for problem in problems:
        tasks[problem.task] = None
        found.update({r.name: r.modality for r in problem.representations})
    if not tasks:
        raise FileError(f"{path}: holds no problem that can be asked")
    return tuple(tasks), found


def _relative(file: Path, path: Path) -> str:
    return file.relative_to(path).as_posix() if file.is_relative_to(path) and file != path else file.name
