"""IsoCombination (IsoBench, section 5): the picture and every text form of the problem in one query.

The order is the published one, picture first. What the text forms say is all there is to know, so a model
that loses against words alone is distracted by the picture.
"""

from __future__ import annotations

from modgap.evaluate._prompts import ask_about
from modgap.media import Part, Text
from modgap.tasks import Problem, Representation

from ._interface import Asking, Context
from ._transcribe import is_shown, text_forms

NEEDS_TEXT = True


def applies(problem: Problem, representation: Representation) -> bool:
    """Whether it is a picture, sound or film of something that is there in words too."""
    return is_shown(problem, representation) and bool(text_forms(problem))


def ask(problem: Problem, representation: Representation, context: Context) -> Asking:
    """Show the picture and all text forms, ask once."""
    parts: list[Part] = list(representation.parts)
    for form in text_forms(problem):
        parts += [Text("\n\n"), *form.parts]
    return (yield context.query(problem, representation, ask_about(problem, tuple(parts), context.wording)))
