"""``modgap export``: the records of a run for other programs, as a table or as a log of inspect-ai."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="As parquet (needs pyarrow).")] = False,
    to: Annotated[
        str | None, typer.Option(help="inspect: a log that the viewer of inspect-ai opens.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write. Default: records.csv, .parquet or .eval in the run folder."),
    ] = None,
) -> None:
    """Write the latest record of every sample: as one row of a table, or as one sample of a log."""
    from modgap._errors import InputError, UnknownName
    from modgap.evaluate import open_run
    from modgap.evaluate._export_inspect import write_inspect

    if csv + parquet + (to is not None) != 1:
        raise InputError("give one of --csv, --parquet and --to inspect")
    if to not in (None, "inspect"):
        raise UnknownName("--to", str(to), ("inspect",))
    opened = open_run(run)
    if to is not None:
        written = write_inspect(opened, out or opened.folder / "records.eval")
    elif csv:
        written = opened.to_csv(out or opened.folder / "records.csv")
    else:
        written = opened.to_parquet(out or opened.folder / "records.parquet")
    typer.echo(f"{written}")
