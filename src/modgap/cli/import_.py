"""``modgap import``: stored results of others as run folders, read again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from modgap.evaluate._import_run import Imported, Stored

_HELP = """Read stored results of others into run folders; no model is asked.

One folder has the answers as they are read here, one with -official behind its name those of the source;
parses.csv has both side by side. report, compare, rescore and export work on them as on any run.
"""

app = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_Out = Annotated[Path, typer.Option(help="Folder of run folders.")]
_Name = Annotated[str | None, typer.Option(help="Of the run folder. Default: <source>-<folder>.")]


@app.command("isobench-eval")
def isobench_eval(
    folder: Annotated[Path, typer.Argument(help="Folder with the results of one model.", show_default=False)],
    out: _Out = Path("runs"),
    name: _Name = None,
) -> None:
    """Results of the official IsoBench evaluation: both readings, and the gaps with their intervals."""
    from modgap.evaluate._import_isobench import import_isobench_eval

    _show(import_isobench_eval(folder, out / (name or f"isobench-eval-{folder.resolve().name}")))


@app.command("blink")
def blink(
    folder: Annotated[Path, typer.Argument(help="Folder with the outputs of one model.", show_default=False)],
    out: _Out = Path("runs"),
    name: _Name = None,
) -> None:
    """Saved outputs of a model on BLINK: both readings, and accuracies with their intervals."""
    from modgap.evaluate._import_blink import import_blink

    _show(import_blink(folder, out / (name or f"blink-{folder.resolve().name}")))


def _show(imported: Imported) -> None:
    from modgap.cli._table import print_rows, print_summary

    columns = (
        "task",
        "shown as",
        "n",
        "official",
        "ours",
        "read differently",
        "right: official only",
        "ours only",
    )
    print_rows(columns, [_row(*cell) for cell in _cells(imported.stored)])
    total = [one for one in imported.stored if not one.agrees]
    typer.echo(f"{len(total):,} of {len(imported.stored):,} replies are read differently")
    print_summary(imported.run)
    unseen = _undistinguished(imported)
    if unseen:
        typer.echo(f"not distinguishable from no gap at this n: {'; '.join(unseen)}")
    for note in imported.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"run: {imported.run.folder}")
    if imported.official is not None:
        typer.echo(f"official reading: {imported.official.folder}")


def _cells(stored: Sequence[Stored]) -> list[tuple[str, str, list[Stored]]]:
    cells: dict[tuple[str, str], list[Stored]] = {}
    for one in stored:
        cells.setdefault((one.problem.task, one.representation), []).append(one)
    return [(task, shown, of_cell) for (task, shown), of_cell in cells.items()]


def _row(task: str, shown: str, stored: list[Stored]) -> tuple[str, ...]:
    scored = [(one.credited, _right(one)) for one in stored if one.counted]
    n = len(scored)
    there, here = sum(a for a, _ in scored), sum(b for _, b in scored)
    return (
        task.rsplit("/", maxsplit=1)[-1],
        shown,
        f"{n:,}",
        f"{100 * there / n:.1f} %" if n else "",
        f"{100 * here / n:.1f} %" if n else "",
        f"{sum(not one.agrees for one in stored):,}",
        f"{sum(a and not b for a, b in scored):,}",
        f"{sum(b and not a for a, b in scored):,}",
    )


def _right(one: Stored) -> bool:
    return one.ours is not None and one.ours.value == one.problem.answer


def _undistinguished(imported: Imported) -> list[str]:
    from modgap.evaluate import summarize

    gaps = summarize(imported.run.records()).gaps
    return [
        f"{gap.task.split('/')[-1]} ({gap.gap_points:+.1f} points, n = {gap.n:,}; below "
        f"{gap.detectable_points:.1f} could go unseen)".replace("-", "−")
        for gap in gaps
        if not gap.claimed
    ]
