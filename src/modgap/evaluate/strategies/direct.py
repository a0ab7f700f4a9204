"""Show one representation, ask once, take the reply."""

from __future__ import annotations

from modgap.evaluate._prompts import build_parts
from modgap.evaluate.strategies._interface import Asking, Context
from modgap.tasks import Problem, Representation


def ask(problem: Problem, representation: Representation, context: Context) -> Asking:
    """Ask about one representation, once."""
    parts = build_parts(problem, representation, context.wording)
    return (yield context.query(problem, representation, parts))
