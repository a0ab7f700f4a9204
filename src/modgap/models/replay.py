"""Stored replies, read again: replay:PATH.

``load("runs/my-run")`` takes the replies of a run folder, ``load("replies.jsonl")`` those of a file with one
object per line: ``problem_id``, ``representation``, ``reply`` and, where they differ from ``direct`` and 0,
``strategy`` and ``sample``. A query without a stored reply is an error of that record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from modgap._errors import FileError
from modgap.media import MODALITIES, Modality

from ._query import JSON, Query, Reply

_Key = tuple[str, str, str, int]


class _Line(msgspec.Struct, frozen=True):
    problem_id: str
    representation: str
    reply: str | None
    strategy: str = "direct"
    sample: int = 0
    outcome: str = ""
    declined: bool | None = None
    error: str | None = None
    seconds: float = 0.0
    option_scores: tuple[float, ...] | None = None
    usage: dict[str, float] | None = None

    @property
    def key(self) -> _Key:
        return (self.problem_id, self.representation, self.strategy, self.sample)

    def to_reply(self) -> Reply:
        if self.reply is None:
            return Reply(None, self.error or "the stored line holds no reply", seconds=self.seconds)
        return Reply(
            self.reply,
            refused=self.outcome == "refused" if self.declined is None else self.declined,
            seconds=self.seconds,
            option_scores=self.option_scores,
            usage=self.usage,
        )


def load(argument: str) -> Replay:
    """Read stored replies.

    Args:
        argument: a run folder, or a JSONL file.

    Raises:
        FileError: if it cannot be read, or a line is not what is expected. The last line of a run folder may
            be cut off, as it is when a run was killed; it is left out.
    """
    if not argument:
        raise FileError("replay needs a path: replay:RUN_FOLDER or replay:FILE.jsonl")
    path = Path(argument)
    is_run = path.is_dir()
    file = path / "records.jsonl" if is_run else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileError(
            f"{file}: cannot be read ({error.strerror}); expected a run folder or a JSONL file of replies"
        ) from error
    return Replay(path.stem or "replay", hashlib.sha256(data).hexdigest(), _read(file, data, is_run))


def _read(file: Path, data: bytes, is_run: bool) -> dict[_Key, Reply]:
    decoder = msgspec.json.Decoder(_Line)
    replies: dict[_Key, Reply] = {}
    lines = data.split(b"\n")
    if is_run:
        lines.pop()  # what follows the last line end: nothing, or a line cut off
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            stored = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            expected = "expected an object with problem_id, representation and reply"
            raise FileError(f"{file}: line {number}: {error}; {expected}") from error
        earlier, reply = replies.get(stored.key), stored.to_reply()
        if earlier is None or earlier.text is None:
            replies[stored.key] = reply
        elif reply.text is not None and reply.text != earlier.text:
            raise FileError(
                f"{file}: line {number} holds a second, different reply to {stored.problem_id!r} as "
                f"{stored.representation!r} (strategy {stored.strategy}, sample {stored.sample}); keep one"
            )
    return replies


class Replay:
    """Gives stored replies.

    Args:
        name: short name of the source.
        sha256: of the file.
        replies: by (problem, representation, strategy, sample).
    """

    def __init__(self, name: str, sha256: str, replies: Mapping[_Key, Reply]) -> None:
        self._name = name
        self._sha256 = sha256
        self._replies = replies

    @property
    def name(self) -> str:
        """``replay-`` and the name of the source."""
        return f"replay-{self._name}"

    @property
    def modalities(self) -> frozenset[Modality]:
        """All: nothing is looked at."""
        return frozenset(MODALITIES)

    def fingerprint(self) -> dict[str, JSON]:
        """The hash of the file."""
        return {"adapter": "replay", "sha256": self._sha256}

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Look every query up, in order."""
        for index, query in enumerate(queries):
            key = (query.problem_id, query.representation, query.strategy, query.sample)
            missing = (
                f"no stored reply to problem {query.problem_id!r} as {query.representation!r} "
                f"(strategy {query.strategy}, sample {query.sample})"
            )
            yield index, self._replies.get(key) or Reply(None, missing)

    def close(self) -> None:
        """Nothing is held."""
