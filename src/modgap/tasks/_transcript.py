"""How well a model wrote down what it was shown, against what was there.

    transcript_score(problem, text)     # {"score": 0.83, "exact": 0.0, ...}

A task file that defines ``TRANSCRIPT`` says in which of its text forms a transcript is asked for, how a text
of any origin is read (leniently: what a reader would understand counts), and how two contents are compared.
The truth is read from the problem's own text form, so stored problems are scored as well as fresh ones. A
task without it, or a problem without that text form, has no score: nothing is estimated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from modgap._errors import ModgapError

from ._problem import Problem, Representation
from ._task import load

MAX_TRANSCRIPT = 50_000
"""Longest transcript that is read, in characters (our choice: the longest text form of a task has 3,000)."""

UNREAD = {"score": 0.0, "exact": 0.0}
"""Of a transcript in which nothing can be read."""


@dataclass(frozen=True)
class Transcript:
    """How a task's content is written down by a model, and scored.

    Args:
        form: the text representation in which it is asked for.
        request: what is added to the request for a transcript: the form, in words.
        read: a content from a text of any origin; raises ``FileError`` if nothing can be read.
        write: what was read in ``form``; ``None`` where only that form is read.
        compare: truth and what was read → measures from 0 to 1, among them ``score`` and ``exact``.
    """

    form: str
    request: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] | None
    compare: Callable[[Any, Any], dict[str, float]]


def transcript_form(problem: Problem) -> Representation | None:
    """The text form that a perfect transcript of the problem has: that of its task, else its first one."""
    written = [r for r in problem.representations if r.modality == "text"]
    way = _way(problem.task)
    for representation in written:
        if way is not None and representation.name == way.form:
            return representation
    return written[0] if written else None


def transcript_request(problem: Problem) -> str | None:
    """The form in which the problem's task asks for a transcript, in words; ``None`` if it has none."""
    way = _way(problem.task)
    return way.request if way is not None else None


def transcript_score(problem: Problem, text: str) -> dict[str, float] | None:
    """Score a transcript exactly.

    Args:
        problem: with its text forms; media are not needed.
        text: untrusted.

    Returns:
        Measures from 0 to 1: ``score`` (the main one), ``exact`` (1 if nothing is missing, wrong or added)
        and others of the task. ``None`` if the task cannot score, or the problem lacks the text form.
    """
    way = _way(problem.task)
    form = transcript_form(problem)
    if way is None or form is None or form.name not in load(problem.task).representations:
        return None
    try:
        truth = load(problem.task).module.decode(form.name, form.parts)
    except ModgapError:
        return None
    found = _read(way, text)
    return way.compare(truth, found) if found is not None else dict(UNREAD)


def rewrite_transcript(problem: Problem, text: str) -> str:
    """What can be read of a transcript in the form of the task; the text itself where nothing can."""
    way = _way(problem.task)
    found = _read(way, text) if way is not None else None
    if way is None or way.write is None or found is None:
        return text
    try:
        return way.write(found)
    except ModgapError:
        return text


def _read(way: Transcript, text: str) -> Any:
    if len(text) > MAX_TRANSCRIPT:
        return None
    try:
        return way.read(text)
    except ModgapError:
        return None


@cache
def _way(task: str) -> Transcript | None:
    try:
        found = getattr(load(task).module, "TRANSCRIPT", None)
    except ModgapError:  # a task of a file: its problems are all there is
        return None
    return found if isinstance(found, Transcript) else None


def f1(truth: Iterable[Hashable], found: Iterable[Hashable]) -> float:
    """Harmonic mean of precision and recall of two multisets; 1 if both are empty."""
    expected, given = Counter(truth), Counter(found)
    total = expected.total() + given.total()
    return 2 * (expected & given).total() / total if total else 1.0
