"""``modgap tldr correct``: a model writes flagged words again; what the flags are worth, by arms."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from modgap._errors import InputError, MissingExtra, ModelError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modgap.tldr._correct_report import ArmRow

FORMS = ("redecode", "instruction")


def add_verb(app: typer.Typer) -> None:
    """Adds the verb to ``modgap tldr``."""
    app.command("correct")(correct_captions)


def correct_captions(
    detector: Annotated[str, typer.Argument(help="Folder, or a name such as contrast.", show_default=False)],
    captions: Annotated[
        Path, typer.Argument(help="Data set, or JSON lines with caption and image.", show_default=False)
    ],
    *,
    model: Annotated[str, typer.Option(help="That writes again.")] = "bundled",
    eyes: Annotated[
        str | None, typer.Option(help="Model of the detector; default: its own, else bundled.")
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            help="redecode: any local model, flagged words are forbidden; instruction: as published, for "
            "models that follow instructions, endpoints too."
        ),
    ] = "redecode",
    arms: Annotated[
        str, typer.Option(help="Some of none,binary,random,sentence,flags,oracle.")
    ] = "none,binary,random,sentence,flags,oracle",
    threshold: Annotated[
        float | None, typer.Option(help="Words above it are flagged. Default: that of the detector.")
    ] = None,
    n: Annotated[int | None, typer.Option("-n", min=1, help="Most captions.")] = None,
    seed: Annotated[int, typer.Option(help="Of random choices.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for every caption and the table.")] = Path("runs/correct"),
) -> None:
    """Write flagged words of captions again, keep what the detector likes better, and count exact errors.

    Six arms tell what the place of the flags is worth. The bundled model follows no instructions: for it,
    'redecode' is the form that means something.
    """
    try:
        from modgap.models.local._model import LocalModel
        from modgap.tldr._correct import ARMS, choose_targets, correct
        from modgap.tldr._correct_ask import ask
        from modgap.tldr._correct_redecode import Redecoder
        from modgap.tldr._detect import load_detector
        from modgap.tldr._measures_report import items_of
        from modgap.tldr.detectors.surprise import Surprise
    except ImportError as error:
        raise MissingExtra("detectors", "hf") from error
    from modgap.cli._values import listed
    from modgap.models import load_model
    from modgap.tldr._correct_report import compare_arms
    from modgap.tldr._rates_captions import read_any

    if form not in FORMS:
        raise UnknownName("form", form, FORMS)
    chosen = listed(arms) or ()
    for arm in chosen:
        if arm not in ARMS:
            raise UnknownName("arm", arm, ARMS)
    examples = read_any(captions)[:n]
    if not examples:
        raise InputError(f"{captions}: holds no captions; give some")
    loaded, writer = load_detector(detector, eyes), load_model(model)
    calibration = getattr(getattr(loaded, "config", None), "calibration", None)
    if threshold is None:
        if calibration is None:
            raise InputError(f"{detector} has no threshold of its own; give --threshold")
        threshold = float(calibration.threshold)
    done = {}
    if form == "redecode":
        if not isinstance(writer, LocalModel):
            raise ModelError(f"{model}: words are forbidden inside a local model; take --form instruction")
        rewrite = Redecoder(writer)
        for arm in chosen:
            doubts = Surprise(writer).score(items_of(examples)) if arm == "binary" else None
            done[arm] = correct(loaded, rewrite, examples, arm, threshold=threshold, doubts=doubts, seed=seed)
    else:
        scores = loaded.score(items_of(examples))
        for arm in chosen:
            place = "flags" if arm == "binary" else arm
            targets = choose_targets(examples, scores, place, threshold=threshold, seed=seed)
            told = [bool(found) for found in targets]
            marked = [[] for _ in targets] if arm == "binary" else targets
            done[arm] = ask(loaded, writer, examples, marked, told=told)
    rows = compare_arms(examples, done, seed)
    print_arms(rows)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "captions.jsonl").open("w", encoding="utf-8") as file:
        for arm, corrections in done.items():
            for example, one in zip(examples, corrections, strict=True):
                file.write(json.dumps({"arm": arm, "id": example.example_id, **asdict(one)}) + "\n")
    table = msgspec.json.encode(rows, enc_hook=float)  # null for what is not a number
    (out / "arms.json").write_bytes(msgspec.json.format(table, indent=1) + b"\n")
    typer.echo(out)


def print_arms(rows: Sequence[ArmRow]) -> None:
    """Print the table of arms."""
    from modgap.cli._table import print_rows

    table = [
        (
            row.arm,
            f"{row.targets}",
            f"{row.accepted}",
            f"{row.outside}",
            f"{row.expected:+.3f}",
            f"{row.wrong:.2f}",
            f"{row.change:+.3f} ({row.low:+.3f} to {row.high:+.3f})",
            "" if row.arm in ("none", "random") else f"{row.p:.3f}",
            f"{row.better}/{row.same}/{row.worse}",
        )
        for row in rows
    ]
    columns = ("arm", "targets", "kept", "outside", "expected", "wrong", "change (95 %)", "p", "+/=/−")
    print_rows(columns, table)
    typer.echo(
        f"{rows[0].captions if rows else 0} captions; wrong: exact wrong words per caption afterwards;\n"
        "expected: change in those the detector expects; p: against the arm random, signs of\n"
        "captions flipped, Holm over arms; +/=/−: captions better, same, worse"
    )
