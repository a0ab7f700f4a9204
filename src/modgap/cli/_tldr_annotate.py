"""``modgap tldr annotate``: people mark what is wrong in captions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modgap._errors import InputError, MissingExtra

if TYPE_CHECKING:
    from modgap.evaluate._statistics import Interval
    from modgap.tldr.annotate import AnnotationReport, Store


def add_verbs(app: typer.Typer) -> None:
    """Adds the verb to ``modgap tldr``."""
    app.command("annotate")(annotate)


def annotate(
    folder: Annotated[Path, typer.Argument(help="Holds captions.jsonl and images/.", show_default=False)],
    *,
    report: Annotated[
        bool, typer.Option("--report", help="Print time and recall by arm, and agreement; serve nothing.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(help="Write what is done to this new folder, as character spans; serve nothing."),
    ] = None,
    flags: Annotated[
        str | None,
        typer.Option(
            help="Captions that show flags: random (half of them), with or without. Default: random."
        ),
    ] = None,
    types: Annotated[
        str | None, typer.Option(help="Kinds of errors, such as colour,count. Default: those of modgap.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of arms and order. Default: 0.")] = None,
    host: Annotated[
        str, typer.Option(help="Address to serve on; others than this need --token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free.")] = 8712,
    token: Annotated[
        str | None,
        typer.Option(help="What annotators must know.", envvar="MODGAP_ANNOTATE_TOKEN", show_default=False),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A host name the server is known by; needs --token, may be repeated."),
    ] = None,
) -> None:
    """Serve captions to annotators in their browsers; every change is saved at once, Ctrl-C stops."""
    from modgap.cli._values import listed
    from modgap.tldr.annotate import Store, read_items
    from modgap.tldr.annotate import export as write_export
    from modgap.tldr.annotate import report as make_report
    from modgap.tldr.annotate._plan import check_arms
    from modgap.tldr.annotate._work import check_types

    if seed is not None and seed < 0:
        raise InputError(f"--seed {seed} is not accepted; give 0 or more")
    chosen = listed(types)
    store = Store(
        folder,
        read_items(folder),
        seed=seed,
        types=None if chosen is None else check_types(chosen),
        arms=None if flags is None else check_arms(flags),
        must_exist=report or export is not None,
    )
    try:
        if export is not None:
            count = write_export(store.all_work(), store.items, export)
            typer.echo(f"{count:,} captions done: {export}")
        if report:
            _print_report(make_report(store.all_work(), store.items))
        if not report and export is None:
            _serve(store, host, port, token, allow_host or [])
    finally:
        store.close()


def _serve(store: Store, host: str, port: int, token: str | None, allow_host: list[str]) -> None:
    try:
        from modgap.tldr.annotate._serve import serve
    except ImportError as error:
        raise MissingExtra("the annotation server", "ui") from error
    serve(
        store,
        host=host,
        port=port,
        token=token,
        allow_hosts=allow_host,
        ready=lambda address: typer.echo(f"{address}  (Ctrl-C stops; everything is saved)"),
    )


def _print_report(found: AnnotationReport) -> None:
    from modgap.cli._table import print_rows

    print_rows(
        ("annotator", "done", "of"),
        [(name, f"{done:,}", f"{dealt:,}") for name, (done, dealt) in found.progress.items()],
    )
    print_rows(
        ("flags", "captions", "seconds", "95 %", "median", "marks", "outside flags", "no marks"),
        [
            (
                "shown" if arm.with_flags else "not shown",
                f"{arm.n:,}",
                _number(arm.seconds),
                _interval(arm.interval),
                _number(arm.median),
                f"{arm.marks:.2f}" if arm.n else "–",
                f"{arm.outside:.2f}" if arm.n else "–",
                f"{100 * arm.clean:.0f} %" if arm.n else "–",
            )
            for arm in found.arms
        ],
    )
    typer.echo("per caption: active seconds until first done; marks; marks on words without a flag\n")
    if found.difference is not None:
        typer.echo(
            f"seconds with flags minus without: {found.difference:+.1f} "
            f"(95 % {_interval(found.difference_interval)}), within annotators\n"
        )
    if found.recall:
        print_rows(
            ("known errors", "flags", "found", "of", "recall", "95 %"),
            [
                (
                    {None: "all", True: "flagged", False: "not flagged"}[row.flagged],
                    "shown" if row.with_flags else "not shown",
                    f"{row.found:,}",
                    f"{row.n:,}",
                    f"{100 * row.found / row.n:.0f} %",
                    f"{100 * row.interval.low:.0f} to {100 * row.interval.high:.0f} %",
                )
                for row in found.recall
            ],
        )
    else:
        typer.echo("no known errors in captions that are done: recall cannot be told\n")
    agreed = found.agreement
    if agreed.pairs:
        print_rows(
            ("annotators", "words", "kappa", "same", "by chance"),
            [
                (
                    f"{pair.first} – {pair.second}",
                    f"{pair.words:,}",
                    "–" if pair.kappa.kappa is None else f"{pair.kappa.kappa:.2f}",
                    f"{100 * pair.kappa.observed:.1f} %",
                    f"{100 * pair.kappa.chance:.1f} %",
                )
                for pair in agreed.pairs
            ],
        )
        typer.echo(
            f"Krippendorff's alpha of {agreed.words:,} words: {_alpha(agreed.alpha)} for wrong or right, "
            f"{_alpha(agreed.alpha_types)} for types"
        )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _interval(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.low:.1f} to {interval.high:.1f}"


def _alpha(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"
