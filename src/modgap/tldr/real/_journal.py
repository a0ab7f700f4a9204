"""Replies of a language model, each kept as soon as it is there, so that nothing is paid for twice.

    journal = Journal(folder, model)
    texts = journal.ask(["…", "…"], max_tokens=512)      # None where a call failed

``calls.jsonl`` has a line for each reply, under a hash of the model and the words it was asked. A call that
failed is not kept: the same command asks again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from modgap._errors import FileError
from modgap.media import Text
from modgap.models import Model, Query, Sampling

from ._prompts import PROMPT_VERSION


class _Call(msgspec.Struct, frozen=True):
    key: str
    text: str
    usage: dict[str, float] = {}


class Journal:
    """Asks a model, and remembers.

    Args:
        folder: of ``calls.jsonl``; made if it is not there.
        model: that is asked; only text is shown.
        say: is told a line now and then.

    Raises:
        FileError: if the folder cannot be used, or holds something else under that name.
    """

    def __init__(self, folder: Path, model: Model, say: Callable[[str], None] = lambda line: None) -> None:
        self._path = folder / "calls.jsonl"
        self._model = model
        self._say = say
        self._known: dict[str, _Call] = {}
        self.usage: dict[str, float] = {}
        """Calls, tokens and cost of all replies that were used, kept ones included."""
        self.failed: Counter[str] = Counter()
        """Why calls failed, this time."""
        self.asked = 0
        """Calls that were made this time and gave a reply."""
        self._counted: set[str] = set()
        for number, line in enumerate(self._lines(folder), start=1):
            try:
                call = msgspec.json.decode(line, type=_Call)
            except (msgspec.DecodeError, UnicodeError) as error:
                raise FileError(f"{self._path}, line {number}: {error}; delete the line") from error
            self._known[call.key] = call

    def _lines(self, folder: Path) -> list[bytes]:
        """Whole lines of the file; a last one that was not finished is cut off."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            data = self._path.read_bytes() if self._path.exists() else b""
            whole = data[: data.rfind(b"\n") + 1]
            if whole != data:
                with self._path.open("r+b") as file:
                    file.truncate(len(whole))
        except OSError as error:
            raise FileError(f"{folder}: cannot be used ({error.strerror}); choose another folder") from error
        return whole.splitlines()

    def ask(self, prompts: Sequence[str], *, max_tokens: int) -> list[str | None]:
        """Replies to all prompts; ``None`` where a call failed.

        Args:
            prompts: what is asked; each is one call, and equal ones are one together.
            max_tokens: of a reply.
        """
        sampling = Sampling(max_tokens=max_tokens)
        print_ = json.dumps(self._model.fingerprint(), sort_keys=True, default=str)
        keys = [
            hashlib.sha256(f"{print_}\0{PROMPT_VERSION}\0{max_tokens}\0{prompt}".encode()).hexdigest()[:32]
            for prompt in prompts
        ]
        missing = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in self._known}
        order = list(missing)
        queries = [Query((Text(missing[key]),), sampling=sampling) for key in order]
        if queries:
            self._say(f"{len(set(keys)) - len(queries):,} replies are there, {len(queries):,} are asked for")
        for index, reply in self._model.reply(queries):
            if reply.error is not None and not reply.refused:
                self.failed[" ".join(reply.error.split())[:200]] += 1
                continue
            usage = {name: float(value) for name, value in (reply.usage or {}).items()}
            call = _Call(order[index], reply.text or "", usage)
            self._known[call.key] = call
            self.asked += 1
            self._append(msgspec.json.encode(call) + b"\n")
        for key in dict.fromkeys(keys):
            if key in self._known and key not in self._counted:
                self._counted.add(key)
                for name, value in {"calls": 1.0, **self._known[key].usage}.items():
                    self.usage[name] = self.usage.get(name, 0.0) + value
        return [self._known[key].text if key in self._known else None for key in keys]

    def _append(self, data: bytes) -> None:
        try:
            with self._path.open("ab") as file:
                file.write(data)
        except OSError as error:
            raise FileError(f"{self._path}: cannot be written ({error.strerror}); free space") from error
