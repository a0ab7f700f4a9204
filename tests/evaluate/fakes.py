"""A suite made by hand and models that only pretend; also a program that measures one with the other.

python fakes.py OUT [PAUSE] [N]      measures N problems, with PAUSE seconds between two replies
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import PIL.Image

from modgap.media import Image, Text
from modgap.models import JSON, Query, Reply
from modgap.tasks import Answer, Problem, Representation

OPTIONS = ("left", "right", "above", "below")


def make_problem(
    number: int, *, seed: int = 0, representations: Sequence[str] = ("list", "image")
) -> Problem:
    """A problem whose text names its number and whose picture has its colour."""
    color = (number % 256, seed % 256, number // 256)
    made = {
        "list": lambda: Representation("list", "text", (Text(f"object {number} of {seed}"),)),
        "image": lambda: Representation(
            "image", "image", (Image.from_pil(PIL.Image.new("RGB", (8, 8), color)),)
        ),
    }
    return Problem(
        problem_id=f"fake/where-{seed}-{number}",
        task="fake/where",
        question="Where is it?",
        answer=OPTIONS[(number + seed) % 4],
        representations=tuple(made[name]() for name in representations),
        options=OPTIONS,
        group=f"scene-{number // 2}",
        difficulty={"objects": number % 3},
        chance=0.25,
    )


@dataclass
class FakeSuite:
    """Problems by number; ``settings_`` stands for whatever a suite is made from."""

    name: str = "fake"
    tasks: tuple[str, ...] = ("fake/where",)
    representations: dict[str, str] = field(default_factory=lambda: {"list": "text", "image": "image"})
    settings_: dict[str, JSON] = field(default_factory=lambda: {"level": "easy"})
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def problems(
        self, n: int | None, seed: int, representations: Sequence[str] | None = None, offset: int = 0
    ) -> Iterator[Problem]:
        self.asked.append(tuple(representations or ()))
        for number in range(offset, offset + (n or 10)):
            yield make_problem(
                number, seed=seed, representations=representations or tuple(self.representations)
            )

    def parse(self, problem: Problem, reply: str) -> Answer:
        value = reply.rpartition("Answer:")[2].strip()
        if "cannot" in value:
            return Answer(None, "abstain")
        return Answer(value, "answer") if value in OPTIONS else Answer(None, "unparsed")

    def settings(self) -> dict[str, JSON]:
        return self.settings_


def guess(query: Query) -> Reply:
    """A reply that depends on everything a query shows, and is right about half of the time."""
    shown = sum(len(part.text) for part in query.parts if isinstance(part, Text))
    number = int(query.problem_id.rpartition("-")[2])
    right = (number * 7 + shown + len(query.representation) + query.sampling.seed) % 2
    wrong = next(option for option in query.options if option != query.truth)
    return Reply(f"I think.\nAnswer: {query.truth if right else wrong}", seconds=0.25)


@dataclass
class FakeModel:
    """Answers with ``answer``; counts what it is asked."""

    answer: Callable[[Query], Reply] = guess
    name: str = "fake/model"
    modalities: frozenset[str] = frozenset({"text", "image"})
    settings: dict[str, JSON] = field(
        default_factory=lambda: {"weights": "abc", "nested": {"dtype": "float32"}}
    )
    pause: float = 0.0
    queries: list[Query] = field(default_factory=list)
    rounds: int = 0
    closed: bool = False

    def fingerprint(self) -> dict[str, JSON]:
        return self.settings

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        self.rounds += 1
        for index in reversed(range(len(queries))):  # out of order, as an endpoint does
            if self.pause:
                time.sleep(self.pause)
            self.queries.append(queries[index])
            yield index, self.answer(queries[index])

    def close(self) -> None:
        self.closed = True


if __name__ == "__main__":
    import modgap

    out, pause, n = sys.argv[1], float((sys.argv[2:] or ["0"])[0]), int((sys.argv[3:] or ["40"])[0])
    try:
        modgap.measure(FakeModel(pause=pause), FakeSuite(), n=n, out=out, name="run")
    except modgap.ModgapError as problem:
        sys.exit(f"modgap: {problem}")
