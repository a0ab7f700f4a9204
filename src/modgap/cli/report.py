"""``modgap report``: write the report of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Run folder, or one of results.", show_default=False)],
) -> None:
    """Write the report of a run, or of other results, again and print its path.

    The report is one page that opens from disk with no network; a run of more than 200 problems has further
    pages in report_files/ beside it. Only the folder is read, and no model is asked.
    """
    from modgap.report import report_of

    typer.echo(report_of(run))
