"""What the readers share: finding files, pictures in cells, rows that become problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from modgap._errors import FileError
from modgap.media import Image
from modgap.tasks._files import Fields, build
from modgap.tasks._media_files import cut, media_part
from modgap.tasks._parquet import parquet_rows
from modgap.tasks._problem import Problem, Representation

MAX_JSON = 512 * 2**20
"""Largest JSON file that is read, in bytes; the questions of CLEVR are 90 MB."""


def found(folder: Path, pattern: str, expected: str) -> list[Path]:
    """Files below a folder in a fixed order, or the one file that is given.

    Raises:
        FileError: if there is none.
    """
    files = [folder] if folder.is_file() else sorted(folder.glob(pattern)) if folder.is_dir() else []
    if not files:
        raise FileError(f"{folder}: holds no file of the set; expected {expected}")
    return files


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Rows of a parquet file, each with its place in words and its number from 1.

    Raises:
        FileError: if the file is damaged, or a column is missing.
        MissingExtra: if pyarrow is not installed.
    """
    for number, row in parquet_rows(path):
        missing = [name for name in columns if name not in row]
        if missing:
            raise FileError(
                f"{path}: lacks {', '.join(missing)}; expected the columns {', '.join(columns)} "
                f"and found {cut(list(row))}"
            )
        yield f"{path}, row {number}", number, row


def read_json(path: Path, kind: Any, expected: str) -> Any:
    """Decode a whole JSON file.

    Raises:
        FileError: if it cannot be read, is too large or is not of that kind.
    """
    try:
        if path.stat().st_size > MAX_JSON:
            raise FileError(f"{path}: larger than {MAX_JSON:,} bytes; expected {expected}")
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); expected {expected}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FileError(f"{path}: {error}; expected {expected}") from error


def picture(cell: Any, folder: Path, where: str) -> Image:
    """A picture as the ``datasets`` library stores it: its bytes, or a path below the folder.

    Raises:
        FileError: if it is neither.
    """
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if isinstance(data, bytes):
        return Image.from_bytes(data, where)
    path = cell.get("path") if isinstance(cell, dict) else cell
    part = media_part(path, "image", folder, where) if isinstance(path, str) else None
    if not isinstance(part, Image):
        raise FileError(f"{where}: the picture is a {type(cell).__name__}; expected its bytes or a path")
    return part


def lettered(answer: Any, choices: Sequence[str], where: str) -> str:
    """The choice that an answer such as ``(C)`` stands for.

    Raises:
        FileError: if it stands for none.
    """
    letter = str(answer).strip().strip("()")
    place = ord(letter) - ord("A") if len(letter) == 1 else -1
    if not 0 <= place < len(choices):
        raise FileError(f"{where}: answer {cut(answer)} is not a letter of the {len(choices)} choices")
    return choices[place]


def texts(value: Any, where: str) -> tuple[str, ...]:
    """A list of choices.

    Raises:
        FileError: if it is not a list of texts.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise FileError(f"{where}: choices {cut(value)} are not a list of texts")
    return tuple(one.strip() for one in value)


def problem(
    fields: dict[str, Any], representations: Sequence[Representation], where: str, number: int, stem: str
) -> Problem:
    """A checked problem of what a row says.

    Raises:
        FileError: if a value is not what it should be.
    """
    try:
        read = msgspec.convert(fields, Fields)
    except msgspec.ValidationError as error:
        raise FileError(f"{where}: {error}") from error
    return build(read, representations, where, number=number, stem=stem)
