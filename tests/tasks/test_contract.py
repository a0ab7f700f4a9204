"""What every task must keep to. Tasks are found by listing the folder: new ones are tested as they are."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import modgap.tasks
from modgap.media import Text
from modgap.tasks import Answer, Problem, Task, load, names, read_reply

FILES = sorted(
    f"{path.parent.name}/{path.stem}"
    for path in Path(modgap.tasks.__file__).parent.glob("*/[!_]*.py")
    if path.parent.name != "datasets"  # those read problems and draw none
)
TEXT_FORMS = 60
PICTURES = 4
MANY = 1000

every_task = pytest.mark.parametrize("name", FILES)


@cache
def drawn(name: str, seed: int = 11) -> tuple[tuple[Problem, object], ...]:
    """Many problems with the task's own objects behind them, without media."""
    task = load(name)
    dials, style = task.resolve({})
    problems = []
    for index in range(MANY):
        own = task.module.sample(np.random.default_rng([seed, index]), dials)
        problems.append((task.make(seed, index, (), dials, style), own))
    return tuple(problems)


def offered(name: str) -> dict[int, list[Problem]]:
    """The problems by the number of their options, without open questions."""
    found: dict[int, list[Problem]] = {}
    for problem, _ in drawn(name):
        if problem.options:
            found.setdefault(len(problem.options), []).append(problem)
    return found


def media(problem: Problem) -> list[object]:
    return [
        part.text if isinstance(part, Text) else part.data
        for r in problem.representations
        for part in r.parts
    ]


def test_every_file_is_a_task_and_every_task_is_listed() -> None:
    assert FILES
    assert set(FILES) <= set(names())


@every_task
def test_it_says_what_it_is(name: str) -> None:
    task = load(name)
    assert task.name == name
    assert (task.module.__doc__ or "").strip()
    assert task.representations
    assert task.chance is None or 0 < task.chance < 1
    assert dataclasses.is_dataclass(task.module.Dials)
    assert all(help_text for _, help_text in task.settings.values())


@every_task
def test_a_seed_fixes_the_problem_and_the_bytes_of_its_media(name: str) -> None:
    task = load(name)
    for index in range(3):
        first, again = task.problem(5, index), load(name).problem(5, index)
        assert first == again
        assert media(first) == media(again)
    assert task.problem(5, 0).question + str(media(task.problem(5, 0))) != task.problem(6, 0).question + str(
        media(task.problem(6, 0))
    )


@every_task
def test_representations_do_not_change_the_problem(name: str) -> None:
    task = load(name)
    for one in task.representations:
        whole, part = task.problem(2, 1), task.problem(2, 1, [one])
        assert [r.name for r in part.representations] == [one]
        assert part.representations[0] in whole.representations
        assert dataclasses.replace(part, representations=whole.representations) == whole


@every_task
def test_every_modality_carries_the_full_problem(name: str) -> None:
    task = load(name)
    module = task.module
    dials, style = task.resolve({})
    for index in range(TEXT_FORMS):
        own = module.sample(np.random.default_rng([3, index]), dials)
        for representation, modality in task.representations.items():
            if modality == "text" or index < PICTURES:
                parts = module.render(own, representation, style)
                assert module.decode(representation, parts) == module.content(own), (representation, index)
                assert {part.modality for part in parts} >= {modality}


@every_task
def test_options_hold_the_answer_once(name: str) -> None:
    """A task offers options with every question or, where it asks for a number or a move, with none."""
    assert len({bool(problem.options) for problem, _ in drawn(name)}) == 1
    for problem, _ in drawn(name):
        assert problem.question.endswith("?")
        assert problem.group
        if problem.options:
            assert problem.options.count(problem.answer) == 1
            assert len(set(problem.options)) == len(problem.options) >= 2
            assert problem.chance == pytest.approx(1 / len(problem.options))
        else:
            assert problem.chance == load(name).chance
            assert problem.answer_kind == ("integer" if problem.answer.isdecimal() else "text")


@every_task
def test_chance_is_what_guessing_gives(name: str) -> None:
    task = load(name)
    if task.chance is not None and offered(name):
        expected = np.mean([1 / len(problem.options) for problem, _ in drawn(name)])
        assert task.chance == pytest.approx(expected)


THOUGHT = "All of it was looked at with care, one thing after the other, before this was decided.\n\n"


@every_task
def test_parse_inverts_answer(name: str) -> None:
    task = load(name)
    for problem, _ in drawn(name)[:200]:
        forms = [
            "Answer: {a}",
            "{a}",
            "**Answer:** {a}",
            r"\boxed{{{a}}}",
            "Answer: {a}.",
            f"{THOUGHT}Answer: {{a}}",
        ]
        replies = [form.format(a=problem.answer) for form in forms]
        if problem.options:
            letter = "ABCDEFGH"[problem.options.index(problem.answer)]
            lettered = (
                "Answer: {a}",
                "({a})",
                "{a}",
                f"{THOUGHT}Answer: {{a}}",
                f"{THOUGHT}**Answer:** ({{a}})",
            )
            replies += [form.format(a=letter) for form in lettered]
        for reply in replies:
            assert task.parse(reply, problem.options) == Answer(problem.answer, "answer"), reply
            assert read_reply(problem, reply) == Answer(problem.answer, "answer"), reply  # as a run is scored
        for wrong in problem.options:
            assert task.parse(f"Answer: {wrong}", problem.options).value == wrong
        assert task.parse("", problem.options).value is None


@every_task
def test_the_answer_stands_at_every_place_equally_often(name: str) -> None:
    """Chi-square at 1e-4 over tasks and numbers of options: a fair task fails one run in a thousand."""
    for size, own in offered(name).items():
        shown = Counter(problem.options.index(problem.answer) for problem in own)
        assert stats.chisquare([shown[place] for place in range(size)]).pvalue > 1e-4


@every_task
def test_the_options_alone_give_nothing_away(name: str) -> None:
    """Neither the first, the last nor any other of the options in alphabetical order is right more often."""
    for size, own in offered(name).items():
        rank = Counter(sorted(problem.options).index(problem.answer) for problem in own)
        assert stats.chisquare([rank[place] for place in range(size)]).pvalue > 1e-4


@every_task
def test_no_answer_is_much_more_frequent_than_its_options_allow(name: str) -> None:
    """Labels are balanced: each is right as often as it is offered, within what chance allows."""
    problems = [problem for problem, _ in drawn(name)]
    right: Counter[str] = Counter(problem.answer for problem in problems)
    expected: Counter[str] = Counter()
    for problem in problems:
        for option in problem.options:
            expected[option] += 1 / len(problem.options)
    common = [label for label in expected if expected[label] >= 20]
    for label in common:
        spread = np.sqrt(expected[label])
        assert abs(right[label] - expected[label]) < 4.5 * spread, label


@every_task
def test_ids_are_unique_and_seeds_do_not_repeat_problems(name: str) -> None:
    first, second = drawn(name), drawn(name, 12)
    ids = {problem.problem_id for problem, _ in (*first, *second)}
    assert len(ids) == 2 * MANY
    contents = {(problem.question, problem.group) for problem, _ in first}
    assert len(contents) > 0.99 * MANY
    assert not contents & {(problem.question, problem.group) for problem, _ in second}


@every_task
def test_difficulty_is_numbers_and_short_words(name: str) -> None:
    for problem, _ in drawn(name)[:50]:
        assert problem.difficulty
        assert all(isinstance(value, int | float | str) for value in problem.difficulty.values())


@every_task
def test_levels_and_settings_are_accepted(name: str) -> None:
    task = load(name)
    levels = [level for level in task.module.LEVELS if task.can_ask({"level": level})]
    assert {"easy", "medium", "hard"} <= set(levels)
    ids = {task.problem(0, 0, (), level=level).problem_id for level in levels}
    assert len(ids) == len(levels)
    default: Task = load(name)
    assert default.problem(0, 0, ()).problem_id in ids
