"""Reading the reply to a problem: as its task reads it, else by its kind of answer.

Problems of the suites ``isobench`` and ``blink`` are read by name, wherever they come from: published items
and stored replies have the same task names as the tasks here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from modgap._errors import UnknownName

from ._answers import READERS, as_option, read_letter
from ._fold import option_key
from ._numbers import read_number
from ._parse import read_choice, read_integer, read_text
from ._problem import Answer, Problem
from ._task import Task, load, names


def read_reply(problem: Problem, reply: str) -> Answer:
    """What a reply says.

    Args:
        problem: the problem it answers.
        reply: untrusted text.

    Returns:
        The answer; where it is the expected one in another spelling ("NEW YORK", "007"), in the spelling of
        ``problem.answer``, so that answers can be compared as they are.
    """
    suite, _, short = problem.task.partition("/")
    if suite == "isobench" and short in READERS:
        found = READERS[short](reply, problem.options)
        return as_option(found, problem.options) if problem.answer in problem.options else found
    if suite == "blink":
        found = read_letter(reply, problem.options)
        return as_option(found, problem.options) if problem.answer in problem.options else found
    task = _task(problem.task)
    if task is not None:
        return task.parse(reply, problem.options)
    if problem.answer_kind == "choice":
        return read_choice(reply, problem.options)
    if problem.answer_kind == "integer":
        found = read_integer(reply)
        expected, _ = read_number(problem.answer)
        return replace(found, value=problem.answer) if found.value == expected else found
    found = read_text(reply)
    if found.value is not None and option_key(found.value) == option_key(problem.answer):
        return replace(found, value=problem.answer)
    return found


@lru_cache(maxsize=256)
def _task(name: str) -> Task | None:
    """The task of a full name, if it is one of ours; problems of a file may name any."""
    if name not in names():
        return None
    try:
        return load(name)
    except UnknownName:
        return None
