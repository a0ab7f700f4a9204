"""Control: the content of the model's transcript, written as the task writes it, and nothing else.

The transcript is that of ``extract_then_answer``. What the task can read of it is written again in the task's
own form; a transcript of which it can read nothing stays as the model wrote it. So this differs from
``oracle_transcript`` in content alone, which is what was not perceived, and from ``extract_then_answer`` in
form alone.
"""

from __future__ import annotations

from functools import partial

from modgap.tasks import Problem, Representation, rewrite_transcript

from ._interface import Asking, Context
from ._transcribe import is_shown as applies
from ._transcribe import two_steps

__all__ = ["applies", "ask"]


def ask(problem: Problem, representation: Representation, context: Context) -> Asking:
    """Transcribe, write the content anew, then answer from that."""
    return two_steps(problem, representation, context, "transcribe", partial(rewrite_transcript, problem))
