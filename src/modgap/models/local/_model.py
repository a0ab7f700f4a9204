"""The local model: plans batches, runs them, and turns every failure into a reply that says why.

A batch that does not fit in memory is halved, and later batches stay that small. A batch that fails for
another reason is halved until the query at fault is alone; only that one gets an error.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import jinja2
import torch

from modgap._errors import InputError, ModgapError
from modgap.media import Image, Modality, Video
from modgap.models._query import JSON, AnswerMode, Query, Reply

from ._batches import Group, Job, grouped, halves, jobs_of, take
from ._fingerprint import fingerprint
from ._generate import choice, forced_rows, generate, score_forced
from ._load import Pretrained
from ._options import OptionTokens
from ._prompt import PromptWriter, splice, unpadded
from ._score import Contexts, Scores, score_shared, why_not
from ._steer import Change, steering

# What a damaged picture, an odd template or an input that does not fit raises; anything else is a bug.
_QUERY_ERRORS = (ModgapError, ValueError, RuntimeError, IndexError, jinja2.TemplateError)
FINE = 1e-4
COARSE = 0.1
"""Largest relative difference of two log-probabilities that rounding explains, in float32 and in 16 bits (our
choice: about a hundred times what is seen on models of a few layers)."""

Results = list[tuple[int, Reply]]


class _CannotShare(Exception):
    """Sharing the beginning of prompts would not give the same result; the message says why."""


class LocalModel:
    """A Hugging Face multimodal model on this machine.

    Args:
        pretrained: the loaded model.
        answer: how it answers: ``options``, ``generate`` or ``auto``.
        batch_size: most questions in one batch.
        batch_tokens: most tokens in one batch, padding included.
        share_prefix: ``auto`` or ``off``.
        changes: steering vectors, added whenever it answers.
    """

    def __init__(
        self,
        pretrained: Pretrained,
        *,
        answer: AnswerMode,
        batch_size: int,
        batch_tokens: int,
        share_prefix: str,
        changes: Sequence[Change] = (),
    ) -> None:
        self.pretrained = pretrained
        self.changes = tuple(changes)
        self.notes: list[str] = []
        """What happened on the way that a user should know, in words."""
        self._answer: AnswerMode = answer
        self._rows = batch_size
        self._tokens = batch_tokens
        self._writer = PromptWriter(pretrained.processor)
        self._options = OptionTokens(self._writer)
        self._share = share_prefix == "auto"
        self._checked: set[bool] = set()  # for prompts without and with pictures: sharing was compared once
        self._tokens_per_image: int | None = None
        self.scoring = False
        """Whether the tokens that are read just now are options, not a reply that is written."""

    @property
    def name(self) -> str:
        """Last part of the folder or hub id, the adapter, and how it is steered."""
        steered = (f"+block{c.block}x{c.strength:g}-{c.positions}" for c in self.changes)
        return self.pretrained.name + "".join(steered)

    @property
    def modalities(self) -> frozenset[Modality]:
        """What its processor can prepare."""
        return self.pretrained.modalities

    @cached_property
    def requests(self) -> Mapping[str, str]:
        """Words in which it was taught to describe and transcribe: the bundled model and its variants have
        them, known by their tokenizer."""
        from modgap.models import bundled

        try:
            own = (self.pretrained.folder / "tokenizer.json").read_bytes()
            return bundled.REQUESTS if own == (bundled.FOLDER / "tokenizer.json").read_bytes() else {}
        except OSError:
            return {}

    def fingerprint(self) -> dict[str, JSON]:
        """Everything that changes a reply; see ``_fingerprint.py``."""
        return fingerprint(self.pretrained, self._answer, self.changes)

    def with_changes(self, changes: Sequence[Change]) -> LocalModel:
        """The same model, weights shared, with steering vectors of its own."""
        return LocalModel(
            self.pretrained,
            answer=self._answer,
            batch_size=self._rows,
            batch_tokens=self._tokens,
            share_prefix="auto" if self._share else "off",
            changes=changes,
        )

    def close(self) -> None:
        """Free the memory of the model; it cannot answer afterwards."""
        self.pretrained = replace(self.pretrained, model=None)
        _free_memory()

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Answer all queries, in batches; see :class:`modgap.models.Model`.

        A query with options is answered ``<prefix> <option>`` with the most likely option, or one drawn in
        proportion to its probability if the temperature is above 0. An open question is answered by
        generation.
        """
        if not self.changes:
            yield from self._reply(queries)
            return
        shown = any(isinstance(part, Image | Video) for query in queries for part in query.parts)
        with steering(self, *self.changes, must_reach=shown):
            yield from self._reply(queries)

    def _reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        jobs: list[Job] = []
        for index, query in enumerate(queries):
            try:
                jobs.append(self._job(index, query))
            except _QUERY_ERRORS as error:
                yield index, Reply(text=None, error=_words(error))
        for job, ids in zip(
            jobs, self._writer.tokenize([job.prompt.text for job in jobs]) if jobs else (), strict=True
        ):
            job.raw.extend(ids)
        scored = [job for job in jobs if job.continuation is not None]
        yield from self._run(grouped(scored, share=self._share), self._score)
        # A greedy reply to the same prompt is the same reply: a picture that several questions are about is
        # described once.
        alike: dict[object, list[Job]] = {}
        for job in jobs:
            if job.continuation is None:
                greedy = job.query.sampling.temperature == 0
                alike.setdefault((job.prompt, job.limit) if greedy else job.index, []).append(job)
        others = {same[0].index: same[1:] for same in alike.values()}
        written = [same[0] for same in alike.values()]
        for index, reply in self._run(grouped(written, share=False), self._write):
            yield index, reply
            for job in others.get(index, ()):
                yield job.index, replace(reply, seconds=0.0)

    def _job(self, index: int, query: Query) -> Job:
        prompt = self._writer.write(query.parts)
        if self._answer == "generate" or (self._answer == "auto" and not query.options):
            return Job(index, query, prompt, [], limit=query.sampling.max_tokens)
        if not query.options:
            raise InputError(
                "answer mode 'options' needs options and this query has none; use 'auto' or 'generate'"
            )
        return Job(
            index, query, prompt, [], self._options.of(prompt.text, query.answer_prefix, query.options)
        )

    def _run(
        self, groups: list[Group], work: Callable[[list[Group]], Results]
    ) -> Iterator[tuple[int, Reply]]:
        pending = deque(groups)
        again: list[list[Group]] = []
        while again or pending:
            batch = again.pop() if again else self._next_batch(pending)
            count = sum(len(group.jobs) for group in batch)
            began = time.perf_counter()
            failure, full = "", False
            results: Results = []
            try:
                results = work(batch)
            except _CannotShare as reason:
                self._share = False
                self.notes.append(f"prompts are read one by one, nothing is shared: {reason}")
                pending = deque(grouped(jobs_of([*batch, *pending]), share=False))
                continue
            except (torch.OutOfMemoryError, MemoryError):
                failure, full = "out of memory", True
            except _QUERY_ERRORS as error:
                failure = _words(error)
                full = "DefaultCPUAllocator" in failure  # the CPU allocator has no error of its own
            if full:
                # Outside the handler, where the failed batch is no longer held by the traceback.
                _free_memory()
            shrunk = full and self._shrink(count)
            if failure and (count > 1 or shrunk):
                again += reversed(halves(batch))
                continue
            if full:
                failure = "out of memory for this question alone; use a smaller dtype or another device"
            if failure:
                results = [(batch[0].jobs[0].index, Reply(text=None, error=failure))]
            each = (time.perf_counter() - began) / count
            for index, reply in results:
                yield index, replace(reply, seconds=each)

    def _next_batch(self, pending: deque[Group]) -> list[Group]:
        return take(pending, rows=self._rows, tokens=self._tokens, tokens_per_image=self._tokens_per_image)

    def _shrink(self, count: int) -> bool:
        """Lower the limit to half of what did not fit; returns whether that is lower than before."""
        smaller = max(1, count // 2)
        if smaller >= self._rows:
            return False
        self._rows = smaller
        self.notes.append(f"a batch of {count} did not fit in memory; batches are now at most {smaller}")
        return True

    def _score(self, batch: list[Group]) -> Results:
        """Score the options of every job of a batch."""
        if not self._share:
            return self._score_apart(jobs_of(batch))
        read, heads = self._read_heads(batch)
        pictured = any(batch[0].kind[0])
        if pictured not in self._checked and (reason := why_not(self.pretrained, read)):
            raise _CannotShare(reason)
        results, kept, contexts = self._contexts(batch, heads)
        if not kept:
            return results
        if len(kept) < len(batch):
            # A group without a question that fits goes, and its picture with it.
            read, _ = self._read_heads(kept)
        if pictured in self._checked:
            scores = score_shared(self.pretrained, contexts, read)
        else:
            scores = self._score_and_check(kept, contexts, read)
        for group, one, of_group in zip(kept, contexts, scores, strict=True):
            for job, ids, of_job in zip(group.jobs, one.ids, of_group, strict=True):
                results.append((job.index, choice(job.query, of_job, len(ids))))
        return results

    def _score_and_check(
        self, groups: list[Group], contexts: list[Contexts], read: Any
    ) -> list[list[Scores]]:
        """The first shared scores of this modality, compared with those of one question read on its own."""
        try:
            scores = score_shared(self.pretrained, contexts, read)
        except torch.OutOfMemoryError:
            raise
        except (ValueError, RuntimeError, TypeError, IndexError) as error:
            raise _CannotShare(f"the model does not take the inputs for it ({_words(error)})") from error
        ((_, reply),) = self._score_apart([groups[0].jobs[0]])
        alone = reply.option_scores
        if alone is None:
            return scores
        difference = max(abs(a - b) for a, b in zip(scores[0][0], alone, strict=True))
        # A score far from 0 is rounded more coarsely.
        largest = max(1.0, *(abs(score) for score in alone))
        if not difference <= largest * (FINE if self.pretrained.model.dtype == torch.float32 else COARSE):
            raise _CannotShare(f"it would change log-probabilities by {difference:.2g}")
        self._checked.add(any(groups[0].kind[0]))
        return scores

    def _read_heads(self, batch: list[Group]) -> tuple[Any, list[list[int]]]:
        """The processor's output for the first prompt of each group, and its token ids."""
        heads = [group.jobs[0] for group in batch]
        read = self._writer.read([head.prompt for head in heads])
        ids = unpadded(read)
        self._learn_image_size(heads[0], ids[0])
        return read, ids

    def _learn_image_size(self, job: Job, ids: list[int]) -> None:
        if job.prompt.media:
            size = (len(ids) - len(job.raw)) // job.prompt.media
            self._tokens_per_image = max(self._tokens_per_image or 0, size, 0)

    def _contexts(
        self, batch: list[Group], heads: list[list[int]]
    ) -> tuple[Results, list[Group], list[Contexts]]:
        """Token ids of all prompts; errors for those that do not fit the window."""
        results: Results = []
        kept: list[Group] = []
        contexts: list[Contexts] = []
        for group, head in zip(batch, heads, strict=True):
            jobs: list[Job] = []
            ids: list[list[int]] = []
            for job in group.jobs:
                prompt = splice(head, group.jobs[0].raw, job.raw)
                if prompt is None or job.continuation is None:
                    raise ValueError("prompts of one group differ before the end of their pictures")
                if error := self._too_long(len(prompt) + job.continuation.longest):
                    results.append((job.index, error))
                    continue
                jobs.append(job)
                ids.append([*prompt, *job.continuation.forced])
            if jobs:
                kept.append(Group(tuple(jobs)))
                continuations = tuple(job.continuation for job in jobs if job.continuation is not None)
                contexts.append(Contexts(tuple(ids), continuations))
        return results, kept, contexts

    def _too_long(self, tokens: int) -> Reply | None:
        window = self.pretrained.window
        if window is None or tokens <= window:
            return None
        return Reply(
            text=None,
            error=f"input of {tokens} tokens is longer than the model's window of {window}; "
            "use shorter or fewer representations, or a model with a longer window",
        )

    def _fitting(
        self, jobs: list[Job], extra: Callable[[Job], int]
    ) -> tuple[Results, list[tuple[Job, int]], Any]:
        """Read prompts one by one, and sort out those that do not fit the window.

        Returns:
            Errors; (job, tokens of its prompt) of those that fit with ``extra`` tokens after them; and the
            processor's output for these.
        """
        read = self._writer.read([job.prompt for job in jobs])
        results: Results = []
        kept: list[tuple[Job, int]] = []
        for job, ids in zip(jobs, unpadded(read), strict=True):
            self._learn_image_size(job, ids)
            if error := self._too_long(len(ids) + extra(job)):
                results.append((job.index, error))
            else:
                kept.append((job, len(ids)))
        if kept and results:
            read = self._writer.read([job.prompt for job, _ in kept])
        return results, kept, read

    def _score_apart(self, jobs: list[Job]) -> Results:
        """Score options with nothing shared, through the model's own ``generate``."""
        results, kept, read = self._fitting(
            jobs, lambda job: job.continuation.longest if job.continuation else 0
        )
        if not kept:
            return results
        continuations = [job.continuation for job, _ in kept if job.continuation is not None]
        rows = forced_rows(continuations)
        scores = [[0.0] * len(one.targets) for one in continuations]
        # Options of several tokens make more rows than there are questions.
        for start in range(0, len(rows), self._rows):
            some = rows[start : start + self._rows]
            if len(some) < len(rows) or len(rows) > len(kept):
                read = self._writer.read([kept[row.question][0].prompt for row in some])
            self.scoring = True
            try:
                scored = score_forced(self.pretrained, some, read)
            finally:
                self.scoring = False
            for row, values in zip(some, scored, strict=True):
                for (_, _, option), value in zip(row.wanted, values, strict=True):
                    scores[row.question][option] += value
        for (job, length), one, of_job in zip(kept, continuations, scores, strict=True):
            results.append((job.index, choice(job.query, tuple(of_job), length + len(one.forced))))
        return results

    def _write(self, batch: list[Group]) -> Results:
        """Generate a reply to every job of a batch."""
        results, kept, read = self._fitting(jobs_of(batch), lambda _: 1)
        window = self.pretrained.window
        # A reply ends with the window at the latest. The few that could reach it are batched by their room.
        rooms = [job.limit if window is None else min(job.limit, window - length) for job, length in kept]
        for room in sorted(set(rooms)):
            some = [pair for pair, its_room in zip(kept, rooms, strict=True) if its_room == room]
            if len(some) < len(kept):
                read = self._writer.read([job.prompt for job, _ in some])
            replies = generate(self.pretrained, [job.query for job, _ in some], read, room)
            for (job, length), reply in zip(some, replies, strict=True):
                usage = {"input_tokens": float(length), "output_tokens": float(reply.tokens)}
                results.append((job.index, Reply(reply.text, usage=usage)))
        return results


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:500]


def _free_memory() -> None:
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
