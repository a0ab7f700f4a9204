"""What measuring costs besides the model: milliseconds per record and memory, with a model that only guesses.

    python benchmarks/runner_overhead.py [--problems 10000]

Asks ``random`` the suite ``scenes`` as a list (text) and as a picture of 224 pixels: 10,000 problems are
20,000 records. Prints the time per record (aim: under 1 ms, pictures included), the peak memory of the
process (aim: under 200 MB) and where the time goes. Everything is done for real: drawing, PNG, media files,
``problems.jsonl``, and one flushed line per record. Times are of the processor, so that what else the machine
does is not counted; the time on the wall is printed beside them. Exit status 1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import modgap
from modgap.models import Model, Query, Reply
from modgap.tasks import Answer, Problem, Suite

MOST_MILLISECONDS = 1.0
MOST_MEGABYTES = 200.0


@dataclass
class Clock:
    """Processor seconds spent, by what they were spent on."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, began: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began


class TimedSuite:
    """A suite that notes how long it takes to make problems and to read replies."""

    def __init__(self, suite: Suite, clock: Clock) -> None:
        self._suite, self._clock = suite, clock
        self.name, self.tasks, self.representations = suite.name, suite.tasks, suite.representations
        self.settings = suite.settings

    def problems(self, *arguments: Any) -> Iterator[Problem]:
        problems = self._suite.problems(*arguments)
        while True:
            began = time.process_time()
            problem = next(problems, None)
            self._clock.add("making problems, pictures included", began)
            if problem is None:
                return
            yield problem

    def parse(self, problem: Problem, reply: str) -> Answer:
        began = time.process_time()
        answer = self._suite.parse(problem, reply)
        self._clock.add("reading replies", began)
        return answer


class TimedModel:
    """A model that notes how long it takes to answer."""

    def __init__(self, model: Model, clock: Clock) -> None:
        self._model, self._clock = model, clock
        self.name, self.modalities = model.name, model.modalities
        self.fingerprint, self.close = model.fingerprint, model.close

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        replies = self._model.reply(queries)
        while True:
            began = time.process_time()
            answered = next(replies, None)
            self._clock.add("the model", began)
            if answered is None:
                return
            yield answered


def peak_megabytes() -> float:
    """Largest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--problems", type=int, default=10_000)
    problems = parser.parse_args().problems

    clock = Clock()
    suite = modgap.load_suite("scenes", pixels=224)
    each = max(1, problems // len(suite.tasks))
    before = peak_megabytes()
    with tempfile.TemporaryDirectory() as folder:
        wall, began = time.perf_counter(), time.process_time()
        run = modgap.measure(
            TimedModel(modgap.load_model("random"), clock),
            TimedSuite(suite, clock),
            n=each,
            representations=["list", "image"],
            out=folder,
        )
        seconds, wall = time.process_time() - began, time.perf_counter() - wall
        memory = peak_megabytes()
        records = len(run.records())
        began = time.process_time()
        modgap.measure(
            modgap.load_model("random"), suite, n=each, representations=["list", "image"], out=folder
        )
        again = time.process_time() - began
        files = [path for path in Path(run.folder).rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6

    milliseconds = 1000 * seconds / records
    print(f"{records:,} records of {each * len(suite.tasks):,} problems")
    print(f"{seconds:.1f} s of one processor, {wall:.1f} s on the wall")
    print(f"{milliseconds:.3f} ms per record (aim: under {MOST_MILLISECONDS:g})")
    print(f"{memory:.0f} MB at most (aim: under {MOST_MEGABYTES:g}), {before:.0f} MB before the run began")
    print(f"{len(files):,} files, {size:.1f} MB; the same command again takes {again:.1f} s")
    print("where the time goes, ms per record:")
    rest = seconds - sum(clock.seconds.values())
    for name, spent in (*clock.seconds.items(), ("prompts, keys, media and records on disk", rest)):
        print(f"  {1000 * spent / records:.3f}  {name}")
    return int(milliseconds >= MOST_MILLISECONDS or memory >= MOST_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
