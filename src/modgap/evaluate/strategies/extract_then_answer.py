"""Extract, then answer (Omni×R, section 5): have what is shown transcribed, then ask about the transcript.

Differs from ``isoscratchpad`` in the first request only: a transcript in the form of the task, which can be
scored exactly, instead of a description in prose.
"""

from __future__ import annotations

from modgap.tasks import Problem, Representation

from ._interface import Asking, Context
from ._transcribe import is_shown as applies
from ._transcribe import two_steps

__all__ = ["applies", "ask"]


def ask(problem: Problem, representation: Representation, context: Context) -> Asking:
    """Transcribe, then answer from the transcript."""
    return two_steps(problem, representation, context, "transcribe")
