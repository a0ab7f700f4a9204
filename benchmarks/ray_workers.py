"""Questions per second with several Ray workers against one, and what the engine itself costs.

    python benchmarks/ray_workers.py [--workers 2] [--questions 600] [--pause 0.02]

First a model that only waits, ``--pause`` seconds for each question, as if a GPU were at work: the ratio is
that of the engine alone, and its ideal is the number of workers. Then the bundled model, with one thread in
each worker, so that one more worker is one more processor: several threads that wait for each other on a busy
machine would measure just that. The time on the wall counts, without the start: let the machine be idle.
"""

from __future__ import annotations

import argparse
import functools
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from modgap.evaluate._prompts import build_parts
from modgap.media import Modality
from modgap.models import JSON, Model, Query, Reply, load_model
from modgap.models._ray import RayModel
from modgap.tasks import load_suite

REPEATS = 2
"""The better of so many, so that other work on the machine and the first batch count less."""


@dataclass(frozen=True)
class Waiting:
    """A model that waits and says nothing of use.

    Args:
        pause: seconds for each question.
    """

    pause: float
    name: str = "waiting"
    modalities: frozenset[Modality] = frozenset({"text", "image"})

    def fingerprint(self) -> dict[str, JSON]:
        return {"pause": self.pause}

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        for index, _ in enumerate(queries):
            time.sleep(self.pause)
            yield index, Reply("Answer: 0")

    def close(self) -> None:
        pass


def make_queries(count: int) -> list[Query]:
    """Questions of the suite ``scenes``, half of them in words and half about pictures."""
    suite = load_suite("scenes", level="plain")
    made = [
        Query(
            build_parts(problem, shown, "plain"),
            options=problem.options,
            problem_id=problem.problem_id,
            representation=shown.name,
        )
        for problem in suite.problems(-(-count // (2 * len(suite.tasks))), 0, ("list", "image"))
        for shown in problem.representations
    ]
    return made[:count]


def rate(load: Callable[[], Model], workers: int, queries: Sequence[Query]) -> tuple[float, float]:
    """Questions per second with all workers at work, and the seconds until the first was ready."""
    began = time.perf_counter()
    model = RayModel(load, workers=workers)
    start = time.perf_counter() - began
    try:
        while model.loading:
            list(model.reply(queries[:1]))
        seconds = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            replies = dict(model.reply(queries))
            seconds.append(time.perf_counter() - began)
            assert len(replies) == len(queries)
        return len(queries) / min(seconds), start
    finally:
        model.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2, help="compared with one (default: 2)")
    parser.add_argument("--questions", type=int, default=600, help="asked in each measurement (default: 600)")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds for a question (default: 0.02)")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    queries = make_queries(given.questions)
    print(f"{os.cpu_count()} processors ({platform.machine()}), load average {os.getloadavg()[0]:.1f}")
    for name, load in (
        ("waiting", functools.partial(Waiting, given.pause)),
        ("bundled", functools.partial(load_model, "bundled")),
    ):
        one, started = rate(load, 1, queries)
        several, _ = rate(load, given.workers, queries)
        print(
            f"{name}, questions a second: 1 worker {one:.1f}, {given.workers} workers {several:.1f}, "
            f"ratio {several / one:.2f} (first worker ready after {started:.0f} s)"
        )


if __name__ == "__main__":
    main()
