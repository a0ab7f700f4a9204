"""``modgap tldr strengthen``: a little of a detector's change, given back to the model."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modgap._errors import InputError, MissingExtra, ModelError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modgap.tldr._strengthen_measure import Judge, Row
    from modgap.tldr._strengthen_sweep import Change


CONTROLS = ("sft", "shuffled")


def add_verb(app: typer.Typer) -> None:
    """Adds the verbs to ``modgap tldr``."""
    app.command("strengthen")(strengthen_model)
    app.command("control")(make_control)


def strengthen_model(
    detector: Annotated[
        str,
        typer.Argument(
            help="A detector: a folder, or one that ships; or any LoRA that PEFT wrote.", show_default=False
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the new model and strengthen.json.")],
    model: Annotated[str, typer.Option(help="Model it was trained on.")] = "bundled",
    taus: Annotated[str, typer.Option(help="Strengths; 0 is the model, 1 the detector.")] = "0.1,0.25,0.5,1",
    groups: Annotated[
        str,
        typer.Option(
            help="What is changed, one after the other: all,vision,connector,decoder,early,middle,late."
        ),
    ] = "all",
    control: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FOLDER of another LoRA, such as of shuffled labels; its strength is chosen likewise; "
            "repeatable."
        ),
    ] = None,
    directions: Annotated[
        int | None,
        typer.Option(help="Also test so many singular directions of the change, and the others, as hooks."),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            help="Second detector, a folder or a name, that scores the captions beside the scene graph."
        ),
    ] = None,
    judge_threshold: Annotated[
        float | None, typer.Option(help="Above it the judge flags a word. Default: its own.")
    ] = None,
    problems: Annotated[int, typer.Option(help="Of each task.")] = 50,
    scenes: Annotated[int, typer.Option(help="That are captioned.")] = 100,
    test_scenes: Annotated[
        int | None, typer.Option(help="That are captioned in the test.  [default: as many]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of validation; the test has another.")] = 0,
) -> None:
    """Choose how much of a detector's change to give back to its model, and write the model.

    Accuracy, exact false words and length of captions are measured at every strength; the choice is made on
    validation scenes, and reported on others beside a random change of the same size. Where no strength is
    better, no model is written.
    """
    try:
        from modgap.models.local._model import LocalModel
        from modgap.tldr._detector_files import shipped_or
        from modgap.tldr._directions import largest
        from modgap.tldr._strengthen import load_update, random_update, save_strengthened, shares
        from modgap.tldr._strengthen_sweep import strengthen
    except ImportError as error:
        raise MissingExtra("strengthening", "hf") from error
    from modgap.cli._values import dials, listed
    from modgap.models import load_model
    from modgap.tldr._files import check_empty

    check_empty(out)  # before the work, not after it
    try:
        strengths = [float(tau) for tau in listed(taus) or ()]
    except ValueError as error:
        raise InputError(f"--taus {taus!r} are not numbers, such as 0.1,0.25") from error
    if not strengths:
        raise InputError("--taus is empty; give one or more, such as 0.1,0.25")
    parts = listed(groups) or ("all",)
    for tau in strengths:
        shares(dict.fromkeys(parts, tau))
    loaded = load_model(model)
    if not isinstance(loaded, LocalModel):
        raise ModelError(f"{model}: weights are changed, so the model must be local: a folder or hub id")
    update = load_update(loaded.pretrained, shipped_or(detector))
    others: list[Change] = [random_update(update, seed)]
    if directions is not None:
        others += largest(update, directions)
    rivals = [
        replace(load_update(loaded.pretrained, Path(str(folder))), name=name)
        for name, folder in (dials(control, "--control") or {}).items()
    ]
    second = None if judge is None else _judge(judge, judge_threshold)
    found = strengthen(
        loaded,
        update,
        others,
        rivals=rivals,
        taus=strengths,
        groups=parts,
        problems=problems,
        scenes=scenes,
        test_scenes=test_scenes,
        seed=seed,
        judge=second,
        say=lambda line: typer.echo(line, err=True),
    )
    typer.echo("validation")
    print_strengths(found.validation)
    typer.echo("test, other scenes")
    print_strengths(found.test)
    out.mkdir(parents=True, exist_ok=True)
    if found.chosen:
        save_strengthened(loaded.pretrained, update, found.chosen, out, _card(model, update.name, found.test))
    (out / "strengthen.json").write_text(json.dumps(asdict(found), indent=1) + "\n")
    typer.echo(out if found.chosen else f"no strength was better on validation; no model in {out}")


def _judge(spec: str, threshold: float | None) -> Judge:
    from modgap.tldr._detect import load_detector
    from modgap.tldr._detector import TldrDetector
    from modgap.tldr._strengthen_measure import Judge

    detector = load_detector(spec)
    if threshold is None and isinstance(detector, TldrDetector):
        threshold = detector.config.calibration.threshold
    if threshold is None:
        raise InputError(f"--judge {spec} has no threshold of its own; give --judge-threshold")
    return Judge(detector, threshold)


def make_control(
    kind: Annotated[str, typer.Argument(help="sft or shuffled.", show_default=False)],
    data: Annotated[Path, typer.Argument(help="That the detector was trained on.", show_default=False)],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the adapter.")],
    model: Annotated[str, typer.Option(help="bundled, a model folder or a hub id.")] = "bundled",
    steps: Annotated[int, typer.Option(help="As of the detector.")] = 100,
    captions: Annotated[int, typer.Option(help="Captions of a step.")] = 32,
    parts: Annotated[
        str, typer.Option(help="Where they go, as of the detector: of vision,connector,decoder.")
    ] = "connector,decoder",
    rank: Annotated[int, typer.Option(help="Of the low-rank changes.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak; cosine from there.")] = 1e-3,
    bf16: Annotated[bool, typer.Option("--bf16", help="Arithmetic in bfloat16.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
) -> None:
    """Make what 'strengthen' has to beat: fine-tuning on true captions, or a detector of shuffled labels."""
    try:
        from modgap.tldr._network import LoraSettings
        from modgap.tldr._strengthen_controls import fine_tune, shuffle_labels
        from modgap.tldr._train import TrainConfig, train
    except ImportError as error:
        raise MissingExtra("training", "train") from error
    import numpy as np

    from modgap.cli._values import listed
    from modgap.tldr import read_examples

    if kind not in CONTROLS:
        raise UnknownName("control", kind, CONTROLS)
    lora = LoraSettings(rank, 2.0 * rank, parts=listed(parts) or ())
    examples = list(read_examples(data))

    def say(line: str) -> None:
        typer.echo(line, err=True)

    if kind == "sft":
        fine_tune(
            examples,
            model,
            out,
            lora=lora,
            steps=steps,
            captions=captions,
            learning_rate=learning_rate,
            bf16=bf16,
            seed=seed,
            say=say,
        )
    else:
        config = TrainConfig(
            model=model,
            lora=lora,
            steps=steps,
            captions=captions,
            learning_rate=learning_rate,
            bf16=bf16,
            seed=seed,
        )
        train(list(shuffle_labels(examples, np.random.default_rng(seed))), config, out, say=say)
    typer.echo(out)


def print_strengths(rows: Sequence[Row]) -> None:
    """Print a table of states."""
    from modgap.cli._table import print_rows

    controlled = any(row.behind is not None for row in rows)
    table = [
        (
            row.name,
            " ".join(f"{group} {tau:g}" for group, tau in row.taus.items()) or "0",
            f"{100 * row.accuracy:.1f}",
            _change(row.accuracy_change, 1),
            f"{row.false_per_100:.2f}",
            _change(row.equal_change, 2),
            *(("" if row.behind is None else _change(row.behind, 2),) if controlled else ()),
            f"{row.words:.1f}",
            f"{100 * row.unread:.1f}",
            *(() if row.flagged_change is None else (_change(row.flagged_change, 2),)),
        )
        for row in rows
    ]
    columns = (
        "change",
        "τ",
        "right %",
        "points (95 %)",
        "false of 100",
        "change (95 %)",
        *(("behind (95 %)",) if controlled else ()),
        "words",
        "unread %",
        *(("judge",) if rows[0].flagged_change is not None else ()),
    )
    print_rows(columns, table)
    typer.echo(
        f"{rows[0].problems:,} problems, {rows[0].scenes:,} captioned scenes; differences are paired\n"
        "change: of the false words of 100, both captions of a scene cut to the shorter one"
    )
    if controlled:
        typer.echo("behind: how many more it has, counted likewise, than the first change")
    if rows[0].flagged_change is not None:
        typer.echo("judge: change of the words that the second detector flags, of 100")


def _change(found: tuple[float, float, float], digits: int) -> str:
    value, low, high = (f"{x:+.{digits}f}" for x in found)
    return f"{value} ({low} to {high})"


def _card(model: str, detector: str, rows: Sequence[Row]) -> str:
    lines = [
        f"# {model}, with a part of the detector {detector}",
        "",
        "Weights of the model plus τ times the detector's low-rank change (TLDR, section 6). On test scenes:",
        "",
        "| change | τ | right % | false words of 100 | words |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        strengths = " ".join(f"{group} {tau:g}" for group, tau in row.taus.items()) or "0"
        figures = f"{100 * row.accuracy:.1f} | {row.false_per_100:.2f} | {row.words:.1f}"
        lines.append(f"| {row.name} | {strengths} | {figures} |")
    return "\n".join([*lines, ""])
