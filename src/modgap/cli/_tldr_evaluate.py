"""``modgap tldr evaluate``: how well a detector finds what is wrong, beside what knows nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from modgap._errors import InputError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modgap.tldr import Example
    from modgap.tldr._measures import Figure
    from modgap.tldr._measures_report import DetectorReport
    from modgap.tldr._responses import ResponseComparison


_COLUMNS = ("figure", "%", "95 % interval", "knowing nothing", "n")


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
    tune: Annotated[
        Path | None,
        typer.Option(help="Labelled captions to choose thresholds on. Default: the split validation."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Another detector, such as one of the objective response: verdicts on captions, in pairs."
        ),
    ] = None,
    evidence: Annotated[
        int | None,
        typer.Option(min=1, help="Explain the errors of so many captions of scenes, and check it."),
    ] = None,
    min_words: Annotated[int, typer.Option(help="Shorter captions are left out.")] = 0,
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
        from modgap.tldr._evidence_measures import measure_evidence
        from modgap.tldr._measures_report import CONTROLS, evaluate_detector
        from modgap.tldr._responses import compare_responses
        from modgap.tldr._scores import Remembering
    except ImportError as error:
        raise MissingExtra("detectors", "hf") from error
    from modgap.cli._table import print_rows
    from modgap.cli._values import listed
    from modgap.tldr import read_examples
    from modgap.tldr._rates_captions import shown

    everything = _long(read_examples(data), min_words)
    scored = shown([e for e in everything if split in ("all", e.split)][:limit])
    if not scored:
        raise InputError(f"{data}: no captions in split {split!r}; give test, validation, train or all")
    if tune is not None:
        chosen_on = shown(_long(read_examples(tune), min_words)[:limit])
    else:
        chosen_on = shown([e for e in everything if e.split == "validation"][:limit])
    needed = threshold is None or against is not None
    if needed and (not chosen_on or (tune is None and split in ("all", "validation"))):
        raise InputError(
            "a threshold is chosen on the split validation, which must be there and not be scored too; "
            "give --tune DATA, --split test, or --threshold where nothing is compared"
        )
    other = None if against is None else Remembering(load_detector(against, model), _say)
    reports: list[DetectorReport] = []
    comparisons: list[ResponseComparison] = []
    explained: list[dict[str, Any]] = []
    for name in listed(detectors) or ():
        detector = load_detector(name, model)
        if hasattr(detector, "fit"):
            if split in ("all", "train"):
                raise InputError(f"{name} learns from the split train; score another: --split test")
            detector.fit(shown([e for e in everything if e.split == "train"]))
        detector = Remembering(detector, _say)
        report = evaluate_detector(
            detector,
            scored,
            tune=chosen_on if threshold is None else (),
            threshold=threshold,
            controls=CONTROLS if controls else (),
            seed=seed,
        )
        print_report(report)
        reports.append(report)
        if evidence is not None:
            checked = measure_evidence(
                detector.detector, [e for e in scored if e.is_wrong][:evidence], seed=seed
            )
            print_rows(_COLUMNS, [_row(figure.name, figure) for figure in checked])
            explained.append({"detector": detector.name, "evidence": checked})
        if other is not None:
            paired = compare_responses(detector, other, scored, chosen_on, seed=seed)
            print_comparison(paired)
            comparisons.append(paired)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        found = [*reports, *comparisons, *explained]
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found, enc_hook=float), indent=1) + b"\n")
        typer.echo(out)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _long(examples: Iterable[Example], min_words: int) -> list[Example]:
    return [e for e in examples if not min_words or len(e.response.split()) >= min_words]


def print_comparison(found: ResponseComparison) -> None:
    """Print which of two detectors tells wrong captions from right ones, for each type."""
    from modgap.cli._table import print_rows

    typer.echo(f"captions by their verdict: {found.detector} against {found.other}, in pairs")
    for name, figures in (
        ("right %", [(row.accuracy, row.other_accuracy, row.gain) for row in found.rows]),
        ("AUROC %", [(row.area, row.other_area, row.area_gain) for row in found.rows]),
    ):
        rows = [
            (row.type, f"{one.n:,}", f"{100 * one.value:.1f}", f"{100 * other.value:.1f}", _signed(gain))
            for row, (one, other, gain) in zip(found.rows, figures, strict=True)
        ]
        print_rows(("type", "n", name, found.other, "gain (95 %)"), rows)
    tuned = ", ".join(f"{rule} {100 * area:.1f}" for rule, area in found.tuned.items())
    typer.echo(
        f"rule {found.rule} (AUROC where it was chosen: {tuned}), the other {found.other_rule}; "
        "intervals: groups drawn again"
    )


def _signed(figure: Figure) -> str:
    value, low, high = (f"{100 * x:+.1f}" for x in (figure.value, figure.low, figure.high))
    return f"{value} ({low} to {high})"


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
        rows.append(_row("  among words that err somewhere", control.erring))
        rows.append(_row("  AUROC of responses", control.responses))
    print_rows(_COLUMNS, rows)
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
