"""One state of a model: how it answers, what it says of scenes, and how that differs from another state.

A model that says less makes fewer errors. So beside the rate of false words there is its change *at equal
length*: both captions of a scene are cut to as many words that state something as the shorter of them has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modgap.evaluate._prompts import build_parts
from modgap.evaluate._statistics import percentile_interval, resample_totals
from modgap.models import Model, Query
from modgap.scenes import read_caption
from modgap.tasks import Problem, load_suite

from ._detect import score_each
from ._measures_report import items_of
from ._rates_captions import captions_of_scenes
from ._scores import Detector, words
from .annotate._words import words as split

TASKS = ("count", "attribute", "existence", "relation", "depth", "distance", "binding")
LEVEL = "plain"
DRAWS = 2000

_WORDS, _WRONG, _LENGTH, _UNREAD, _CHARACTERS, _CAPTIONS, _FLAGGED = range(7)
_suite = load_suite("scenes", tasks=TASKS, level=LEVEL)


@dataclass(frozen=True)
class Judge:
    """A second detector that scores the captions; best one that the change does not come from.

    Args:
        detector: with a model of its own.
        threshold: words with a score above it are flagged.
    """

    detector: Detector
    threshold: float


@dataclass(frozen=True)
class State:
    """What was measured of one state of a model, on the same problems and scenes as of the others.

    Args:
        right: whether each problem was answered right.
        captions: per scene: words that state something, wrong ones, all words, characters of sentences that
            cannot be read, all characters, 1, and words that the judge flags.
        wrong: per scene, of each word that states something, in order, whether it is wrong.
    """

    right: np.ndarray
    captions: np.ndarray
    wrong: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Row:
    """One state beside the unchanged model; intervals of differences are paired, over scenes.

    Args:
        name: of the change.
        taus: strengths.
        accuracy: of answers about pictures, 0 to 1.
        accuracy_change: in points, with its interval.
        false_per_100: exact false words of 100 that state something.
        false_change: of that, with its interval.
        equal_change: of that at equal length, with its interval.
        words: of a caption.
        words_change: of that, with its interval.
        unread: fraction of characters in sentences that cannot be read.
        problems, scenes: how many.
        flagged_per_100: words that a second detector flags, of 100; ``None`` without one.
        flagged_change: of that, with its interval.
        behind: false words of 100 at equal length that this control has more than the tested change, with
            the interval; ``None`` for what is no control.
    """

    name: str
    taus: Mapping[str, float]
    accuracy: float
    accuracy_change: tuple[float, float, float]
    false_per_100: float
    false_change: tuple[float, float, float]
    equal_change: tuple[float, float, float]
    words: float
    words_change: tuple[float, float, float]
    unread: float
    problems: int
    scenes: int
    flagged_per_100: float | None = None
    flagged_change: tuple[float, float, float] | None = None
    behind: tuple[float, float, float] | None = None

    @property
    def line(self) -> str:
        """For progress."""
        strengths = " ".join(f"{group} {tau:g}" for group, tau in self.taus.items()) or "0"
        return (
            f"{self.name}, τ {strengths}: {100 * self.accuracy:.1f} % right, {self.false_per_100:.2f} false "
            f"of 100, {self.words:.0f} words"
        )


def sample_problems(n: int, seed: int) -> list[Problem]:
    """Problems with a picture, ``n`` of each task."""
    return list(_suite.problems(n, seed, ("image",)))


def measure_state(
    model: Model, problems: Sequence[Problem], scenes: int, seed: int, judge: Judge | None = None
) -> State:
    """Ask and have captions written."""
    queries = [
        Query(build_parts(p, p.representations[0]), p.options, problem_id=p.problem_id) for p in problems
    ]
    right = np.zeros(len(problems))
    for index, reply in model.reply(queries):
        problem = problems[index]
        right[index] = reply.text is not None and _suite.parse(problem, reply.text).value == problem.answer
    table = np.zeros((scenes, 7))
    wrong = [np.zeros(0)] * scenes
    written = captions_of_scenes(model, scenes, seed, LEVEL)
    for number, (row, example) in enumerate(zip(table, written, strict=True)):
        if example.scene is None:
            continue
        reading = read_caption(example.response, example.scene)
        wrong[number] = np.array([not word.holds for word in reading.words], dtype=float)
        row[:] = (
            len(reading.words),
            wrong[number].sum(),
            len(split(example.response)),
            sum(end - start for start, end in reading.unread),
            len(example.response),
            1,
            0,
        )
    if judge is not None:
        for row, example, one in zip(
            table, written, score_each(judge.detector, items_of(written)), strict=True
        ):
            if not isinstance(one, str):  # an empty caption has no score
                row[_FLAGGED] = sum(word.bad > judge.threshold for word in words(one, example.response))
    return State(right, table, tuple(wrong))


def compare(
    name: str, taus: Mapping[str, float], state: State, base: State, seed: int, *, judged: bool
) -> Row:
    """A state beside the unchanged model's.

    Args:
        name, taus: of the change.
        state: under it.
        base: without it.
        seed: of the intervals.
        judged: whether a judge scored the captions.
    """
    rng = np.random.default_rng(seed)
    right = resample_totals((state.right - base.right)[:, None], rng, DRAWS)[:, 0] / len(state.right)
    both = resample_totals(np.hstack([state.captions, base.captions]), rng, DRAWS)
    now, before = np.split(both, 2, axis=1)
    seen, old = state.captions.sum(axis=0), base.captions.sum(axis=0)

    def change(above: int, below: int, times: float) -> tuple[float, float, float]:
        drawn = times * (_ratio(now, above, below) - _ratio(before, above, below))
        return (
            float(times * (_ratio(seen, above, below) - _ratio(old, above, below))),
            *percentile_interval(drawn),
        )

    gain = 100 * float(state.right.mean() - base.right.mean())
    return Row(
        name,
        dict(taus),
        float(state.right.mean()),
        (gain, *percentile_interval(100 * right)),
        100 * float(_ratio(seen, _WRONG, _WORDS)),
        change(_WRONG, _WORDS, 100),
        at_equal_length(state, base, seed),
        float(_ratio(seen, _LENGTH, _CAPTIONS)),
        change(_LENGTH, _CAPTIONS, 1),
        float(_ratio(seen, _UNREAD, _CHARACTERS)),
        len(state.right),
        len(state.captions),
        100 * float(_ratio(seen, _FLAGGED, _LENGTH)) if judged else None,
        change(_FLAGGED, _LENGTH, 100) if judged else None,
    )


def at_equal_length(state: State, base: State, seed: int) -> tuple[float, float, float]:
    """False words of 100 that a state has more than another, both captions of a scene cut to the shorter.

    Returns:
        The difference and its 95 % interval, over scenes.
    """
    rows = np.zeros((len(state.wrong), 3))
    for row, one, other in zip(rows, state.wrong, base.wrong, strict=True):
        length = min(len(one), len(other))
        row[:] = one[:length].sum(), other[:length].sum(), length
    drawn = resample_totals(rows, np.random.default_rng(seed), DRAWS)
    found = [100 * (x[..., 0] - x[..., 1]) / np.maximum(x[..., 2], 1) for x in (rows.sum(axis=0), drawn)]
    return (float(found[0]), *percentile_interval(found[1]))


def _ratio(totals: np.ndarray, above: int, below: int) -> np.ndarray:
    return np.asarray(totals[..., above] / np.maximum(totals[..., below], 1))
