"""From records to the figures of a run: accuracy per cell, the gap per task, pooled and macro, and a verdict.

    summary = summarize(run.records(), run.problems(media=False))
    print(summary.verdict)

What is unusual: the gap is computed on paired problems only, so that both accuracies in the verdict are of
the same problems; the text accuracy is the mean over all text representations; the p-value is exact (see
:func:`~modgap.evaluate._statistics.sign_flip_test`) and equals McNemar's wherever that test applies; every
interval of a gap resamples groups of problems. Pooled weighs problems alike, macro weighs tasks alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from modgap.evaluate._decompose import Decomposition, decompose_records
from modgap.evaluate._difficulty import DifficultyPoint, difficulty_points
from modgap.evaluate._gains import DIRECT, Gain, gains
from modgap.evaluate._gaps import Gap, MacroGap, gaps_over_tasks, task_gaps
from modgap.evaluate._pairing import Asked, collect
from modgap.evaluate._record import OUTCOMES, Outcome, Record
from modgap.evaluate._statistics import DRAWS, wilson
from modgap.evaluate._verdict import notes, verdict
from modgap.media import MODALITIES, Modality

if TYPE_CHECKING:
    from modgap.tasks import Problem


@dataclass(frozen=True)
class Cell:
    """One task in one representation.

    Args:
        task: full task name.
        representation: its name.
        modality: its modality.
        n: problems with at least one record that is not an error.
        correct: problems right; one that was asked several times counts its share.
        accuracy: ``correct / n``; ``None`` when ``n`` is 0. Unparsed and refused replies are not correct.
        low: lower end of the Wilson interval of the accuracy.
        high: upper end.
        chance: expected accuracy of a guess, ``None`` where it is not defined.
        outcomes: number of records by outcome, all five.
        conflicting: records whose reply made several final statements that disagree.
    """

    task: str
    representation: str
    modality: Modality
    n: int
    correct: float
    accuracy: float | None
    low: float
    high: float
    chance: float | None
    outcomes: dict[Outcome, int]
    conflicting: int


@dataclass(frozen=True)
class Summary:
    """All figures of one run.

    Args:
        strategy: the strategy they are about.
        level: confidence of every interval, 0 to 1.
        tasks: full task names, in order.
        representations: name → modality, words first.
        cells: task × representation, in that order.
        gaps: task × modality other than text.
        pooled: one per modality other than text.
        macro: likewise.
        difficulty: accuracy by difficulty dial.
        outcomes: number of records by outcome, over all.
        verdict: the result in one sentence.
        notes: what a reader of the figures must know.
        gains: what each other strategy gains over ``direct``; empty where ``direct`` was asked alone.
        causes: the errors in their parts, likewise.
        version: of this format.
    """

    strategy: str
    level: float
    tasks: tuple[str, ...]
    representations: dict[str, Modality]
    cells: tuple[Cell, ...]
    gaps: tuple[Gap, ...]
    pooled: tuple[Gap, ...]
    macro: tuple[MacroGap, ...]
    difficulty: tuple[DifficultyPoint, ...]
    outcomes: dict[Outcome, int]
    verdict: str
    notes: tuple[str, ...] = ()
    gains: tuple[Gain, ...] = ()
    causes: tuple[Decomposition, ...] = ()
    version: int = 1


def summarize(
    records: Iterable[Record],
    problems: Iterable[Problem] | None = None,
    *,
    strategy: str | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> Summary:
    """Compute every figure of a run. The order of the records does not matter.

    Args:
        records: of one run; of two about the same sample the later counts.
        problems: the problems asked, for chance levels and difficulty; their media are not looked at.
        strategy: the strategy to summarize; ``None`` is the only one there is, else ``direct``.
        level: confidence of the intervals, 0 to 1.
        draws: bootstrap draws.
        rng: of the bootstrap; ``None`` is a fixed seed, so that a report rebuilt is the same report.

    Returns:
        The summary. Without text or without another modality it has no gaps, and its verdict says so.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    latest = latest_records(records)
    kept, strategy = of_strategy(latest, strategy)
    facts = {problem.problem_id: (problem.chance, problem.difficulty) for problem in problems or ()}
    modalities = _representations(kept)
    asked = {task: dict(sorted(found.items())) for task, found in sorted(collect(kept).items())}
    tasks = tuple(sorted({record.task for record in kept}))
    chances = {
        task: _mean_chance([facts.get(name, (None, {}))[0] for name in asked.get(task, {})]) for task in tasks
    }
    cells = _cells(kept, asked, modalities, chances, level)
    text = [name for name, modality in modalities.items() if modality == "text"]
    others = [m for m in MODALITIES if m != "text" and m in modalities.values()] if text else []
    several = DIRECT in {r.strategy for r in latest} and len({r.strategy for r in latest}) > 1
    gaps: list[Gap] = []
    pooled: list[Gap] = []
    macro: list[MacroGap] = []
    for modality in others:
        forms = [name for name, m in modalities.items() if m == modality]
        of_tasks = task_gaps(asked, modality, text, forms, level=level, draws=draws, rng=rng)
        gaps.extend(gap for gap, _ in of_tasks)
        if of_tasks:
            together = gaps_over_tasks(of_tasks, modality, level, draws, rng)
            pooled.append(together[0])
            macro.append(together[1])
    outcomes = {outcome: sum(cell.outcomes[outcome] for cell in cells) for outcome in OUTCOMES}
    summary = Summary(
        strategy,
        level,
        tasks,
        modalities,
        tuple(cells),
        tuple(gaps),
        tuple(pooled),
        tuple(macro),
        difficulty_points(asked, modalities, {name: fact[1] for name, fact in facts.items()}, level),
        outcomes,
        "",
        gains=gains(latest, level=level, draws=draws) if several else (),
        causes=decompose_records(latest, level=level, draws=draws) if several else (),
    )
    return dataclasses.replace(summary, verdict=verdict(summary), notes=notes(summary))


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """The summary as plain JSON values (dictionaries, lists, numbers, strings)."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(summary))
    return plain


def latest_records(records: Iterable[Record]) -> list[Record]:
    """The latest record of every sample."""
    latest = {(r.task, r.problem_id, r.representation, r.strategy, r.sample): r for r in records}
    return list(latest.values())


def of_strategy(records: Iterable[Record], strategy: str | None) -> tuple[list[Record], str]:
    """The latest record of every sample of one strategy, in a fixed order, and the name of that strategy."""
    latest = latest_records(records)
    present = sorted({record.strategy for record in latest})
    if strategy is None:
        strategy = present[0] if len(present) == 1 else DIRECT
    kept = [record for record in latest if record.strategy == strategy]
    kept.sort(key=lambda r: (r.task, r.problem_id, r.representation, r.sample))
    return kept, strategy


def _representations(records: Sequence[Record]) -> dict[str, Modality]:
    found = {record.representation: record.modality for record in records}
    return dict(sorted(found.items(), key=lambda item: (MODALITIES.index(item[1]), item[0])))


def _mean_chance(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _cells(
    records: Sequence[Record],
    asked: Mapping[str, Mapping[str, Asked]],
    modalities: Mapping[str, Modality],
    chances: Mapping[str, float | None],
    level: float,
) -> list[Cell]:
    counts: dict[tuple[str, str], dict[Outcome, int]] = {}
    conflicts: dict[tuple[str, str], int] = {}
    for record in records:
        place = (record.task, record.representation)
        counts.setdefault(place, dict.fromkeys(OUTCOMES, 0))[record.outcome] += 1
        conflicts[place] = conflicts.get(place, 0) + record.conflicting
    cells = []
    for task in chances:
        for name, modality in modalities.items():
            if (task, name) not in counts:
                continue
            found = [one.score([name]) for one in asked.get(task, {}).values()]
            scores = [score for score in found if score is not None]
            correct, n = sum(scores), len(scores)
            interval = wilson(min(correct, n), n, level)
            cells.append(
                Cell(
                    task,
                    name,
                    modality,
                    n,
                    correct,
                    correct / n if n else None,
                    *interval,
                    chances[task],
                    counts[task, name],
                    conflicts[task, name],
                )
            )
    return cells
