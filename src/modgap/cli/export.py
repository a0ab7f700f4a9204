"""``modgap export``: the records of a run as a table for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="As parquet (needs pyarrow).")] = False,
    out: Annotated[
        Path | None, typer.Option(help="File to write. Default: records.csv or .parquet in the run folder.")
    ] = None,
) -> None:
    """Write the latest record of every sample as one row of a table."""
    from modgap._errors import InputError
    from modgap.evaluate import open_run

    if csv == parquet:
        raise InputError("give one of --csv and --parquet")
    opened = open_run(run)
    if csv:
        written = opened.to_csv(out or opened.folder / "records.csv")
    else:
        written = opened.to_parquet(out or opened.folder / "records.parquet")
    typer.echo(f"{written}")
