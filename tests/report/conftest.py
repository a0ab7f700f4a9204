"""Run folders made by measuring a scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import PIL.Image
import pytest

import modgap
from modgap.evaluate import Run
from modgap.media import Audio, Image, Text, Video
from modgap.models import Query, Reply
from modgap.tasks import Answer, Problem, Representation

OPTIONS = ("left", "right", "above", "below")
MODALITIES = {"list": "text", "story": "text", "image": "image", "audio": "audio", "video": "video"}


def picture(number: int, pixels: int = 24) -> Image:
    """A picture whose colour tells its number."""
    color = (40 + 37 * number % 200, 40 + 91 * number % 200, 120)
    return Image.from_pil(PIL.Image.new("RGB", (pixels, pixels), color))


def problem(number: int, names: Sequence[str], **fields: Any) -> Problem:
    """Problem ``number``; tasks alternate between ``made/where`` and ``made/which``."""
    parts = {
        "list": lambda: Text(f"- object {number} at x {number % 90}"),
        "story": lambda: Text(f"There is an object called {number}."),
        "image": lambda: picture(number),
        "audio": lambda: Audio(b"RIFF%d" % number, "audio/wav"),
        "video": lambda: Video(b"film%d" % number, "video/mp4"),
    }
    given: dict[str, Any] = {
        "problem_id": f"made/{number:04d}",
        "task": "made/where" if number % 2 else "made/which",
        "question": f"Where is object {number}?",
        "answer": OPTIONS[number % 4],
        "options": OPTIONS,
        "group": f"scene-{number // 2}",
        "difficulty": {"objects": 2 + number % 3},
        "chance": 0.25,
    } | fields
    representations = tuple(Representation(name, MODALITIES[name], (parts[name](),)) for name in names)
    return Problem(representations=representations, **given)


@dataclass
class MadeSuite:
    """Problems made by ``make(number, names)``."""

    names: tuple[str, ...]
    make: Callable[[int, Sequence[str]], Problem]
    count: int
    name: str = "made"

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.make(i, ()).task for i in range(self.count)))

    @property
    def representations(self) -> dict[str, str]:
        return {name: MODALITIES[name] for name in self.names}

    def problems(self, n=None, seed=0, representations=None, offset=0) -> Iterator[Problem]:
        for number in range(offset, min(self.count, offset + (n or self.count))):
            yield self.make(number, tuple(representations or self.names))

    def parse(self, problem: Problem, reply: str) -> Answer:
        value = reply.rpartition("Answer: ")[2].strip()
        if not problem.options or value in problem.options:
            return Answer(value, "answer")
        return Answer(None, "unparsed")

    def settings(self) -> dict[str, Any]:
        return {"level": "easy"}


@dataclass
class Scripted:
    """Replies by ``answer(number, representation, query)``."""

    answer: Callable[[int, str, Query], Reply]
    name: str = "scripted"
    modalities: frozenset[str] = frozenset({"text", "image", "audio", "video"})
    settings: Mapping[str, Any] = field(default_factory=lambda: {"weights": "ab" * 32, "dtype": "float32"})

    def fingerprint(self) -> dict[str, Any]:
        return dict(self.settings)

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        for index, query in enumerate(queries):
            number = int(query.problem_id.rpartition("/")[2])
            yield index, self.answer(number, query.representation, query)

    def close(self) -> None:
        pass


def answer(number: int, representation: str, query: Query) -> Reply:
    """Right in words but for every tenth; in pictures wrong for every third; a few do not answer."""
    if representation == "image" and number % 25 == 7:
        return Reply("I see several things.", seconds=0.5)
    if representation == "image" and number % 25 == 8:
        return Reply(None, error="timed out after 3 tries")
    if representation == "list" and number % 25 == 9:
        return Reply("I cannot help.", refused=True, seconds=0.5)
    right = number % 10 != 5 if MODALITIES[representation] == "text" else number % 3 != 0
    wrong = next(option for option in (*query.options, "nothing") if option != query.truth)
    return Reply(f"I look again.\nAnswer: {query.truth if right else wrong}", seconds=0.5)


Maker = Callable[..., Run]


@pytest.fixture
def make_run(tmp_path) -> Maker:
    """``make_run(count, names, make=problem, answer=answer, name="run")`` measures into a fresh folder."""

    def made(
        count: int = 30,
        names: Sequence[str] = ("list", "story", "image"),
        *,
        make: Callable[..., Problem] = problem,
        answer: Callable[[int, str, Query], Reply] = answer,
        name: str = "run",
        **settings: Any,
    ) -> Run:
        suite = MadeSuite(tuple(names), make, count)
        return modgap.measure(Scripted(answer), suite, n=count, out=tmp_path, name=name, **settings)

    return made


@pytest.fixture
def made():
    """The pieces that runs are made of."""
    import types

    return types.SimpleNamespace(problem=problem, answer=answer, picture=picture, OPTIONS=OPTIONS)
