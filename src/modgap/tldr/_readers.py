"""Published sets with errors that people marked or made: RLHF-V, DetailVerifyBench and Winoground.

    for example in read_detail_verify(Path("real_test.jsonl")):
        ...

RLHF-V (``openbmb/RLHF-V-Dataset``) has a model's answer and a person's correction of it; what was wrong
follows from comparing the two. DetailVerifyBench (``zyxhhnkh/DetailVerifyBench``) has tags around what is
wrong in a caption, in ``real_test.jsonl`` set by people and in ``synthetic_test.jsonl`` by the program that
wrote the error. Winoground (``facebook/winoground``) has two pictures and two captions of the same words,
each caption wrong about the other picture; which of its words are wrong is a comparison of the two, so that
only verdicts on whole captions are exact. All of it is read into the split ``test``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec

from modgap._errors import FileError, ModgapError
from modgap.media import Image
from modgap.tasks._media_files import media_part
from modgap.tasks._parquet import parquet_rows

from ._diff import diff_spans
from ._example import Example, TypedSpan
from ._files import image_in_cell, json_lines

CORRECTED = "corrected"
"""Type of what a person corrected without saying what kind of error it was."""

ORDER = "order"
"""Type of the words in which two captions of the same words differ."""

MIN_MATCH = 3
"""Fewest words between two corrections of RLHF-V that count as left alone, as its authors train with it."""

_TAG = re.compile(r"<(/?)hallucination>", re.IGNORECASE)
_DESCRIBE = "Describe the image in detail."


class _Pair(msgspec.Struct, frozen=True):
    question: str
    chosen: str
    rejected: str


class _Label(msgspec.Struct, frozen=True):
    text: str | None = None
    labels: list[str] = []
    final_replacement: str | None = None
    attribute_type: str | None = None
    original_span: str | None = None


class _Tagged(msgspec.Struct, frozen=True):
    description_tag: str
    filename: str = ""
    image_path: str = ""
    category: str = ""
    prompt: str | None = None
    hallucination_labels: list[_Label] | None = None


def read_rlhf_v(path: Path, *, min_match: int = MIN_MATCH) -> Iterator[Example]:
    """Read RLHF-V.

    Args:
        path: a parquet file with the columns ``image``, ``text`` (JSON or an object with ``question``,
            ``chosen`` and ``rejected``), ``idx`` and ``image_path``.
        min_match: see :func:`diff_spans`.

    Yields:
        For each row the answer with what was corrected in it, then the correction, all of it right. Both
        have the group of the picture.

    Raises:
        FileError: at the first row that is not such.
        MissingExtra: if pyarrow is not installed.
    """
    for number, row in parquet_rows(path):
        where = f"{path}, row {number}"
        text = row.get("text")
        try:
            pair = (
                msgspec.json.decode(text, type=_Pair)
                if isinstance(text, str)
                else msgspec.convert(text, _Pair)
            )
            image = image_in_cell(row.get("image"), where)
            group = f"rlhf-v-{row.get('image_path') or row.get('idx') or number}"
            spans = diff_spans(pair.rejected, pair.chosen, CORRECTED, min_match=min_match)
            for name, response, wrong in (
                ("answer", pair.rejected, spans),
                ("correction", pair.chosen, ()),
            ):
                yield Example(
                    f"rlhf-v-{number:06d}-{name}",
                    group,
                    pair.question,
                    response,
                    wrong,
                    "rlhf-v",
                    "test",
                    image=image,
                )
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise FileError(f"{where}: {error}; expected text with question, chosen and rejected") from error
        except ModgapError as error:
            raise FileError(f"{where}: {error}") from error


def read_detail_verify(path: Path, *, images: Path | None = None) -> Iterator[Example]:
    """Read DetailVerifyBench.

    Args:
        path: JSON lines with ``description_tag``, and mostly ``filename`` or ``image_path``, ``category``,
            ``prompt`` and ``hallucination_labels``.
        images: folder of the pictures, which are in a folder for each category or all together; none are
            read if ``None``.

    Raises:
        FileError: at the first line that is not such, has tags that do not match, or whose picture is not
            there.
    """
    for number, (where, line) in enumerate(json_lines(path, _Tagged), start=1):
        file = line.filename or line.image_path.rpartition("/")[2]
        name = f"detail-verify-{number:06d}"
        image = None if images is None else _picture(images, line.category, file, where)
        try:
            response, spans = _untagged(line.description_tag, line.hallucination_labels or ())
            yield Example(
                name,
                f"detail-verify-{line.category}/{file}",
                line.prompt or _DESCRIBE,
                response,
                spans,
                "detail-verify",
                "test",
                image=image,
            )
        except ModgapError as error:
            raise FileError(f"{where}: {error}") from error


class _Twins(msgspec.Struct, frozen=True):
    image_0: str
    image_1: str
    caption_0: str
    caption_1: str
    id: int | str = ""


def read_winoground(folder: Path) -> Iterator[Example]:
    """Read Winoground: each picture with each of its two captions, four in a group.

    Args:
        folder: with ``examples.jsonl`` and ``images``, or a folder ``data`` that has them.

    Raises:
        FileError: at the first line that is not such, or whose picture is not there.
    """
    for name, pairs in winoground_pairs(folder):
        for i, (file, _) in enumerate(pairs):
            image = cast(Image, media_part(file.name, "image", file.parent, f"{folder}, {name}"))
            for j, (_, caption) in enumerate(pairs):
                spans = diff_spans(caption, pairs[1 - j][1], ORDER) if i != j else ()
                group = f"winoground-{name}"
                yield Example(
                    f"{group}-{i}{j}", group, _DESCRIBE, caption, spans, "winoground", "test", image=image
                )


def winoground_pairs(folder: Path) -> Iterator[tuple[str, tuple[tuple[Path, str], tuple[Path, str]]]]:
    """Name of each pair, and picture and caption of both.

    Raises:
        FileError: at the first line that is not such.
    """
    inner = folder / "data" if (folder / "data" / "examples.jsonl").is_file() else folder
    path = inner / "examples.jsonl"
    if not path.is_file():
        raise FileError(f"{folder}: examples.jsonl is missing; give the folder as it is published, unpacked")
    for number, (_, row) in enumerate(json_lines(path, _Twins)):
        # The last part of a path, so that no file leads out of the folder.
        names = [Path(image.replace("\\", "/")).name for image in (row.image_0, row.image_1)]
        first, second = (inner / "images" / (n if Path(n).suffix else f"{n}.png") for n in names)
        name = str(row.id if row.id != "" else number)
        yield name, ((first, row.caption_0), (second, row.caption_1))


def _picture(folder: Path, category: str, file: str, where: str) -> Image:
    nested = f"{category}/{file}"
    shown = nested if category and (folder / nested).is_file() else file
    return cast(Image, media_part(shown, "image", folder, where))


def _untagged(text: str, labels: Sequence[_Label]) -> tuple[str, tuple[TypedSpan, ...]]:
    """A text without its tags, and what was between them."""
    response, done = "", 0
    opened: int | None = None
    free = list(labels)
    spans = []
    for tag in _TAG.finditer(text):
        response += text[done : tag.start()]
        done = tag.end()
        if (opened is None) == bool(tag[1]):
            raise FileError(f"tag {tag[0]} at character {tag.start()} does not match the one before")
        if not tag[1]:
            opened = len(response)
            continue
        said = response[opened:]
        label = next((one for one in free if said in (one.text, one.final_replacement)), None)
        if label is None:
            spans.append(TypedSpan(opened or 0, len(response), CORRECTED))
        else:
            free.remove(label)
            kind = label.attribute_type or (label.labels[0] if label.labels else CORRECTED)
            spans.append(TypedSpan(opened or 0, len(response), kind, 1.0, label.original_span or ""))
        opened = None
    if opened is not None:
        raise FileError("the last <hallucination> is not closed")
    return response + text[done:], tuple(spans)
