"""Control: a perfect transcript in place of the model's.

What is answered wrongly even so is a failure of reasoning. The transcript is the text form in which the task
asks for transcripts, so the prompt equals that of ``direct`` in this form; it is asked for every picture all
the same, so that a run of this strategy stands by itself.
"""

from __future__ import annotations

from modgap.evaluate._prompts import ask_about
from modgap.tasks import Problem, Representation, transcript_form

from ._interface import Asking, Context
from ._transcribe import is_shown

NEEDS_TEXT = True


def applies(problem: Problem, representation: Representation) -> bool:
    """Whether it is a picture, sound or film of something that is there in words too."""
    return is_shown(problem, representation) and transcript_form(problem) is not None


def ask(problem: Problem, representation: Representation, context: Context) -> Asking:
    """Ask about the perfect transcript, once."""
    form = transcript_form(problem)
    parts = form.parts if form is not None else ()
    return (yield context.query(problem, representation, ask_about(problem, parts, context.wording)))
