"""``modgap view``: runs in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from modgap._errors import MissingExtra


def view(
    folder: Annotated[Path, typer.Argument(help="A run, or a folder that holds runs.")] = Path("runs"),
    *,
    host: Annotated[
        str, typer.Option(help="Address to serve on; others than this need --token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free.")] = 8711,
    token: Annotated[
        str | None,
        typer.Option(help="Password of visitors.", envvar="MODGAP_VIEW_TOKEN", show_default=False),
    ] = None,
) -> None:
    """Serve the runs below a folder: a list of all, their reports, any two side by side. Ctrl-C stops."""
    try:
        from modgap.report._view import serve
    except ImportError as error:
        raise MissingExtra("the view of runs", "ui") from error
    serve(
        folder,
        host=host,
        port=port,
        token=token,
        ready=lambda address: typer.echo(f"{address}  (Ctrl-C stops)"),
    )
