"""A data set as a folder: parquet with pictures inside, or JSON lines with pictures beside them.

    write_examples(examples, Path("data"), card="...", notes={...})
    for example in read_examples(Path("data")):
        ...

The folder holds ``data/<split>.parquet`` (or ``.jsonl`` and ``media/``), a ``README.md`` for ``datasets`` and
the hub, and, written last, ``manifest.json``: a folder that has one is complete. The columns are the fields
of :class:`Example`; ``scene`` is JSON in a string. What is read is untrusted.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from modgap._errors import FileError, InputError, MissingExtra, ModgapError
from modgap.media import Image
from modgap.scenes import read_json, write_json
from modgap.tasks import MediaFolder
from modgap.tasks._files import bounded_lines
from modgap.tasks._media_files import media_part
from modgap.tasks._parquet import parquet_rows

from ._example import Example, TypedSpan
from ._splits import SPLITS

MANIFEST = "manifest.json"
MAX_LINE = 4_000_000
"""Longest line of JSON that is read, in bytes."""

_T = TypeVar("_T", bound=msgspec.Struct)
_ROWS = 200  # in a row group
_STRINGS = ("example_id", "group", "prompt", "response", "source", "split", "scene")


class _Row(msgspec.Struct, frozen=True):
    example_id: str
    response: str
    spans: tuple[TypedSpan, ...]
    group: str = ""
    prompt: str = ""
    source: str = ""
    split: str = "train"
    scene: str | None = None
    image: str | None = None


class _Writer(Protocol):
    def write(self, row: dict[str, Any], image: Image | None) -> None: ...

    def close(self) -> None: ...


def has_parquet() -> bool:
    """Whether pyarrow is installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return False
    return True


def check_empty(folder: Path) -> None:
    """Refuse to write where something is.

    Raises:
        FileError: if the folder holds anything, or is no folder.
    """
    try:
        is_taken = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise FileError(f"{folder}: cannot be used ({error.strerror}); choose another folder") from error
    if is_taken:
        raise FileError(f"{folder}: not empty; choose another folder, nothing is overwritten")


def write_examples(
    examples: Iterable[Example],
    folder: Path,
    *,
    card: str = "",
    notes: Mapping[str, Any] | None = None,
    parquet: bool | None = None,
) -> dict[str, int]:
    """Write examples, one after the other as they come.

    Args:
        examples: what to write.
        folder: where to; made if it is not there, and must be empty if it is.
        card: what the README says below its head.
        notes: kept in the manifest and in the metadata of the parquet files.
        parquet: parquet or JSON lines; parquet if ``None`` and pyarrow is installed.

    Returns:
        Split → number of examples.

    Raises:
        FileError: if the folder is not empty or cannot be written.
        MissingExtra: if parquet is asked for and pyarrow is not installed.
        InputError: if an example has an unknown split.
    """
    parquet = has_parquet() if parquet is None else parquet
    if parquet and not has_parquet():
        raise MissingExtra("parquet", "data")
    notes = dict(notes or {})
    counts: dict[str, int] = {}
    try:
        check_empty(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir()
        writers: dict[str, _Writer] = {}
        media = MediaFolder(folder)
        with contextlib.ExitStack() as stack:
            for example in examples:
                split = example.split
                if split not in SPLITS:
                    raise InputError(f"split {split!r} is not one of {', '.join(SPLITS)}")
                if split not in writers:
                    path = folder / "data" / f"{split}.{'parquet' if parquet else 'jsonl'}"
                    writers[split] = _ParquetWriter(path, notes) if parquet else _LinesWriter(path, media)
                    stack.callback(writers[split].close)
                writers[split].write(_to_row(example), example.image)
                counts[split] = counts.get(split, 0) + 1
        kind = "parquet" if parquet else "jsonl"
        (folder / "README.md").write_text(_head(counts, kind) + card, encoding="utf-8")
        content = {"version": 1, "examples": counts, **notes}
        partial = folder / f"{MANIFEST}.partial"
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        partial.replace(folder / MANIFEST)
    except OSError as error:
        raise FileError(
            f"{folder}: cannot be written ({error}); free space or choose another folder"
        ) from error
    return counts


def read_examples(path: Path) -> Iterator[Example]:
    """Read a data set.

    Args:
        path: a folder as written by :func:`write_examples`, or one of its files.

    Raises:
        FileError: at the first row that is not an example, naming file and row.
        MissingExtra: if it is parquet and pyarrow is not installed.
    """
    folder = path / "data" if (path / "data").is_dir() else path
    files = [folder]
    if folder.is_dir():
        found = [folder / f"{split}.{kind}" for split in SPLITS for kind in ("parquet", "jsonl")]
        files = [file for file in found if file.is_file()]
    if not files or not files[0].is_file():
        raise FileError(f"{path}: holds no data; expected data/train.parquet or data/train.jsonl")
    for file in files:
        read = _read_parquet if file.suffix == ".parquet" else _read_lines
        yield from read(file)


def _to_row(example: Example) -> dict[str, Any]:
    return {
        "example_id": example.example_id,
        "group": example.group,
        "prompt": example.prompt,
        "response": example.response,
        "spans": [asdict(span) for span in example.spans],
        "types": list(example.types),
        "source": example.source,
        "split": example.split,
        "scene": None if example.scene is None else write_json(example.scene),
    }


def _to_example(row: _Row, image: Image | None, where: str) -> Example:
    try:
        return Example(
            row.example_id,
            row.group or row.example_id,
            row.prompt,
            row.response,
            row.spans,
            row.source,
            row.split,
            None if row.scene is None else read_json(row.scene),
            image,
        )
    except ModgapError as error:
        raise FileError(f"{where}: {error}") from error


class _LinesWriter:
    def __init__(self, path: Path, media: MediaFolder) -> None:
        self._file = path.open("wb")
        self._media = media

    def write(self, row: dict[str, Any], image: Image | None) -> None:
        shown = None if image is None else self._media.write(image)
        self._file.write(msgspec.json.encode(row | {"image": shown}) + b"\n")

    def close(self) -> None:
        self._file.close()


class _ParquetWriter:
    def __init__(self, path: Path, notes: Mapping[str, Any]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._pa = pa
        span = pa.struct(
            [
                ("start", pa.int32()),
                ("end", pa.int32()),
                ("type", pa.string()),
                ("weight", pa.float32()),
                ("truth", pa.string()),
            ]
        )
        self._schema = pa.schema(
            [
                *((name, pa.string()) for name in _STRINGS),
                ("spans", pa.list_(span)),
                ("types", pa.list_(pa.string())),
                ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            ],
            metadata={
                "huggingface": json.dumps({"info": {"features": _FEATURES}}),
                "modgap": json.dumps(dict(notes)),
            },
        )
        self._writer = pq.ParquetWriter(str(path), self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, row: dict[str, Any], image: Image | None) -> None:
        shown = None if image is None else {"bytes": image.data, "path": image.file_name}
        self._rows.append(row | {"image": shown})
        if len(self._rows) >= _ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


_FEATURES: dict[str, Any] = {
    **{name: _value("string") for name in _STRINGS},
    "spans": [
        {
            "start": _value("int32"),
            "end": _value("int32"),
            "type": _value("string"),
            "weight": _value("float32"),
            "truth": _value("string"),
        }
    ],
    "types": {"feature": _value("string"), "_type": "Sequence"},
    "image": {"_type": "Image"},
}


def _read_lines(path: Path) -> Iterator[Example]:
    root = path.parent.parent if path.parent.name == "data" else path.parent
    for where, row in json_lines(path, _Row):
        image = None if row.image is None else media_part(row.image, "image", root, where)
        yield _to_example(row, image if isinstance(image, Image) else None, where)


def json_lines(path: Path, type_: type[_T]) -> Iterator[tuple[str, _T]]:
    """Lines of JSON, each with its file and number for an error message.

    Args:
        path: of the file, untrusted.
        type_: what a line holds; other keys are ignored.

    Raises:
        FileError: at the first line that is not such an object, or is longer than ``MAX_LINE``.
    """
    for number, line in bounded_lines(path, MAX_LINE):
        where = f"{path}, line {number}"
        try:
            row = msgspec.json.decode(line, type=type_)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            keys = ", ".join(field.name for field in msgspec.structs.fields(type_) if field.required)
            raise FileError(f"{where}: {error}; expected JSON with {keys}") from error
        yield where, row


def _read_parquet(path: Path) -> Iterator[Example]:
    for number, row in parquet_rows(path):
        where = f"{path}, row {number}"
        cell = row.pop("image", None)
        try:
            fields = msgspec.convert({k: v for k, v in row.items() if v is not None}, _Row)
        except (msgspec.ValidationError, RecursionError) as error:
            raise FileError(f"{where}: {error}; expected the columns that write_examples writes") from error
        yield _to_example(fields, image_in_cell(cell, where), where)


def image_in_cell(cell: Any, where: str) -> Image | None:
    """A picture as the ``datasets`` library stores it, a struct of bytes and path; ``None`` if empty.

    Raises:
        FileError: if the bytes are no picture.
    """
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    return Image.from_bytes(data, where) if isinstance(data, bytes) else None


def _head(counts: Mapping[str, int], kind: str) -> str:
    lines = ["---", "task_categories:", "- token-classification", "- image-text-to-text"]
    if counts:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split in (s for s in SPLITS if s in counts):
            lines += [f"  - split: {split}", f"    path: data/{split}.{kind}"]
    return "\n".join([*lines, "---", "", ""])
