"""``modgap fone attach``: numbers with exact values for a model, saved as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

_TEXT = "From 1999 on, 12,345.67 kg at -3.5 degrees."


def attach_numbers(
    model: Annotated[str, typer.Argument(help="Model folder, hub id, bundled or bundled/text_backbone.")],
    *,
    mode: Annotated[
        str,
        typer.Option(help="replace: a number is one token, read and written; add: values beside the tokens."),
    ] = "replace",
    integer_places: Annotated[
        int, typer.Option(help="Digits before the point; longer numbers stay text.")
    ] = 10,
    decimal_places: Annotated[int, typer.Option(help="Digits after the point, likewise.")] = 5,
    text: Annotated[str, typer.Option(help="Show the tokens of this text before and after.")] = _TEXT,
    base: Annotated[
        bool, typer.Option("--base/--no-base", help="Save the base model too, or only what was added.")
    ] = True,
    out: Annotated[Path | None, typer.Option(help="Folder. Default: numbers-<model>.")] = None,
) -> None:
    """Give a model exact numbers, untrained; `NumberModel.from_pretrained` loads the folder to train it."""
    from modgap.fone import Codec, NumberModel, attach
    from modgap.fone._saved import load_base
    from modgap.fone._vectors import find_folder, load_tokenizer

    found = find_folder(model)
    source = str(found) if found is not None else model
    tokenizer = load_tokenizer(source)
    numbers: NumberModel = attach(
        load_base(source),
        tokenizer,
        mode=cast("Literal['replace', 'add']", mode),  # another is refused by name
        codec=Codec(integer_places, decimal_places),
    )
    count = sum(p.numel() for p in numbers.number_parameters())
    before, after = len(tokenizer(text)["input_ids"]), numbers.encode_text([text])["input_ids"].shape[1]
    typer.echo(f"{count:,} parameters added; mode {mode}")
    typer.echo(f"{text!r}: {before} tokens before, {after} now")
    folder = out or Path(f"numbers-{Path(model).name}")
    numbers.save_pretrained(folder, base=base)
    typer.echo(f"number model: {folder}")
