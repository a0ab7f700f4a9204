"""Every answer a second time, by a reader who knows only the question and the list of objects as text.

The same reader with poor eyes (positions, depths and attributes read with errors) shows that the levels of
difficulty are levels: its accuracy falls from easy to hard.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

from modgap.scenes import WORDS
from modgap.tasks import Problem, load
from modgap.tasks.scenes.reading import _mates

TASKS = ("attribute", "binding", "count", "depth", "distance", "existence", "reading", "relation")
LINE = re.compile(
    r"- (?P<size>\w+) (?P<fill>\w+) (?P<color>\w+) (?P<shape>\w+) at x (?P<x>\d+), y (?P<y>\d+)"
    r"(?:, depth (?P<depth>\d))?(?:, word \"(?P<word>\w+)\")?"
)


@dataclass(frozen=True)
class Seen:
    """One line of the list."""

    size: str
    fill: str
    color: str
    shape: str
    x: float
    y: float
    depth: float
    word: str

    def words(self) -> set[str]:
        return {self.size, self.fill, self.color, self.shape, "object"}


def look(problem: Problem) -> list[Seen]:
    (representation,) = (r for r in problem.representations if r.name == "list")
    text = representation.parts[0].text.split("Background:")[0]  # type: ignore[union-attr]
    found = (m.groupdict() for m in LINE.finditer(text))
    return [
        Seen(
            **{name: m[name] for name in ("size", "fill", "color", "shape")},
            **{name: int(m[name] or 0) for name in ("x", "y", "depth")},
            word=m["word"] or "",
        )
        for m in found
    ]


def named(phrase: str, seen: list[Seen]) -> Seen | None:
    """The one object that has all the words of a phrase."""
    words = set(phrase.split()) - {"the", "a", "an"}
    found = [o for o in seen if words <= o.words()]
    return found[0] if len(found) == 1 else None


def singular(word: str) -> str:
    return "cross" if word == "crosses" else word.removesuffix("s") if word != "cross" else word


def solve(question: str, seen: list[Seen]) -> str | None:
    """The answer, from the wording of the question; ``None`` if a phrase names no or several objects."""
    if m := re.fullmatch(r"How many (.+) are there\?", question):
        words = {singular(word) for word in m[1].split()}
        return str(sum(words <= o.words() for o in seen))
    if m := re.fullmatch(r"Is there (an? .+)\?", question):
        words = set(m[1].split()[1:])
        return "yes" if any(words <= o.words() for o in seen) else "no"
    if m := re.fullmatch(r"What (color|shape|size) is the (.+)\?", question):
        one = named(m[2], seen)
        return None if one is None else str(getattr(one, m[1]))
    if m := re.fullmatch(r"What word is written on the (.+)\?", question):
        one = named(m[1], seen)
        return one and one.word
    if m := re.fullmatch(r"Where is the (.+) relative to the (.+)\?", question):
        a, b = named(m[1], seen), named(m[2], seen)
        if a is None or b is None:
            return None
        # The angle from b to a, turned by an eighth, falls into one of four quarters.
        quarter = ((math.degrees(math.atan2(a.y - b.y, a.x - b.x)) + 45) % 360) // 90
        return ("right", "below", "left", "above")[int(quarter)]
    if m := re.fullmatch(
        r"Which is (nearer to the viewer|closer to the (.+)), the (.+) or the (.+)\?", question
    ):
        a, b, to = named(m[3], seen), named(m[4], seen), named(m[2] or "object", seen)
        if a is None or b is None or (m[2] and to is None):
            return None
        if to is None:
            return m[3] if a.depth < b.depth else m[4]
        first, second = ((o.x - to.x) ** 2 + (o.y - to.y) ** 2 for o in (a, b))
        return m[3] if first < second else m[4]
    raise AssertionError(f"unknown question: {question}")


def problems(task: str, n: int, **settings: object) -> list[Problem]:
    loaded = load(f"scenes/{task}")
    dials, style = loaded.resolve(settings)
    return [loaded.make(21, index, ["list"], dials, style) for index in range(n)]


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
@pytest.mark.parametrize("task", TASKS)
def test_answers_agree_with_a_second_method(task: str, level: str) -> None:
    for problem in problems(task, 250, level=level):
        assert solve(problem.question, look(problem)) == problem.answer, problem


@pytest.mark.parametrize("task", TASKS)
def test_answers_agree_in_perspective(task: str) -> None:
    for problem in problems(task, 100, perspective=True):
        assert solve(problem.question, look(problem)) == problem.answer, problem
        assert not re.search(r"\b(small|medium|large)\b", problem.question)


def blurred(seen: list[Seen], rng: np.random.Generator) -> list[Seen]:
    """Positions off by some percent, depths by some levels; an object may take attributes from another."""
    result = []
    for o in seen:
        other = seen[int(rng.integers(len(seen)))]
        crowded = rng.random(5) < 0.05 * (len(seen) - 1)
        taken = {
            name: getattr(other, name)
            for name, swap in zip(("size", "fill", "color", "shape", "word"), crowded, strict=True)
            if swap
        }
        x, y, depth = o.x + rng.normal(0, 9), o.y + rng.normal(0, 9), o.depth + rng.normal(0, 1.5)
        result.append(replace(o, **taken, x=x, y=y, depth=depth))
    return result


def accuracy(task: str, rng: np.random.Generator, n: int = 500, **settings: object) -> float:
    """Accuracy of the reader with poor eyes, who guesses where it finds no answer among the options."""
    right = 0.0
    for problem in problems(task, n, **settings):
        said = solve(problem.question, blurred(look(problem), rng))
        right += 1 / len(problem.options) if said not in problem.options else said == problem.answer
    return right / n


@pytest.mark.parametrize("task", TASKS)
def test_levels_get_harder(task: str) -> None:
    """The standard error of an accuracy is about 0.015; existence has the least step and the most draws."""
    levels = ("easy", "medium", "hard")
    n = 1000 if task == "existence" else 400
    easy, medium, hard = (accuracy(task, np.random.default_rng(1), n, level=level) for level in levels)
    assert easy - 0.01 > medium > hard + 0.05


@pytest.mark.parametrize(
    ("task", "dial", "values"),
    [
        ("relation", "relation_margin", (2, 20, 40)),
        ("distance", "distance_ratio", (1.05, 1.8, 3)),
        ("depth", "depth_step", (1, 3, 6)),
    ],
)
def test_a_margin_makes_a_task_easier(task: str, dial: str, values: tuple[float, ...]) -> None:
    """Only the margin moves. Scenes hold the same number of objects."""
    found = [
        accuracy(task, np.random.default_rng(2), min_objects=4, max_objects=4, **{dial: value})
        for value in values
    ]
    assert found[0] + 0.02 < found[1] < found[2] - 0.02


@pytest.mark.parametrize("task", TASKS)
def test_more_objects_make_a_task_harder(task: str) -> None:
    found = [accuracy(task, np.random.default_rng(3), min_objects=n, max_objects=n) for n in (4, 8)]
    assert found[0] > found[1]


def test_every_word_has_a_mate() -> None:
    mates = {word: _mates()[word] for word in WORDS}
    assert all(mates[mate] == word != mate for word, mate in mates.items())


def test_margins_are_kept() -> None:
    for problem in problems("relation", 100, relation_margin=30):
        assert problem.difficulty["margin"] >= 30
    for problem in problems("distance", 100, distance_ratio=2.5):
        assert problem.difficulty["distance_ratio"] >= 2.5
    for problem in problems("depth", 100, depth_step=5):
        assert problem.difficulty["depth_step"] >= 5


def test_what_is_not_there_is_there_in_parts() -> None:
    """A "no" is never given away by a colour or a shape that the scene does not have."""
    for problem in problems("existence", 300):
        color, shape = problem.question.removesuffix("?").split()[-2:]
        seen = look(problem)
        assert any(o.color == color for o in seen)
        assert any(o.shape == shape for o in seen)


def test_binding_has_a_rival_of_another_color_among_the_options() -> None:
    for problem in problems("binding", 300):
        modifier, shape = problem.question.removesuffix("?").split()[-2:]
        rivals = [o for o in look(problem) if o.shape == shape and modifier not in o.words()]
        assert {o.color for o in rivals} - {problem.answer}
        assert any(o.color in problem.options and o.color != problem.answer for o in rivals)


def test_the_wording_of_a_count_does_not_give_it_away() -> None:
    """Answers are as frequent when a colour and a shape are named as when one of them is."""
    found = problems("count", 1500)
    by_words: dict[int, list[int]] = {}
    for problem in found:
        kind = (
            len(problem.question.split()) - 4
        )  # "How many red circles are there?" has two words for the kind
        kind = kind if "objects" not in problem.question else 3
        by_words.setdefault(kind, []).append(int(problem.answer))
    assert len(by_words) == 3
    for counts in by_words.values():
        shares = np.bincount(counts, minlength=5) / len(counts)
        assert np.all(np.abs(shares - 0.2) < 4 * math.sqrt(0.2 * 0.8 / len(counts)))


def test_one_index_is_one_scene_where_it_suits() -> None:
    """Four tasks that can ask about nearly any scene share it, and so its picture."""
    tasks = [load(f"scenes/{name}") for name in ("attribute", "existence", "reading", "relation")]
    shared = 0
    for index in range(100):
        made = [task.problem(0, index, ["image"]) for task in tasks]
        groups = [problem.group for problem in made]
        shared += groups.count(max(set(groups), key=groups.count))
        for problem in made[1:]:
            if problem.group == made[0].group:
                assert problem.representations == made[0].representations
    assert shared > 300
