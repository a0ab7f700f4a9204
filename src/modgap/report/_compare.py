"""Several runs side by side: rows for a terminal, and one HTML file with the gap against the accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modgap._errors import RunError
from modgap.evaluate import Comparison
from modgap.evaluate._comparison import Difference
from modgap.evaluate._gaps import Gap
from modgap.evaluate._lines import replace_file
from modgap.evaluate._verdict import IN_WORDS, short_names, signed
from modgap.media import Modality
from modgap.report._render import p_value, percent, points, render
from modgap.report._views import NOUN

Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]


@dataclass(frozen=True)
class Spot:
    """One run in the plot of the gap against the accuracy, in fractions of the plot from its left and top.

    Args:
        number: 1-based, as in the table beside it.
        name: of the run.
        x: accuracy in words.
        low_x: lower end of its interval.
        high_x: upper end.
        y: gap.
        low_y: upper end of its interval, which is nearer to the top.
        high_y: lower end.
    """

    number: int
    name: str
    x: float
    low_x: float
    high_x: float
    y: float
    low_y: float
    high_y: float


@dataclass(frozen=True)
class Scatter:
    """The gap of every run in one modality, against its accuracy in words.

    Args:
        modality: the other modality.
        noun: its name in a sentence.
        spots: the runs that have a gap.
        ticks: gap in points → place from the top, as a fraction.
        gaps: run → its pooled gap, ``None`` where it has none.
    """

    modality: Modality
    noun: str
    spots: tuple[Spot, ...]
    ticks: tuple[tuple[int, float], ...]
    gaps: tuple[tuple[str, Gap | None], ...]


def gap_rows(comparison: Comparison) -> Rows:
    """Each run's own gap, over all of its own problems: column names, and rows of text."""
    rows: list[tuple[str, ...]] = []
    for name, summary in zip(comparison.names, comparison.summaries, strict=True):
        for gap in summary.pooled:
            rows.append(
                (
                    name,
                    gap.modality,
                    percent(gap.text_accuracy),
                    percent(gap.modality_accuracy),
                    points(gap.gap_points, plus=True),
                    f"{points(gap.low_points, plus=True)} to {points(gap.high_points, plus=True)}",
                    f"{gap.n:,}",
                )
            )
    level = f"{100 * comparison.level:g} % interval"
    return ("run", "modality", "in words", "shown", "gap", level, "n"), rows


def difference_rows(comparison: Comparison, run: str) -> Rows:
    """One run against the first: column names, and rows of text; claimed differences end in a star."""
    tasks = {one.task for one in comparison.differences if one.task != "pooled"}
    names = {"pooled": "all problems", **short_names(sorted(tasks))}
    rows: list[tuple[str, ...]] = []
    for one in comparison.differences:
        if one.run != run:
            continue
        rows.append(
            (
                one.modality,
                names[one.task],
                percent(one.first_accuracy),
                percent(one.accuracy),
                points(one.difference_points, plus=True) + ("*" if one.claimed else " "),
                f"{points(one.low_points, plus=True)} to {points(one.high_points, plus=True)}",
                p_value(one.p_holm),
                f"{one.n:,}",
            )
        )
    for change in comparison.gap_changes:
        if change.run != run:
            continue
        rows.append(
            (
                change.modality,
                "gap",
                f"{points(change.first_gap_points)}",
                f"{points(change.gap_points)}",
                points(change.change_points, plus=True) + ("*" if change.claimed else " "),
                f"{points(change.low_points, plus=True)} to {points(change.high_points, plus=True)}",
                p_value(change.p_value),
                f"{change.n:,}",
            )
        )
    level = f"{100 * comparison.level:g} % interval"
    return ("modality", "task", "first", "this", "difference", level, "p", "n"), rows


def write_comparison(comparison: Comparison, path: str | Path) -> Path:
    """Write a comparison as one HTML file that opens from disk with no network.

    Args:
        comparison: of two runs or more.
        path: the file.

    Returns:
        The path.

    Raises:
        RunError: if it cannot be written.
    """
    target = Path(path)
    try:
        replace_file(target, comparison_page(comparison).encode())
    except OSError as error:
        raise RunError(
            f"{target}: cannot be written ({error.strerror}); choose another with --out"
        ) from error
    return target


def comparison_page(comparison: Comparison) -> str:
    """The HTML that :func:`write_comparison` writes."""
    tasks = sorted({one.task for one in comparison.differences if one.task != "pooled"})
    return render(
        "compare.html",
        pictures="'none'",
        title="modgap: " + ", ".join(comparison.names),
        comparison=comparison,
        names={"pooled": "All problems", **short_names(tasks)},
        scatters=_scatters(comparison),
        panels=_panels(comparison),
        reach=_reach(comparison),
        in_words=IN_WORDS,
        nouns=NOUN,
        verdicts=[verdict(comparison, name) for name in comparison.names[1:]],
    )


def verdict(comparison: Comparison, run: str) -> str:
    """One sentence: how a run differs from the first, and what became of the gap."""
    first = comparison.names[0]
    level = f"{100 * comparison.level:g} %"
    parts = []
    for one in comparison.differences:
        if one.run == run and one.task == "pooled":
            interval = (
                f"{level} interval {signed(one.low_points)} to {signed(one.high_points)}, n = {one.n:,}"
            )
            word = "more" if one.difference_points > 0 else "less"
            amount = signed(abs(one.difference_points))
            said = f"{amount} points {word}" if one.claimed else "no difference that can be claimed"
            parts.append(f"{IN_WORDS[one.modality]} {said} ({interval})")
    text = f"{run} against {first}: {'; '.join(parts)}."
    for change in comparison.gap_changes:
        if change.run == run:
            interval = f"{level} interval {signed(change.low_points)} to {signed(change.high_points)}"
            word = "smaller" if change.change_points < 0 else "larger"
            amount = signed(abs(change.change_points))
            noun = NOUN[change.modality]
            said = f"is {amount} points {word}" if change.claimed else "is not shown to differ"
            text += f" Its gap between words and {noun} {said} ({interval})."
    return text


def _scatters(comparison: Comparison) -> list[Scatter]:
    modalities = dict.fromkeys(gap.modality for summary in comparison.summaries for gap in summary.pooled)
    return [_scatter(comparison, modality) for modality in modalities]


def _scatter(comparison: Comparison, modality: Modality) -> Scatter:
    gaps = tuple(
        (name, next((gap for gap in summary.pooled if gap.modality == modality), None))
        for name, summary in zip(comparison.names, comparison.summaries, strict=True)
    )
    known = [gap for _, gap in gaps if gap is not None]
    # Whole tens of points around all intervals, and always 0.
    low = 10 * int(min(0.0, *(gap.low_points for gap in known)) // 10)
    high = max(low + 20, -10 * int(-max(0.0, *(gap.high_points for gap in known)) // 10))

    def down(value: float) -> float:
        return (high - value) / (high - low)

    spots = tuple(
        Spot(
            number,
            name,
            gap.text_accuracy,
            gap.text_low,
            gap.text_high,
            down(gap.gap_points),
            down(gap.high_points),
            down(gap.low_points),
        )
        for number, (name, gap) in enumerate(gaps, 1)
        if gap is not None
    )
    step = 10 if high - low <= 60 else 20
    ticks = tuple((value, down(value)) for value in range(low, high + 1, step))
    return Scatter(modality, NOUN[modality], spots, ticks, gaps)


def _panels(comparison: Comparison) -> list[tuple[str, Modality, list[Difference]]]:
    """Run and modality → its differences, all problems first."""
    found: dict[tuple[str, Modality], list[Difference]] = {}
    for one in comparison.differences:
        found.setdefault((one.run, one.modality), []).append(one)
    return [(run, modality, rows) for (run, modality), rows in found.items()]


def _reach(comparison: Comparison) -> int:
    """How far the axis of the differences goes to either side, in points: whole tens."""
    ends = [abs(end) for one in comparison.differences for end in (one.low_points, one.high_points)]
    return max(10, -10 * int(-max(ends, default=10.0) // 10))
