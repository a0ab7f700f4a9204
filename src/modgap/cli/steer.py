"""``modgap steer VERB ...``: directions from text alone, added to a multimodal model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modgap.cli import _steer_export, _steer_merge, _steer_sae
from modgap.cli._steer_print import print_doses, print_study

if TYPE_CHECKING:
    from modgap.models.local._model import LocalModel

app = typer.Typer(
    help="Directions from text alone, added to a multimodal model (textual steering vectors).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

_BACKBONE = typer.Option(help="Text-only model the vectors come from. Default: the one of the model.")
_SEED = typer.Option(help="Of everything.")


_steer_sae.add_verb(app)
_steer_export.add_verbs(app)
_steer_merge.add_verb(app)


@app.command("extract")
def extract_vectors(
    *,
    model: Annotated[
        str, typer.Argument(help="bundled, a causal LM, or a multimodal model (its language part).")
    ] = "bundled",
    concept: Annotated[
        str, typer.Option(help="Names such as spatial,counting, or FILE.jsonl with anchor and sentence.")
    ] = "spatial,counting,attribute,entity",
    method: Annotated[
        str, typer.Option(help="meanshift, others, matched, lda, probe, probe-published, sae, sae-published.")
    ] = "meanshift",
    off_by_one: Annotated[
        bool, typer.Option("--off-by-one", help="Input of a block for its output, as once released.")
    ] = False,
    sae: Annotated[
        list[str] | None, typer.Option(help="Folder of a sparse autoencoder, for sae; one a block.")
    ] = None,
    seed: Annotated[int, _SEED] = 0,
    out: Annotated[Path, typer.Option(help="Folder for one folder a concept.")] = Path("runs/vectors"),
) -> None:
    """Take the direction of each concept from sentences about it, at every block."""
    from modgap.cli._table import print_rows
    from modgap.steering import extract, load_concept, load_sae, text_model

    read = text_model(model)
    concepts = [load_concept(name) for name in _names(concept)]
    saes = [load_sae(folder) for folder in sae or ()]
    rows = []
    for one in concepts:
        against = [other for other in concepts if other is not one]
        vector = extract(read, one, method, against=against, saes=saes, seed=seed, off_by_one=off_by_one)
        folder = vector.save(out / f"{one.name}-{method}")
        lengths = vector.directions.norm(dim=1).tolist()
        held_out = vector.facts.get("held_out_accuracy")
        rows.append(
            (
                one.name,
                f"{vector.facts['sentences']}",
                f"{vector.facts['skipped']}",
                " ".join(f"{length:.1f}" for length in lengths),
                "–" if held_out is None else f"{100 * float(held_out):.1f} %",
                str(folder),
            )
        )
    print_rows(("concept", "sentences", "skipped", "length at each block", "held out", "folder"), rows)


@app.command("dose")
def show_doses(
    *,
    model: Annotated[str, typer.Argument(help="A multimodal model.")] = "bundled",
    values: Annotated[
        str, typer.Option(help="Words: colours, sides (left …), numbers (three …).")
    ] = "red,blue,green,yellow,purple,left,above,three",
    n: Annotated[int, typer.Option("-n", help="Pictures for each value.")] = 100,
    blocks: Annotated[str | None, typer.Option(help="Such as 0,2,4. Default: all.")] = None,
    strengths: Annotated[str, typer.Option(help="Multiples of the mean difference.")] = "1,2,4,8,16",
    positions: Annotated[str, typer.Option(help="image, text, both or question.")] = "image",
    method: Annotated[str, typer.Option(help="meanshift, or sae: one feature.")] = "meanshift",
    sae: Annotated[
        list[str] | None,
        typer.Option(help="Folder of a sparse autoencoder, one a block. Default: two are trained."),
    ] = None,
    backbone: Annotated[str | None, _BACKBONE] = None,
    seed: Annotated[int, _SEED] = 0,
    out: Annotated[Path, typer.Option(help="Folder for dose.json and dose.png.")] = Path("runs/dose"),
) -> None:
    """Add the direction of a word to a picture of something else, and count the answers that become it."""
    from modgap._errors import UnknownName
    from modgap.steering import dose, draw_doses, load_sae, text_model, train_sae

    if method not in ("meanshift", "sae"):
        raise UnknownName("method", method, ("meanshift", "sae"))
    loaded = load_local(model)
    read = text_model(backbone or model)
    saes = [load_sae(folder) for folder in sae or ()] if method == "sae" else []
    if method == "sae" and not saes:
        early = (0, len(read.blocks) // 4)
        _say(f"sparse autoencoders of blocks {early[0]} and {early[1]}")
        saes = [train_sae(read, block, seed=seed).sae for block in early]
    found = dose(
        loaded,
        read,
        _names(values),
        n=n,
        saes=saes,
        blocks=None if blocks is None else [int(b) for b in _numbers(blocks)],
        strengths=_numbers(strengths),
        positions=positions,  # type: ignore[arg-type]
        seed=seed,
        listener=_say,
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "dose.json").write_text(json.dumps([one.as_json() for one in found], indent=1) + "\n")
    draw_doses(found, out / "dose.png")
    print_doses(found)
    typer.echo(_page(out))


@app.command("sweep")
def sweep_vectors(
    *,
    model: Annotated[str, typer.Argument(help="A multimodal model.")] = "bundled",
    concept: Annotated[str, typer.Option(help="Names or JSONL files.")] = "spatial,counting,attribute,entity",
    vector: Annotated[list[str] | None, typer.Option(help="Folder of a vector to add; repeatable.")] = None,
    method: Annotated[str, typer.Option(help="Of extraction.")] = "meanshift",
    suite: Annotated[
        str, typer.Option("--suite", "-s", help="Questions with pictures and options, as for measure.")
    ] = "scenes",
    tasks: Annotated[
        str | None, typer.Option(help="Default: count,relation,distance,depth of scenes; all of others.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Questions of each task.")] = 200,
    level: Annotated[str, typer.Option(help="Of the scenes.")] = "plain",
    blocks: Annotated[str | None, typer.Option(help="Such as 0,2,4. Default: all.")] = None,
    strengths: Annotated[str, typer.Option(help="Multiples of the vectors.")] = "0.25,0.5,1,2,4",
    positions: Annotated[
        str, typer.Option(help="Some of image, text, both, question, published.")
    ] = "image,text,both",
    screen: Annotated[
        int | None, typer.Option(help="Keep so many cells of each vector, by first-order effect.")
    ] = None,
    backbone: Annotated[str | None, _BACKBONE] = None,
    seed: Annotated[int, _SEED] = 0,
    out: Annotated[Path, typer.Option(help="Folder for what is found.")] = Path("runs/sweep"),
) -> None:
    """Try vectors and controls everywhere; choose on some scenes, count on others."""
    from modgap.steering import load_vector, study

    found = study(
        load_local(model),
        backbone or model,
        concepts=_names(concept),
        vectors=[load_vector(folder) for folder in vector or ()],
        suite=suite,
        tasks=None if tasks is None else _names(tasks),
        method=method,
        n=n,
        level=level,
        blocks=None if blocks is None else [int(b) for b in _numbers(blocks)],
        strengths=_numbers(strengths),
        positions=_names(positions),
        keep=screen,
        seed=seed,
        listener=_say,
    )
    found.save(out)
    print_study(found)
    if found.screening is not None:
        typer.echo(
            f"first-order effects rank the cells that were swept with Spearman's {found.screening:.2f}"
        )
    typer.echo(_page(out))


@app.command("demo")
def show_demo(
    *,
    model: Annotated[str, typer.Argument(help="A multimodal model.")] = "bundled",
    n: Annotated[int, typer.Option("-n", help="Questions of each task.")] = 40,
    seed: Annotated[int, _SEED] = 0,
    out: Annotated[Path, typer.Option(help="Folder for what is found.")] = Path("runs/steer-demo"),
) -> None:
    """Doses of three values, then a sweep of four concepts with controls and a test on other pictures."""
    from modgap.steering import dose, draw_doses, study

    loaded = load_local(model)
    doses = dose(loaded, model, ("red", "purple", "left"), n=n, strengths=(2, 4, 8), seed=seed, listener=_say)
    out.mkdir(parents=True, exist_ok=True)
    draw_doses(doses, out / "dose.png")
    found = study(
        loaded,
        model,
        n=n,
        blocks=range(0, len(loaded.pretrained.anatomy.blocks), 2),
        strengths=(0.5, 1, 2),
        positions=("image", "text"),
        seed=seed,
        listener=_say,
    )
    found.save(out)
    print_doses(doses)
    print_study(found)
    typer.echo(_page(out))


def _page(folder: Path) -> Path:
    from modgap.report._results import write_results

    return write_results(folder)


def load_local(model: str) -> LocalModel:
    from modgap._errors import InputError
    from modgap.models import load_model
    from modgap.models.local._model import LocalModel

    loaded = load_model(model)
    if not isinstance(loaded, LocalModel):
        raise InputError(f"{model}: only a local model can be looked into; give a folder or a hub id")
    return loaded


def _names(text: str) -> tuple[str, ...]:
    from modgap.cli._values import listed

    return listed(text) or ()


def _numbers(text: str) -> list[float]:
    from modgap._errors import InputError

    try:
        return [float(part) for part in _names(text)]
    except ValueError as error:
        raise InputError(f"{text!r} is not a list of numbers, such as 1,2,4") from error


def _say(text: str) -> None:
    typer.echo(text, err=True)
