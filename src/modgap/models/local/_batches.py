"""Which questions are answered together.

Questions about the same scene form a group: their parts are the same but for the last. Groups are sorted by
number of pictures and by length, longest first, so that a batch pads little and a memory limit shows at
once; a batch is bounded by questions and by tokens, padding included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from modgap.models._query import Query

from ._options import Continuation
from ._prompt import Prompt, common_length

GROUP = 16
"""Most questions that share one reading: the questions of a group are masked from each other, which costs
work in proportion to their number (our choice; one more reading for each 16 questions is hardly seen)."""


@dataclass(frozen=True)
class Job:
    """One query on its way to a reply.

    Args:
        index: of the query.
        query: what was asked.
        prompt: as text.
        raw: plain token ids of the prompt; a picture is one token.
        continuation: the options as token paths, ``None`` when a reply is generated.
        limit: most new tokens, when a reply is generated.
    """

    index: int
    query: Query
    prompt: Prompt
    raw: list[int]
    continuation: Continuation | None = None
    limit: int = 0

    def size(self, tokens_per_image: int) -> int:
        """Tokens of prompt and reply, the pictures' estimated."""
        reply = self.limit if self.continuation is None else self.continuation.longest
        return len(self.raw) + self.prompt.media * tokens_per_image + reply


@dataclass(frozen=True)
class Group:
    """Jobs whose prompts begin with the same parts."""

    jobs: tuple[Job, ...]

    @property
    def kind(self) -> tuple[tuple[int, int], bool, int]:
        """What the groups of a batch have in common: pictures and sounds, shared or single, limit."""
        first = self.jobs[0]
        return (len(first.prompt.images), len(first.prompt.sounds)), len(self.jobs) > 1, first.limit

    @cached_property
    def _text_size(self) -> int:
        first, *others = self.jobs
        return first.size(0) + sum(job.size(0) - common_length(first.raw, job.raw) for job in others)

    def size(self, tokens_per_image: int) -> int:
        """Tokens to read: what the jobs begin with counts once."""
        return self._text_size + self.jobs[0].prompt.media * tokens_per_image


def grouped(jobs: Iterable[Job], *, share: bool) -> list[Group]:
    """Form groups and sort them.

    Args:
        jobs: in any order.
        share: whether jobs with the same beginning form groups of at most ``GROUP``; else each is alone.
    """
    found: dict[object, list[Job]] = {}
    for job in jobs:
        shared = share and len(job.query.parts) > 1
        shown = (job.query.parts[:-1], job.prompt.images, job.prompt.sounds)
        key = shown if shared else job.index
        found.setdefault(key, []).append(job)
    groups = [
        Group(tuple(members[start : start + GROUP]))
        for members in found.values()
        for start in range(0, len(members), GROUP)
    ]
    return sorted(groups, key=lambda group: (group.kind, group.size(0)), reverse=True)


def take(pending: deque[Group], *, rows: int, tokens: int, tokens_per_image: int | None) -> list[Group]:
    """Take the next batch off ``pending``.

    Args:
        pending: sorted groups, not empty.
        rows: most jobs in the batch.
        tokens: most tokens in the batch, padding included; a single group may exceed it.
        tokens_per_image: as seen so far; ``None`` before the first picture, then one group goes alone so
            that it becomes known.

    Returns:
        At least one group.
    """
    first = pending.popleft()
    if len(first.jobs) > rows:
        pending.appendleft(Group(first.jobs[rows:]))
        return [Group(first.jobs[:rows])]
    longest = first.size(tokens_per_image or 0)
    batch, count = [first], len(first.jobs)
    known = tokens_per_image is not None or not any(first.kind[0])
    while known and pending and pending[0].kind == first.kind:
        longest = max(longest, pending[0].size(tokens_per_image or 0))
        count += len(pending[0].jobs)
        if count > rows or longest * (len(batch) + 1) > tokens:
            break
        batch.append(pending.popleft())
    return batch


def halves(batch: list[Group]) -> list[list[Group]]:
    """Two batches with the same jobs; a batch of a single job comes back as it is."""
    if len(batch) > 1:
        middle = len(batch) // 2
        return [batch[:middle], batch[middle:]]
    jobs = batch[0].jobs
    middle = len(jobs) // 2
    return [[Group(half)] for half in (jobs[:middle], jobs[middle:]) if half]


def jobs_of(groups: Iterable[Group]) -> list[Job]:
    """All jobs of some groups, in order."""
    return [job for group in groups for job in group.jobs]
