"""``modgap rescore``: read stored replies again, without asking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def rescore(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")] = False,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html again.")] = True,
) -> None:
    """Read the stored replies of a run again with the parser of this version; no model is asked.

    The old records stay beside the new ones as records.before-rescore.jsonl.
    """
    from modgap.cli._table import print_rows
    from modgap.evaluate import open_run
    from modgap.evaluate import rescore as read_again
    from modgap.tasks import read_reply

    opened = open_run(run)
    changes = read_again(opened, read_reply, dry_run=dry_run)
    if changes.moved:
        rows = [(old, new, f"{count:,}") for (old, new), count in changes.moved.items()]
        print_rows(("was", "is now", "records"), rows)
    verb = "would change" if dry_run else "changed"
    typer.echo(
        f"{changes.records:,} records read again: {sum(changes.moved.values()):,} outcomes and "
        f"{changes.answers:,} answers {verb}"
    )
    if changes.kept:
        typer.echo(f"the old records: {changes.kept}")
        if report:
            from modgap.report import write_report

            typer.echo(f"report: {write_report(opened.folder)}")
