"""A line of ``problems.jsonl``, the same format as that of a suite in a file.

So the folder of a run is itself a suite: ``--suite runs/x/problems.jsonl`` asks the same problems again. What
is added here is to read a line without its media, which is all that figures and a check of the file need.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from modgap.media import Modality, Part, Text
from modgap.tasks import AnswerKind, Problem, Representation, problem_from_json, problem_to_json

MEDIA_FOLDER = "media"


class _Representation(msgspec.Struct):
    name: str
    modality: Modality
    parts: list[dict[str, str]]


class _Line(msgspec.Struct):
    problem_id: str
    task: str
    question: str
    answer: str
    representations: list[_Representation]
    options: tuple[str, ...] = ()
    answer_kind: AnswerKind = "choice"
    group: str = ""
    difficulty: dict[str, int | float | str] = {}
    chance: float | None = None
    instruction: str = ""
    version: int = 1


_decode = msgspec.json.Decoder(_Line).decode


def encode_problem(problem: Problem) -> tuple[bytes, dict[str, bytes]]:
    """A problem as it is kept.

    Returns:
        (line without its line break, file name → content of its media).
    """
    media: dict[str, bytes] = {}

    def keep(part: Part) -> str:
        assert not isinstance(part, Text)
        media[part.file_name] = part.data
        return f"{MEDIA_FOLDER}/{part.file_name}"

    return problem_to_json(problem, keep), media


def decode_problem(line: bytes, folder: Path) -> Problem:
    """The problem of one line with its media.

    Args:
        line: untrusted.
        folder: the run folder.

    Raises:
        FileError: if the line is not a problem, or a file of media is missing or not what its name says.
    """
    return problem_from_json(line, folder, f"{folder.name}/problems.jsonl")


def decode_without_media(line: bytes) -> Problem:
    """The problem of one line, in whose representations only the parts of text are left.

    Args:
        line: untrusted.

    Raises:
        msgspec.DecodeError: if the line is not a problem.
    """
    read = _decode(line)
    return Problem(
        problem_id=read.problem_id,
        task=read.task,
        question=read.question,
        answer=read.answer,
        representations=tuple(
            Representation(
                r.name, r.modality, tuple(Text(part["text"]) for part in r.parts if "text" in part)
            )
            for r in read.representations
        ),
        options=read.options,
        answer_kind=read.answer_kind,
        group=read.group,
        difficulty=read.difficulty,
        chance=read.chance,
        instruction=read.instruction,
        version=read.version,
    )
