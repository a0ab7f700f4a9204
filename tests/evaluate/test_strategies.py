"""Strategies: found by listing the folder, and each a generator of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import modgap
from modgap._errors import InputError, UnknownName
from modgap.evaluate import MeasureConfig, Run, build_parts, strategies
from modgap.evaluate._prompts import ask_about
from modgap.evaluate._swap import Partners
from modgap.evaluate.strategies import Context, Transcribed
from modgap.evaluate.strategies._transcribe import DESCRIBE, NOTHING, TRANSCRIBE
from modgap.media import Image, Text
from modgap.models import Query, Reply, Sampling
from modgap.tasks import Problem, load

NAMES = (
    "blank_image",
    "direct",
    "extract_then_answer",
    "isocombination",
    "isoscratchpad",
    "oracle_transcript",
    "swapped_image",
    "transcript_only",
)


def test_a_file_is_a_strategy() -> None:
    assert strategies.names() == NAMES
    assert set(strategies.CONTROLS) < set(NAMES)


def test_an_unknown_strategy_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"strategy 'dirct' is not one of .*; did you mean 'direct'"):
        strategies.load("dirct")
    with pytest.raises(InputError, match=r"strategy 'isoscratchpat' is not one of .*'isoscratchpad'"):
        MeasureConfig(strategy="direct,isoscratchpat")
    with pytest.raises(InputError, match="strategy 'direct,direct' names one twice; give each once"):
        MeasureConfig(strategy="direct,direct")


def test_direct_asks_once_and_returns_the_reply(fakes: ModuleType) -> None:
    problem = fakes.make_problem(3)
    representation = problem.representations[1]
    context = Context("direct", "terse", Sampling(temperature=0.7, max_tokens=9, seed=40), sample=2)
    asking = strategies.load("direct").ask(problem, representation, context)
    query = next(asking)
    assert query.parts == build_parts(problem, representation, "terse")
    assert query.sampling == Sampling(temperature=0.7, max_tokens=9, seed=42)
    assert (query.problem_id, query.representation, query.strategy, query.sample) == (
        problem.problem_id,
        "image",
        "direct",
        2,
    )
    assert (query.options, query.truth, query.answer_prefix) == (problem.options, problem.answer, "Answer:")
    reply = Reply("Answer: left")
    with pytest.raises(StopIteration) as end:
        asking.send(reply)
    assert end.value.value is reply


def scene(index: int = 0) -> Problem:
    return load("scenes/count").problem(3, index, ("list", "story", "image"))


def queries(name: str, problem: Problem, replies: Sequence[Reply], **context: Any) -> tuple[list[Query], Any]:
    """What a strategy asks about the picture, and what it returns."""
    strategy = strategies.load(name)
    picture = problem.representations[-1]
    assert strategy.applies(problem, picture)
    asking = strategy.ask(problem, picture, Context(name, **context))
    asked = [next(asking)]
    for reply in replies:
        try:
            asked.append(asking.send(reply))
        except StopIteration as end:
            return asked, end.value
    raise AssertionError("it asks more often")


def test_isocombination_shows_the_picture_and_every_text_form() -> None:
    problem = scene()
    (query,), reply = queries("isocombination", problem, [Reply("Answer: 1")])
    listed, told, picture = (r.parts for r in problem.representations)
    assert query.parts[1:-1] == (*picture, Text("\n\n"), *listed, Text("\n\n"), *told)
    assert reply == Reply("Answer: 1")


@pytest.mark.parametrize(
    ("name", "words"),
    [("isoscratchpad", DESCRIBE), ("extract_then_answer", TRANSCRIBE), ("transcript_only", TRANSCRIBE)],
)
def test_two_steps(name: str, words: str) -> None:
    problem = scene()
    (first, second), end = queries(name, problem, [Reply(" a red star \n"), Reply("Answer: 1")])
    picture = problem.representations[-1].parts
    assert first.parts[:-1] == picture and first.parts[-1].text.startswith(words)  # type: ignore[union-attr]
    assert (first.options, first.answer_prefix) == ((), "")
    assert not any(problem.question in p.text for p in first.parts if isinstance(p, Text))
    assert second.parts == ask_about(problem, (Text("a red star"),))
    assert second.options == problem.options
    assert end == Transcribed(Reply("Answer: 1"), "a red star")


def test_a_model_is_asked_in_the_words_it_was_taught() -> None:
    own = {"describe": "\n\nDescribe.", "transcribe": "\n\nList."}
    problem = scene()
    (first, _), _ = queries("isoscratchpad", problem, [Reply("x"), Reply("y")], requests=own)
    assert first.parts == (*build_parts(problem, problem.representations[-1])[:2], Text("\n\nDescribe."))
    (first, _), _ = queries("extract_then_answer", problem, [Reply("x"), Reply("y")], requests=own)
    assert first.parts[-1] == Text("\n\nList.")


@pytest.mark.parametrize("failed", [Reply(None, error="lost"), Reply("no", refused=True), Reply(None)])
def test_a_failed_first_step_is_the_result(failed: Reply) -> None:
    asked, end = queries("isoscratchpad", scene(), [failed])
    assert len(asked) == 1 and end is failed


def test_an_empty_transcript_is_said_to_be_one() -> None:
    (_, second), end = queries("extract_then_answer", scene(), [Reply(" \n"), Reply("Answer: 1")])
    assert second.parts[1] == Text(NOTHING) and end.transcript == ""


def test_oracle_transcript_is_the_prompt_in_words() -> None:
    problem = scene()
    (query,), _ = queries("oracle_transcript", problem, [Reply("Answer: 1")])
    assert query.parts == build_parts(problem, problem.representations[0])


def test_blank_image_has_the_size_of_the_picture_and_nothing_on_it() -> None:
    problem = scene()
    (query,), _ = queries("blank_image", problem, [Reply("Answer: 1")])
    blank, picture = query.parts[1], problem.representations[-1].parts[0]
    assert isinstance(blank, Image) and isinstance(picture, Image)
    assert blank.to_pil().size == picture.to_pil().size
    assert blank.to_pil().getcolors() == [(blank.to_pil().width * blank.to_pil().height, (128, 128, 128))]


def test_swapped_pictures_are_of_other_scenes_and_always_the_same() -> None:
    problems = [scene(index) for index in range(30)]
    partners, again = Partners(5), Partners(5)
    partners.meet(problems)
    again.meet(problems)
    owner = {p.representations[-1].parts: p.group for p in problems}
    used = Counter()
    for problem in problems:
        other = partners.other(problem, problem.representations[-1])
        assert other is not None and other == again.other(problem, problem.representations[-1])
        assert owner[other.parts] != problem.group
        used[other.parts] += 1
    assert len(used) > 12  # not all the same one
    lonely = Partners(5)
    lonely.meet([scene(0), scene(0)])
    assert lonely.other(scene(0), scene(0).representations[-1]) is None


def test_a_short_last_part_may_take_pictures_from_the_part_before(fakes: ModuleType) -> None:
    partners = Partners(0)
    partners.meet([fakes.make_problem(number) for number in range(100)])
    last = fakes.make_problem(200)
    partners.meet([last])
    assert partners.other(last, last.representations[1]) is not None


ALL = ",".join(NAMES)


def test_several_strategies_in_one_run_and_resumed(fakes: ModuleType, tmp_path: Path) -> None:
    def measure(model: Any) -> Run:
        return modgap.measure(model, fakes.FakeSuite(), n=6, strategy=ALL, out=tmp_path, name="run")

    def answer(query: Query) -> Reply:
        return Reply(f"Answer: {query.truth}" if query.options else "It is grey.")

    model = fakes.FakeModel(answer)
    run = measure(model)
    counts = Counter((r.strategy, r.representation) for r in run.records())
    assert counts == {("direct", "list"): 6, **{(name, "image"): 6 for name in NAMES}}
    assert model.rounds == 2
    assert all((r.transcript is not None) == (r.strategy in _TWO_STEPS) for r in run.records())
    assert len({r.key for r in run.records()}) == 54
    again = fakes.FakeModel(answer)
    measure(again)
    assert again.queries == []
    # Other words for the first step are another question.
    again.requests = {"describe": "Say what you see."}
    measure(again)
    assert {q.strategy for q in again.queries} == {"isoscratchpad"}


_TWO_STEPS = ("isoscratchpad", "extract_then_answer", "transcript_only")


def test_direct_alone_keeps_its_keys(fakes: ModuleType, tmp_path: Path) -> None:
    def answer(query: Query) -> Reply:
        return Reply("Answer: left")

    alone = modgap.measure(fakes.FakeModel(answer), fakes.FakeSuite(), n=3, out=tmp_path, name="a")
    model = fakes.FakeModel(answer)
    among = modgap.measure(model, fakes.FakeSuite(), n=3, strategy=ALL, out=tmp_path, name="b")
    assert {r.key for r in alone.records()} < {r.key for r in among.records()}


def test_a_strategy_that_has_nothing_to_show_is_refused(fakes: ModuleType, tmp_path: Path) -> None:
    def measure(strategy: str, *representations: str) -> None:
        modgap.measure(
            fakes.FakeModel(),
            fakes.FakeSuite(),
            n=1,
            strategy=["direct", strategy],
            representations=representations,
            out=tmp_path,
        )

    with pytest.raises(
        InputError, match=r"isoscratchpad is about what is shown, .* has list \(text\); add a mod"
    ):
        measure("isoscratchpad", "list")
    with pytest.raises(InputError, match=r"isocombination shows the problem in words too, .*; add text"):
        measure("isocombination", "image")


def test_one_problem_has_no_picture_to_swap_with(fakes: ModuleType, tmp_path: Path) -> None:
    run = modgap.measure(
        fakes.FakeModel(), fakes.FakeSuite(), n=1, strategy="swapped_image", out=tmp_path, name="run"
    )
    assert run.records() == []
    assert "swapped_image is left out for 1 problems of fake/where: they lack what it shows" in run.info.notes


def test_a_worker_tells_the_words_its_model_was_taught(fakes: ModuleType, tmp_path: Path) -> None:
    from modgap.models._ray._worker import Facts, Worker

    def load() -> Any:
        model = fakes.FakeModel()
        model.requests = {"describe": "Say what you see."}
        return model

    told = Worker(load, str(tmp_path)).load()
    assert isinstance(told, Facts) and told.requests == {"describe": "Say what you see."}
    plain = Worker(fakes.FakeModel, str(tmp_path)).load()
    assert isinstance(plain, Facts) and plain.requests == {}


def test_the_oracle_writes_perfect_transcripts(tmp_path: Path) -> None:
    run = modgap.measure(
        "oracle",
        "scenes/count",
        n=2,
        representations=["list", "image"],
        strategy="extract_then_answer",
        out=tmp_path,
        name="run",
    )
    for record in run.records():
        assert record.outcome == "correct" and record.transcript_score is not None
        assert set(record.transcript_score.values()) == {1.0}
    assert len(run.records()) == 2
