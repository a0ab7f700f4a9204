"""What was made of real pictures, as a data set, with a sample for people to check."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import modgap
from modgap._errors import FileError, ModgapError
from modgap.tasks import MediaFolder
from modgap.tldr._blind import BlindScore, blind_score
from modgap.tldr._example import Example
from modgap.tldr._files import write_examples

from ._journal import Journal
from ._pipeline import Made, RealConfig

REVIEW = 10
"""Examples of each type in the sample (our choice: ten minutes of a person's time)."""


def write_real(
    out: Path, made: Made, config: RealConfig, journal: Journal, *, kind: str, parquet: bool | None = False
) -> BlindScore | None:
    """Write the data set, and ``review``, a folder for ``modgap tldr annotate``.

    Args:
        out: folder; must be empty or not there.
        made: what is written.
        config: how it was made.
        journal: of the calls, for the cost.
        kind: of the published set.
        parquet: pictures inside, once for every caption; by default beside the captions, once each.

    Returns:
        What a classifier that sees only the text finds; ``None`` if there is too little to train one.

    Raises:
        FileError: if the folder is not empty or cannot be written, or a picture is damaged.
    """
    try:
        blind = blind_score(made.examples)["all"]
    except (ModgapError, ValueError):
        blind = None
    notes: dict[str, Any] = {
        "modgap": modgap.__version__,
        "from": kind,
        "settings": asdict(config),
        "yield": {name: vars(one) | {"lost": dict(+one.lost)} for name, one in made.yields.items()},
        "calls": journal.usage,
        "blind_auroc": None if blind is None or np.isnan(blind.auroc) else blind.auroc,
    }
    write_examples(made.shown(), out, card=_card(kind, made, blind), notes=notes, parquet=parquet)
    _review(out / "review", made, config.seed)
    return blind


def _review(folder: Path, made: Made, seed: int) -> None:
    """Some examples of each type, and of right ones, with their pictures, as ``captions.jsonl``."""
    by_type: dict[str, list[Example]] = {}
    for example in made.examples:
        by_type.setdefault(example.types[0] if example.types else "", []).append(example)
    rng = np.random.default_rng(seed)
    chosen = {
        members[i].example_id for members in by_type.values() for i in rng.permutation(len(members))[:REVIEW]
    }
    media = MediaFolder(folder)
    rows = []
    picked = replace_examples(made, chosen)
    for example in picked.shown():
        spans = [{"start": s.start, "end": s.end, "type": s.type} for s in example.spans if s.weight > 0]
        rows.append(
            {
                "id": example.example_id,
                "image": None if example.image is None else media.write(example.image),
                "prompt": example.prompt,
                "caption": example.response,
                "spans": spans,
            }
        )
    try:
        folder.mkdir(exist_ok=True)
        (folder / "captions.jsonl").write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    except OSError as error:
        raise FileError(f"{folder}: cannot be written ({error.strerror}); free space") from error


def replace_examples(made: Made, chosen: set[str]) -> Made:
    """The same with some of the examples only."""
    return replace(made, examples=[e for e in made.examples if e.example_id in chosen])


def _card(kind: str, made: Made, blind: BlindScore | None) -> str:
    lines = [
        f"# Captions of {kind} with errors that a language model made",
        "",
        "Each error is an edit of a caption that people wrote (or that the model made of their answers). "
        "The model "
        "saw no picture: some edits may be true of it, and captions may have errors of their own. "
        "`review/` is a "
        "sample for people to check: `modgap tldr annotate review`.",
        "",
        "| type | asked | kept | from the structure | lost |",
        "|---|---|---|---|---|",
    ]
    for name, one in made.yields.items():
        lost = ", ".join(f"{n} {why}" for why, n in one.lost.most_common() if n)
        lines.append(f"| {name} | {one.asked} | {one.kept} | {one.structured} | {lost} |")
    if blind is not None:
        lines += [
            "",
            f"A classifier that sees only the text: AUROC of responses {blind.auroc:.3f} (chance 0.5).",
        ]
    return "\n".join([*lines, ""])
