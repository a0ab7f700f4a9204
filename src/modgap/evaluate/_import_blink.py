"""Stored outputs of models on BLINK, read again.

    imported = import_blink(Path("saved_outputs/GPT4o"), Path("runs/blink-gpt4o"))

A file holds one task: reply, the letter the authors extracted, and the right letter, which is hidden in the
test split. Questions, options and pictures are not stored, and only pictures were shown: there is no gap to
state, only an accuracy with its interval, and our reading against theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from modgap._errors import FileError
from modgap.evaluate._import_run import Imported, Stored, missing_picture, read_json, write_imported
from modgap.tasks import Problem, Representation, read_reply
from modgap.tasks._file_suite import hash_file

SOURCE = "blink"
_LETTER = re.compile(r"\(([A-Z])\)")


class _Line(msgspec.Struct):
    idx: str
    answer: str
    full_prediction: str | None
    prediction: str | None


def import_blink(source: Path, folder: Path) -> Imported:
    """Read stored outputs of one model into run folders.

    Args:
        source: folder with one file for each task, packed or not.
        folder: of the run to be written; the authors' reading goes to a folder beside it.

    Returns:
        Both runs over the replies whose right answer is known, and every reply with both readings.

    Raises:
        FileError: if the folder holds no outputs, or a file is not what it should be.
        RunError: if a run folder holds another run, or cannot be written.
    """
    try:
        files = sorted(p for p in source.iterdir() if p.name.endswith((".json", ".json.gz")))
    except OSError as error:
        raise FileError(
            f"{source}: cannot be read ({error.strerror}); expected a folder of outputs"
        ) from error
    if not files:
        raise FileError(
            f"{source}: holds no outputs; expected files such as Counting.json or Counting.json.gz"
        )
    stored = [one for path in files for one in _stored(path)]
    hidden = sum(not one.counted for one in stored)
    notes = ["questions, options and pictures are not stored by the source"]
    if hidden:
        notes.append(
            f"{hidden:,} replies of the test split are read but not scored: their answers are hidden"
        )
    return write_imported(
        folder,
        stored,
        source=SOURCE,
        model=source.resolve().name,
        suite=SOURCE,
        settings={"sha256": {path.name: hash_file(path) for path in files}},
        notes=notes,
    )


def _stored(path: Path) -> Iterator[Stored]:
    task = path.name.split(".")[0].lower()
    lines = [line for split in read_json(path, dict[str, list[_Line]]).values() for line in split]
    letters = sorted(
        {match[1] for line in lines for match in _LETTER.finditer(f"{line.answer} {line.prediction}")}
    )
    seen: set[str] = set()
    for line in lines:
        if line.idx in seen:
            raise FileError(f"{path}: {line.idx!r} is there twice; expected every item once")
        seen.add(line.idx)
        right = _LETTER.fullmatch(line.answer)
        options = tuple(letters) if right and len(letters) > 1 else ()
        problem = Problem(
            problem_id=line.idx,
            task=f"blink/{task}",
            question="(not stored)",
            answer=right[1] if right else "hidden",
            representations=(Representation("image", "image", (missing_picture(),)),),
            options=options,
            answer_kind="choice" if options else "text",
            chance=1 / len(options) if options else None,
        )
        official = _LETTER.search(line.prediction or "")
        yield Stored(
            record_id=line.idx,
            problem=problem,
            representation="image",
            reply=line.full_prediction,
            ours=None if line.full_prediction is None else read_reply(problem, line.full_prediction),
            official=official[1] if official else None,
            credited=right is not None and line.prediction == line.answer,
            counted=right is not None,
        )
