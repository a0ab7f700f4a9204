"""``modgap omnify``: the questions of a suite as pictures, speech and films of their own words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def omnify(
    *,
    suite: Annotated[
        str, typer.Argument(help="A file or folder of problems, or a suite.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder to make.", show_default=False)],
    to: Annotated[str, typer.Option(help="Some of image, audio and video.")] = "image",
    n: Annotated[
        int | None, typer.Option("-n", help="Problems of each task. Default: all of a file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the problems.")] = 0,
    tasks: Annotated[str | None, typer.Option(help="Default: all.")] = None,
    parquet: Annotated[bool, typer.Option("--parquet/--no-parquet", help="Also write parquet.")] = True,
) -> None:
    """Render every question, its text and its options as a picture, as speech and as a film.

    The folder is itself a suite: give it to --suite of modgap measure. What a model loses from `text` to the
    others is what reading, hearing and watching cost it, with the same words in all of them.
    """
    from modgap.cli._values import listed
    from modgap.tasks import load_suite, write_suite
    from modgap.tasks._omnify import Omnified

    loaded = Omnified(load_suite(suite, tasks=listed(tasks)), listed(to) or ())
    typer.echo(write_suite(loaded.problems(n, seed), out, suite=loaded, seed=seed, parquet=parquet))
    for line in loaded.left_out[:20]:
        typer.echo(f"left out: {line}", err=True)
    if len(loaded.left_out) > 20:
        typer.echo(f"left out: {len(loaded.left_out) - 20} more", err=True)
