"""``modgap steer merge``: several concepts over all blocks as one vector, tested on scenes of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def merge_concepts(
    *,
    model: Annotated[str, typer.Argument(help="A multimodal model.")] = "bundled",
    concept: Annotated[
        str, typer.Option(help="Names or JSONL files.")
    ] = "spatial,counting,attribute,entity,depth,distance",
    tasks: Annotated[str, typer.Option(help="Of the suite scenes.")] = "count,relation,distance,depth",
    n: Annotated[int, typer.Option("-n", help="Questions of each task in each of three sets.")] = 100,
    level: Annotated[str, typer.Option(help="Of the scenes.")] = "plain",
    positions: Annotated[str, typer.Option(help="image, text or both.")] = "image",
    backbone: Annotated[
        str | None, typer.Option(help="Text-only model the vectors come from. Default: the one of the model.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the vector.")] = Path("runs/merged"),
) -> None:
    """Weigh concepts and blocks by first-order effects, choose a strength, and count on other scenes."""
    from modgap.cli._table import print_rows
    from modgap.cli._values import listed
    from modgap.cli.steer import load_local
    from modgap.steering import extract, judge_merged, load_concept, text_model
    from modgap.steering._study import problems_of

    loaded = load_local(model)
    read = text_model(backbone or model)
    asked = listed(tasks) or ()
    found = judge_merged(
        loaded,
        [extract(read, load_concept(name)) for name in listed(concept) or ()],
        (
            problems_of(asked, n, seed, level=level),
            problems_of(asked, n, seed + 1000, level=level),
            problems_of(asked, n, seed + 2000, level=level),
        ),
        positions=positions,
        seed=seed,
        listener=lambda text: typer.echo(text, err=True),
    )
    found.merged.vector.save(out)
    (out / "merge.json").write_text(json.dumps(found.as_json(), indent=1) + "\n", encoding="utf-8")
    heaviest = sorted(found.merged.weights.items(), key=lambda entry: -abs(entry[1]))[:6]
    print_rows(("concept", "block", "weight"), [(c, f"{b}", f"{w:+.3f}") for (c, b), w in heaviest])
    typer.echo(
        f"n = {found.n}, {100 * found.base:.1f} % before; strength {found.strength:g} at {positions}: "
        f"{found.gain_points:+.1f} points ({found.interval[0]:+.1f} to {found.interval[1]:+.1f})"
    )
    typer.echo(
        f"random directions weighed and scaled alike: {found.control_points:+.1f} points; p = {found.p:.3f} "
        "that it\nhelps no more than they or than nothing. Weights, strength and test have their own scenes."
    )
    typer.echo(out)


def add_verb(app: typer.Typer) -> None:
    """Register it."""
    app.command("merge")(merge_concepts)
