"""``modgap steer sae``: train a small sparse autoencoder of one block, and say what its features are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train_and_describe(
    *,
    model: Annotated[
        str, typer.Argument(help="bundled, a causal LM, or a multimodal model (its language part).")
    ] = "bundled",
    block: Annotated[int, typer.Option(help="Whose output it is of, 0-based.")] = 3,
    features: Annotated[int, typer.Option(help="How many features.")] = 512,
    k: Annotated[int, typer.Option(help="How many are active at once.")] = 8,
    texts: Annotated[int, typer.Option(help="Written scenes to train on.")] = 300,
    concept: Annotated[
        str, typer.Option(help="Concepts whose features are described.")
    ] = "spatial,counting,attribute,entity",
    seed: Annotated[int, typer.Option(help="Of scenes, start and order.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder, as SAELens reads it.")] = Path("runs/sae"),
) -> None:
    """Train on text alone, and describe the features of concepts by the words they are most active at."""
    from modgap.cli._table import print_rows
    from modgap.cli._values import listed
    from modgap.steering import load_concept, text_model, train_sae
    from modgap.steering._extract import anchored
    from modgap.steering._sae_directions import contexts, features_of
    from modgap.steering._sae_train import written_texts

    read = text_model(model)
    made = train_sae(read, block, features=features, k=k, texts=texts, seed=seed)
    made.sae.save(out, {"model_name": read.name})
    typer.echo(
        f"block {block}: {100 * made.explained:.1f} % of the variance explained by {made.active:.1f} of "
        f"{features} features, {100 * made.dead:.0f} %\nnever active, on states it was not trained on "
        f"(trained on {made.states:,}; seed {seed})"
    )
    chosen = [
        (name, one)
        for name in listed(concept) or ()
        for one in features_of(anchored(read, load_concept(name)), made.sae, block)[:4]
    ]
    where = contexts(read, made.sae, [one.number for _, one in chosen], written_texts(texts, seed))
    rows = [
        (name, f"{one.number}", f"{one.sentences}", ", ".join(word for word, _, _ in words))
        for (name, one), words in zip(chosen, where, strict=True)
    ]
    print_rows(("concept", "feature", "in sentences", "most active at"), rows)
    typer.echo(out)


def add_verb(app: typer.Typer) -> None:
    """Register it."""
    app.command("sae")(train_and_describe)
