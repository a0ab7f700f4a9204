"""The figures of a run as a table on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modgap.evaluate import Cell, Record, Run, Summary
    from modgap.evaluate._gains import Gain
    from modgap.evaluate._gaps import Gap, MacroGap

NARROWEST = 100
"""Columns of a table that is written to a file or a pipe."""


def print_summary(run: Run) -> None:
    """Print what a run found: the gap of every task with its interval, or, without a gap, the accuracies."""
    from modgap.evaluate import summarize

    records = run.records()
    summary = summarize(records, run.problems(media=False))
    console = _console()
    console.print()
    console.print(_gap_table(summary) if summary.gaps else _cell_table(summary))
    console.print(summary.verdict, markup=False)
    for table in _gain_tables(summary):
        console.print()
        console.print(table)
    if summary.causes:
        console.print()
        console.print(_cause_table(summary))
    for note in summary.notes:
        console.print(f"note: {note}", markup=False, style="dim")
    for message, count in failures(records):
        console.print(f"{count:,} × error: {message}", markup=False, soft_wrap=True)
    console.print()


def failures(records: Iterable[Record], most: int = 3) -> list[tuple[str, int]]:
    """The most frequent errors, each on one line, with how often they occurred."""
    counts = Counter(" ".join(record.error.split())[:200] for record in records if record.error)
    return counts.most_common(most)


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a plain table, aligned to the left."""
    table = _table(columns)
    for row in rows:
        table.add_row(*(_escaped(value) for value in row))
    _console().print(table)


def _console() -> Any:
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, NARROWEST)
    return console


def _table(columns: Sequence[str], numeric: Sequence[str] = ()) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numeric else "left")
    return table


def _escaped(text: str) -> str:
    """Names come from files of a user: brackets in them are no markup."""
    from rich.markup import escape

    return escape(text)


def _gap_table(summary: Summary) -> Any:
    from modgap.evaluate._verdict import IN_WORDS

    several = len({gap.modality for gap in summary.gaps}) > 1
    shown = "otherwise" if several else IN_WORDS[summary.gaps[0].modality]
    numbers = ("in words", shown, "gap", f"{100 * summary.level:.0f} % interval", "p", "n")
    table = _table(("task", *(("modality",) if several else ()), *numbers), numbers)

    def add(name: str, gap: Gap | MacroGap, tested: tuple[str, str], bold: bool) -> None:
        table.add_row(
            _escaped(name),
            *((gap.modality,) if several else ()),
            _percent(gap.text_accuracy),
            _percent(gap.modality_accuracy),
            _points(gap.gap_points),
            f"{_points(gap.low_points)} to {_points(gap.high_points)}",
            *tested,
            style="bold" if bold else None,
        )

    for gap in summary.gaps:
        add(gap.task, gap, (_p(gap.p_holm), f"{gap.n:,}"), gap.claimed)
    table.add_section()
    for pooled in summary.pooled:
        add("all problems", pooled, (_p(pooled.p_holm), f"{pooled.n:,}"), pooled.claimed)
    for macro in summary.macro:
        add("mean of tasks", macro, ("", ""), False)
    table.caption = (
        f"gap = words − {shown}, in points; p adjusted over tasks (Holm); bold: a gap can be claimed"
    )
    table.caption_justify = "left"
    return table


def _gain_tables(summary: Summary) -> Iterator[Any]:
    """Each strategy over all problems, then the accuracy of each on every task."""
    modalities = list(dict.fromkeys(one.modality for one in summary.gains))
    for modality in modalities:
        found = [one for one in summary.gains if one.modality == modality]
        numbers = ("accuracy", "gain", f"{100 * summary.level:.0f} % interval", "p", "gap closed", "n")
        table = _table((f"{modality}: strategy", *numbers), numbers)
        pooled = [one for one in found if one.task == "pooled"]
        table.add_row("direct", _percent(pooled[0].direct_accuracy), "", "", "", "", f"{pooled[0].n:,}")
        for one in pooled:
            table.add_row(
                one.strategy,
                _percent(one.accuracy),
                _points(one.gain_points),
                f"{_points(one.low_points)} to {_points(one.high_points)}",
                _p(one.p_holm),
                _closed(one),
                f"{one.n:,}",
                style="bold" if one.claimed else None,
            )
        table.caption = (
            "gain = strategy − direct, in points; p adjusted over strategies (Holm); bold: claimed"
        )
        table.caption_justify = "left"
        yield table
        tasks = list(dict.fromkeys(one.task for one in found if one.task != "pooled"))
        if len(tasks) > 1:
            yield _task_table(tasks, found)


def _task_table(tasks: Sequence[str], gains: Sequence[Gain]) -> Any:
    from modgap.evaluate._verdict import short_names

    names = short_names(tasks)
    table = _table(("%", *(names[task] for task in tasks)), tuple(names[task] for task in tasks))
    by_place = {(one.strategy, one.task): one for one in gains}
    first = {one.task: one for one in gains}
    words = [first[task].text_accuracy for task in tasks]
    if None not in words:
        table.add_row("in words", *(f"{100 * (word or 0):.1f}" for word in words))
    table.add_row("direct", *(f"{100 * first[task].direct_accuracy:.1f}" for task in tasks))
    for strategy in dict.fromkeys(one.strategy for one in gains):
        cells = [by_place.get((strategy, task)) for task in tasks]
        table.add_row(
            strategy,
            *(
                "" if one is None else f"{'[bold]' if one.claimed else ''}{100 * one.accuracy:.1f}"
                for one in cells
            ),
        )
    table.caption = "accuracy by task; bold: differs from direct, p adjusted over tasks and strategies (Holm)"
    table.caption_justify = "left"
    return table


def _closed(gain: Gain) -> str:
    if gain.closed is None or gain.closed_low is None or gain.closed_high is None:
        return "–"
    low, high = f"{100 * gain.closed_low:.0f}", f"{100 * gain.closed_high:.0f}"
    return f"{100 * gain.closed:.0f} % ({low} to {high})".replace("-", "−")


def _cause_table(summary: Summary) -> Any:
    from modgap.evaluate._verdict import short_names

    split = ("unsplit",) if any(one.unsplit for one in summary.causes) else ("perception", "access")
    parts = ("error", *split, "format", "reasoning")
    table = _table(("task", *parts, "transcript", "cause", "n"), (*parts, "transcript", "n"))
    several = len({one.modality for one in summary.causes}) > 1
    names = short_names(summary.tasks)
    for one in summary.causes:
        name = "all" if one.task == "pooled" else names[one.task]
        shares = [getattr(one, part) for part in parts]
        table.add_row(
            _escaped(f"{name}, {one.modality}" if several else name),
            *(f"{_points(share.points)}{'*' if share.claimed else ' '}" for share in shares),
            "–" if one.transcript_score is None else _percent(one.transcript_score),
            one.cause or "none",
            f"{one.n:,}",
        )
        if one.task == "pooled":
            ranges = (f"{s.low_points:.0f} to {s.high_points:.0f}".replace("-", "−") for s in shares)
            table.add_row(f"  {100 * summary.level:.0f} %", *ranges, "", "", "", style="dim")
    table.caption = (
        "points of error; *: claimed. perception: the model's transcript loses it; access: the transcript\n"
        "would do, the picture does not; format: no answer; reasoning: missed even with a perfect transcript"
    )
    table.caption_justify = "left"
    return table


def _cell_table(summary: Summary) -> Any:
    numbers = ("accuracy", f"{100 * summary.level:.0f} % interval", "chance", "unparsed", "errors", "n")
    table = _table(("task", "representation", *numbers), numbers)
    for cell in summary.cells:
        table.add_row(*_cell_row(cell))
    return table


def _cell_row(cell: Cell) -> list[str]:
    known = cell.accuracy is not None
    return [
        _escaped(cell.task),
        _escaped(cell.representation),
        _percent(cell.accuracy) if cell.accuracy is not None else "",
        f"{100 * cell.low:.1f} to {100 * cell.high:.1f}" if known else "",
        _percent(cell.chance) if cell.chance is not None else "",
        f"{cell.outcomes['unparsed']:,}",
        f"{cell.outcomes['error']:,}",
        f"{cell.n:,}",
    ]


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


def _points(points: float) -> str:
    text = f"{points:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
