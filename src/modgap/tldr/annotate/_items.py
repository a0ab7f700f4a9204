"""A folder to annotate: ``images/`` and ``captions.jsonl``, read with suspicion.

    {"id": "1", "image": "images/1.png", "caption": "Three dogs.",
     "spans": [{"start": 0, "end": 5, "type": "counting", "score": 0.9}],
     "known": [{"start": 0, "end": 5, "type": "counting"}]}

``spans`` are the flags of a detector, ``known`` are errors that are known to be there; both may be left out.
A span is given in characters of the caption. All mistakes in the file are reported together, by line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from modgap._errors import FileError, ModgapError
from modgap.tasks import MediaFolder
from modgap.tldr import Example

from ._pictures import check_picture
from ._words import Word, touched, words

CAPTIONS = "captions.jsonl"
MAX_CAPTION = 20_000
"""Longest caption, in characters (our choice: a page of it is still read by people)."""

MAX_SPANS = 500
"""Most flags, or known errors, of one caption; every page goes through all of them."""

_MAX_LINE = 1_000_000
_MAX_SHOWN = 5  # mistakes in one message


class Flag(msgspec.Struct, frozen=True, omit_defaults=True):
    """A span of a caption that a detector flags, or that is known to be wrong.

    Args:
        start: first character, 0-based.
        end: one past the last character.
        type: the kind of error; empty if unknown.
        score: how sure the detector is, 0 to 1.
    """

    start: int
    end: int
    type: str = ""
    score: float | None = None


class _Line(msgspec.Struct, frozen=True):
    id: str
    image: str
    caption: str
    spans: tuple[Flag, ...] = ()
    known: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Item:
    """A caption to annotate.

    Args:
        item_id: unique in its folder.
        image: path of its picture, inside the folder.
        caption: the text.
        flags: what a detector flags.
        known: errors that are known to be there; annotators never see them.
        words: of the caption.
    """

    item_id: str
    image: Path
    caption: str
    flags: tuple[Flag, ...]
    known: tuple[Flag, ...]
    words: tuple[Word, ...]

    @property
    def digest(self) -> str:
        """Hash of what an annotation refers to: the caption, the name of the picture, flags, known errors."""
        content = msgspec.json.encode((self.caption, self.image.name, self.flags, self.known))
        return hashlib.sha256(content).hexdigest()


def read_items(folder: Path) -> list[Item]:
    """Read a folder.

    Args:
        folder: holds ``captions.jsonl`` and the pictures that it names; untrusted.

    Returns:
        At least one item.

    Raises:
        FileError: naming the lines that cannot be used and why.
    """
    path = folder / CAPTIONS
    items: list[Item] = []
    mistakes: list[str] = []
    seen: dict[str, int] = {}
    number = 0
    try:
        with path.open(encoding="utf-8") as lines:
            while line := lines.readline(_MAX_LINE + 1):
                number += 1
                if len(line) > _MAX_LINE:
                    mistakes.append(f"line {number}: longer than {_MAX_LINE:,} characters")
                    break
                if not line.strip():
                    continue
                try:
                    items.append(_item(line, folder, seen, number))
                except ModgapError as error:
                    mistakes.append(f"line {number}: {error}")
    except UnicodeError as error:
        mistakes.append(f"line {number + 1}: not UTF-8 ({error})")
    except OSError as error:
        raise FileError(
            f"{path}: cannot be read ({error.strerror}); give a folder with {CAPTIONS} and images/"
        ) from error
    if mistakes:
        more = len(mistakes) - _MAX_SHOWN
        shown = mistakes[:_MAX_SHOWN] + ([f"and {more:,} more"] if more > 0 else [])
        raise FileError(f"{path}: {'; '.join(shown)}")
    if not items:
        raise FileError(f"{path}: is empty; each line is JSON with id, image and caption")
    return items


def write_items(examples: Iterable[Example], folder: Path) -> int:
    """Make a folder to annotate from examples whose errors are known, such as made data.

    What is wrong in an example becomes a known error that annotators do not see; there are no flags.

    Args:
        examples: with pictures.
        folder: made if it is not there.

    Returns:
        Number of captions.

    Raises:
        FileError: if an example has no picture, or the folder has captions already or cannot be written.
    """
    path = folder / CAPTIONS
    lines: list[bytes] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        media = MediaFolder(folder)
        for example in examples:
            if example.image is None:
                raise FileError(f"example {example.example_id!r} has no picture; give examples with one")
            found = words(example.response)
            known = tuple(
                Flag(*_widened(span.start, span.end, found), span.type)
                for span in example.spans
                if span.weight > 0
            )
            row = _Line(example.example_id, media.write(example.image), example.response, (), known)
            lines.append(msgspec.json.encode(row) + b"\n")
        with path.open("xb") as file:
            file.writelines(lines)
    except FileExistsError as error:
        raise FileError(f"{path}: is there already; choose another folder") from error
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
    return len(lines)


def _widened(start: int, end: int, found: list[Word]) -> tuple[int, int]:
    """A span without a word, as of an omission, stands for the word after it, or the last one."""
    if not found or (start < end and touched(found, start, end)):
        return start, end
    return next((word for word in found if word.end > start), found[-1])


def _item(line: str, folder: Path, seen: dict[str, int], number: int) -> Item:
    try:
        row = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileError(f"{error}; expected JSON with id, image and caption") from error
    if not row.id or len(row.id) > 200 or not row.id.isprintable():
        raise FileError("id must be 1 to 200 printable characters")
    if row.id in seen:
        raise FileError(f"id {row.id!r} is also on line {seen[row.id]}; every id may come once")
    seen[row.id] = number
    if len(row.caption) > MAX_CAPTION:
        raise FileError(f"caption has {len(row.caption):,} characters; give up to {MAX_CAPTION:,}")
    found = tuple(words(row.caption))
    if not found:
        raise FileError("caption has no words")
    for name, spans in (("spans", row.spans), ("known", row.known)):
        if len(spans) > MAX_SPANS:
            raise FileError(f"{name} has {len(spans):,} entries; give up to {MAX_SPANS}")
        for span in spans:
            where = f"{name}: {span.start} to {span.end}"
            if not 0 <= span.start < span.end <= len(row.caption):
                raise FileError(f"{where} is not inside the {len(row.caption)} characters of the caption")
            if not touched(found, span.start, span.end):
                raise FileError(f"{where} holds no word")
            if len(span.type) > 40 or not span.type.isprintable():
                raise FileError(f"{where}: type must be up to 40 printable characters")
            if span.score is not None and not 0 <= span.score <= 1:
                raise FileError(f"{where}: score {span.score} is not between 0 and 1")
    image = check_picture(folder, row.image)
    return Item(row.id, image, row.caption, row.spans, row.known, found)
