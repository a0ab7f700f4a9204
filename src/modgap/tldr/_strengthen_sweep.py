"""What a change does to a model at each strength: answers, exact errors of captions, their length.

τ is chosen on validation scenes and reported on others. Beside the change stand its rivals, trained on the
same captions in another way, whose strength is chosen likewise; and controls of the same size that know
nothing. A model that says less makes fewer errors, so a strength counts as better only if captions keep their
length, can still be read, and answers stay as right as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from modgap.models.local._load import Pretrained
from modgap.models.local._model import LocalModel

from ._strengthen_measure import Judge, Row, State, at_equal_length, compare, measure_state, sample_problems

LOST_POINTS = 1.0
"""Accuracy that a strength may lose on validation, in points (our choice)."""
LENGTH = 0.1
"""Fraction by which captions may become shorter or longer on validation (our choice)."""


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
class Strengthening:
    """What a sweep found.

    Args:
        validation: rows of the change and its rivals at every strength.
        chosen: the strengths that were chosen there; empty if none was better.
        test: the model, the change, and every rival and control, on other scenes.
    """

    validation: tuple[Row, ...]
    chosen: Mapping[str, float]
    test: tuple[Row, ...]


def strengthen(
    model: LocalModel,
    update: Change,
    controls: Sequence[Change],
    *,
    rivals: Sequence[Change] = (),
    taus: Sequence[float],
    groups: Sequence[str] = ("all",),
    problems: int = 50,
    scenes: int = 100,
    test_scenes: int | None = None,
    seed: int = 0,
    judge: Judge | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Strengthening:
    """Choose a strength on validation scenes, and measure it on others.

    Args:
        model: left as it is.
        update: the detector's change.
        controls: changes of the same size, measured at the chosen strength; if none is better, at the
            smallest one.
        rivals: changes that have their own strength, chosen in the same way.
        taus: strengths that are tried, one or more.
        groups: what they are tried on, one after the other; one or more.
        problems: of each task, on validation and again for the test.
        scenes: that are captioned on validation.
        test_scenes: likewise for the test; as many if ``None``.
        seed: of validation; the test has the next but one.
        judge: scores the captions too, as in the paper one backbone's detector judges the other's captions;
            the choice does not look at it.
        say: is told a line now and then.
    """
    stage = _Stage(model, problems, scenes, seed, judge, say)
    tried = [{group: tau} for group in groups for tau in taus]
    rows, strengths = [stage.plain], []
    for change in (update, *rivals):
        found = [stage.row(change, one) for one in tried]
        strengths.append(choose([stage.plain, *found]))
        rows += found
    least = {groups[0]: min(taus, key=abs)}
    stage = _Stage(model, problems, scenes if test_scenes is None else test_scenes, seed + 2, judge, say)
    test = [stage.plain, stage.row(update, strengths[0] or least)]
    tested = stage.last
    others: Iterable[tuple[Change, Mapping[str, float]]] = (
        *zip(rivals, strengths[1:], strict=True),
        *((control, strengths[0]) for control in controls),
    )
    for change, taus_of in others:
        row = stage.row(change, taus_of or least)
        test.append(replace(row, behind=at_equal_length(stage.last, tested, seed)))
    return Strengthening(tuple(rows), strengths[0], tuple(test))


class _Stage:
    """Validation or test: the same problems and scenes for every state."""

    def __init__(
        self,
        model: LocalModel,
        problems: int,
        scenes: int,
        seed: int,
        judge: Judge | None,
        say: Callable[[str], None],
    ) -> None:
        self._model, self._scenes, self._seed, self._judge, self._say = model, scenes, seed, judge, say
        self._problems = sample_problems(problems, seed)
        self._base = self.last = self._measure()
        self.plain = self._compared("model", {})

    def row(self, change: Change, taus: Mapping[str, float]) -> Row:
        """The model under a change."""
        with change.applied(self._model.pretrained, taus):
            self.last = self._measure()
        return self._compared(change.name, taus)

    def _measure(self) -> State:
        return measure_state(self._model, self._problems, self._scenes, self._seed, self._judge)

    def _compared(self, name: str, taus: Mapping[str, float]) -> Row:
        row = compare(name, taus, self.last, self._base, self._seed, judged=self._judge is not None)
        self._say(row.line)
        return row


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
