"""Stored replies of others as run folders: one with the answers read here, one with those read there.

The second has the name of the first with ``-official`` behind it, so `modgap compare` of the two says what
the reading alone changes. Beside the records lies ``parses.csv``: both readings of every reply, by record id.

Replies and problems are data from outside: they are written to the run folder and nowhere else.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import PIL.Image
import PIL.ImageDraw

from modgap._errors import FileError, RunError
from modgap.evaluate._fingerprint import digest
from modgap.evaluate._measure import versions
from modgap.evaluate._record import Record
from modgap.evaluate._run import RUN_FILE, ModelInfo, Run, RunInfo, SuiteInfo
from modgap.evaluate._runner import outcome_of
from modgap.evaluate._writer import RunWriter, now, storable
from modgap.media import Image, Modality
from modgap.tasks import Answer, Problem

T = TypeVar("T")

OFFICIAL = "-official"
"""Behind the name of the run that holds the reading of the source."""

PARSES_FILE = "parses.csv"
MAX_BYTES = 256 * 2**20
"""Largest file that is read, unpacked (the largest known is 2 MB)."""


@dataclass(frozen=True)
class Stored:
    """One stored reply with both readings.

    Args:
        record_id: how tables name it.
        problem: what was asked; its id pairs representations.
        representation: of the problem, what was shown.
        reply: as stored; ``None`` if the call failed.
        ours: what is read from it here; ``None`` if there is no reply.
        official: what the source read from it, spelled as ours; ``None`` if nothing.
        credited: whether the source counts it as right.
        counted: whether the right answer is known, so that the reply can be scored.
    """

    record_id: str
    problem: Problem
    representation: str
    reply: str | None
    ours: Answer | None
    official: str | None
    credited: bool
    counted: bool = True

    @property
    def agrees(self) -> bool:
        """Whether both readings give the same answer."""
        return (self.ours.value if self.ours else None) == self.official


@dataclass(frozen=True)
class Imported:
    """What an import wrote.

    Args:
        run: with the answers read here.
        official: with those of the source; ``None`` where it has none that are scored.
        stored: every reply.
        notes: what a reader of the figures must know.
    """

    run: Run
    official: Run | None
    stored: tuple[Stored, ...]
    notes: tuple[str, ...]


def read_json(path: Path, kind: type[T]) -> T:
    """Read a file of JSON, packed with gzip if its name ends so.

    Args:
        path: untrusted.
        kind: what it must hold.

    Raises:
        FileError: if it cannot be read, is too large, or is not what it must be.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(
            f"{path}: cannot be read ({error}); expected JSON, or JSON packed with gzip"
        ) from error
    if len(data) > MAX_BYTES:
        raise FileError(f"{path}: larger than {MAX_BYTES:,} bytes; expected the stored results of one task")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileError(f"{path}: {error}; expected stored results as the source writes them") from error


@cache
def missing_picture() -> Image:
    """A picture that says that the picture was not stored."""
    picture = PIL.Image.new("RGB", (160, 40), "white")
    PIL.ImageDraw.Draw(picture).text((12, 14), "picture not stored", fill="gray")
    return Image.from_pil(picture)


def write_imported(
    folder: Path,
    stored: Sequence[Stored],
    *,
    source: str,
    model: str,
    suite: str,
    settings: Mapping[str, Any],
    notes: Sequence[str],
) -> Imported:
    """Write both run folders; doing it again adds only what is read differently now.

    Args:
        folder: of the run with our reading.
        stored: the replies, in the order they are kept.
        source: what was imported, for the configuration.
        model: who replied.
        suite: name of the suite.
        settings: of the suite: what identifies the files.
        notes: kept in ``run.json``.

    Raises:
        RunError: if a folder holds another run, or cannot be written.
    """
    shown: dict[str, Modality] = {r.name: r.modality for s in stored for r in s.problem.representations}
    info = RunInfo(
        created=now(),
        config={"import": source, "reading": "modgap"},
        suite=SuiteInfo(suite, tuple(sorted({s.problem.task for s in stored})), shown, dict(settings)),
        model=ModelInfo(model, tuple(dict.fromkeys(shown.values())), {"imported from": source}),
        fingerprint=digest((source, model, settings)),
        prompt_version=0,
        versions=versions(),
    )
    scored = [one for one in stored if one.counted]
    run = _write(folder, info, [(one, _ours(one)) for one in scored], notes)
    official = None
    if any(one.official is not None for one in scored):
        theirs = dataclasses.replace(info, config={"import": source, "reading": "official"})
        place = folder.with_name(folder.name + OFFICIAL)
        official = _write(place, theirs, [(one, _theirs(one)) for one in scored], notes)
    _write_parses(folder / PARSES_FILE, stored)
    return Imported(run, official, tuple(stored), tuple(notes))


def _write(
    folder: Path, info: RunInfo, records: Sequence[tuple[Stored, Record]], notes: Iterable[str]
) -> Run:
    there = {}
    if (folder / RUN_FILE).is_file():
        there = {(r.problem_id, r.representation): r for r in Run(folder).records()}
    with RunWriter(folder, info, lambda line: None) as writer:
        for note in notes:
            writer.note(note)
        for one, record in records:
            writer.add_problem(one.problem)
            if there.get((record.problem_id, record.representation)) != storable(record):
                writer.add_record(record)
        writer.finish()
    return Run(folder)


def _ours(one: Stored) -> Record:
    record = _record(one)
    if one.reply is None or one.ours is None:
        return dataclasses.replace(record, outcome="error", error="no reply is stored", reply=None)
    return dataclasses.replace(
        record,
        answer=one.ours.value,
        outcome=outcome_of(one.ours, one.problem.answer),
        conflicting=one.ours.status == "conflicting",
    )


def _theirs(one: Stored) -> Record:
    """Scored as the source scores: whatever is not credited is wrong, a failed call included."""
    return dataclasses.replace(
        _record(one), answer=one.official, outcome="correct" if one.credited else "wrong"
    )


def _record(one: Stored) -> Record:
    problem = one.problem
    modality = next(r.modality for r in problem.representations if r.name == one.representation)
    return Record(
        key=digest((problem.task, problem.problem_id, one.representation, one.reply)),
        problem_id=problem.problem_id,
        task=problem.task,
        group=problem.group or problem.problem_id,
        representation=one.representation,
        modality=modality,
        strategy="direct",
        sample=0,
        reply=one.reply,
        answer=None,
        expected=problem.answer,
        outcome="wrong",
    )


def _write_parses(path: Path, stored: Iterable[Stored]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                ("record", "task", "representation", "expected", "official", "ours", "status", "credited")
            )
            for one in stored:
                ours = one.ours or Answer(None, "unparsed")
                expected = one.problem.answer if one.counted else ""
                writer.writerow(
                    (
                        one.record_id,
                        one.problem.task,
                        one.representation,
                        expected,
                        one.official or "",
                        ours.value or "",
                        ours.status if one.ours else "error",
                        int(one.credited),
                    )
                )
    except (OSError, UnicodeError) as error:
        raise RunError(f"{path}: cannot be written ({error}); choose another folder with --out") from error
