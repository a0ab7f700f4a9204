"""A line of ``problems.jsonl``: a problem whose media are file names in the ``media`` folder beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from modgap._errors import FileError
from modgap.media import Modality, Part, Text, read_part
from modgap.tasks import Problem, Representation
from modgap.tasks._problem import AnswerKind

_encode = msgspec.json.Encoder().encode
_FILE_NAME = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,5}")


@dataclass(frozen=True)
class _StoredPart:
    """Text, or the name of a file of media and its modality."""

    text: str | None = None
    file: str | None = None
    modality: Modality = "text"


@dataclass(frozen=True)
class _StoredRepresentation:
    name: str
    modality: Modality
    parts: tuple[_StoredPart, ...]


@dataclass(frozen=True)
class _StoredProblem:
    problem_id: str
    task: str
    question: str
    answer: str
    representations: tuple[_StoredRepresentation, ...]
    options: tuple[str, ...] = ()
    answer_kind: AnswerKind = "choice"
    group: str = ""
    difficulty: dict[str, float | int | str] = field(default_factory=dict)
    chance: float | None = None
    instruction: str = ""
    version: int = 1


_decode = msgspec.json.Decoder(_StoredProblem).decode


def encode_problem(problem: Problem) -> bytes:
    """One line, without its line break."""
    return _encode(
        {
            "problem_id": problem.problem_id,
            "task": problem.task,
            "question": problem.question,
            "answer": problem.answer,
            "representations": [
                {"name": r.name, "modality": r.modality, "parts": [_store(part) for part in r.parts]}
                for r in problem.representations
            ],
            "options": problem.options,
            "answer_kind": problem.answer_kind,
            "group": problem.group,
            "difficulty": problem.difficulty,
            "chance": problem.chance,
            "instruction": problem.instruction,
            "version": problem.version,
        }
    )


def _store(part: Part) -> dict[str, str]:
    if isinstance(part, Text):
        return {"text": part.text}
    return {"file": part.file_name, "modality": part.modality}


def decode_problem(line: bytes, media: Path | None) -> Problem:
    """The problem of one line, which is untrusted.

    Args:
        line: the line.
        media: folder of the media; ``None`` leaves every part that is not text out.

    Raises:
        msgspec.DecodeError: if the line is not a problem.
        FileError: if a file of media is missing or is not what its name says.
    """
    stored = _decode(line)
    representations = tuple(
        Representation(r.name, r.modality, tuple(_restore(r.parts, media))) for r in stored.representations
    )
    return Problem(
        problem_id=stored.problem_id,
        task=stored.task,
        question=stored.question,
        answer=stored.answer,
        representations=representations,
        options=stored.options,
        answer_kind=stored.answer_kind,
        group=stored.group,
        difficulty=stored.difficulty,
        chance=stored.chance,
        instruction=stored.instruction,
        version=stored.version,
    )


def _restore(parts: tuple[_StoredPart, ...], media: Path | None) -> list[Part]:
    restored: list[Part] = []
    for part in parts:
        if part.text is not None:
            restored.append(Text(part.text))
        elif part.file is None or not _FILE_NAME.fullmatch(part.file):
            # A name is not trusted to be a name: it must not lead out of the folder.
            raise msgspec.ValidationError(f"media file {part.file!r} is not <sha256>.<extension>")
        elif media is not None:
            path = media / part.file
            found = read_part(path, part.modality)
            if not isinstance(found, Text) and found.file_name != part.file:
                raise FileError(f"{path}: content is not what its name says; restore it, or measure again")
            restored.append(found)
    return restored
