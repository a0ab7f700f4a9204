"""Files of JSON lines that survive a kill at any moment, and files replaced in one step.

A line is written with one system call, with its line break last. Whatever ends the process, at most the last
line of the file is incomplete; it is dropped when the file is opened again, and the run asks that question
anew. Damage anywhere else did not come from an interruption, and is an error rather than a loss in silence.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from modgap._errors import RunError

T = TypeVar("T")


class _DamagedTail(Exception):
    """The last line, which begins at byte ``offset``, cannot be read."""

    def __init__(self, offset: int) -> None:
        self.offset = offset


def _decoded(path: Path, decode: Callable[[bytes], T]) -> Iterator[T]:
    offset = 0
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        for number, line in enumerate(file, 1):
            is_last = offset + len(line) >= size
            try:
                if not line.endswith(b"\n"):
                    raise msgspec.DecodeError("no line break")
                value = decode(line)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                if is_last:
                    raise _DamagedTail(offset) from error
                raise RunError(
                    f"{path}: line {number} is damaged ({error}); only the last line may be, after an "
                    "interruption: restore the file from a copy, or remove that line to have it asked again"
                ) from error
            yield value
            offset += len(line)


def read_lines(path: Path, decode: Callable[[bytes], T]) -> Iterator[T]:
    """Decode every complete line; an unreadable last line is left out.

    Args:
        path: the file; a missing file has no lines.
        decode: turns the bytes of a line into a value, or raises ``msgspec.DecodeError``.

    Raises:
        RunError: if a line other than the last is damaged, or the file cannot be read.
    """
    try:
        yield from _decoded(path, decode)
    except FileNotFoundError:
        return
    except _DamagedTail:
        return
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from error


class LineFile:
    """A file of JSON lines that is only ever appended to.

    Args:
        path: the file; made if it is missing.
        decode: as for :func:`read_lines`; every existing line is checked with it.
        seen: called with every existing value, in order.

    Attributes:
        dropped: bytes of an incomplete last line that were removed.

    Raises:
        RunError: if it cannot be opened, or a line other than the last is damaged.
    """

    def __init__(self, path: Path, decode: Callable[[bytes], T], seen: Callable[[T], None]) -> None:
        self.path = path
        self.dropped = 0
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunError(f"{path}: cannot be written ({error.strerror})") from error
        try:
            self._size = os.fstat(self._file).st_size
            try:
                for value in _decoded(path, decode):
                    seen(value)
            except _DamagedTail as tail:
                self.dropped = self._size - tail.offset
                os.ftruncate(self._file, tail.offset)
                self._size = tail.offset
        except BaseException:
            os.close(self._file)
            raise

    def append(self, line: bytes) -> None:
        """Write ``line`` and a line break, or nothing at all.

        Raises:
            OSError: if the system does not take it (full disk, limit on the size of files).
        """
        data = line + b"\n"
        try:
            written = os.write(self._file, data)
            while written < len(data):  # a nearly full disk takes a part; the next call says why
                written += os.write(self._file, data[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def close(self) -> None:
        """Close the file. Closing twice is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def replace_file(path: Path, data: bytes) -> None:
    """Write ``path`` in one step: a reader sees the old content or all of the new.

    Raises:
        OSError: if it cannot be written; the old content is then still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
