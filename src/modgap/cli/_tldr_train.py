"""``modgap tldr train``: a detector of wrong words from labelled captions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modgap._errors import InputError, MissingExtra

if TYPE_CHECKING:
    from modgap.tldr._cost import Workload
    from modgap.tldr._train_config import TrainConfig


def add_verb(app: typer.Typer) -> None:
    """Adds the verb to ``modgap tldr``."""
    app.command("train")(train_detector)


def train_detector(
    data: Annotated[
        Path | None, typer.Argument(help="As 'modgap tldr data' makes it.", show_default=False)
    ] = None,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make; a stopped run goes on in it.", show_default=False)
    ] = None,
    model: Annotated[str, typer.Option(help="bundled, a model folder or a hub id.")] = "bundled",
    start: Annotated[
        str | None,
        typer.Option(
            help="Detector to go on from, a folder or one that ships; --model, --objective, --reads, "
            "--parts, --rank, --alpha and --dropout are then its own.",
            show_default=False,
        ),
    ] = None,
    objective: Annotated[
        str, typer.Option(help="token; or response: only the last token learns, the paper's baseline.")
    ] = "token",
    reads: Annotated[
        str,
        typer.Option(
            help="causal: judges captions while they are written; bidirectional: finished ones, better."
        ),
    ] = "causal",
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
    focal: Annotated[float, typer.Option(help="Exponent of the focal loss; 0 is none.")] = 0.0,
    prior_bias: Annotated[
        bool,
        typer.Option("--prior-bias/--zero-bias", help="Where the head begins: at how rare errors are, or 0."),
    ] = True,
    flagged: Annotated[
        float, typer.Option(help="Captions without an error of which a flag is accepted, a fraction.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
    checkpoint_every: Annotated[int, typer.Option(help="Steps.")] = 100,
    bf16: Annotated[
        bool, typer.Option("--bf16", help="Arithmetic in bfloat16; worth it where the hardware has it.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print what it would cost; only config.json of the model is read."),
    ] = False,
    size: Annotated[
        str | None,
        typer.Option(help="With --dry-run, instead of DATA: pictures,captions of each,words of each."),
    ] = None,
    image_tokens: Annotated[
        int | None, typer.Option(help="With --dry-run: positions of a picture, where the model does not say.")
    ] = None,
    teraflops: Annotated[
        float, typer.Option(help="With --dry-run: 10^12 operations a second that one device really reaches.")
    ] = 300.0,
) -> None:
    """Train a detector: a head and low-rank changes on a multimodal model; the vision encoder stays as it is.

    Works under 'accelerate launch' and 'torchrun'. The split 'validation' calibrates it.
    """
    from modgap.cli._values import listed
    from modgap.tldr import read_examples

    try:
        from modgap.tldr._network import LoraSettings
        from modgap.tldr._train import train
        from modgap.tldr._train_config import TrainConfig, going_on
    except ImportError as error:
        raise MissingExtra("training detectors", "train") from error

    chosen = () if parts == "none" else listed(parts) or ()
    config = TrainConfig(
        model=model,
        objective=objective,
        reads=reads,
        lora=LoraSettings(rank, alpha, dropout, chosen),
        steps=steps,
        captions=captions,
        learning_rate=learning_rate,
        wrong_weight=wrong_weight,
        focal=focal,
        prior_bias=prior_bias,
        alpha=flagged,
        seed=seed,
        checkpoint_every=checkpoint_every,
        bf16=bf16,
    )
    if start is not None:
        config = going_on(config, start)
    if dry_run:
        _print_cost(config.model, config, data, size, image_tokens, teraflops)
        return
    if data is None or out is None:
        raise InputError("give the data and --out FOLDER; or --dry-run for the cost")
    train(read_examples(data), config, out, say=lambda line: typer.echo(line, err=True))
    typer.echo(out / "detector.json")


def _print_cost(
    model: str,
    config: TrainConfig,
    data: Path | None,
    size: str | None,
    image_tokens: int | None,
    speed: float,
) -> None:
    from modgap.cli._table import print_rows
    from modgap.tldr._cost import estimate

    cost = estimate(model, _workload(data, size), config, image_tokens=image_tokens)
    rows = [(f"weights of the {part}", f"{n / 1e6:,.1f} M") for part, n in cost.parameters.items()]
    rows += [
        ("trained", f"{cost.trained / 1e6:,.1f} M"),
        ("positions of a picture", f"{cost.image_tokens:,}"),
        ("positions in one pass", f"{cost.tokens / 1e6:,.1f} M"),
        (f"steps of {config.captions} captions", f"{cost.steps:,}"),
        ("operations", f"{cost.operations:.2e}"),
        (f"hours at {speed:g} TFLOP/s", f"{cost.hours(speed):.2f}"),
    ]
    rows += [(f"memory: {part}", f"{n:.1f} GB") for part, n in cost.gigabytes.items()]
    rows.append(("memory in all", f"{sum(cost.gigabytes.values()):.1f} GB"))
    print_rows(("what", "about"), rows)
    typer.echo("an estimate from config.json; the memory saved for the way back grows with --captions")


def _workload(data: Path | None, size: str | None) -> Workload:
    from modgap.tldr import read_examples
    from modgap.tldr._cost import Workload

    if (data is None) is (size is None):
        raise InputError("--dry-run takes data, or --size pictures,captions,words: one of them")
    if size is not None:
        try:
            pictures, captions, words = (float(part) for part in size.split(","))
        except ValueError as error:
            raise InputError(f"--size {size!r} is not three numbers, such as 9647,9,136") from error
        return Workload(int(pictures), captions, words)
    assert data is not None
    seen, n, total = set(), 0, 0
    for example in read_examples(data):
        if example.split == "train":
            seen.add((example.image, example.prompt))
            n, total = n + 1, total + len(example.response.split())
    if not n:
        raise InputError(f"{data}: there are no examples of the split 'train'")
    return Workload(len(seen), n / len(seen), total / n)
