"""``modgap tldr rates`` and ``modgap tldr law``: how often captions are wrong, and what follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from modgap._errors import FileError, InputError, MissingExtra

if TYPE_CHECKING:
    from modgap.tldr._rates_report import RateReport


def add_verb(app: typer.Typer) -> None:
    """Adds the verbs to ``modgap tldr``."""
    app.command("rates")(rates)
    app.command("law")(law)


def rates(
    detector: Annotated[str, typer.Argument(help="Folder, or a name such as contrast.", show_default=False)],
    captions: Annotated[
        Path,
        typer.Argument(help="Captions of one model: JSON lines with caption and image, or a data set."),
    ],
    *,
    labels: Annotated[
        Path | None, typer.Option(help="Data set of other captions of that model, labelled.")
    ] = None,
    labelled: Annotated[
        int, typer.Option(help="Without --labels: pictures of the data set whose labels may be used.")
    ] = 100,
    threshold: Annotated[
        float | None, typer.Option(help="Words above it are flagged. Default: best F1 on the labelled.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Whose eyes; default: its own, else bundled.")] = None,
    seed: Annotated[int, typer.Option(help="Of the choice of pictures and the bootstrap.")] = 0,
    out: Annotated[Path | None, typer.Option(help="JSON file for all figures.")] = None,
) -> None:
    """Rates of errors of captions, corrected for those of the detector, with intervals."""
    try:
        from modgap.tldr._detect import load_detector
        from modgap.tldr._rates_report import rate_report
    except ImportError as error:
        raise MissingExtra("detectors", "hf") from error
    from modgap.tldr import read_examples
    from modgap.tldr._rates_captions import draw_labelled, read_any, shown

    known = labels is None
    if labels is not None:
        about, marked = read_any(captions), shown(list(read_examples(labels)))
    else:
        about, marked = draw_labelled(shown(list(read_examples(captions))), labelled, seed)
    loaded = load_detector(detector, model)
    report = rate_report(loaded, about, marked, threshold=threshold, known=known, seed=seed)
    _print_rates(report, "given" if threshold is not None else "best F1 on them")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.format(msgspec.json.encode(report, enc_hook=float), indent=1) + b"\n")
        typer.echo(out)


def _print_rates(report: RateReport, how: str) -> None:
    from modgap.cli._table import print_rows
    from modgap.tldr._rates_report import interval_text

    rows = []
    for found in report.rates:
        exact = report.exact.get(f"{found.unit}, {found.mean}")
        estimates = (found.naive, found.labelled, found.rogan_gladen, found.powered)
        rows.append(
            (
                f"{found.unit}, {found.mean}",
                *map(interval_text, estimates),
                "" if exact is None else f"{exact:.2f}",
            )
        )
    columns = ("wrong of 100", "flagged", "labelled alone", "Rogan–Gladen", "powered", "exact")
    print_rows(columns, rows)
    cover = "" if report.coverage is None else f", {100 * report.coverage:.1f} % of the objects named"
    typer.echo(
        f"{report.captions:,} captions of {report.mean_words:.1f} words on average, "
        f"{100 * report.empty:.1f} % empty, {100 * report.refused:.1f} % refusals{cover}\n"
        f"corrected with {report.labelled:,} labelled captions, on which {100 * report.recall:.1f} % of the "
        f"wrong words and {100 * report.false_alarms:.1f} % of the right ones are flagged "
        f"(above {report.threshold:.4g}, {how})"
    )


def law(
    summary: Annotated[
        Path, typer.Argument(help="JSON: model → false_word_rate and accuracy/TASK, fractions.")
    ],
) -> None:
    """Hold −log of the rate of false words against accuracy, beside other forms, each model left out once."""
    from modgap.cli._table import print_rows
    from modgap.tldr._rates_law import compare_laws

    try:
        models = json.loads(summary.read_text(encoding="utf-8"))
        rates = [float(one["false_word_rate"]) for one in models.values()]
        tasks = [key for key in next(iter(models.values())) if key.startswith("accuracy/")]
        table = {task: [float(one[task]) for one in models.values()] for task in tasks}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError) as error:
        raise FileError(
            f"{summary}: {error!r}; expected JSON of models, each with false_word_rate and accuracy/TASK"
        ) from error
    if not table:
        raise InputError(f"{summary}: no accuracies; give accuracy/TASK for each model")
    table["mean of tasks"] = [sum(column) / len(column) for column in zip(*table.values(), strict=True)]
    rows = []
    for task, accuracies in table.items():
        for fit in compare_laws(rates, accuracies):
            rows.append(
                (
                    task.removeprefix("accuracy/"),
                    fit.form,
                    f"{100 * fit.left_out_error:.1f}",
                    f"{fit.r:.2f}",
                    f"{fit.a:.3f}",
                    f"{fit.b:.3f}",
                    f"{fit.n}",
                )
            )
    print_rows(("accuracy of", "form", "error left out, points", "r", "a", "b", "models"), rows)
