"""Files of a run: read with one sentence if they are damaged, written so that there is always a whole one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modgap._errors import FileError

if TYPE_CHECKING:
    from torch import Tensor


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors of a file, and what was written about them.

    Raises:
        FileError: it is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise FileError(f"{path}: missing or damaged: {error}") from error


def write_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, str]) -> None:
    """Written beside and moved, so that there is always a whole file."""
    from safetensors.torch import save_file

    beside = path.with_suffix(".part")
    save_file(
        {name: t.contiguous() for name, t in tensors.items()}, beside, metadata={"format": "pt", **about}
    )
    beside.replace(path)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Likewise."""
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        FileError: it is missing, or no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileError(f"{path}: missing: give the folder of a FoNE run that has ended") from error
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: not readable JSON: {error}") from error
    if not isinstance(content, dict):
        raise FileError(f"{path}: not a JSON object")
    return content


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """An error of the file system becomes one sentence."""
    try:
        yield
    except OSError as error:
        raise FileError(f"{folder}: cannot be written: {error}") from error
