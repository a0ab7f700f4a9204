"""What a strategy is given and what it is.

A strategy is one file in this folder with a generator function ``ask(problem, representation, context)``:
it yields queries, is sent the reply to each, and returns the reply that is scored, or a :class:`Transcribed`
where the model wrote down first what it was shown. The runner advances all open problems together, one
round of queries at a time, so a model always sees large batches. A strategy that is sent a reply with
``error`` set should return it: a failed step is never turned into an answer.

The file may also say ``applies(problem, representation)``, where it has nothing to ask about some
representations, ``NEEDS_TEXT = True``, where it shows text forms of a problem beside or instead of it, and
``NEEDS_OTHER = True``, where it shows a rendering of another problem.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from modgap.media import Part
from modgap.models import Query, Reply, Sampling
from modgap.tasks import Problem, Representation


@dataclass(frozen=True)
class Context:
    """How a problem is to be asked.

    Args:
        strategy: name of the strategy, for logs and replay.
        wording: one of ``modgap.evaluate.WORDINGS``.
        sampling: how replies are drawn; ``seed`` is that of sample 0.
        sample: 0-based index of the sample.
        requests: words in which this model was taught to ``describe`` and to ``transcribe``; empty for a
            model that is asked in plain words.
        other: the same kind of rendering of another problem of the task, about something else; ``None`` where
            there is none.
    """

    strategy: str = "direct"
    wording: str = "plain"
    sampling: Sampling = dataclasses.field(default_factory=Sampling)
    sample: int = 0
    requests: Mapping[str, str] = dataclasses.field(default_factory=dict)
    other: Representation | None = None

    def query(self, problem: Problem, representation: Representation, parts: tuple[Part, ...]) -> Query:
        """A query about ``problem`` that shows ``parts``, drawn with the seed of this sample."""
        return Query(
            parts=parts,
            options=problem.options,
            sampling=self._sampling(),
            problem_id=problem.problem_id,
            representation=representation.name,
            strategy=self.strategy,
            sample=self.sample,
            truth=problem.answer,
        )

    def open_query(
        self, problem: Problem, representation: Representation, parts: tuple[Part, ...], truth: str
    ) -> Query:
        """A query that asks for a text instead of an answer; ``truth`` is the perfect text, if known."""
        query = self.query(problem, representation, parts)
        return dataclasses.replace(query, options=(), answer_prefix="", truth=truth)

    def _sampling(self) -> Sampling:
        if not self.sample:
            return self.sampling
        return dataclasses.replace(self.sampling, seed=self.sampling.seed + self.sample)


@dataclass(frozen=True)
class Transcribed:
    """The reply that is scored, and the text in which the model had written down what it was shown."""

    reply: Reply
    transcript: str


Asking = Generator[Query, Reply, Reply | Transcribed]
Ask = Callable[[Problem, Representation, Context], Asking]
Applies = Callable[[Problem, Representation], bool]


@dataclass(frozen=True)
class Strategy:
    """A strategy that was loaded.

    Args:
        name: of its file.
        ask: see the module.
        applies: whether it has anything to ask about a representation of a problem.
        needs_text: whether it shows text forms of the problem.
        needs_other: whether it shows a rendering of another problem.
    """

    name: str
    ask: Ask
    applies: Applies
    needs_text: bool = False
    needs_other: bool = False
