"""``modgap align``: do words and pictures share directions in a model, so that steering can do something?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from modgap.steering import Readiness


def align(
    model: Annotated[str, typer.Argument(help="A multimodal model.")] = "bundled",
    *,
    families: Annotated[
        str, typer.Option(help="Of values: some of color, shape, size, fill, side, number.")
    ] = "color,shape,size,fill,side,number",
    n: Annotated[int, typer.Option("-n", help="Pictures for each family.")] = 400,
    backbone: Annotated[
        str | None, typer.Option(help="Text-only model. Default: the one of the model.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of scenes and shuffles.")] = 0,
    out: Annotated[Path | None, typer.Option(help="File for everything as JSON.")] = None,
) -> None:
    """Measure at every block whether words and pictures of a value lie in the same direction."""
    from modgap.cli._values import listed
    from modgap.cli.steer import _say, load_local
    from modgap.steering import readiness

    loaded = load_local(model)
    found = readiness(loaded, backbone or model, listed(families) or (), n=n, seed=seed, listener=_say)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found.as_json(), indent=1) + "\n")
    _print(found)


def _print(found: Readiness) -> None:
    from modgap.cli._table import print_rows

    rows = []
    for one in found.families:
        best = one.blocks[one.best]
        cosine = max(block.cosine for block in one.blocks)
        rows.append(
            (
                one.family,
                f"{len(one.values)}",
                f"{100 * max(block.text for block in one.blocks):.0f} %",
                f"{100 * max(block.image for block in one.blocks):.0f} %",
                f"{100 * best.transfer:.0f} %",
                f"{one.best}",
                f"{100 * one.chance:.0f} %",
                f"{one.p_transfer:.3f}",
                f"{cosine:.2f}",
                f"{one.p_cosine:.3f}",
            )
        )
    print_rows(
        ("family", "values", "words", "pictures", "transfer", "block", "chance", "p", "cosine", "p"), rows
    )
    typer.echo(
        f"n = {found.families[0].n} pictures a family that no probe was trained on; seed {found.seed}. "
        "words, pictures: linear\nprobes, best block; transfer: the probe of the words on pictures; cosine: "
        "of mean word and mean picture\nof a value, best block; p: share of all other ways to name the "
        "values that do as well"
    )
    for one in found.families:
        typer.echo(f"- {one.verdict}")
    typer.echo(
        "nearest neighbours that written and drawn scenes share, after each block: "
        + " ".join(f"{100 * share:.0f}" for share in found.neighbours)
        + f" %; by chance {100 * found.neighbours_chance:.1f} %"
    )
