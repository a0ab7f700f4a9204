"""Folders of published pictures with captions or questions: DOCCI, Visual Genome, Winoground.

    for source in read_sources("docci", Path("docci")):
        source.caption, source.questions

    docci           docci_descriptions.jsonlines, images/
    visual-genome   question_answers.json (version 1.2 or 1.4), VG_100K/ and VG_100K_2/
    winoground      examples.jsonl (or data/examples.jsonl), images/

None of them may be shipped; whoever has them gives the folder. Pictures are read when they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from modgap._errors import FileError, UnknownName
from modgap.tldr._files import json_lines
from modgap.tldr._readers import winoground_pairs
from modgap.tldr._splits import split_of

MAX_FILE = 2 * 2**30
"""Largest file of questions that is read, in bytes (that of Visual Genome has 0.3 GB)."""


@dataclass(frozen=True)
class Source:
    """One picture and what people wrote about it.

    Args:
        id: unique in its folder.
        image: its file.
        split: ``train``, ``validation`` or ``test``.
        caption: a true caption; empty if there are questions only.
        questions: question and right answer, pairs.
    """

    id: str
    image: Path
    split: str
    caption: str = ""
    questions: tuple[tuple[str, str], ...] = ()


class _Description(msgspec.Struct, frozen=True):
    example_id: str
    image_file: str
    description: str
    split: str = "train"


class _Question(msgspec.Struct, frozen=True):
    question: str
    answer: str


class _Questions(msgspec.Struct, frozen=True):
    id: int
    qas: list[_Question]


_DOCCI_SPLITS = {"train": "train", "qual_dev": "validation", "test": "test", "qual_test": "test"}


def _docci(folder: Path) -> Iterator[Source]:
    for _, row in json_lines(_file(folder, "docci_descriptions.jsonlines"), _Description):
        split = _DOCCI_SPLITS.get(row.split)
        if split is not None:
            yield Source(row.example_id, folder / "images" / _name(row.image_file), split, row.description)


def _visual_genome(folder: Path) -> Iterator[Source]:
    path = _file(folder, "question_answers.json")
    if path.stat().st_size > MAX_FILE:
        raise FileError(f"{path}: larger than {MAX_FILE:,} bytes; is it that of Visual Genome?")
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[_Questions])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileError(f"{path}: {error}; expected a list of id and qas, as Visual Genome has it") from error
    for row in rows:
        files = [folder / part / f"{row.id}.jpg" for part in ("VG_100K", "VG_100K_2")]
        image = next((file for file in files if file.is_file()), files[0])
        questions = tuple((one.question, one.answer) for one in row.qas)
        yield Source(str(row.id), image, split_of(f"visual-genome-{row.id}"), questions=questions)


def _winoground(folder: Path) -> Iterator[Source]:
    for name, pairs in winoground_pairs(folder):
        for which, (image, caption) in enumerate(pairs):
            yield Source(f"{name}-{which}", image, "test", caption)


READERS: dict[str, Callable[[Path], Iterator[Source]]] = {
    "docci": _docci,
    "visual-genome": _visual_genome,
    "winoground": _winoground,
}


def read_sources(kind: str, folder: Path, limit: int | None = None) -> list[Source]:
    """Pictures of a folder whose file is there, in its order.

    Args:
        kind: one of ``READERS``.
        folder: as it is published, unpacked.
        limit: most pictures.

    Raises:
        UnknownName: if the kind is another.
        FileError: if the folder is not such, or none of its pictures is there.
    """
    if kind not in READERS:
        raise UnknownName("published set", kind, tuple(READERS))
    found = list(islice((one for one in READERS[kind](folder) if one.image.is_file()), limit))
    if not found:
        raise FileError(
            f"{folder}: none of its pictures is there; unpack them as published ({kind}: "
            f"{'VG_100K/ and VG_100K_2/' if kind == 'visual-genome' else 'images/'})"
        )
    return found


def _file(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise FileError(f"{folder}: {name} is missing; give the folder as it is published, unpacked")
    return folder / name


def _name(file: str) -> str:
    """The last part of a path, so that no file leads out of the folder."""
    return Path(file.replace("\\", "/")).name
