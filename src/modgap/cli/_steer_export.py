"""``modgap steer export`` and ``import``: vectors for other programs, and from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    vector: Annotated[Path, typer.Argument(help="Folder of a vector.")],
    *,
    to: Annotated[
        str, typer.Option(help="gguf (llama.cpp), bias or lora (adapters that PEFT and servers load).")
    ],
    out: Annotated[Path, typer.Option(help="File (gguf) or new folder (bias, lora).")],
    model: Annotated[
        str, typer.Option(help="bias, lora: model; gguf: architecture, such as llama.")
    ] = "bundled",
    block: Annotated[int, typer.Option(help="bias, lora: whose output is changed, 0-based.")] = 0,
    blocks: Annotated[str | None, typer.Option(help="gguf: such as 1,2,3. Default: all.")] = None,
    strength: Annotated[float, typer.Option(help="Multiple of the vector.")] = 1.0,
    positions: Annotated[str, typer.Option(help="lora: image or text.")] = "image",
    tolerance: Annotated[
        float | None, typer.Option(help="bias, lora: largest error, a share of the step.")
    ] = None,
) -> None:
    """Write a vector for another program, and compare what was written with the hook."""
    from modgap._errors import InputError, UnknownName
    from modgap.cli._values import listed
    from modgap.steering import load_vector
    from modgap.steering._export_adapter import export_adapter
    from modgap.steering._export_gguf import write_gguf

    if to not in ("gguf", "bias", "lora"):
        raise UnknownName("format", to, ("gguf", "bias", "lora"))
    found = load_vector(vector)
    if to == "gguf":
        try:
            chosen = None if blocks is None else [int(one) for one in listed(blocks) or ()]
        except ValueError as error:
            raise InputError(f"{blocks!r} is not a list of blocks, such as 1,2,3") from error
        hint = "llama" if model == "bundled" else model
        off = write_gguf(found, out, model_hint=hint, strength=strength, blocks=chosen)
        typer.echo(f"{out}: largest difference of a number that was read back: {off:g}")
        typer.echo("llama.cpp adds it at every position, read or written; the hook can leave text as it is")
        return
    made = export_adapter(
        model,
        found,
        block,
        strength,
        out,
        where="everywhere" if to == "bias" else positions,  # type: ignore[arg-type]
        tolerance=tolerance,
    )
    typer.echo(
        f"{out}: off from the hook by {100 * made.error:.2g} % of the step at the block, and by "
        f"{100 * made.logits_error:.2g} % of its effect\non the last logits (root mean square over 16 "
        "pictures that nothing was fitted on)"
    )


def import_vector(
    file: Annotated[Path, typer.Argument(help="A control vector, as repeng or llama.cpp write it.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder of the vector.")],
) -> None:
    """Read a GGUF control vector."""
    from modgap.steering._export_gguf import read_gguf

    found = read_gguf(file)
    typer.echo(f"{found.save(out)}: {found.directions.shape[0]} blocks of width {found.directions.shape[1]}")


def add_verbs(app: typer.Typer) -> None:
    """Register them."""
    app.command("export")(export)
    app.command("import")(import_vector)
