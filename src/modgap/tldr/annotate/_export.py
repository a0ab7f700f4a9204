"""Annotations as character spans: JSON lines for people, and a data set for the Hub and for training.

A line of ``annotations.jsonl`` is one caption done by one annotator; nothing is merged or voted on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from modgap._errors import FileError
from modgap.media import Image, read_part
from modgap.tldr import Example, TypedSpan, write_examples

from ._items import Item
from ._work import Work

LINES = "annotations.jsonl"

_CARD = """# Errors in captions, marked by people

Made with `modgap tldr annotate`. A row is one caption as one annotator left it; captions of one picture share
`group`. `spans` are characters of `response` that are wrong, each with its type and, where given, what would
be right (`truth`). `source` names the annotator and whether they saw the flags of a detector. The same
rows with times are in `annotations.jsonl`.
"""


def export(
    works: Sequence[Work], items: Mapping[str, Item], folder: Path, *, parquet: bool | None = None
) -> int:
    """Write all captions that are done.

    Args:
        works: of all annotators.
        items: by id.
        folder: must be new or empty. Gets ``annotations.jsonl`` and a data set that
            :func:`modgap.tldr.read_examples` and the ``datasets`` library read.
        parquet: parquet or JSON lines; parquet if ``None`` and pyarrow is installed.

    Returns:
        Number of rows.

    Raises:
        FileError: if nothing is done yet, a picture is gone, or the folder is not empty or not writable.
    """
    done = [work for work in works if work.done]
    if not done:
        raise FileError("no caption is done yet; say so with the key n on its page, then export")
    write_examples(
        (_example(work, items[work.item_id]) for work in done),
        folder,
        card=_CARD,
        notes={"annotators": sorted({work.annotator for work in done})},
        parquet=parquet,
    )
    try:
        with (folder / LINES).open("wb") as file:
            file.writelines(msgspec.json.encode(_line(work, items[work.item_id])) + b"\n" for work in done)
    except OSError as error:
        raise FileError(f"{folder / LINES}: cannot be written ({error.strerror}); make room") from error
    return len(done)


def _example(work: Work, item: Item) -> Example:
    seen = "flags" if work.with_flags else "no flags"
    return Example(
        f"{item.item_id}/{work.annotator}",
        item.image.name,
        "",
        item.caption,
        tuple(TypedSpan(mark.start, mark.end, mark.type, 1.0, mark.truth) for mark in work.marks),
        f"annotated by {work.annotator}, {seen}",
        image=cast(Image, read_part(item.image, "image")),
    )


def _line(work: Work, item: Item) -> dict[str, Any]:
    return {
        "id": item.item_id,
        "annotator": work.annotator,
        "flags_shown": work.with_flags,
        "seconds": None if work.first_ms is None else work.first_ms / 1000,
        "seconds_with_revisits": work.active_ms / 1000,
        "caption": item.caption,
        "spans": [
            {
                "start": mark.start,
                "end": mark.end,
                "text": item.caption[mark.start : mark.end],
                "type": mark.type,
                "truth": mark.truth,
            }
            for mark in work.marks
        ],
    }
