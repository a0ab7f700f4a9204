"""``modgap tldr data --from SET FOLDER --endpoint URL``: edited captions of real pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from modgap._errors import FileError, InputError, ModelError

if TYPE_CHECKING:
    from modgap.tldr.real._pipeline import TypeYield

PEOPLE = ("rlhf-v", "detail-verify", "winoground")
"""Sets whose errors people marked or made; no model is asked."""


def make_from_people(out: Path, kind: str, folder: Path, *, parquet: bool | None) -> None:
    """Write a published set whose errors people marked or made as a data set.

    Args:
        out: folder of the data set.
        kind: one of ``PEOPLE``.
        folder: as it is published, or the file.
        parquet: pictures inside; by default beside the captions.
    """
    from modgap.tldr import read_detail_verify, read_rlhf_v, read_winoground
    from modgap.tldr._files import check_empty, write_examples

    check_empty(out)
    if kind == "winoground":
        found = read_winoground(folder)
    elif kind == "rlhf-v":
        files = sorted(folder.rglob("*.parquet")) if folder.is_dir() else [folder]
        if not files:
            raise FileError(f"{folder}: no parquet file; give the folder or file of RLHF-V")
        found = chain.from_iterable(map(read_rlhf_v, files))
    else:
        file = folder / "real_test.jsonl" if folder.is_dir() else folder
        images = file.parent / "images"
        found = read_detail_verify(file, images=images if images.is_dir() else None)
    counts = write_examples(found, out, card=f"# {kind}, with what people marked\n", parquet=bool(parquet))
    typer.echo(f"{sum(counts.values()):,} captions, all in the split test")
    typer.echo(out / "manifest.json")


def make_from_pictures(
    out: Path,
    kind: str,
    folder: Path,
    *,
    pictures: int,
    endpoint: str | None,
    model: str | None,
    types: tuple[str, ...] | None,
    questions: int,
    judged: bool,
    seed: int,
    parquet: bool | None,
    options: Sequence[str] | None,
) -> None:
    """Ask, write, and print what became of it.

    Args:
        out: folder of the data set; replies are kept beside it, in ``<out>.replies``.
        kind, folder: published set and where it is.
        pictures: most of them.
        endpoint: base address; ``None`` takes ``model`` as for ``modgap measure``.
        model: name at the endpoint, or of a model.
        types, questions, judged, seed: see :class:`modgap.tldr.real.RealConfig`.
        parquet: see :func:`modgap.tldr.real.write_real`.
        options: of the model, NAME=VALUE.
    """
    from modgap.cli._values import dials
    from modgap.models import load_model
    from modgap.tldr._files import check_empty
    from modgap.tldr.real import Journal, RealConfig, make_real, read_sources, write_real

    if model is None:
        raise InputError("--from needs the model that edits: --model NAME, and mostly --endpoint URL")
    config = RealConfig(types, questions, judged, seed)
    check_empty(out)  # before the work, not after it
    sources = read_sources(kind, folder, pictures)
    given = dials(options, "--option") or {}
    asked = load_model(f"endpoint:{model}", url=endpoint, **given) if endpoint else load_model(model, **given)
    replies = out.with_name(f"{out.name}.replies")
    journal = Journal(replies, asked, say=lambda line: typer.echo(line, err=True))
    try:
        made = make_real(sources, journal, config, kind=kind)
    finally:
        asked.close()
    _print_yields(made.yields)
    typer.echo(_bill(journal.usage, journal.asked))
    if made.unanswered:
        why = "; ".join(f"{n:,} × {text}" for text, n in journal.failed.most_common(3))
        raise ModelError(
            f"{made.unanswered:,} calls gave no reply ({why}); nothing was written, and the same command "
            f"goes on "
            f"with what is in {replies}"
        )
    blind = write_real(out, made, config, journal, kind=kind, parquet=parquet)
    if blind is not None:
        typer.echo(f"a classifier that sees only the text: AUROC of responses {blind.auroc:.3f} (chance 0.5)")
    n = len(made.examples)
    typer.echo(f"{n:,} captions of {len(sources):,} pictures; look at some: {out / 'review'}")
    typer.echo(out / "manifest.json")


def _print_yields(yields: dict[str, TypeYield]) -> None:
    from modgap.cli._table import print_rows

    rows = []
    for name, one in yields.items():
        lost = ", ".join(f"{n:,} {why}" for why, n in one.lost.most_common() if n)
        share = f"{100 * one.kept / one.asked:.0f}" if one.asked else "–"
        rows.append((name, f"{one.asked:,}", f"{one.kept:,}", share, f"{one.structured:,}", lost))
    print_rows(("type", "asked", "kept", "%", "structured", "lost"), rows)


def _bill(usage: dict[str, float], asked: int) -> str:
    parts = [f"{usage.get('calls', 0):,.0f} calls ({asked:,} of them now)"]
    for name, words in (("input_tokens", "tokens in"), ("output_tokens", "tokens out")):
        if name in usage:
            parts.append(f"{usage[name]:,.0f} {words}")
    if "cost" in usage:
        parts.append(f"cost {usage['cost']:.4g}")
    return ", ".join(parts)
