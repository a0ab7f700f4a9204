"""What runs in a worker: the model, loaded once, asked piece by piece.

Errors come back as values: some exceptions cannot be unpickled, and the asker needs only the words.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from modgap._errors import ModgapError
from modgap.media import Modality
from modgap.models._query import JSON, Model, Query, Reply


@dataclass(frozen=True)
class Facts:
    """What a worker says of its model once it is loaded; the same in every worker.

    Args:
        version: of modgap.
        name: of the model.
        modalities: of the model.
        fingerprint: of the model.
        requests: of the model, if it has any.
    """

    version: str
    name: str
    modalities: frozenset[Modality]
    fingerprint: dict[str, JSON]
    requests: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """Replies to a piece, and what the model noted so far.

    Args:
        replies: (index into the queries of the piece, reply).
        notes: of the model.
    """

    replies: list[tuple[int, Reply]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """The model cannot be loaded or cannot go on; ``text`` says why and where."""

    text: str


class Worker:
    """Holds one model.

    Args:
        load: loads it.
        folder: where relative paths begin, if this machine has it.
    """

    def __init__(self, load: Callable[[], Model], folder: str) -> None:
        self._load = load
        with contextlib.suppress(OSError):
            os.chdir(folder)

    def load(self) -> Facts | Failure:
        """Load the model."""
        try:
            self._model = self._load()
            model = self._model
            return Facts(
                importlib.metadata.version("modgap"),
                model.name,
                model.modalities,
                model.fingerprint(),
                dict(getattr(model, "requests", {})),
            )
        except ModgapError as error:
            return _failure(error)

    def ask(self, queries: Sequence[Query]) -> Answers | Failure:
        """Answer queries."""
        try:
            replies = list(self._model.reply(queries))
            return Answers(replies, tuple(getattr(self._model, "notes", ())))
        except ModgapError as error:
            return _failure(error)


def _failure(error: ModgapError) -> Failure:
    return Failure(f"{error} (said by a worker on {socket.gethostname()})")
