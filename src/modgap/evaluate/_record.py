"""One line of ``records.jsonl``: what one model said to one problem in one representation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from modgap.media import Modality

Outcome = Literal["correct", "wrong", "unparsed", "refused", "error"]
OUTCOMES: tuple[Outcome, ...] = ("correct", "wrong", "unparsed", "refused", "error")


@dataclass(frozen=True)
class Record:
    """One evaluated sample.

    Args:
        key: hash of (fingerprint, problem, representation, strategy, sample index): the cache key.
        problem_id: pairing is by this.
        task: full task name.
        group: see ``Problem.group``; never empty here (the problem id stands in).
        representation: name of the representation.
        modality: its modality.
        strategy: how the question was put.
        sample: 0-based index of the sample.
        reply: the raw reply, ``None`` on error.
        answer: what was read from it, ``None`` if nothing.
        expected: the right answer.
        outcome: one of the five.
        conflicting: several final statements disagreed; ``answer`` is the last.
        declined: the provider said that the model declined, whatever the reply says.
        error: why the call failed, in words.
        seconds: wall time of the call.
        option_scores: log-probability per option, if scored.
        usage: tokens and cost, if known.
        transcript: what the model wrote down before it answered, where the strategy has it do so.
        transcript_score: measure → value from 0 to 1 of that text, where the task can read it exactly; see
            ``modgap.tasks.transcript_score``.
        version: of this format.
    """

    key: str
    problem_id: str
    task: str
    group: str
    representation: str
    modality: Modality
    strategy: str
    sample: int
    reply: str | None
    answer: str | None
    expected: str
    outcome: Outcome
    conflicting: bool = False
    declined: bool = False
    error: str | None = None
    seconds: float = 0.0
    option_scores: tuple[float, ...] | None = None
    usage: Mapping[str, float] | None = None
    transcript: str | None = None
    transcript_score: Mapping[str, float] | None = None
    version: int = 1
