"""``modgap tldr VERB ...``: which words of a caption are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modgap.cli import (
    _tldr_annotate,
    _tldr_correct,
    _tldr_demo,
    _tldr_detect,
    _tldr_evaluate,
    _tldr_rates,
    _tldr_strengthen,
    _tldr_train,
)

if TYPE_CHECKING:
    from modgap.tldr import TypeRow

app = typer.Typer(
    help="Which words of a caption are wrong (TLDR).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command("data")
def make_data(
    *,
    out: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    n: Annotated[
        int, typer.Option("--n", "-n", help="Examples, in groups of four; with --from pictures.")
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
    types: Annotated[
        str | None, typer.Option(help="Such as counting,text. Default: all that apply to the scenes.")
    ] = None,
    design: Annotated[
        str,
        typer.Option(
            help="twins: two pictures and two captions crossed; edits: one picture, as published; several: "
            "captions that differ from the picture in up to five ways."
        ),
    ] = "twins",
    level: Annotated[str, typer.Option(help="Of the scenes: plain, easy, medium or hard.")] = "medium",
    pixels: Annotated[int, typer.Option(help="Side of the pictures; 0 for none.")] = 224,
    natural: Annotated[
        Path | None,
        typer.Option(help="JSON lines with caption and scene, written by a model; labelled and added."),
    ] = None,
    from_: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            "--from",
            help="Published set and its folder. docci and visual-genome need --model, winoground may have "
            "one; rlhf-v and detail-verify have labels of people.",
        ),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="With --from: base address of the language model that edits.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="With --from: its name there.")] = None,
    questions: Annotated[int, typer.Option(help="With --from: most questions of a picture.")] = 4,
    judged: Annotated[
        bool, typer.Option("--judge/--no-judge", help="With --from: whether edits are judged, a call each.")
    ] = True,
    option: Annotated[
        list[str] | None, typer.Option(help="With --from: NAME=VALUE of the model, such as budget=1000.")
    ] = None,
    max_blind: Annotated[
        float, typer.Option(help="How well text alone may tell wrong from right; 0.5 is chance, 1 no limit.")
    ] = 0.6,
    parquet: Annotated[
        bool | None,
        typer.Option("--parquet/--no-parquet", help="Or JSON lines. Default: parquet if pyarrow is there."),
    ] = None,
) -> None:
    """Make captions of rendered scenes with exact labels of what is wrong.

    Fails without writing anything if a classifier that sees only the text finds the errors. With --from a
    language model edits captions of real pictures instead; its replies are kept, and a stopped command goes
    on.
    """
    from modgap.cli._values import listed
    from modgap.tldr import DataConfig, build, read_captions
    from modgap.tldr import natural as label

    if from_ is not None:
        from modgap.cli._tldr_real import PEOPLE, make_from_people, make_from_pictures

        if from_[0] in PEOPLE and model is None:
            make_from_people(out, *from_, parquet=parquet)
            return
        make_from_pictures(
            out,
            *from_,
            pictures=n,
            endpoint=endpoint,
            model=model,
            types=listed(types),
            questions=questions,
            judged=judged,
            seed=seed,
            parquet=bool(parquet),
            options=option,
        )
        return
    config = DataConfig(n, seed, listed(types), design, level, pixels)
    examples = label(*read_captions(natural)) if natural else []
    rows = build(out, config, natural=examples, max_blind=max_blind, parquet=parquet)
    _print_types(rows)
    typer.echo(out / "manifest.json")


_tldr_train.add_verb(app)
_tldr_detect.add_verb(app)
_tldr_evaluate.add_verb(app)
_tldr_rates.add_verb(app)
_tldr_correct.add_verb(app)
_tldr_strengthen.add_verb(app)
_tldr_demo.add_verb(app)
_tldr_annotate.add_verbs(app)


def _print_types(rows: list[TypeRow]) -> None:
    from modgap.cli._table import print_rows

    table = []
    for row in rows:
        blind = row.blind
        figures = ("–",) * 4 if blind is None else (blind.prevalence, blind.ap, blind.choice, blind.auroc)
        table.append(
            (
                row.type,
                f"{row.n:,}",
                "–" if row.yield_ is None else f"{100 * row.yield_:.0f} %",
                *(x if isinstance(x, str) else f"{x:.3f}" for x in figures),
            )
        )
    print_rows(("type", "examples", "yield", "prevalence", "blind AP", "choice", "AUROC"), table)
    typer.echo(
        "prevalence: share of words that are wrong. What a text-only classifier finds: AP of wrong words,\n"
        "choice between the wrong word and the right one (chance 0.5), AUROC of responses (chance 0.5)"
    )
