"""``modgap tldr train``: a detector of wrong words from labelled captions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_verb(app: typer.Typer) -> None:
    """Adds the verb to ``modgap tldr``."""
    app.command("train")(train_detector)


def train_detector(
    data: Annotated[Path, typer.Argument(help="As 'modgap tldr data' makes it.", show_default=False)],
    *,
    out: Annotated[
        Path, typer.Option(help="Folder to make; a stopped run goes on in it.", show_default=False)
    ],
    model: Annotated[str, typer.Option(help="bundled, a model folder or a hub id.")] = "bundled",
    objective: Annotated[
        str, typer.Option(help="token; or response: only the last token learns, the paper's baseline.")
    ] = "token",
    parts: Annotated[
        str,
        typer.Option(help="Where low-rank changes go: of vision,connector,decoder; or none (a probe)."),
    ] = "connector,decoder",
    rank: Annotated[int, typer.Option(help="Of the low-rank changes; 512 as published.")] = 16,
    alpha: Annotated[
        float, typer.Option(help="The change is scaled by alpha/rank; 128 as published.")
    ] = 32.0,
    dropout: Annotated[float, typer.Option(help="Of the low-rank changes; 0.1 as published.")] = 0.0,
    steps: Annotated[int | None, typer.Option(help="Default: one pass over the data.")] = None,
    captions: Annotated[int, typer.Option(help="Captions of a step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Peak; cosine from there, as published.")] = 1e-3,
    wrong_weight: Annotated[float, typer.Option(help="How much a wrong token counts; a right one: 1.")] = 1.0,
    flagged: Annotated[
        float, typer.Option(help="Captions without an error of which a flag is accepted, a fraction.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
    checkpoint_every: Annotated[int, typer.Option(help="Steps.")] = 100,
    bf16: Annotated[bool, typer.Option("--bf16", help="Arithmetic in bfloat16; worth it where the hardware has it.")] = False,
) -> None:
    """Train a detector: a head and low-rank changes on a multimodal model; the vision encoder stays as it is.

    Works under 'accelerate launch' and 'torchrun'. The split 'validation' calibrates it.
    """
    from modgap._errors import MissingExtra
    from modgap.cli._values import listed
    from modgap.tldr import read_examples

    try:
        from modgap.tldr._network import LoraSettings
        from modgap.tldr._train import TrainConfig, train
    except ImportError as error:
        raise MissingExtra("training detectors", "train") from error

    chosen = () if parts == "none" else listed(parts) or ()
    config = TrainConfig(
        model=model,
        objective=objective,
        lora=LoraSettings(rank, alpha, dropout, chosen),
        steps=steps,
        captions=captions,
        learning_rate=learning_rate,
        wrong_weight=wrong_weight,
        alpha=flagged,
        seed=seed,
        checkpoint_every=checkpoint_every,
        bf16=bf16,
    )
    train(read_examples(data), config, out, say=lambda line: typer.echo(line, err=True))
    typer.echo(out / "detector.json")
