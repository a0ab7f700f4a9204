"""IsoScratchPad (IsoBench, section 5): have the picture described, then ask about the description alone.

The description is free prose and made without knowledge of the question; the picture is not shown again.
"""

from __future__ import annotations

from modgap.tasks import Problem, Representation

from ._interface import Asking, Context
from ._transcribe import is_shown as applies
from ._transcribe import two_steps

__all__ = ["applies", "ask"]


def ask(problem: Problem, representation: Representation, context: Context) -> Asking:
    """Describe, then answer from the description."""
    return two_steps(problem, representation, context, "describe")
