"""What a change does to a model at each strength: answers, exact errors of captions, their length.

τ is chosen on validation scenes and reported on others, beside changes of the same size that know nothing. A
model that says less makes fewer errors, so a strength counts as better only if captions keep their length,
can still be read, and answers stay as right as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from modgap.evaluate._prompts import build_parts
from modgap.evaluate._statistics import percentile_interval, resample_totals
from modgap.models import Model, Query
from modgap.models.local._load import Pretrained
from modgap.models.local._model import LocalModel
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
LOST_POINTS = 1.0
"""Accuracy that a strength may lose on validation, in points (our choice)."""
LENGTH = 0.1
"""Fraction by which captions may become shorter or longer on validation (our choice)."""

_WORDS, _WRONG, _LENGTH, _UNREAD, _CHARACTERS, _CAPTIONS, _FLAGGED = range(7)


class Change(Protocol):
    """A change of a model that has a strength, such as :class:`modgap.tldr._strengthen.Update`."""

    @property
    def name(self) -> str:
        """For tables."""
        ...

    def applied(self, pretrained: Pretrained, taus: Mapping[str, float]) -> AbstractContextManager[None]:
        """The model under it, while the context lasts."""
        ...


@dataclass(frozen=True)
class State:
    """What was measured of one state of a model, on the same problems and scenes as of the others.

    Args:
        right: whether each problem was answered right.
        captions: per scene: words that state something, wrong ones, all words, characters of sentences that
            cannot be read, all characters, 1, and words that the judge flags.
    """

    right: np.ndarray
    captions: np.ndarray


@dataclass(frozen=True)
class Row:
    """One state beside the unchanged model; intervals of differences are paired.

    Args:
        name: of the change.
        taus: strengths.
        accuracy: of answers about pictures, 0 to 1.
        accuracy_change: in points, with its interval.
        false_per_100: exact false words of 100 that state something.
        false_change: of that, with its interval.
        words: of a caption.
        words_change: of that, with its interval.
        unread: fraction of characters in sentences that cannot be read.
        problems, scenes: how many.
        flagged_per_100: words that a second detector flags, of 100; ``None`` without one.
        flagged_change: of that, with its interval.
    """

    name: str
    taus: Mapping[str, float]
    accuracy: float
    accuracy_change: tuple[float, float, float]
    false_per_100: float
    false_change: tuple[float, float, float]
    words: float
    words_change: tuple[float, float, float]
    unread: float
    problems: int
    scenes: int
    flagged_per_100: float | None = None
    flagged_change: tuple[float, float, float] | None = None


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
class Strengthening:
    """What a sweep found.

    Args:
        validation: rows of the update at every strength.
        chosen: the strengths that were chosen there; all 0 if none was better.
        test: the model, the update and every control at the chosen strengths, on other scenes.
    """

    validation: tuple[Row, ...]
    chosen: Mapping[str, float]
    test: tuple[Row, ...]


def strengthen(
    model: LocalModel,
    update: Change,
    controls: Sequence[Change],
    *,
    taus: Sequence[float],
    groups: Sequence[str] = ("all",),
    problems: int = 50,
    scenes: int = 100,
    seed: int = 0,
    judge: Judge | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Strengthening:
    """Choose a strength on validation scenes, and measure it on others.

    Args:
        model: left as it is.
        update: the detector's change.
        controls: other changes, measured at the chosen strength; if it is 0, at the smallest one.
        taus: strengths that are tried, one or more.
        groups: what they are tried on, one after the other; one or more.
        problems: of each task, on validation and again for the test.
        scenes: that are captioned, likewise.
        seed: of validation; the test has the next but one.
        judge: scores the captions too, as in the paper one backbone's detector judges the other's captions;
            the choice does not look at it.
        say: is told a line now and then.
    """
    asked, tried = _problems(problems, seed), [{g: tau} for g in groups for tau in taus]
    base = measure_state(model, asked, scenes, seed, judge)
    rows = [_row("model", {}, base, base, seed, judged=judge is not None)]
    say(_line(rows[0]))
    for strengths in tried:
        rows.append(_under(model, update, strengths, base, asked, scenes, seed, judge))
        say(_line(rows[-1]))
    chosen = choose(rows)
    shown = chosen or {groups[0]: min(taus, key=abs)}
    asked = _problems(problems, seed + 2)
    base = measure_state(model, asked, scenes, seed + 2, judge)
    test = [_row("model", {}, base, base, seed, judged=judge is not None)]
    for change in (update, *controls):
        test.append(_under(model, change, shown, base, asked, scenes, seed + 2, judge))
        say(_line(test[-1]))
    return Strengthening(tuple(rows), chosen, tuple(test))


def choose(rows: Sequence[Row]) -> Mapping[str, float]:
    """The strengths with the fewest false words of those that lose nothing else.

    Args:
        rows: of validation, the unchanged model first.

    Returns:
        Empty if none has fewer than the unchanged model.
    """
    base, *others = rows
    fine = [
        row
        for row in others
        if row.accuracy_change[0] >= -LOST_POINTS
        and abs(row.words - base.words) <= LENGTH * base.words
        and row.unread <= base.unread + 0.01
        and row.false_per_100 < base.false_per_100
    ]
    return min(fine, key=lambda row: row.false_per_100).taus if fine else {}


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
    written = captions_of_scenes(model, scenes, seed, LEVEL)
    for row, example in zip(table, written, strict=True):
        if example.scene is None:
            continue
        reading = read_caption(example.response, example.scene)
        row[:] = (
            len(reading.words),
            sum(not word.holds for word in reading.words),
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
    return State(right, table)


_suite = load_suite("scenes", tasks=TASKS, level=LEVEL)


def _problems(n: int, seed: int) -> list[Problem]:
    return list(_suite.problems(n, seed, ("image",)))


def _under(
    model: LocalModel,
    update: Change,
    taus: Mapping[str, float],
    base: State,
    problems: Sequence[Problem],
    scenes: int,
    seed: int,
    judge: Judge | None,
) -> Row:
    with update.applied(model.pretrained, taus):
        return _row(
            update.name,
            taus,
            measure_state(model, problems, scenes, seed, judge),
            base,
            seed,
            judged=judge is not None,
        )


def _row(
    name: str, taus: Mapping[str, float], state: State, base: State, seed: int, *, judged: bool = False
) -> Row:
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
        float(_ratio(seen, _LENGTH, _CAPTIONS)),
        change(_LENGTH, _CAPTIONS, 1),
        float(_ratio(seen, _UNREAD, _CHARACTERS)),
        len(state.right),
        len(state.captions),
        100 * float(_ratio(seen, _FLAGGED, _LENGTH)) if judged else None,
        change(_FLAGGED, _LENGTH, 100) if judged else None,
    )


def _ratio(totals: np.ndarray, above: int, below: int) -> np.ndarray:
    return np.asarray(totals[..., above] / np.maximum(totals[..., below], 1))


def _line(row: Row) -> str:
    strengths = " ".join(f"{group} {tau:g}" for group, tau in row.taus.items()) or "0"
    return (
        f"{row.name}, τ {strengths}: {100 * row.accuracy:.1f} % right, {row.false_per_100:.2f} false of 100, "
        f"{row.words:.0f} words"
    )
