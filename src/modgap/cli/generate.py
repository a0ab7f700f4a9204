"""``modgap generate``: a suite as files, for other programs or to be kept fixed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def generate(
    *,
    suite: Annotated[str, typer.Argument(help="Name of a suite.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder to make.", show_default=False)],
    n: Annotated[int, typer.Option("-n", help="Problems of each task.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the problems.")] = 0,
    tasks: Annotated[str | None, typer.Option(help="Such as count,relation. Default: all.")] = None,
    representations: Annotated[str | None, typer.Option(help="Such as list,image. Default: all.")] = None,
    modalities: Annotated[
        str | None, typer.Option(help="Such as text,image,audio,video. Default: text and image.")
    ] = None,
    parquet: Annotated[
        bool, typer.Option("--parquet/--no-parquet", help="Also write parquet (needs pyarrow).")
    ] = True,
    format_: Annotated[
        str, typer.Option("--format", help="modgap, or isobench: the columns of the published set.")
    ] = "modgap",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="DIAL=VALUE", help="A dial of the suite, such as level=hard; repeatable."
        ),
    ] = None,
) -> None:
    """Write the problems of a suite as JSON lines and parquet.

    The folder is itself a suite: give it to --suite of modgap measure; --suite isobench:FOLDER with --format
    isobench.
    """
    from modgap._errors import UnknownName
    from modgap.cli._values import dials, listed
    from modgap.tasks import CANARY, choose, load_suite, write_suite
    from modgap.tasks._write_isobench import write_isobench

    if format_ not in ("modgap", "isobench"):
        raise UnknownName("format", format_, ("modgap", "isobench"))

    loaded = load_suite(suite, tasks=listed(tasks), **(dials(set_, "--set") or {}))
    wanted = choose(loaded, listed(representations), listed(modalities))
    problems = loaded.problems(n, seed, wanted)
    if format_ == "isobench":
        for path in write_isobench(problems, out, CANARY):
            typer.echo(path)
        return
    typer.echo(write_suite(problems, out, suite=loaded, seed=seed, representations=wanted, parquet=parquet))
