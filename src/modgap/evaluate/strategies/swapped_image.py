"""Control: the picture of another problem of the task in place of the right one.

The other problem is about another scene, graph or photo, and the same one every time. What is still answered
correctly is guessed from the question and from habit, or the other picture happens to have the same answer.
"""

from __future__ import annotations

from modgap.evaluate._prompts import ask_about
from modgap.tasks import Problem, Representation

from ._interface import Asking, Context
from ._transcribe import is_shown as applies

__all__ = ["NEEDS_OTHER", "applies", "ask"]

NEEDS_OTHER = True


def ask(problem: Problem, representation: Representation, context: Context) -> Asking:
    """Ask the question about the other picture, once."""
    parts = context.other.parts if context.other is not None else ()
    return (yield context.query(problem, representation, ask_about(problem, parts, context.wording)))
