"""Two steps that several strategies share: the model writes down what it is shown, then answers from that.

The first query holds nothing of the question, so that one transcript would serve every question. A model that
was taught a request of its own (the bundled one) gets it after the instruction it was taught with; any other
model gets plain words, with the form in which the task can read a transcript exactly, if it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Literal

from modgap.evaluate._prompts import ask_about, instruction_for
from modgap.media import Part, Text
from modgap.models import Query, Reply
from modgap.tasks import Problem, Representation, transcript_form, transcript_request

from ._interface import Asking, Context, Transcribed

Request = Literal["describe", "transcribe"]

DESCRIBE = (
    "\n\nDescribe what is shown here, completely and precisely, so that somebody who does not see it could "
    "answer any question about it. Do not answer any question yet."
)
TRANSCRIBE = (
    "\n\nWrite down exactly and completely, as text, what is shown here. Do not leave anything out, do not "
    "interpret it, and do not solve anything."
)
NOTHING = "(nothing was written down)"
"""Stands for an empty transcript."""


def is_shown(problem: Problem, representation: Representation) -> bool:
    """Whether there is something to write down: what is written already is not transcribed."""
    return representation.modality != "text"


def text_forms(problem: Problem) -> tuple[Representation, ...]:
    """The text forms of a problem that are asked in this run."""
    return tuple(r for r in problem.representations if r.modality == "text")


def first_query(
    problem: Problem, representation: Representation, context: Context, request: Request
) -> Query:
    """The query that asks for the transcript or description."""
    own = context.requests.get(request)
    parts: tuple[Part, ...]
    if own is not None:
        parts = (Text(instruction_for(problem, context.wording)), *representation.parts, Text(own))
    else:
        words = DESCRIBE if request == "describe" else TRANSCRIBE
        form = transcript_request(problem) if request == "transcribe" else None
        parts = (*representation.parts, Text(f"{words} {form}" if form else words))
    perfect = transcript_form(problem)
    truth = "".join(p.text for p in perfect.parts if isinstance(p, Text)) if perfect else ""
    return context.open_query(problem, representation, parts, truth)


def two_steps(
    problem: Problem,
    representation: Representation,
    context: Context,
    request: Request,
    rewrite: Callable[[str], str] = str,
) -> Asking:
    """Ask for a transcript, then put the question about it without what was shown.

    Args:
        problem: the problem.
        representation: what is shown in the first step.
        context: how it is asked.
        request: which of the two first steps.
        rewrite: the transcript as it is put into the second step.
    """
    first = yield first_query(problem, representation, context, request)
    if first.error is not None or first.text is None or first.refused:
        return first
    transcript = first.text.strip()
    second = yield from _ask(problem, representation, context, rewrite(transcript).strip() or NOTHING)
    return Transcribed(second, transcript)


def _ask(
    problem: Problem, representation: Representation, context: Context, text: str
) -> Generator[Query, Reply, Reply]:
    parts = ask_about(problem, (Text(text),), context.wording)
    return (yield context.query(problem, representation, parts))
