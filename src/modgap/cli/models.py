"""``modgap models``: what can be asked, and what a model is."""

from __future__ import annotations

from typing import Annotated

import typer


def models(
    model: Annotated[str, typer.Argument(help="A model folder or hub id to describe, or bundled.")] = "",
    *,
    revision: Annotated[str, typer.Option(help="Branch, tag or commit of a hub id.")] = "",
) -> None:
    """List the kinds of model that --model accepts, or say what one model is; its weights are not read."""
    from modgap.cli._table import print_rows
    from modgap.models import names

    if not model:
        print_rows(("--model", "what it is"), list(names().items()))
        return
    if model != "bundled" and model in names():
        typer.echo(names()[model])
        return
    from modgap.models.local import describe

    for name, words in describe(model, revision=revision or None).items():
        typer.echo(f"{name:12} {words}")
