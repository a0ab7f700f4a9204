"""How a problem is put into words: one wording for every modality.

A prompt is ``(instruction, *representation, question block)``. The instruction and the question are the
same words whether the problem is written, drawn or spoken, and the options are shown in every modality, so
that a difference between two modalities is not a difference between two prompts. Prompts of one scene
begin with the same parts, so a model can read that beginning once.

The wordings carry the same information and are a factor of an experiment (``--wording``): what a model
loses when only the manner of asking changes bounds what a gap can mean.
"""

from __future__ import annotations

from modgap._errors import UnknownName
from modgap.media import Part, Text
from modgap.tasks import Problem, Representation

PROMPT_VERSION = 1
"""Raised whenever any text of this file changes: it is part of every record's key."""

ANSWER_PREFIX = "Answer:"
"""What the last line of a reply begins with, in every wording."""

_OPENING = {
    "plain": "Look at the scene and answer the question.",
    "polite": "Please look at the scene carefully, then answer the question that follows it.",
    "terse": "Scene, then question.",
}
_CLOSING = {
    "plain": "Finish with one line: Answer: {answer}",
    "polite": "Please finish your reply with one line of the form: Answer: {answer}",
    "terse": "Last line: Answer: {answer}",
}
_OPTION = "<option>"
_OPEN = "<your answer>"

WORDINGS: tuple[str, ...] = tuple(_OPENING)


def _closing(wording: str, has_options: bool) -> str:
    return _CLOSING[wording].format(answer=_OPTION if has_options else _OPEN)


INSTRUCTIONS: dict[str, str] = {
    wording: f"{opening} {_closing(wording, True)}\n\n" for wording, opening in _OPENING.items()
}
"""Wording → instruction of a question with options; an open question asks for ``<your answer>`` instead."""


def instruction_for(problem: Problem, wording: str = "plain") -> str:
    """The text before the representation.

    Args:
        problem: a problem whose own instruction, if it has one, replaces the default. The request for
            the last line is added to it unless it already speaks of an ``Answer:`` line.
        wording: one of ``WORDINGS``.

    Returns:
        The instruction, ending in an empty line.

    Raises:
        UnknownName: if the wording does not exist.
    """
    if wording not in _OPENING:
        raise UnknownName("wording", wording, WORDINGS)
    closing = _closing(wording, bool(problem.options))
    if not problem.instruction:
        return f"{_OPENING[wording]} {closing}\n\n"
    own = problem.instruction.rstrip()
    if ANSWER_PREFIX.lower() in own.lower():
        return f"{own}\n\n"
    return f"{own} {closing}\n\n"


def question_block(question: str, options: tuple[str, ...]) -> str:
    """The text after the representation.

    Args:
        question: what is asked.
        options: the choices in the order shown; empty for an open question.

    Returns:
        The question and, if there are options, a line that lists them. Options that themselves contain
        a comma or a line break are listed one a line, so that it stays clear where each ends.
    """
    block = f"\n\nQuestion: {question}"
    if not options:
        return block
    if any("," in option or "\n" in option for option in options):
        return block + "\nOptions:" + "".join(f"\n- {option}" for option in options)
    return f"{block}\nOptions: {', '.join(options)}"


def build_parts(problem: Problem, representation: Representation, wording: str = "plain") -> tuple[Part, ...]:
    """What the model is shown, in order.

    Args:
        problem: the problem.
        representation: the one of its renderings to show.
        wording: one of ``WORDINGS``.

    Returns:
        Instruction, the parts of the representation unchanged, question block.

    Raises:
        UnknownName: if the wording does not exist.
    """
    return ask_about(problem, representation.parts, wording)


def ask_about(problem: Problem, shown: tuple[Part, ...], wording: str = "plain") -> tuple[Part, ...]:
    """The same with anything else in the place of the representation.

    Args:
        problem: the problem.
        shown: what stands between the instruction and the question.
        wording: one of ``WORDINGS``.

    Raises:
        UnknownName: if the wording does not exist.
    """
    return (
        Text(instruction_for(problem, wording)),
        *shown,
        Text(question_block(problem.question, problem.options)),
    )
