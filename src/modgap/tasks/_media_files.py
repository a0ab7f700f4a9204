"""Media files beside a file of problems: written under the hash of their bytes, read with suspicion."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

from modgap._errors import FileError
from modgap.media import MODALITIES, Modality, Part, Text, read_part

from ._problem import Representation

MAX_MEDIA = 256 * 2**20
"""Largest media file that is read, in bytes."""

_HASHED = re.compile(r"([0-9a-f]{64})\.\w{1,5}")


class MediaFolder:
    """Media files beside a file of problems, each written once under the hash of its bytes.

    Args:
        folder: where the file of problems is; media go to ``media`` in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "media"
        self._written: set[str] = set()

    def write(self, part: Part) -> str:
        """Write a piece of media unless it is there, and return its path relative to the folder of problems.

        Raises:
            FileError: if it cannot be written.
        """
        if isinstance(part, Text):
            raise TypeError("text is no media file")
        name = part.file_name
        if name not in self._written:
            path = self.folder / name
            try:
                if not self._written:
                    self.folder.mkdir(parents=True, exist_ok=True)
                if not path.exists() or path.stat().st_size != len(part.data):
                    partial = path.with_name(f".{name}.{os.getpid()}")
                    partial.write_bytes(part.data)
                    partial.replace(path)  # so that a file under its final name is complete
            except OSError as error:
                raise FileError(
                    f"{path}: cannot be written ({error.strerror}); free space or choose another folder"
                ) from error
            self._written.add(name)
        return f"media/{name}"


def modality_of(name: str) -> Modality | None:
    """The modality that a name in the short form says: ``image`` or ``image_2`` is an image."""
    return next((m for m in MODALITIES if name == m or name.startswith((f"{m}_", f"{m}-"))), None)


def check_modality(name: str, modality: str, where: str) -> Modality:
    """Refuse a word that is no modality."""
    if modality not in MODALITIES:
        close = difflib.get_close_matches(modality, MODALITIES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise FileError(
            f"{where}: modality {cut(modality)} of representation {cut(name)} is not one of "
            f"{', '.join(MODALITIES)}{hint}"
        )
    return modality


def media_part(path: str, modality: Modality, folder: Path, where: str) -> Part:
    """Read a media file that a line names.

    Raises:
        FileError: if the path leaves the folder, or is not a file of that modality.
    """
    inside = f"{where}: path {cut(path)}"
    try:
        root = folder.resolve()
        # Back slashes are separators on Windows only; a name with one is refused everywhere.
        if not path or "\\" in path or "\0" in path or Path(path).is_absolute():
            raise FileError(f"{inside} is not accepted; give one relative to {folder}, with forward slashes")
        target = (root / path).resolve()
        if not target.is_relative_to(root):
            raise FileError(f"{inside} leaves the folder {folder}; copy the file into it")
        if not target.is_file():
            raise FileError(f"{inside} is not a file in {folder}; expected a file of {modality}")
        if target.stat().st_size > MAX_MEDIA:
            raise FileError(f"{inside} is larger than {MAX_MEDIA:,} bytes")
    except (OSError, ValueError, RuntimeError) as error:
        raise FileError(f"{inside} cannot be followed ({error})") from error
    try:
        part = read_part(target, modality)
    except FileError as error:
        raise FileError(f"{where}: {error}") from error
    named = _HASHED.fullmatch(target.name)
    if named and not isinstance(part, Text) and part.sha256 != named[1]:
        raise FileError(f"{inside} does not have the contents its name says; the file was changed or damaged")
    return part


def check_parts(read: Representation, where: str) -> Representation:
    """Refuse a representation whose parts are not of its modality; text may go with any."""
    kinds = {part.modality for part in read.parts}
    if read.modality not in kinds or kinds - {"text", read.modality}:
        has, said = ", ".join(sorted(kinds)) or "nothing", read.modality
        raise FileError(f"{where}: representation {cut(read.name)} has parts of {has}; expected {said}")
    return read


def cut(value: object) -> str:
    """A piece of untrusted data, quoted and cut for an error message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
