"""Print the table of model families of docs/families.md.

Every family is built tiny from its own classes (as the tests do), loaded as users do, and asked: no entry of
the table is written by hand. Takes some seconds.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from _from_tests import from_tests

from modgap.media import Image, Text
from modgap.models import Query, local
from modgap.models.local._anatomy import TokenKind, positions_of
from modgap.models.local._model import LocalModel

OPTIONS = ("left", "right")


def main() -> None:
    warnings.simplefilter("ignore")
    families = from_tests("models/local/families.py")
    rows = [("family", "model class", "processor", "image positions", "prompt is read", "shared beginnings")]
    with tempfile.TemporaryDirectory() as folder:
        for name in families.BUILDERS:
            model = local.load(str(families.build(name, Path(folder) / name)))
            rows.append((name, *_row(model)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(model: LocalModel) -> tuple[str, ...]:
    pretrained, parts = model.pretrained, model.pretrained.anatomy
    processor = type(pretrained.processor)
    without = "video_processor" in vars(processor)  # as _processors.py leaves it
    kind = type(pretrained.model).__name__
    name = processor.__name__ + (", no video" if without else "")
    if "image" not in model.modalities:
        return kind, name, "hears, does not see", "causally", "-"
    picture = Image.from_pil(PIL.Image.fromarray(np.zeros((32, 32, 3), np.uint8) + 90))
    queries = [Query((picture, Text(f" is it {word}?")), OPTIONS) for word in ("left", "right")]
    for _, reply in model.reply(queries):
        assert reply.error is None, reply.error
    read = [pretrained.inputs(model._writer.read([model._writer.write(query.parts)])) for query in queries]
    count = int(positions_of(parts.token_map(read[0]), TokenKind.IMAGE).sum())
    last = int((read[0]["input_ids"] != read[1]["input_ids"])[0].nonzero()[0])
    with torch.inference_mode():
        one, two = (pretrained.model(**inputs).logits[0, :last] for inputs in read)
    ahead = not torch.allclose(one, two, atol=1e-4)
    return (
        kind,
        name,
        str(count) if count else f"none: cross-attention in blocks {parts.cross_attention}",
        "both ways" if ahead else "causally",
        "no" if model.notes else "yes",
    )


if __name__ == "__main__":
    main()
