"""What a strategy is given and what it is.

A strategy is one file in this folder with a generator function ``ask(problem, representation, context)``:
it yields queries, is sent the reply to each, and returns the reply that is scored. The runner advances all
open problems together, one round of queries at a time, so a model always sees large batches. A strategy that
is sent a reply with ``error`` set should return it: a failed step is never turned into an answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
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
    """

    strategy: str = "direct"
    wording: str = "plain"
    sampling: Sampling = dataclasses.field(default_factory=Sampling)
    sample: int = 0

    def query(self, problem: Problem, representation: Representation, parts: tuple[Part, ...]) -> Query:
        """A query about ``problem`` that shows ``parts``, drawn with the seed of this sample."""
        sampling = self.sampling
        if self.sample:
            sampling = dataclasses.replace(sampling, seed=sampling.seed + self.sample)
        return Query(
            parts=parts,
            options=problem.options,
            sampling=sampling,
            problem_id=problem.problem_id,
            representation=representation.name,
            strategy=self.strategy,
            sample=self.sample,
            truth=problem.answer,
        )


Asking = Generator[Query, Reply, Reply]
Strategy = Callable[[Problem, Representation, Context], Asking]
