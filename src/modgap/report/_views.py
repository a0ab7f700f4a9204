"""The figures of a summary, arranged as the rows and shapes that the templates draw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from modgap.evaluate import Cell, Decomposition, Gain, Summary
from modgap.evaluate._difficulty import DifficultyPoint
from modgap.evaluate._gaps import Gap, MacroGap
from modgap.evaluate._verdict import IN_WORDS, short_names
from modgap.media import Modality

NOUN: dict[Modality, str] = {"text": "words", "image": "pictures", "audio": "sound", "video": "video"}
MOST_CURVES = 24

T = TypeVar("T", Gain, Decomposition)


@dataclass(frozen=True)
class Bells:
    """The dumbbell plot of one modality: rows from the largest gap to the smallest."""

    modality: Modality
    noun: str
    pooled: Gap
    macro: MacroGap | None
    rows: tuple[Gap, ...]


@dataclass(frozen=True)
class Curve:
    """One line of a small multiple, in its own units of 0..100 across and up."""

    modality: Modality
    path: str
    points: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Chart:
    """A small multiple: one task along one dial."""

    task: str
    name: str
    dial: str
    labels: tuple[tuple[float, str], ...]
    curves: tuple[Curve, ...]
    chance: float | None
    words: str


def bells(summary: Summary) -> list[Bells]:
    """One plot for each modality that is compared with words."""
    macros = {macro.modality: macro for macro in summary.macro}
    found = []
    for pooled in summary.pooled:
        rows = [gap for gap in summary.gaps if gap.modality == pooled.modality]
        rows.sort(key=lambda gap: (-gap.gap_points, gap.task))
        macro = macros.get(pooled.modality) if len(rows) > 1 else None
        found.append(Bells(pooled.modality, NOUN[pooled.modality], pooled, macro, tuple(rows)))
    return found


def by_modality(rows: Iterable[T]) -> list[tuple[Modality, list[T]]]:
    """Rows of a table, one table for each modality."""
    return [(modality, list(group)) for modality, group in groupby(rows, key=lambda row: row.modality)]


def chances(summary: Summary) -> dict[str, float | None]:
    """Chance level by task."""
    return {cell.task: cell.chance for cell in summary.cells}


def matrix(summary: Summary) -> list[tuple[str, list[Cell | None]]]:
    """Task → its cells in the order of the representations; ``None`` where a task lacks one."""
    cells = {(cell.task, cell.representation): cell for cell in summary.cells}
    return [(task, [cells.get((task, name)) for name in summary.representations]) for task in _order(summary)]


def _order(summary: Summary) -> list[str]:
    """Tasks in the order of the first dumbbell plot, then the others."""
    shown = [gap.task for plot in bells(summary)[:1] for gap in plot.rows]
    return [*shown, *(task for task in summary.tasks if task not in shown)]


def failures(cell: Cell) -> str:
    """``3 unparsed, 1 error``: what did not become an answer; empty when all did."""
    named = {"unparsed": "unparsed", "refused": "refused", "error": "error"}
    parts = []
    for outcome, word in named.items():
        number = {str(name): value for name, value in cell.outcomes.items()}[outcome]
        if number:
            parts.append(f"{number:,} {word}{'s' if word == 'error' and number > 1 else ''}")
    return ", ".join(parts)


def charts(summary: Summary) -> list[Chart]:
    """Small multiples of accuracy along the difficulty dials; at most ``MOST_CURVES``."""
    names = short_names(summary.tasks)
    levels = chances(summary)
    found = []
    for (task, dial), group in groupby(summary.difficulty, key=lambda point: (point.task, point.dial)):
        points = list(group)
        values = list(dict.fromkeys(point.value for point in points))
        places = {value: 100 * (i + 0.5) / len(values) for i, value in enumerate(values)}
        curves = []
        for modality, mine in groupby(points, key=lambda point: point.modality):
            curves.append(_curve(modality, list(mine), places))
        said = "; ".join(
            f"{IN_WORDS[curve.modality]}: "
            + ", ".join(f"{p.value} {100 * p.accuracy:.0f} %" for p in points if p.modality == curve.modality)
            for curve in curves
        )
        labels = tuple((place, value) for value, place in places.items())
        found.append(Chart(task, names[task], dial, labels, tuple(curves), levels[task], said))
    order = _order(summary)
    found.sort(key=lambda chart: (order.index(chart.task), chart.dial))
    return found[:MOST_CURVES]


def _curve(modality: Modality, points: list[DifficultyPoint], places: dict[str, float]) -> Curve:
    # Modalities are moved apart a little, so that their intervals do not cover each other.
    shift = {"text": -1.2, "image": 1.2, "audio": 0.0, "video": 2.4}[modality]
    shapes = tuple(
        (places[p.value] + shift, 100 - 100 * p.accuracy, 100 - 100 * p.low, 100 - 100 * p.high)
        for p in points
    )
    path = " ".join(f"{'L' if i else 'M'}{x:.2f} {y:.2f}" for i, (x, y, _, _) in enumerate(shapes))
    return Curve(modality, path, shapes)
