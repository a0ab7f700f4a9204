"""``modgap rescore``: read the stored replies again with the parser of today, without asking anybody.

A parser gets better; replies cost money. Rescoring rewrites ``records.jsonl`` in one step and keeps what was
there under another name.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modgap._errors import RunError
from modgap.evaluate._lines import read_lines, replace_file
from modgap.evaluate._lock import FolderLock
from modgap.evaluate._record import OUTCOMES, Outcome, Record
from modgap.evaluate._run import RECORDS_FILE, Run, read_record
from modgap.evaluate._runner import outcome_of
from modgap.evaluate._writer import storable
from modgap.tasks import Answer, Problem


@dataclass(frozen=True)
class Rescore:
    """What reading again changed.

    Args:
        records: number of records read again.
        moved: (old outcome, new outcome) → number of records, where they differ.
        answers: number of records whose answer, though perhaps not its outcome, changed.
        kept: where the old records are; ``None`` if nothing changed or nothing was to be written.
    """

    records: int
    moved: dict[tuple[Outcome, Outcome], int]
    answers: int
    kept: Path | None


def rescore(run: Run, parse: Callable[[Problem, str], Answer], *, dry_run: bool = False) -> Rescore:
    """Parse every stored reply again.

    A record that ended in error, or whose reply the provider marked as declined, stays as it is.

    Args:
        run: the run.
        parse: reads the reply to a problem; the problem comes without its media.
        dry_run: only say what would change.

    Returns:
        What changed.

    Raises:
        RunError: if the folder is in use, damaged or cannot be written; nothing is then changed.
    """
    with contextlib.closing(FolderLock(run.folder)) if not dry_run else contextlib.nullcontext():
        problems = {problem.problem_id: problem for problem in run.problems(media=False)}
        path = run.folder / RECORDS_FILE
        moved: Counter[tuple[Outcome, Outcome]] = Counter()
        answers = 0
        after: list[Record] = []
        for record in read_lines(path, read_record):
            again = _again(record, problems, parse)
            after.append(again)
            answers += again.answer != record.answer
            if again.outcome != record.outcome:
                moved[record.outcome, again.outcome] += 1
        kept = None
        if not dry_run and answers + moved.total():
            kept = _replace(path, after)
    order = {pair: (OUTCOMES.index(pair[0]), OUTCOMES.index(pair[1])) for pair in moved}
    return Rescore(
        len(after), {pair: moved[pair] for pair in sorted(moved, key=order.__getitem__)}, answers, kept
    )


def _again(record: Record, problems: dict[str, Problem], parse: Callable[[Problem, str], Answer]) -> Record:
    if record.outcome == "error" or record.declined or record.reply is None:
        return record
    problem = problems.get(record.problem_id)
    if problem is None:
        raise RunError(
            f"{record.problem_id!r}: has a record, but problems.jsonl does not have it; "
            "restore problems.jsonl from a copy"
        )
    answer = parse(problem, record.reply)
    return dataclasses.replace(
        record,
        answer=answer.value,
        outcome=outcome_of(answer, record.expected),
        conflicting=answer.status == "conflicting",
    )


def _replace(path: Path, records: list[Record]) -> Path:
    try:
        kept = _copy(path)
        replace_file(path, b"".join(msgspec.json.encode(storable(record)) + b"\n" for record in records))
    except OSError as error:
        raise RunError(
            f"{path}: cannot be rewritten ({error.strerror}); the old records are still in place: make room"
        ) from error
    return kept


def _copy(path: Path) -> Path:
    """A copy of the file as it is now; no earlier one is overwritten."""
    number = 1
    while True:
        kept = path.with_name(f"records.before-rescore{'' if number == 1 else f'-{number}'}.jsonl")
        try:
            with kept.open("xb") as copy, path.open("rb") as old:
                shutil.copyfileobj(old, copy)
        except FileExistsError:
            number += 1
        else:
            return kept
