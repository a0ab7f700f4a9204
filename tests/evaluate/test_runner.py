"""The runner: every sample asked once, five outcomes, errors asked again, rounds advance together."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import modgap
from modgap._errors import InputError, ModelError
from modgap.evaluate import MeasureConfig, Run
from modgap.evaluate._fingerprint import KeyMaker
from modgap.evaluate._runner import Silence, chunked, outcome_of, run_problems
from modgap.evaluate._writer import RunWriter
from modgap.evaluate.strategies import Asking, Context, Strategy
from modgap.models import Query, Reply
from modgap.tasks import Answer, Problem, Representation

Measure = Callable[..., Run]


@pytest.fixture
def measure(fakes: ModuleType, tmp_path: Path) -> Measure:
    def run(model: Any = None, suite: Any = None, **settings: Any) -> Run:
        settings = {"n": 6, "out": tmp_path, "name": "run", **settings}
        return modgap.measure(model or fakes.FakeModel(), suite or fakes.FakeSuite(), **settings)

    return run


def test_every_problem_in_every_representation(measure: Measure) -> None:
    records = measure().records()
    assert len(records) == 12
    assert len({record.key for record in records}) == 12
    assert Counter(record.representation for record in records) == {"list": 6, "image": 6}
    assert {(r.representation, r.modality) for r in records} == {("list", "text"), ("image", "image")}
    assert {record.seconds for record in records} == {0.25}
    assert {record.strategy for record in records} == {"direct"}


def test_a_second_run_asks_nothing(fakes: ModuleType, measure: Measure) -> None:
    first = measure()
    files = [path for path in first.folder.rglob("*") if path.is_file() and path.name != "lock"]
    before = {path: path.stat().st_mtime_ns for path in files}
    model = fakes.FakeModel()
    measure(model)
    assert model.queries == []
    assert {path: path.stat().st_mtime_ns for path in files} == before


@pytest.mark.parametrize(
    ("reply", "outcome", "answer"),
    [
        (lambda q: Reply(f"Answer: {q.truth}"), "correct", "truth"),
        (lambda q: Reply(f"Answer: {next(o for o in q.options if o != q.truth)}"), "wrong", "other"),
        (lambda q: Reply("It is somewhere."), "unparsed", None),
        (lambda q: Reply(""), "unparsed", None),
        (lambda q: Reply("Answer: I cannot say"), "refused", None),
        (lambda q: Reply(f"Answer: {q.truth}", refused=True), "refused", None),
        (lambda q: Reply(None, refused=True), "refused", None),
        (lambda q: Reply(None, error="HTTP 500"), "error", None),
        (lambda q: Reply(None), "error", None),
    ],
)
def test_outcomes(
    fakes: ModuleType,
    measure: Measure,
    reply: Callable[[Query], Reply],
    outcome: str,
    answer: str | None,
) -> None:
    (record, *_) = measure(fakes.FakeModel(reply), n=1).records()
    assert record.outcome == outcome
    assert (record.answer is None) == (answer is None)
    assert (record.answer == record.expected) == (answer == "truth")
    assert (record.error is not None) == (outcome == "error")
    if outcome == "error":
        assert record.reply is None
    assert record.declined == (record.outcome == "refused" and "cannot" not in (record.reply or ""))


def test_an_answer_outside_the_options_is_wrong_and_a_hedge_is_not() -> None:
    assert outcome_of(Answer("behind", "answer"), "left") == "wrong"
    assert outcome_of(Answer("left", "conflicting"), "left") == "correct"
    assert outcome_of(Answer(None, "unparsed"), "left") == "unparsed"
    assert outcome_of(Answer(None, "abstain"), "left") == "refused"


def test_errors_and_only_errors_are_asked_again(fakes: ModuleType, measure: Measure) -> None:
    def flaky(query: Query) -> Reply:
        odd = int(query.problem_id.rpartition("-")[2]) % 2
        return Reply(None, error="timeout") if odd and query.representation == "image" else fakes.guess(query)

    first = measure(fakes.FakeModel(flaky))
    assert Counter(record.outcome == "error" for record in first.records()) == {False: 9, True: 3}
    model = fakes.FakeModel()
    again = measure(model)
    assert len(model.queries) == 3
    records = again.records()
    assert len(records) == 12
    assert not any(record.outcome == "error" for record in records)
    assert len((again.folder / "records.jsonl").read_text().splitlines()) == 15  # nothing is overwritten


def test_samples_have_seeds_and_keys_of_their_own(fakes: ModuleType, measure: Measure) -> None:
    model = fakes.FakeModel()
    records = measure(model, n=1, samples=3, temperature=0.5, seed=100).records()
    assert sorted({query.sampling.seed for query in model.queries}) == [100, 101, 102]
    assert len({record.key for record in records}) == 6
    assert Counter(record.sample for record in records) == {0: 2, 1: 2, 2: 2}


def test_samples_without_chance_are_remarked_on(measure: Measure) -> None:
    assert "3 samples at temperature 0" in measure(samples=3).info.notes[0]


@pytest.mark.parametrize("replies", [[(0, "a"), (0, "b")], [(5, "a")], [(-1, "a")]])
def test_a_model_that_breaks_its_contract(fakes: ModuleType, measure: Measure, replies: list[Any]) -> None:
    class Broken(fakes.FakeModel):  # type: ignore[misc,name-defined]
        def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
            for index, text in replies:
                yield index, Reply(text)

    with pytest.raises(ModelError, match=r"answered query -?[0-9] of 2 twice, or made it up"):
        measure(Broken(), n=1)


def test_a_query_without_a_reply_is_an_error_and_asked_again(fakes: ModuleType, measure: Measure) -> None:
    class Forgetful(fakes.FakeModel):  # type: ignore[misc,name-defined]
        def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
            yield 0, Reply("Answer: left")

    records = measure(Forgetful(), n=1).records()
    assert [record.outcome == "error" for record in records] == [False, True]
    assert records[1].error == "model fake/model returned nothing for this query"
    model = fakes.FakeModel()
    measure(model, n=1)
    assert len(model.queries) == 1


def test_what_was_done_before_a_model_gave_up_is_kept(fakes: ModuleType, measure: Measure) -> None:
    class Ends(fakes.FakeModel):  # type: ignore[misc,name-defined]
        def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
            yield 3, Reply("Answer: left")
            raise ModelError("the server is gone; start it again")

    with pytest.raises(ModelError, match="the server is gone"):
        measure(Ends())
    model = fakes.FakeModel()
    assert len(measure(model).records()) == 12
    assert len(model.queries) == 11


def test_two_problems_with_one_id(fakes: ModuleType, measure: Measure) -> None:
    class Twice(fakes.FakeSuite):  # type: ignore[misc,name-defined]
        def problems(self, *args: Any, **kwargs: Any) -> Iterator[Problem]:
            first = fakes.make_problem(0)
            yield from (first, first, dataclasses.replace(first, question="Who?"))

    with pytest.raises(InputError, match="problem_id 'fake/where-0-0' stands for two different problems"):
        measure(suite=Twice())


def test_the_same_problem_twice_is_asked_once(fakes: ModuleType, measure: Measure) -> None:
    class Repeats(fakes.FakeSuite):  # type: ignore[misc,name-defined]
        def problems(self, *args: Any, **kwargs: Any) -> Iterator[Problem]:
            yield from (fakes.make_problem(0), fakes.make_problem(0))

    model = fakes.FakeModel()
    assert len(measure(model, Repeats()).records()) == 2
    assert len(model.queries) == 2


def test_chunks_are_bounded_by_number_and_by_bytes(fakes: ModuleType) -> None:
    problems = [fakes.make_problem(number) for number in range(10)]
    assert [len(chunk) for chunk in chunked(problems, 4)] == [4, 4, 2]
    assert [len(chunk) for chunk in chunked(problems, 4, 1)] == [1] * 10
    assert list(chunked([])) == []


def describe_then_answer(problem: Problem, representation: Representation, context: Context) -> Asking:
    """A strategy of two calls."""
    first = yield context.query(problem, representation, representation.parts)
    if first.error:
        return first
    return (yield context.query(problem, representation, (*representation.parts, *representation.parts)))


def test_strategies_of_several_rounds_advance_together(fakes: ModuleType, tmp_path: Path) -> None:
    def answer(query: Query) -> Reply:
        if len(query.parts) == 1:
            number = int(query.problem_id.rpartition("-")[2])
            error = "lost" if number == 2 else None
            return Reply(None if error else "first", error=error, seconds=1.0, usage={"tokens": 10})
        return Reply(f"Answer: {query.truth}", seconds=2.0, usage={"tokens": 5})

    model, suite, config = fakes.FakeModel(answer), fakes.FakeSuite(), MeasureConfig(n=4)
    info = modgap.measure(fakes.FakeModel(), suite, n=1, out=tmp_path, name="other").info
    keys = KeyMaker(config, model.fingerprint())
    with RunWriter(tmp_path / "run", info, lambda line: None) as writer:
        run_problems(
            suite.problems(4, 0),
            model=model,
            parser=suite,
            strategies=[Strategy("direct", describe_then_answer, lambda problem, representation: True)],
            config=config,
            keys=keys,
            writer=writer,
            listener=Silence(),
        )
    records = Run(tmp_path / "run").records()
    assert model.rounds == 2
    assert Counter(record.outcome for record in records) == {"correct": 6, "error": 2}
    assert {record.seconds for record in records} == {3.0, 1.0}
    assert [r.usage for r in records if r.outcome == "correct"] == [{"tokens": 15.0}] * 6
