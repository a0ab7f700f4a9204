"""Asks a model all questions of a suite and writes down each answer as it comes.

Problems stream through in chunks: a chunk is drawn, written, asked and forgotten, so that memory does not
grow with the size of a suite. Within a chunk all strategies advance together, one round of queries at a
time, so that a local model can batch and an endpoint can keep its connections busy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from modgap._errors import InputError, ModelError
from modgap.evaluate._config import MeasureConfig
from modgap.evaluate._fingerprint import KeyMaker, parts_digest, problem_digest
from modgap.evaluate._record import Outcome, Record
from modgap.evaluate._swap import Partners
from modgap.evaluate._writer import RunWriter
from modgap.evaluate.strategies import VERSION, Asking, Context, Strategy, Transcribed
from modgap.media import Text
from modgap.models import Model, Query, Reply
from modgap.tasks import Answer, Problem, Representation, transcript_score

CHUNK_PROBLEMS = 512
"""Problems asked together (our choice: a few seconds of a small model, a few MB of pictures)."""

CHUNK_BYTES = 32_000_000
"""Media held at a time, in bytes; a chunk of large pictures ends early."""


class Listener(Protocol):
    """Who is told how a run goes on. All methods are called from the thread that measures."""

    def say(self, line: str) -> None:
        """Something a user should know."""

    def begin(self, total: int | None) -> None:
        """Asking begins; ``total`` samples if that is known."""

    def advance(self, *, asked: int, kept: int, errors: int) -> None:
        """Samples since the last call: asked now, kept from before, and how many of the asked are errors."""


class Silence:
    """A listener that does nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def begin(self, total: int | None) -> None:
        """Nothing."""

    def advance(self, *, asked: int, kept: int, errors: int) -> None:
        """Nothing."""


class Parser(Protocol):
    """What the runner needs of a suite once its problems flow."""

    def parse(self, problem: Problem, reply: str) -> Answer:
        """Read a reply."""


@dataclass(slots=True)
class _Open:
    """A sample whose strategy is waiting for a reply."""

    problem: Problem
    representation: Representation
    strategy: str
    sample: int
    key: str
    asking: Asking
    query: Query
    seconds: float = 0.0
    usage: dict[str, float] = field(default_factory=dict)


def run_problems(
    problems: Iterable[Problem],
    *,
    model: Model,
    parser: Parser,
    strategies: Sequence[Strategy],
    config: MeasureConfig,
    keys: KeyMaker,
    writer: RunWriter,
    listener: Listener,
) -> None:
    """Ask every representation of every problem that is not done yet.

    Args:
        problems: with the representations to ask, and no others.
        model: who is asked.
        parser: reads the replies.
        strategies: those that ``config`` names.
        config: how they are asked.
        keys: names the samples.
        writer: where they are kept.
        listener: told of progress.

    Raises:
        InputError: if two different problems have one id.
        ModelError: if the model cannot go on, or breaks the contract of ``Model.reply``.
        RunError: if the run folder cannot be written.
    """
    seen: dict[str, str] = {}
    opener = _Opener(strategies, config, keys, getattr(model, "requests", {}))
    for chunk in chunked(problems):
        waiting: list[_Open] = []
        kept = 0
        opener.meet(chunk)
        for problem in chunk:
            digest = problem_digest(problem)
            if seen.get(problem.problem_id) == digest:
                continue
            if seen.setdefault(problem.problem_id, digest) != digest:
                raise InputError(
                    f"problem_id {problem.problem_id!r} stands for two different problems; "
                    "give every problem of the suite an id of its own"
                )
            writer.add_problem(problem)
            for opened in opener.open(problem, digest):
                if opened.key in writer.done:
                    kept += 1
                else:
                    waiting.append(opened)
        listener.advance(asked=0, kept=kept, errors=0)
        while waiting:
            waiting = _round(waiting, model=model, parser=parser, writer=writer, listener=listener)
    for (strategy, task), count in opener.left_out.items():
        writer.note(f"{strategy} is left out for {count:,} problems of {task}: they lack what it shows")


def chunked(
    problems: Iterable[Problem], most: int = CHUNK_PROBLEMS, most_bytes: int = CHUNK_BYTES
) -> Iterator[list[Problem]]:
    """Lists of at most ``most`` problems; one ends early when its media exceed ``most_bytes``."""
    chunk: list[Problem] = []
    size = 0
    for problem in problems:
        chunk.append(problem)
        size += sum(
            len(part.data) for r in problem.representations for part in r.parts if not isinstance(part, Text)
        )
        if len(chunk) >= most or size >= most_bytes:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


class _Opener:
    """Begins asking a problem in every way it is to be asked.

    Args:
        strategies: the ways.
        config: how they are asked.
        keys: names the samples.
        requests: of the model; see ``Context``.
    """

    def __init__(
        self,
        strategies: Sequence[Strategy],
        config: MeasureConfig,
        keys: KeyMaker,
        requests: Mapping[str, str],
    ) -> None:
        self.left_out: dict[tuple[str, str], int] = {}
        self._strategies = strategies
        self._config = config
        self._keys = keys
        self._requests = requests
        self._partners = Partners(config.seed) if any(s.needs_other for s in strategies) else None

    def meet(self, chunk: Sequence[Problem]) -> None:
        """Know the problems that are asked together."""
        if self._partners is not None:
            self._partners.meet(chunk)

    def open(self, problem: Problem, digest: str) -> Iterator[_Open]:
        """The samples of one problem, each with its first query."""
        for strategy in self._strategies:
            asked = [r for r in problem.representations if strategy.applies(problem, r)]
            others: dict[str, Representation | None] = dict.fromkeys(r.name for r in asked)
            if strategy.needs_other and self._partners is not None:
                others = {r.name: self._partners.other(problem, r) for r in asked}
                asked = [r for r in asked if others[r.name] is not None]
            if not asked:
                place = (strategy.name, problem.task)
                self.left_out[place] = self.left_out.get(place, 0) + 1
            for sample in range(self._config.samples):
                for representation in asked:
                    yield self._first(strategy, problem, digest, representation, sample, others)

    def _first(
        self,
        strategy: Strategy,
        problem: Problem,
        digest: str,
        representation: Representation,
        sample: int,
        others: Mapping[str, Representation | None],
    ) -> _Open:
        config = self._config
        context = Context(
            strategy.name,
            config.wording,
            config.sampling(),
            sample,
            self._requests,
            others[representation.name],
        )
        asking = strategy.ask(problem, representation, context)
        query = next(asking)
        # What direct shows is in the digest of the problem; others add requests, or pictures of others.
        first = "" if strategy.name == "direct" else parts_digest(query.parts, VERSION)
        key = self._keys.key(digest, representation.name, strategy.name, sample, first)
        return _Open(problem, representation, strategy.name, sample, key, asking, query)


def _round(
    waiting: Sequence[_Open],
    *,
    model: Model,
    parser: Parser,
    writer: RunWriter,
    listener: Listener,
) -> list[_Open]:
    """Put one query of each sample, and return those that have another."""
    following: list[_Open] = []
    missing = set(range(len(waiting)))
    for index, reply in _replies(model, waiting, missing):
        opened = waiting[index]
        opened.seconds += reply.seconds
        for name, amount in (reply.usage or {}).items():
            opened.usage[name] = opened.usage.get(name, 0.0) + amount
        try:
            opened.query = opened.asking.send(reply)
        except StopIteration as end:
            record = _judge(opened, end.value, parser)
            writer.add_record(record)
            listener.advance(asked=1, kept=0, errors=int(record.outcome == "error"))
        else:
            following.append(opened)
    return following


def _replies(model: Model, waiting: Sequence[_Open], missing: set[int]) -> Iterator[tuple[int, Reply]]:
    """One reply to each query; those the model left out come last, as errors."""
    for index, reply in model.reply([opened.query for opened in waiting]):
        if index not in missing:
            raise ModelError(
                f"model {model.name}: answered query {index} of {len(waiting)} twice, or made it up"
            )
        missing.remove(index)
        yield index, reply
    for index in sorted(missing):
        yield index, Reply(None, error=f"model {model.name} returned nothing for this query")


def _judge(opened: _Open, end: Reply | Transcribed, parser: Parser) -> Record:
    problem = opened.problem
    reply, transcript = (end.reply, end.transcript) if isinstance(end, Transcribed) else (end, None)
    outcome: Outcome
    answer = None
    if reply.error is not None or (reply.text is None and not reply.refused):
        outcome = "error"
    elif reply.refused:
        outcome = "refused"
    else:
        answer = parser.parse(problem, reply.text or "")
        outcome = outcome_of(answer, problem.answer)
    failed = outcome == "error"
    return Record(
        key=opened.key,
        problem_id=problem.problem_id,
        task=problem.task,
        group=problem.group or problem.problem_id,
        representation=opened.representation.name,
        modality=opened.representation.modality,
        strategy=opened.strategy,
        sample=opened.sample,
        reply=None if failed else reply.text,
        answer=answer.value if answer else None,
        expected=problem.answer,
        outcome=outcome,
        conflicting=answer is not None and answer.status == "conflicting",
        declined=reply.refused and not failed,
        error=(reply.error or "the model returned neither a text nor an error") if failed else None,
        seconds=opened.seconds,
        option_scores=reply.option_scores,
        usage=opened.usage or None,
        transcript=transcript,
        transcript_score=None if transcript is None else transcript_score(problem, transcript),
    )


def outcome_of(answer: Answer, expected: str) -> Outcome:
    """What an answer is worth; one that was declined or not found is never held against another."""
    if answer.status == "abstain":
        return "refused"
    if answer.status == "unparsed" or answer.value is None:
        return "unparsed"
    return "correct" if answer.value == expected else "wrong"
