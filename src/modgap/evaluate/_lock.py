"""One writer per run folder.

The lock belongs to the open file, not to its content: the system drops it when the process ends, however it
ends, so a killed run leaves nothing to clean up. The process number in the file is only for the message.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from modgap._errors import RunError


class FolderLock:
    """Holds a folder for this process until closed.

    Args:
        folder: an existing folder.

    Raises:
        RunError: if another process holds it, or the lock file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "lock"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunError(
                f"{folder}: cannot be written ({error.strerror}); choose another folder with --out"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise RunError(
                f"{folder}: in use by another process (pid {holder}); "
                "wait until it ends, or use another run folder with --name"
            ) from error
        # A full disk must not stop the reader of the message: the lock itself is already held.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)

    def close(self) -> None:
        """Let the folder go. Closing twice is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
