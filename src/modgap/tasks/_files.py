"""Problems as lines of JSON, in the full form that is written here and in a short form for one's own data.

The full form has every field of :class:`Problem`; a piece of media is a file in a folder ``media`` beside it:

    {"problem_id": "q1", "task": "mine/all", "question": "What is it?", "answer": "cat",
     "options": ["cat", "dog"], "answer_kind": "choice", "group": "", "difficulty": {}, "chance": 0.5,
     "instruction": "", "version": 1,
     "representations": [{"name": "caption", "modality": "text", "parts": [{"text": "A cat sleeps."}]},
                         {"name": "image", "modality": "image", "parts": [{"image": "media/9f86….png"}]}]}

The short form needs ``question``, ``answer`` and ``representations``; all other fields may be left out:

    {"question": "What is it?", "answer": "cat", "options": ["cat", "dog"],
     "representations": {"text": "A cat sleeps.", "image": "pictures/1.png"}}

There a representation is a string: the text itself where its name is ``text`` or begins with ``text_``, the
path of a file where it is or begins with ``image``, ``audio`` or ``video``. Any other name says which it is:
``"caption": {"modality": "text", "text": "..."}`` or ``"photo": {"modality": "image", "path": "..."}``.

Files from outside are untrusted. Paths are relative to the file's folder and may not leave it, by links
neither; types, names and ids are checked; the first thing wrong is one :class:`FileError` with the line.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from modgap._errors import FileError
from modgap.media import Modality, Part, Text

from ._media_files import check_modality, check_parts, cut, media_part, modality_of
from ._problem import AnswerKind, Problem, Representation

MAX_LINE = 64 * 2**20
"""Longest line that is read, in bytes."""

_INTEGER = re.compile(r"-?\d{1,400}")
_JSON = {"str": "string", "int": "integer", "array": "list", "bool": "boolean", "float": "number"}
_KINDS: Final = ("choice", "integer", "text")


class _Full(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    modality: str
    parts: list[dict[str, str]]


class _Short(msgspec.Struct, forbid_unknown_fields=True):
    modality: str
    text: str | None = None
    path: str | None = None
    parts: list[dict[str, str]] | None = None


class Fields(msgspec.Struct):
    """Everything of a line but the representations; what may be left out has a default."""

    question: str
    answer: str | int
    problem_id: str | int | None = None
    task: str | None = None
    options: list[str | int] | None = None
    answer_kind: str | None = None
    group: str | None = None
    difficulty: dict[str, int | float | str] | None = None
    chance: float | None = None
    instruction: str | None = None
    version: int = 1


class _Line(Fields, kw_only=True):
    representations: list[_Full] | dict[str, str | _Short]


FIELDS: tuple[str, ...] = tuple(f.name for f in msgspec.structs.fields(Fields))


def problem_to_dict(problem: Problem, write_media: Callable[[Part], str]) -> dict[str, Any]:
    """The full form of a problem.

    Args:
        problem: the problem.
        write_media: stores a piece of media and returns its path, usually ``MediaFolder.write``.
    """
    return {
        "problem_id": problem.problem_id,
        "task": problem.task,
        "question": problem.question,
        "answer": problem.answer,
        "options": list(problem.options),
        "answer_kind": problem.answer_kind,
        "group": problem.group,
        "difficulty": dict(problem.difficulty),
        "chance": problem.chance,
        "instruction": problem.instruction,
        "version": problem.version,
        "representations": [
            {
                "name": r.name,
                "modality": r.modality,
                "parts": [
                    {"text": p.text} if isinstance(p, Text) else {p.modality: write_media(p)} for p in r.parts
                ],
            }
            for r in problem.representations
        ],
    }


def problem_to_json(problem: Problem, write_media: Callable[[Part], str]) -> bytes:
    """The full form as one line, without its line break; arguments as for :func:`problem_to_dict`."""
    return msgspec.json.encode(problem_to_dict(problem, write_media))


def problem_from_json(
    line: bytes | str, folder: Path, where: str, *, number: int = 1, stem: str = "file"
) -> Problem:
    """Read one line, in the full or the short form.

    Args:
        line: untrusted.
        folder: what media paths are relative to; nothing outside is read.
        where: how errors name the line, for example ``"data.jsonl, line 3"``.
        number: of the line, 1-based; makes an id where there is none.
        stem: makes an id and a task where there is none.

    Raises:
        FileError: if it is not a problem.
    """
    try:
        read = msgspec.json.decode(line, type=_Line)
        if isinstance(read.representations, list):
            representations = [_full(r, folder, where) for r in read.representations]
        else:
            representations = [_short(name, r, folder, where) for name, r in read.representations.items()]
        _check_names(line, where)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileError(f"{where}: {describe_error(error)}") from error
    return build(read, representations, where, number=number, stem=stem)


def read_problems(path: Path) -> Iterator[Problem]:
    """Read a file of lines one by one; blank lines are skipped.

    Raises:
        FileError: at the first line that is not a problem, or whose id was there before.
    """
    seen: dict[str, int] = {}
    for number, line in bounded_lines(path):
        where = f"{path}, line {number}"
        problem = problem_from_json(line, path.parent, where, number=number, stem=path.stem)
        check_new(problem.problem_id, number, seen, where)
        yield problem


def bounded_lines(path: Path, longest: int = MAX_LINE) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers from 1; a mark of byte order is left out.

    Args:
        path: the file, untrusted.
        longest: bytes of a line, its line break included.

    Raises:
        FileError: if it cannot be read, or at the first line that is longer.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(longest + 1):
                number += 1
                if len(line) > longest:
                    raise FileError(
                        f"{path}, line {number}: longer than {longest:,} bytes; expected one object a line"
                    )
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if text.strip():
                    yield number, text
    except OSError as error:
        raise FileError(
            f"{path}: cannot be read ({error.strerror}); expected a file of JSON lines"
        ) from error


class _Named(msgspec.Struct):
    modality: str
    name: str = ""


class _Brief(msgspec.Struct):
    task: str | None = None
    representations: list[_Named] | dict[str, str | _Named] = {}


def scan_problems(path: Path) -> tuple[tuple[str, ...], dict[str, Modality]]:
    """Tasks and representations of a file of lines, in order of appearance, without opening media.

    Raises:
        FileError: if a line is not JSON, or names no modality.
    """
    tasks: dict[str, None] = {}
    found: dict[str, Modality] = {}
    for number, line in bounded_lines(path):
        where = f"{path}, line {number}"
        try:
            brief = msgspec.json.decode(line, type=_Brief)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise FileError(f"{where}: {describe_error(error)}") from error
        tasks[brief.task or f"{path.stem}/all"] = None
        named = brief.representations
        pairs = (
            [(r.name, r.modality) for r in named]
            if isinstance(named, list)
            else [
                (name, modality_of(name) or "" if isinstance(r, str) else r.modality)
                for name, r in named.items()
            ]
        )
        for name, modality in pairs:
            known = check_modality(name, modality, where)
            if found.setdefault(name, known) != known:
                raise FileError(
                    f"{where}: representation {cut(name)} is {modality} here and {found[name]} before"
                )
    return tuple(tasks), found


def check_new(problem_id: str, number: int, seen: dict[str, int], where: str) -> None:
    """Refuse an id that was seen before, and remember it."""
    first = seen.setdefault(problem_id, number)
    if first != number:
        raise FileError(f"{where}: problem_id {problem_id!r} is also in line {first}; expected each id once")


def build(
    read: Fields, representations: Sequence[Representation], where: str, *, number: int, stem: str
) -> Problem:
    """Check what was read and make a problem of it."""

    def refuse(what: str) -> FileError:
        return FileError(f"{where}: {what}")

    names = [r.name for r in representations]
    if not names:
        raise refuse("no representations; expected at least one")
    for name in names:
        if not name or names.count(name) > 1:
            raise refuse(
                f"representation {name!r} is there {names.count(name)} times; expected different names"
            )
    options = tuple(str(option) for option in read.options or ())
    answer = str(read.answer)
    if not read.question.strip():
        raise refuse("'question' is empty; expected what is asked")
    if options and (len(options) < 2 or len(set(options)) != len(options)):
        raise refuse(f"options {cut(options)} are not two or more different ones")
    if options and answer not in options:
        raise refuse(f"answer {cut(answer)} is not one of the options {cut(options)}")
    if not answer.strip():
        raise refuse("'answer' is empty; expected the right answer")
    kind = read.answer_kind or ("choice" if options else "integer" if _INTEGER.fullmatch(answer) else "text")
    if kind not in _KINDS:
        raise refuse(f"answer_kind {cut(kind)} is not one of {', '.join(_KINDS)}")
    if kind == "choice" and not options:
        raise refuse("answer_kind 'choice' needs options")
    if kind == "integer" and not _INTEGER.fullmatch(answer):
        raise refuse(f"answer {cut(answer)} is not a whole number, as answer_kind 'integer' says")
    if read.chance is not None and not 0 <= read.chance <= 1:
        raise refuse(f"chance {read.chance} is not between 0 and 1")
    if read.version != 1:
        raise refuse(f"version {read.version} is not known; expected 1 (a newer modgap may have written it)")
    problem_id = f"{stem}-{number:06d}" if read.problem_id is None else str(read.problem_id)
    if not problem_id.strip() or len(problem_id) > 500:
        raise refuse("'problem_id' is empty or longer than 500 characters")
    return Problem(
        problem_id=problem_id,
        task=read.task or f"{stem}/all",
        question=read.question,
        answer=answer,
        representations=tuple(representations),
        options=options,
        answer_kind=cast(AnswerKind, kind),
        group=read.group or "",
        difficulty=read.difficulty or {},
        chance=1 / len(options) if read.chance is None and options else read.chance,
        instruction=read.instruction or "",
    )


def _full(read: _Full, folder: Path, where: str) -> Representation:
    return _representation(read.name, read.modality, read.parts, folder, where)


def _short(name: str, read: str | _Short, folder: Path, where: str) -> Representation:
    if isinstance(read, str):
        modality = modality_of(name)
        if modality is None:
            raise FileError(
                f"{where}: the name of representation {cut(name)} does not say its modality; call it text, "
                'image, audio or video, or write {"modality": ..., "text" or "path": ...}'
            )
        return _representation(name, modality, [{modality: read}], folder, where)
    given = [value for value in (read.text, read.path, read.parts) if value is not None]
    if len(given) != 1:
        raise FileError(
            f"{where}: representation {cut(name)} has {len(given)} of text, path and parts; expected one"
        )
    if read.parts is not None:
        return _representation(name, read.modality, read.parts, folder, where)
    part: dict[str, str] = {"text": read.text} if read.text is not None else {read.modality: read.path or ""}
    return _representation(name, read.modality, [part], folder, where)


def _representation(
    name: str, modality: str, parts: Sequence[Mapping[str, str]], folder: Path, where: str
) -> Representation:
    known = check_modality(name, modality, where)
    made: list[Part] = []
    for part in parts:
        if len(part) != 1:
            raise FileError(
                f"{where}: a part of {cut(name)} has {len(part)} keys; expected one, its modality"
            )
        ((kind, value),) = part.items()
        kind = check_modality(name, kind, where)
        made.append(Text(value) if kind == "text" else media_part(value, kind, folder, where))
    return check_parts(Representation(name, known, tuple(made)), where)


def _check_names(line: bytes | str, where: str) -> None:
    """Refuse a field that is nearly one of ours: a misspelt ``options`` would make it an open question."""
    known = (*FIELDS, "representations")
    for name in msgspec.json.decode(line, type=dict[str, msgspec.Raw]):
        check_name(name, known, where)


def check_name(name: str, known: Sequence[str], where: str, *, skip: bool = False) -> None:
    """Refuse a name that looks like a misspelling of one that is known."""
    if name not in known and not skip:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        if close:
            raise FileError(f"{where}: field {cut(name)} is not known; did you mean {close[0]!r}?")


def describe_error(error: Exception) -> str:
    """The decoder's message with the path of the value in words."""
    text = re.sub(r" - at `\$\.?([^`]*)`", lambda m: f" in {m[1]!r}" if m[1] else "", str(error))
    text = re.sub(r"`([^`]*)`", lambda m: re.sub(r"\w+", lambda w: _JSON.get(w[0], w[0]), m[1]), text)
    start = text if text.startswith("JSON") else text[:1].lower() + text[1:]
    return f"{start}; expected one problem as a JSON object"
