"""What the tasks of the suite share: drawing settings, own randomness, exact decimals."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from modgap._errors import FileError
from modgap.media import Image, Part, Text
from modgap.tasks._settings import setting

STYLES = ("classic", "clean", "dark")
"""``classic`` looks like the published pictures, ``clean`` like a textbook, ``dark`` like a screen."""

INSTRUCTION = "Read or look at the problem and answer the question."
"""What a model is told first; the default speaks of a scene."""

T = TypeVar("T")


@dataclass(frozen=True)
class Style:
    """How a picture is drawn; problems and their ids do not depend on it."""

    pixels: int = setting(448, "height of a picture", low=256, high=1024)
    style: str = setting(
        "classic", "drawing style; mixed changes with the problem", one_of=(*STYLES, "mixed")
    )


def style_of(name: str, identity: str) -> str:
    """The drawing style of one problem, by its ``identity`` where styles are mixed."""
    return STYLES[zlib.crc32(identity.encode()) % len(STYLES)] if name == "mixed" else name


def own_rng(rng: np.random.Generator, task: str) -> np.random.Generator:
    """A generator that no other task of the suite shares, although all begin with that of the index."""
    return np.random.default_rng([int(rng.integers(2**62)), zlib.crc32(task.encode())])


def identity_of(content: object) -> str:
    """A hash of what a problem is about; equal contents have equal ``repr``."""
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def pick(rng: np.random.Generator, values: Sequence[T]) -> T:
    """One value at random; much cheaper than ``rng.choice``."""
    return values[int(rng.random() * len(values))]


def between(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``, both included."""
    return low + int(rng.random() * (high - low + 1))


def shuffled(rng: np.random.Generator, values: Sequence[T]) -> tuple[T, ...]:
    """The values in random order."""
    pool = list(values)
    for i in range(len(pool) - 1, 0, -1):
        j = int(rng.random() * (i + 1))
        pool[i], pool[j] = pool[j], pool[i]
    return tuple(pool)


def decimal(thousandths: int) -> str:
    """Whole thousandths as the shortest exact decimal: ``-2500`` is ``-2.5``."""
    whole, rest = divmod(abs(thousandths), 1000)
    digits = f"{whole}.{rest:03d}".rstrip("0").rstrip(".")
    return f"-{digits}" if thousandths < 0 else digits


def thousandths(text: str) -> int:
    """The inverse of :func:`decimal`."""
    whole, _, rest = text.lstrip("-").partition(".")
    value = int(whole) * 1000 + int(rest.ljust(3, "0") if rest else 0)
    return -value if text.startswith("-") else value


def only_text(parts: tuple[Part, ...]) -> str:
    """The text of a representation that is one piece of text.

    Raises:
        FileError: if it is anything else.
    """
    part = parts[0] if len(parts) == 1 else None
    if not isinstance(part, Text):
        raise FileError("the representation is not a single text, as it should be")
    return part.text


def only_picture(parts: tuple[Part, ...]) -> Image:
    """The picture of a representation that is one picture.

    Raises:
        FileError: if it is anything else.
    """
    part = parts[0] if len(parts) == 1 else None
    if not isinstance(part, Image):
        raise FileError("the representation is not a single picture, as it should be")
    return part
