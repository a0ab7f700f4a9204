"""What lies below a folder: runs, loops and other results, each with one line that says what came out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modgap._errors import ModgapError, RunError
from modgap.evaluate import open_run, summarize
from modgap.evaluate._run import RECORDS_FILE, RUN_FILE
from modgap.report._render import points
from modgap.report._results import LOG_FILE, RESULTS, is_results, write_results
from modgap.report._write import REPORT_FILE, write_report

LOOP_FILE, LOOP_REPORT = "close.json", "close.html"
MARKS = (RUN_FILE, LOOP_FILE, *RESULTS)
MOST_ENTRIES = 1000
MOST_RECORD_BYTES = 20 * 2**20
"""Of the records of a run whose gap the list shows; larger ones are opened to see it."""

Kind = Literal["run", "loop", "results"]


@dataclass(frozen=True)
class Entry:
    """A folder with something to open.

    Args:
        place: from the folder that was listed, with ``/``; ``.`` for itself.
        kind: ``run`` of a model, ``loop`` of ``modgap close``, or other ``results``.
        what: model and suite, where they are known.
        said: what came out, in a few words.
        changed: when the folder's figures were last written, in seconds since 1970.
    """

    place: str
    kind: Kind
    what: str
    said: str
    changed: float


def report_of(folder: Path, *, fresh: Callable[[Path], bool] = lambda folder: False) -> Path:
    """The page of whatever a folder holds: a run, a loop of ``modgap close``, or other results.

    Args:
        folder: with one of them.
        fresh: whether the report of a run need not be written again.

    Returns:
        Path of the page, which was written where it can be made again.

    Raises:
        RunError: the folder holds none of them, or is damaged.
        FileError: a file of it is damaged.
    """
    if _is_run(folder):
        return folder / REPORT_FILE if fresh(folder) else write_report(folder)
    if (folder / LOOP_REPORT).is_file():
        return folder / LOOP_REPORT
    if is_results(folder):
        return write_results(folder)
    raise RunError(f"{folder}: neither a run, nor a loop, nor results; those hold {', '.join(MARKS)}")


def find(root: Path, cache: dict[tuple[str, float], Entry] | None = None) -> list[Entry]:
    """All entries of a folder and the folders below it, the newest first.

    Args:
        root: where to look; links are not followed.
        cache: entries by place and time, so that a list asked for again costs little; changed.

    Returns:
        At most ``MOST_ENTRIES``.
    """
    known = {} if cache is None else cache
    found: list[Entry] = []
    for name, folders, files in os.walk(root):
        folder = Path(name)
        folders[:] = sorted(one for one in folders if one[:1] not in "._")
        kind: Kind | None = None
        if _is_run(folder):
            kind, mark = "run", folder / (RECORDS_FILE if RECORDS_FILE in files else RUN_FILE)
            folders.clear()  # nothing but its media and pages
        elif LOOP_FILE in files:
            kind, mark = "loop", folder / LOOP_FILE
        elif is_results(folder):
            kind, mark = "results", folder
        if kind is not None:
            place, changed = folder.relative_to(root).as_posix(), mark.stat().st_mtime
            if (place, changed) not in known:
                known[place, changed] = _entry(folder, place, kind, changed)
            found.append(known[place, changed])
        if len(found) == MOST_ENTRIES:
            break
    return sorted(found, key=lambda one: -one.changed)


def _is_run(folder: Path) -> bool:
    """Whether a folder is the run of a model; a training has a ``run.json`` too, and a log."""
    return (folder / RUN_FILE).is_file() and not (folder / LOG_FILE).is_file()


def _entry(folder: Path, place: str, kind: Kind, changed: float) -> Entry:
    try:
        what, said = {"run": _run, "loop": _loop, "results": _results}[kind](folder)
    except (ModgapError, OSError, ValueError, KeyError, TypeError) as error:
        what, said = "", f"cannot be read: {str(error)[:200]}"
    return Entry(place, kind, what, said, changed)


def _run(folder: Path) -> tuple[str, str]:
    run = open_run(folder)
    what = f"{run.info.model.name} on {run.info.suite.name}"
    records = folder / RECORDS_FILE
    if not records.is_file():
        return what, "nothing asked yet"
    if records.stat().st_size > MOST_RECORD_BYTES:
        return what, "open it to see the gap"
    summary = summarize(run.records(), run.problems(media=False))
    said = "; ".join(
        f"{gap.modality}: gap {points(gap.gap_points, plus=True)} "
        f"({points(gap.low_points, plus=True)} to {points(gap.high_points, plus=True)}), n = {gap.n:,}"
        for gap in summary.pooled
    )
    return what, said or summary.verdict


def _loop(folder: Path) -> tuple[str, str]:
    about = json.loads((folder / LOOP_FILE).read_bytes())
    return str(about["model"]), str(about["verdict"])


def _results(folder: Path) -> tuple[str, str]:
    if (folder / "result.json").is_file():
        test = json.loads((folder / "result.json").read_bytes())["test"]
        exact, low, high = (100 * test[key] for key in ("exact", "low", "high"))
        return "a training", f"exactly right {exact:.1f} % ({low:.1f} to {high:.1f}), n = {test['n']:,}"
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".json", ".png"))
    return "", ", ".join(names[:6])
