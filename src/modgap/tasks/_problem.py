"""A problem: one question with an exact answer, in several representations.

This is the only thing that passes from tasks to the rest of the house, and the line format of
``problems.jsonl``, of a generated suite and of a user's own data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from modgap.media import Modality, Part

AnswerKind = Literal["choice", "integer", "text"]
Status = Literal["answer", "conflicting", "abstain", "unparsed"]


@dataclass(frozen=True)
class Representation:
    """One rendering of a problem: its name (``story``, ``json``, ``image`` …), modality and content."""

    name: str
    modality: Modality
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Problem:
    """One question with an exact answer.

    Args:
        problem_id: unique in its suite; the same question in every representation has the same id.
        task: full name of the task, ``suite/name``.
        question: what is asked, the same words for every representation.
        answer: the canonical right answer; one of ``options`` if there are any.
        representations: the renderings, in the order of the task.
        options: the choices shown to the model, in the order shown; empty for an open question.
        answer_kind: how a reply to it is read.
        group: problems that share one underlying instance (a scene, a photo) share this; intervals
            resample groups, not problems. Empty means the problem is its own group.
        difficulty: dial name → value, for the difficulty curves.
        chance: expected accuracy of a guess, 0 to 1; ``None`` where it is not defined.
        instruction: what the model is told before the problem; empty for the default wording.
        version: of this format.
    """

    problem_id: str
    task: str
    question: str
    answer: str
    representations: tuple[Representation, ...]
    options: tuple[str, ...] = ()
    answer_kind: AnswerKind = "choice"
    group: str = ""
    difficulty: Mapping[str, float | int | str] = field(default_factory=dict)
    chance: float | None = None
    instruction: str = ""
    version: int = 1


@dataclass(frozen=True)
class Answer:
    """What was read from a reply.

    Args:
        value: the canonical value, or ``None`` when there is none.
        status: ``answer``; ``conflicting`` (several final statements that disagree; ``value`` is the
            last); ``abstain`` (the reply declines to answer); ``unparsed`` (no answer found).
    """

    value: str | None
    status: Status
