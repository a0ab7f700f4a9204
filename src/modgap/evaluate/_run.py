"""A run folder, read.

    runs/<name>/
      run.json        what was asked of which model: resolved configuration, versions, fingerprint, notes
      problems.jsonl  the problems, media by file name
      records.jsonl   one line per sample, appended as soon as it is done
      media/          <sha256>.<extension>, each written once
      report.html     what ``modgap report`` made of it

Everything in it is read as untrusted: a file that is not what it should be is one clear error.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from modgap._errors import MissingExtra, RunError
from modgap.evaluate._lines import read_lines
from modgap.evaluate._record import Record
from modgap.evaluate._stored import MEDIA_FOLDER as MEDIA_FOLDER
from modgap.evaluate._stored import decode_problem, decode_without_media
from modgap.media import Modality
from modgap.models import JSON
from modgap.tasks import Problem

if TYPE_CHECKING:
    from modgap.evaluate._summary import Summary

RUN_FILE = "run.json"
PROBLEMS_FILE = "problems.jsonl"
RECORDS_FILE = "records.jsonl"


@dataclass(frozen=True)
class SuiteInfo:
    """The suite as it was asked.

    Args:
        name: of the suite.
        tasks: full names of its tasks.
        representations: name → modality of those that were shown.
        settings: everything that changes its problems.
    """

    name: str
    tasks: tuple[str, ...]
    representations: dict[str, Modality]
    settings: dict[str, Any]


@dataclass(frozen=True)
class ModelInfo:
    """The model that was asked: name, what it can be shown, and everything that changes an output."""

    name: str
    modalities: tuple[Modality, ...]
    fingerprint: dict[str, Any]


@dataclass(frozen=True)
class RunInfo:
    """The content of ``run.json``.

    Args:
        created: when, as ISO 8601 with the offset.
        config: the resolved configuration.
        suite: what was asked.
        model: who was asked.
        fingerprint: hash over all that changes an output.
        prompt_version: of the wording.
        versions: package → version.
        notes: what a reader of the figures must know, in the order it happened.
        finished: when the last sample was done; ``None`` while any is open.
        version: of this format.
    """

    created: str
    config: dict[str, Any]
    suite: SuiteInfo
    model: ModelInfo
    fingerprint: str
    prompt_version: int
    versions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    finished: str | None = None
    version: int = 1


_read_record = msgspec.json.Decoder(Record).decode


def read_record(line: bytes) -> Record:
    """Decode one line of ``records.jsonl``; raises ``msgspec.DecodeError`` if it is not a record."""
    return _read_record(line)


class Run:
    """A run folder, opened for reading; it may still be growing.

    Args:
        folder: the run folder.

    Attributes:
        folder: the same.
        info: the content of ``run.json``.

    Raises:
        RunError: if it is not a run folder, or ``run.json`` is damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.info = read_info(self.folder)

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.resolve().name

    def records(self) -> list[Record]:
        """The latest record of every sample, in the order in which samples were first done.

        A later record supersedes an earlier one of the same sample: an error is asked again by the next run.

        Raises:
            RunError: if a line other than the last is damaged.
        """
        latest: dict[tuple[str, str, str, int], Record] = {}
        for record in read_lines(self.folder / RECORDS_FILE, read_record):
            latest[record.problem_id, record.representation, record.strategy, record.sample] = record
        return list(latest.values())

    def problems(self, *, media: bool = True, only: Container[str] | None = None) -> Iterator[Problem]:
        """The problems, in the order asked; one at a time, since pictures are large.

        Args:
            media: read the files of media; without, only parts of text are there.
            only: the ids of the problems wanted; ``None`` wants all.

        Raises:
            RunError: if a line other than the last is damaged.
            FileError: if a file of media is missing or is not what its name says.
        """
        # A problem is written anew when its content changed (another version of a library drew it);
        # the later line counts, and reading twice is cheaper than holding all problems.
        lines: dict[str, int] = {}
        path = self.folder / PROBLEMS_FILE
        for number, problem in enumerate(read_lines(path, decode_without_media)):
            lines[problem.problem_id] = number
        wanted = {number for name, number in lines.items() if only is None or name in only}
        raw = read_lines(path, lambda line: line)
        for number, line in enumerate(raw):
            if number in wanted:
                yield decode_problem(line, self.folder) if media else decode_without_media(line)

    def summary(self) -> Summary:
        """All figures of the run: accuracies, gaps with intervals, and the result in a sentence."""
        from modgap.evaluate._summary import summarize

        return summarize(self.records(), self.problems(media=False))

    def rows(self) -> list[dict[str, Any]]:
        """The records as plain dictionaries, ready for ``pandas.DataFrame``."""
        return [dataclasses.asdict(record) for record in self.records()]

    def to_csv(self, path: str | Path) -> Path:
        """Write the records as CSV; option scores, usage and transcript scores become JSON.

        Returns:
            The path.

        Raises:
            RunError: if it cannot be written.
        """
        target = Path(path)
        names = [f.name for f in dataclasses.fields(Record)]
        try:
            with target.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, names)
                writer.writeheader()
                writer.writerows(_flat(row) for row in self.rows())
        except OSError as error:
            raise RunError(
                f"{target}: cannot be written ({error.strerror}); choose another with --out"
            ) from error
        return target

    def to_parquet(self, path: str | Path) -> Path:
        """Write the records as parquet; option scores, usage and transcript scores become JSON.

        Returns:
            The path.

        Raises:
            MissingExtra: if pyarrow is not installed.
            RunError: if it cannot be written.
        """
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise MissingExtra("writing parquet", "data") from error
        kinds = {"sample": pa.int64(), "version": pa.int64(), "seconds": pa.float64()}
        flags = {"conflicting": pa.bool_(), "declined": pa.bool_()}
        types = {**kinds, **flags}
        schema = pa.schema([(f.name, types.get(f.name, pa.string())) for f in dataclasses.fields(Record)])
        target = Path(path)
        try:
            pq.write_table(pa.Table.from_pylist([_flat(row) for row in self.rows()], schema), target)
        except OSError as error:
            raise RunError(f"{target}: cannot be written ({error}); choose another with --out") from error
        return target


def _flat(row: Mapping[str, Any]) -> dict[str, JSON]:
    nested = ("option_scores", "usage", "transcript_score")
    return {
        name: msgspec.json.encode(value).decode() if name in nested and value is not None else value
        for name, value in row.items()
    }


def read_info(folder: Path) -> RunInfo:
    """Read ``run.json``.

    Raises:
        RunError: if it is missing or damaged, or was written by a later version.
    """
    path = folder / RUN_FILE
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunError(
            f"{folder}: not a run folder (it has no {RUN_FILE}); give a folder that `modgap measure` made"
        ) from error
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        info = msgspec.json.decode(data, type=RunInfo)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RunError(f"{path}: damaged ({error}); restore it from a copy, or measure again") from error
    if info.version > RunInfo.version:
        raise RunError(
            f"{path}: format {info.version}, this modgap reads up to {RunInfo.version}; update modgap"
        )
    return info


def open_run(folder: str | Path) -> Run:
    """Open a run folder for reading.

    Raises:
        RunError: if it is not one.
    """
    return Run(folder)
