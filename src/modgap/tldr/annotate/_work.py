"""What annotators do: marks on a caption, the steps that make them, and what is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from modgap._errors import InputError
from modgap.tldr.perturb import names

from ._items import Item

MAX_TRUTH = 200
"""Longest correction, in characters."""
MAX_MARKS = 500
"""Most marks on one caption."""


class Mark(msgspec.Struct, frozen=True):
    """A piece of a caption that an annotator says is wrong.

    Args:
        start: first character, 0-based.
        end: one past the last character.
        type: the kind of error.
        truth: what would be right in its place; empty if not given.
    """

    start: int
    end: int
    type: str
    truth: str = ""


Marks = tuple[Mark, ...]


class Conflict(Exception):
    """The annotation was changed elsewhere, in another tab for example."""


@dataclass(frozen=True)
class Step:
    """A change that an annotator makes.

    Args:
        annotator: who.
        position: of the caption, 0-based.
        base: the revision that they saw.
        key: unique for this change. Sent again, because an answer got lost, it changes nothing.
        active_ms: time spent with the caption so far, in milliseconds.
    """

    annotator: str
    position: int
    base: int
    key: str
    active_ms: int


@dataclass(frozen=True)
class Work:
    """What one annotator did with one caption.

    Args:
        annotator: their name.
        item_id: of the caption.
        position: in the order of this annotator, 0-based.
        with_flags: the arm: whether they see the flags.
        head: number of the present revision, 0 before the first.
        marks: as they are now.
        done: whether they said so.
        active_ms: time spent with it, in milliseconds.
        first_ms: the same when it was first done; ``None`` before.
    """

    annotator: str
    item_id: str
    position: int
    with_flags: bool
    head: int
    marks: Marks
    done: bool
    active_ms: int
    first_ms: int | None


def check_marks(marks: Marks, item: Item, types: Sequence[str]) -> None:
    """Refuse marks that cannot be saved.

    Raises:
        InputError: if they overlap, are out of order, leave the caption, are too many or of an unknown type.
    """
    if len(marks) > MAX_MARKS:
        raise InputError(f"{len(marks)} marks on one caption; make up to {MAX_MARKS}")
    end = 0
    for mark in marks:
        if not end <= mark.start < mark.end <= len(item.caption):
            raise InputError(f"mark {mark.start} to {mark.end} overlaps another or leaves the caption")
        if mark.type not in types:
            raise InputError(f"type {mark.type[:40]!r} is not one of {', '.join(types)}")
        if len(mark.truth) > MAX_TRUTH:
            raise InputError(f"a correction has {len(mark.truth)} characters; give up to {MAX_TRUTH}")
        end = mark.end


def check_types(types: Sequence[str]) -> tuple[str, ...]:
    """Refuse kinds of errors that cannot be offered.

    Raises:
        InputError: if there is none or more than 20, or one is too long, comes twice or holds a comma.
    """
    if not 0 < len(types) <= 20 or len(set(types)) < len(types):
        raise InputError(f"types {', '.join(types)!r}: give 1 to 20 different ones")
    for name in types:
        if not 0 < len(name) <= 40 or not name.isprintable() or "," in name:
            raise InputError(f"type {name[:60]!r}: give up to 40 printable characters without a comma")
    return tuple(types)


def default_types() -> tuple[str, ...]:
    """The kinds of errors of modgap, and ``other``."""
    return (*names(), "other")
