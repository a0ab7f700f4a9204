"""Writing problems to a folder that is a suite, and that the ``datasets`` library loads.

    suite = load_suite("scenes")
    write_suite(suite.problems(100, seed=1), Path("mine"), suite=suite, seed=1)

The folder holds ``problems.jsonl`` (the full form), ``media/``, ``data/<task>.parquet``, ``README.md`` (a
dataset card) and, written last, ``manifest.json``: a folder that has one is complete.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modgap._errors import FileError, UnknownName
from modgap.media import Modality

from ._file_suite import MANIFEST, PROBLEMS, Manifest, hash_file
from ._files import problem_to_json
from ._media_files import MediaFolder
from ._parquet import ParquetWriter
from ._problem import Problem

if TYPE_CHECKING:
    from ._suite import Suite

CANARY = "modgap evaluation data, not for training: canary 7d0c1f2e-5f0a-4c1b-9a51-6f2b7c3f8e94"
"""In every export, so that text made of it can be found and left out of training sets."""


def write_suite(
    problems: Iterable[Problem],
    folder: Path,
    *,
    suite: Suite,
    seed: int | None = None,
    representations: Iterable[str] | None = None,
    parquet: bool = True,
) -> Path:
    """Write problems, one after the other as they come.

    Args:
        problems: what to write.
        folder: where to; made if it is not there, and must be empty if it is.
        suite: where they come from; names the suite, its settings and representations.
        seed: of the draw, for the manifest.
        representations: those that the problems have; all of the suite if ``None``.
        parquet: also write parquet.

    Returns:
        The path of the manifest.

    Raises:
        FileError: if the folder is not empty or cannot be written.
        UnknownName: if the suite does not have a representation.
        InputError: if a problem has a representation that does not fit in parquet.
        MissingExtra: if parquet is asked for and pyarrow is not installed.
    """
    columns = suite.representations
    if representations is not None:
        wanted = tuple(representations)
        columns = columns | getattr(suite, "on_request", {})
        for name in wanted:
            if name not in columns:
                raise UnknownName("representation", name, columns)
        columns = {name: columns[name] for name in wanted}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileError(f"{folder}: not empty; choose another folder, nothing is overwritten")
        tables, count = _write_problems(problems, folder, columns if parquet else None)
        (folder / "README.md").write_text(_card(suite, tables, count), encoding="utf-8")
        manifest = Manifest(
            name=suite.name,
            canary=CANARY,
            version=1,
            problems=count,
            seed=seed,
            settings=suite.settings(),
            representations=dict(columns),
            made_with=_versions(),
            sha256={
                name: hash_file(folder / name) for name in (PROBLEMS, "README.md", *sorted(tables.values()))
            },
        )
        path = folder / MANIFEST
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        partial.replace(path)
    except OSError as error:
        raise FileError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder or free space"
        ) from error
    return path


def _write_problems(
    problems: Iterable[Problem], folder: Path, columns: Mapping[str, Modality] | None
) -> tuple[dict[str, str], int]:
    """Write lines, media and, if there are columns, parquet; returns task → parquet file, and how many."""
    media = MediaFolder(folder)
    tables: dict[str, ParquetWriter] = {}
    files: dict[str, str] = {}
    count = 0
    with contextlib.ExitStack() as stack:
        lines = stack.enter_context((folder / PROBLEMS).open("wb"))
        for problem in problems:
            lines.write(problem_to_json(problem, media.write) + b"\n")
            count += 1
            if columns is None:
                continue
            if problem.task not in tables:
                (folder / "data").mkdir(exist_ok=True)
                name = _file_name(problem.task)
                file = f"data/{name}.parquet"
                if file in files.values():  # two names of tasks may differ only in what no file name has
                    file = f"data/{name}-{len(files)}.parquet"
                table = ParquetWriter(folder / file, columns, {"canary": CANARY})
                stack.callback(table.close)
                tables[problem.task], files[problem.task] = table, file
            tables[problem.task].write(problem)
    return files, count


def _file_name(task: str) -> str:
    """A task's name as a file name; a task of a user's file may be called anything."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in task)[:100]


def _card(suite: Suite, files: dict[str, str], count: int) -> str:
    """A dataset card; its head tells ``datasets`` which files are what."""
    head = ["---", f"pretty_name: {json.dumps(suite.name)}"]
    if files:
        head += ["configs:", "- config_name: all", "  default: true", "  data_files:"]
        head += ["  - split: test", "    path: data/*.parquet"]
        for task, file in sorted(files.items()):
            head += [
                f"- config_name: {_file_name(task)}",
                "  data_files:",
                "  - split: test",
                f"    path: {file}",
            ]
    head += ["---", ""]
    body = [
        f"# {suite.name}",
        "",
        f"{count:,} problems of {len(suite.tasks)} tasks, made by modgap. `manifest.json` says how.",
        "",
        "    datasets.load_dataset(FOLDER, split='test')      # as a table" if files else "",
        "    modgap measure --suite FOLDER --model MODEL      # as a suite",
        "",
        CANARY,
        "",
    ]
    return "\n".join(head + body)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("modgap", "numpy", "pillow"):
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
