"""A run folder, written: appended to as samples are done, never overwritten.

The order of writing is media, then problem, then record, each complete before the next begins. Whatever
ends the process, what is in ``records.jsonl`` has its problem and its media beside it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType

import msgspec

from modgap._errors import RunError
from modgap.evaluate._config import OPERATIONAL, plain
from modgap.evaluate._lines import LineFile, replace_file
from modgap.evaluate._lock import FolderLock
from modgap.evaluate._record import Record
from modgap.evaluate._run import (
    MEDIA_FOLDER,
    PROBLEMS_FILE,
    RECORDS_FILE,
    RUN_FILE,
    RunInfo,
    read_info,
    read_record,
)
from modgap.evaluate._stored import decode_without_media, encode_problem
from modgap.models import JSON
from modgap.tasks import Problem

_encode = msgspec.json.Encoder(decimal_format="number").encode

LOWEST_SCORE = -1e9
"""Stands for an option score of minus infinity, which JSON cannot hold."""


class RunWriter:
    """Creates a run folder, or takes up the one that is there.

    Args:
        folder: the run folder; made if missing.
        info: what is to be run; compared with what the folder holds already.
        say: told each thing a user should know.

    Attributes:
        folder: the same.
        info: the content of ``run.json``.
        done: keys of the samples that need not be asked again.

    Raises:
        RunError: if the folder is in use, is not a run folder, holds a run of another configuration, is
            damaged, or cannot be written. Nothing in it has then been changed.
    """

    def __init__(self, folder: Path, info: RunInfo, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.done: set[str] = set()
        self._say = say
        self._stored: dict[str, bytes] = {}
        self._media: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"{folder}: cannot be made ({error.strerror}); choose another folder with --out"
            ) from error
        with contextlib.ExitStack() as opened:
            opened.enter_context(contextlib.closing(FolderLock(folder)))
            self.info = self._begin(info)
            self._problems = LineFile(folder / PROBLEMS_FILE, _check_problem, self._see_problem)
            opened.enter_context(contextlib.closing(self._problems))
            self._records = LineFile(folder / RECORDS_FILE, read_record, self._see_record)
            opened.enter_context(contextlib.closing(self._records))
            for file in (self._problems, self._records):
                if file.dropped:
                    self.note(
                        f"{file.path.name}: an incomplete last line of {file.dropped} bytes was dropped"
                    )
            self._opened = opened.pop_all()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files and let the folder go. Closing twice is allowed."""
        self._opened.close()

    def note(self, text: str) -> None:
        """Say ``text`` and keep it in ``run.json``, once."""
        self._say(text)
        if text not in self.info.notes:
            self._replace_info(notes=(*self.info.notes, text))

    def finish(self) -> None:
        """Mark the run as complete: every sample has a record, though it may be an error."""
        if self.info.finished is None:
            self._replace_info(finished=now())

    def add_problem(self, problem: Problem) -> None:
        """Write a problem and its media, unless the same is there already.

        Raises:
            RunError: if it cannot be written.
        """
        line, media = encode_problem(problem)
        if self._stored.get(problem.problem_id) == _mark(line):
            return
        for name, data in media.items():
            if name not in self._media:
                self._add_media(name, data)
        self._append(self._problems, line)
        self._stored[problem.problem_id] = _mark(line)

    def add_record(self, record: Record) -> None:
        """Write a record; it is on its way to the disk when this returns.

        Raises:
            RunError: if it cannot be written.
        """
        if self.info.finished is not None:
            self._replace_info(finished=None)
        self._append(self._records, _encode(storable(record)))
        self._see_record(record)

    def _append(self, file: LineFile, line: bytes) -> None:
        try:
            file.append(line)
        except OSError as error:
            raise self._cannot_write(file.path.name, error) from error

    def _add_media(self, name: str, data: bytes) -> None:
        path = self.folder / MEDIA_FOLDER / name
        try:
            # A crash of the machine, unlike that of a process, can leave a file with a name and no content.
            if not path.exists() or path.stat().st_size != len(data):
                replace_file(path, data)
        except OSError as error:
            raise self._cannot_write(f"{MEDIA_FOLDER}/{name}", error) from error
        self._media.add(name)

    def _cannot_write(self, name: str, error: OSError) -> RunError:
        kept = len(self.done)
        return RunError(
            f"{self.folder}: cannot write {name} ({error.strerror}); {kept:,} finished samples are kept: "
            "make room, then run the same command again to go on from there"
        )

    def _see_problem(self, checked: tuple[str, bytes]) -> None:
        self._stored[checked[0]] = checked[1]

    def _see_record(self, record: Record) -> None:
        # An error is asked again; a later error never hides a success, which is not asked again.
        if record.outcome == "error":
            self.done.discard(record.key)
        else:
            self.done.add(record.key)

    def _begin(self, info: RunInfo) -> RunInfo:
        """Write ``run.json`` of a new run, or check that of an existing one."""
        if not (self.folder / RUN_FILE).exists():
            foreign = sorted(p.name for p in self.folder.iterdir() if not _may_be_there(p.name))
            if foreign:
                raise RunError(
                    f"{self.folder}: holds {foreign[0]} but no {RUN_FILE}, so it is not a run folder; "
                    "nothing was written: choose another with --name or --out"
                )
            self.info = info
            self._replace_info()
            try:
                (self.folder / MEDIA_FOLDER).mkdir(exist_ok=True)
            except OSError as error:
                raise self._cannot_write(MEDIA_FOLDER, error) from error
            return self.info
        old = read_info(self.folder)
        changed = list(differences(_deciding(old), _deciding(info)))
        if changed:
            raise RunError(
                f"{self.folder}: holds a run with other settings ({'; '.join(changed)}); nothing was "
                "changed: use the old settings to go on with it, or --name to start another beside it"
            )
        (self.folder / MEDIA_FOLDER).mkdir(exist_ok=True)
        self._remove_temporaries()
        self.info = old
        if old.versions != info.versions:
            moved = ", ".join(differences(old.versions, info.versions))
            self.note(f"resumed with other versions: {moved}")
            self._replace_info(versions=info.versions)
        return self.info

    def _remove_temporaries(self) -> None:
        """Remove what a killed run was about to rename; with the lock held, nobody else is about to."""
        for folder, names in ((self.folder, f".{RUN_FILE}.*"), (self.folder / MEDIA_FOLDER, ".*")):
            for path in folder.glob(names):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _replace_info(self, **changes: object) -> None:
        self.info = dataclasses.replace(self.info, **changes)  # type: ignore[arg-type]  # names checked by replace
        try:
            data = msgspec.json.format(msgspec.json.encode(self.info), indent=2)
            replace_file(self.folder / RUN_FILE, data + b"\n")
        except OSError as error:
            raise self._cannot_write(RUN_FILE, error) from error


def storable(record: Record) -> Record:
    """The record with everything in a form that JSON gives back unchanged.

    A reply is untrusted: half of a surrogate pair becomes ``?``, an infinite score becomes ``LOWEST_SCORE``.
    """
    changes: dict[str, object] = {}
    for name in ("reply", "answer", "error", "transcript"):
        text = getattr(record, name)
        if text is not None and not _is_unicode(text):
            changes[name] = text.encode("utf-8", "replace").decode()
    scores = record.option_scores
    if scores is not None and not all(map(math.isfinite, scores)):
        changes["option_scores"] = tuple(s if math.isfinite(s) else LOWEST_SCORE for s in scores)
    if record.usage is not None and not all(map(math.isfinite, record.usage.values())):
        changes["usage"] = {k: v for k, v in record.usage.items() if math.isfinite(v)}
    return dataclasses.replace(record, **changes) if changes else record  # type: ignore[arg-type]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def differences(old: Mapping[str, JSON], new: Mapping[str, JSON], prefix: str = "") -> Iterable[str]:
    """Each setting that differs, as ``name: old → new``, nested names joined by dots."""
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from differences(before, after, f"{prefix}{name}.")
        elif before != after:
            yield f"{prefix}{name}: {_brief(before)} → {_brief(after)}"


def _brief(value: JSON) -> str:
    text = "nothing" if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _deciding(info: RunInfo) -> dict[str, JSON]:
    """The part of ``run.json`` that must not change while a run grows."""
    whole = plain(dataclasses.asdict(info))
    # The model and the suite are known by what they say of themselves, not by how they were spelled.
    spelled = {"model", "suite", *OPERATIONAL}
    return {
        **{name: value for name, value in whole["config"].items() if name not in spelled},
        **{name: whole[name] for name in ("suite", "model", "prompt_version")},
    }


def _check_problem(line: bytes) -> tuple[str, bytes]:
    return decode_without_media(line).problem_id, _mark(line.rstrip(b"\n"))


def _mark(line: bytes) -> bytes:
    """What is remembered of a line: 8 bytes rather than the line."""
    return hashlib.blake2b(line, digest_size=8).digest()


def _may_be_there(name: str) -> bool:
    """Names that an attempt which ended before ``run.json`` was written may have left."""
    return name == "lock" or name.startswith(f".{RUN_FILE}.")


def now() -> str:
    """The time, as ISO 8601 with the offset."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
