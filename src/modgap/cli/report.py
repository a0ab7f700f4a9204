"""``modgap report``: write the report of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
) -> None:
    """Write report.html of a run again and print its path.

    The report is one page that opens from disk with no network; a run of more than 200 problems has further
    pages in report_files/ beside it. Only the run folder is read, and no model is asked.
    """
    from modgap.report import write_report

    typer.echo(write_report(run))
