"""Concepts: sentences with an anchor word each, of the folder ``concepts/`` or of a file."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
from dataclasses import dataclass
from pathlib import Path

from modgap._errors import FileError, InputError, UnknownName

from . import concepts as _folder

Sentence = tuple[str, str]
"""An anchor word and a sentence in which it stands exactly once."""

_MOST_BYTES = 2**20


@dataclass(frozen=True)
class Concept:
    """Sentences about one thing.

    Args:
        name: of the concept.
        sentences: at least two, no two alike.
    """

    name: str
    sentences: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        if len(self.sentences) < 2:
            raise InputError(f"concept {self.name!r} has {len(self.sentences)} sentences; give at least two")
        for anchor, sentence in self.sentences:
            if _words(sentence).count(anchor) != 1:
                raise InputError(
                    f"concept {self.name!r}: the anchor {anchor!r} must stand exactly once in {sentence!r}"
                )
        if len({sentence for _, sentence in self.sentences}) < len(self.sentences):
            raise InputError(f"concept {self.name!r} has a sentence twice")

    @property
    def checksum(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the sentences."""
        return hashlib.sha256(json.dumps(self.sentences).encode()).hexdigest()[:16]


def concept_names() -> tuple[str, ...]:
    """Names of the concepts that come with modgap, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(_folder.__path__)))


def load_concept(name: str) -> Concept:
    """A concept by name, or from a JSONL file with the keys ``anchor`` and ``sentence``.

    Args:
        name: one of :func:`concept_names`, or the path of a file that ends in ``.jsonl``.

    Raises:
        UnknownName: there is none of that name.
        FileError: the file cannot be read.
        InputError: sentences that do not fit.
    """
    if name.endswith(".jsonl"):
        return Concept(Path(name).stem, _read(Path(name)))
    if name not in concept_names():
        raise UnknownName("concept", name, (*concept_names(), "FILE.jsonl"))
    module = importlib.import_module(f"{_folder.__name__}.{name}")
    return Concept(name, module.SENTENCES)


def _read(path: Path) -> tuple[Sentence, ...]:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise FileError(f"{path}: larger than 1 MiB; a concept has a few dozen sentences")
        found = []
        for number, line in enumerate(content.decode().splitlines(), start=1):
            if not line.strip():
                continue
            entry = json.loads(line)
            if not isinstance(entry, dict) or not all(
                isinstance(entry.get(key), str) for key in ("anchor", "sentence")
            ):
                raise FileError(f"{path}, line {number}: expected {{'anchor': word, 'sentence': text}}")
            found.append((entry["anchor"], entry["sentence"]))
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: not JSON lines ({error})") from error
    return tuple(found)


def _words(sentence: str) -> list[str]:
    return [word.strip(".,;:!?\"'()") for word in sentence.split()]
