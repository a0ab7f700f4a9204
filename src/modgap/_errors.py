"""Every error modgap raises on purpose.

    ModgapError
    ├── InputError        a flag, argument or name that is not accepted
    │   └── UnknownName   a task, suite, model or representation that does not exist
    ├── FileError         a file or folder that cannot be read, or is not what it should be
    ├── MissingExtra      an optional dependency is not installed
    ├── ModelError        a model that cannot be loaded or cannot do what was asked
    └── RunError          a run folder that is locked, changed, damaged or cannot be written

The command line prints the message of a ``ModgapError`` as one line and exits with status 2; anything
else is a bug and shows its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ModgapError(Exception):
    """Base of every error raised on purpose; its message says what to do next."""


class InputError(ModgapError, ValueError):
    """An argument that is not accepted."""


class UnknownName(InputError):
    """A name that does not exist.

    Args:
        kind: what is named, for example ``"task"``.
        given: the name as given.
        accepted: the names that exist.
    """

    def __init__(self, kind: str, given: str, accepted: Iterable[str]) -> None:
        self.kind = kind
        self.given = given
        self.accepted = tuple(accepted)
        message = f"{kind} {given!r} is not one of {', '.join(self.accepted) or '(none)'}"
        close = difflib.get_close_matches(given, self.accepted, n=1)
        if close:
            message += f"; did you mean {close[0]!r}?"
        super().__init__(message)


class FileError(ModgapError):
    """A file or folder that cannot be read, or is not what it should be."""


class MissingExtra(ModgapError, ImportError):
    """An optional dependency is not installed.

    Args:
        what: what was asked for, for example ``"local models"``.
        extra: the extra of modgap that provides it, for example ``"hf"``.
    """

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(
            f"{what} needs an optional dependency; install it with: pip install 'modgap[{extra}]'"
        )


class ModelError(ModgapError):
    """A model that cannot be loaded, or cannot do what was asked."""


class RunError(ModgapError):
    """A run folder that is locked, changed, damaged or cannot be written."""
