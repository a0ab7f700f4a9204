"""``modgap tldr evaluate``: how well a detector finds what is wrong, beside what knows nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from modgap._errors import InputError, MissingExtra

if TYPE_CHECKING:
    from modgap.tldr._measures import Figure
    from modgap.tldr._measures_report import DetectorReport


def add_verb(app: typer.Typer) -> None:
    """Adds the verb to ``modgap tldr``."""
    app.command("evaluate")(evaluate)


def evaluate(
    detectors: Annotated[
        str,
        typer.Argument(
            help="Folders of trained detectors, or names such as contrast; several with commas.",
            show_default=False,
        ),
    ],
    data: Annotated[Path, typer.Argument(help="Labelled captions: folder or file.", show_default=False)],
    *,
    model: Annotated[str | None, typer.Option(help="Whose eyes; default: its own, else bundled.")] = None,
    split: Annotated[str, typer.Option(help="That is scored: test, validation, train or all.")] = "test",
    threshold: Annotated[
        float | None,
        typer.Option(help="Tokens above it are flagged. Default: chosen on the split validation."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most captions of a split.")] = None,
    controls: Annotated[
        bool, typer.Option("--controls/--no-controls", help="Again blind, with swapped and blurred pictures.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    out: Annotated[Path | None, typer.Option(help="JSON file for all figures.")] = None,
) -> None:
    """Hold the scores of detectors against labels, with intervals over pictures and controls."""
    try:
        from modgap.tldr._detect import load_detector
        from modgap.tldr._measures_report import CONTROLS, evaluate_detector
    except ImportError as error:
        raise MissingExtra("detectors", "hf") from error
    from modgap.cli._values import listed
    from modgap.tldr import read_examples
    from modgap.tldr._rates_captions import shown

    everything = list(read_examples(data))
    scored = shown([e for e in everything if split in ("all", e.split)][:limit])
    if not scored:
        raise InputError(f"{data}: no captions in split {split!r}; give test, validation, train or all")
    tune = [] if threshold is not None else shown([e for e in everything if e.split == "validation"][:limit])
    if threshold is None and (split in ("all", "validation") or not tune):
        raise InputError(
            "a threshold is chosen on the split validation, which must be there and not be scored too; "
            "give --threshold, or --split test"
        )
    reports = []
    for name in listed(detectors) or ():
        detector = load_detector(name, model)
        if hasattr(detector, "fit"):
            if split in ("all", "train"):
                raise InputError(f"{name} learns from the split train; score another: --split test")
            detector.fit(shown([e for e in everything if e.split == "train"]))
        report = evaluate_detector(
            detector,
            scored,
            tune=tune,
            threshold=threshold,
            controls=CONTROLS if controls else (),
            seed=seed,
        )
        print_report(report)
        reports.append(report)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.format(msgspec.json.encode(reports, enc_hook=float), indent=1) + b"\n")
        typer.echo(out)


def print_report(report: DetectorReport) -> None:
    """Print all figures of a detector."""
    from modgap.cli._table import print_rows

    typer.echo(f"{report.detector}: {report.captions:,} captions of {report.groups:,} groups")
    rows = [_row(figure.name, figure) for figure in report.figures]
    rows += [_row(f"AP, {one.type}", one.ap) for one in report.types]
    rows += [_row(f"responses, {one.type}", one.response) for one in report.types]
    for control in report.controls:
        rows.append(_row(f"AP, {control.name}", control.ap))
        rows.append(_row(f"  gain over {control.name}", control.gain))
    print_rows(("figure", "%", "95 % interval", "knowing nothing", "n"), rows)
    points = [
        (
            f"{point.false_per_1000_words:.1f}",
            f"{100 * point.recall:.1f}",
            f"{100 * point.precision:.1f}",
            f"{point.threshold:.4g}",
        )
        for point in report.points
    ]
    print_rows(("right words flagged of 1,000", "recall %", "precision %", "threshold"), points)
    if report.calibration is not None:
        found = report.calibration
        typer.echo(
            f"calibration error {found.ece:.4f}, Brier score {found.brier:.4f} "
            f"(saying the prevalence everywhere: {found.base_brier:.4f})"
        )
    typer.echo(f"flagged above {report.threshold:.4g}; intervals: groups drawn again")


def _row(name: str, figure: Figure) -> tuple[str, str, str, str, str]:
    baseline = "" if figure.baseline is None else f"{100 * figure.baseline:.1f}"
    interval = f"{100 * figure.low:.1f} to {100 * figure.high:.1f}"
    return name, f"{100 * figure.value:.1f}", interval, baseline, f"{figure.n:,}"
