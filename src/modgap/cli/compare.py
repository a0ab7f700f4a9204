"""``modgap compare``: several runs over the same problems, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from modgap.evaluate import Comparison, Run


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Two run folders or more; the others are compared with the first.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Also write an HTML file with a plot.", show_default=False)
    ] = None,
) -> None:
    """Compare runs over the same problems with the first of them.

    Scores are paired by problem and representation; what only one of two runs asked is left out.
    """
    from modgap.evaluate import compare as compare_records
    from modgap.evaluate import open_run

    opened = [open_run(folder) for folder in runs]
    comparison = compare_records([(name, run.records()) for name, run in _named(opened)])
    written = None
    if out is not None:
        from modgap.report import write_comparison

        written = write_comparison(comparison, out)
    _print(comparison)
    if written is not None:
        typer.echo(f"comparison: {written}")


def _named(runs: Sequence[Run]) -> list[tuple[str, Run]]:
    """Each run with the name of its folder, or its path where two folders have the same name."""
    names = [run.name for run in runs]
    return [(run.name if names.count(run.name) == 1 else str(run.folder), run) for run in runs]


def _print(comparison: Comparison) -> None:
    from modgap.cli._table import print_rows
    from modgap.report import difference_rows, gap_rows

    first, *others = comparison.names
    print_rows(*_aligned(*gap_rows(comparison)))
    for run in others:
        typer.echo(f"{run} against {first}, in points, on problems that both asked:")
        print_rows(*_aligned(*difference_rows(comparison, run)))
    typer.echo("p adjusted over tasks (Holm); *: a difference can be claimed")


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[Sequence[str], list[list[str]]]:
    """Figures lined up at their right ends."""
    widths = [max([len(row[i]) for row in rows], default=0) for i in range(len(columns))]
    figures = [
        all(row[i][:1].isdigit() or row[i][:1] in "+−<*–" for row in rows) for i in range(len(columns))
    ]
    return columns, [
        [
            value.rjust(width) if figure else value
            for value, width, figure in zip(row, widths, figures, strict=True)
        ]
        for row in rows
    ]
