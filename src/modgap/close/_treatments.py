"""What can be tried: ways of asking, steering with directions from text, and training on its own answers.

Each is a model and a strategy that the same problems are asked with, and a way to write itself to a folder
with the lines of code that apply it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modgap.models import Model
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change
from modgap.steering import (
    Merged,
    Patch,
    SteeringVector,
    cells_of,
    extract,
    load_concept,
    merge,
    screen,
    slopes,
    sweep,
    text_model,
)
from modgap.steering._merge import outcomes
from modgap.steering._sweep import Cell
from modgap.tasks import Problem

from ._patched import Patched

CONCEPT_OF = {
    "count": "counting",
    "relation": "spatial",
    "distance": "distance",
    "depth": "depth",
    "attribute": "attribute",
    "binding": "attribute",
    "existence": "entity",
}
"""Task → the concept whose words are about it; other tasks get ``spatial``."""

PATCH = "back-patch"
"""Name of the cells of a sweep that are no vectors."""

SCREENED = 3
"""Cells of each concept and kind of positions that are swept exactly."""

MERGED_STRENGTHS = (0.5, 1.0, 2.0, 4.0)

Export = Callable[[Path], tuple[str, ...]]
"""Writes what a treatment is to a folder, and returns the lines of code that apply it."""


@dataclass(frozen=True)
class Treatment:
    """One thing to try.

    Args:
        name: of it.
        kind: ``prompt``, ``steering`` or ``training``.
        what: what it is, in words.
        model: that answers.
        strategy: how it is asked.
        calls: to the model for each question, about.
        export: writes it.
        words: whether answers to questions without a picture may change.
    """

    name: str
    kind: str
    what: str
    model: Model
    strategy: str
    calls: int
    export: Export
    words: bool = True


def prompt(model: Model, name: str, strategy: str, what: str) -> Treatment:
    """Another way of asking."""

    def export(folder: Path) -> tuple[str, ...]:
        folder.mkdir(parents=True, exist_ok=True)
        recipe = {"strategy": strategy, "what": what}
        (folder / "recipe.json").write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
        return ("import modgap", f'modgap.measure(model, suite, strategy="{strategy}")')

    return Treatment(name, "prompt", what, model, strategy, 2, export)


def steered(
    model: LocalModel,
    backbone: str,
    problems: Sequence[Problem],
    *,
    blocks: Sequence[int],
    strengths: Sequence[float],
    positions: Sequence[str],
    say: Callable[[str], None],
) -> list[Treatment]:
    """The best cell of each concept on these problems, all concepts merged, and the best back-patch.

    Args:
        model: the multimodal model.
        backbone: where the directions come from.
        problems: to choose by; nothing of what they show is reported as a gain.
        blocks, strengths, positions: the grid, of which only what first-order effects promise most for is
            swept exactly.
        say: told what is going on.

    Returns:
        None for a concept, for the merged one, or for back-patching, where nothing helps on these problems.
    """
    tasks = dict.fromkeys(problem.task for problem in problems)
    concepts = list(dict.fromkeys(CONCEPT_OF.get(t.rpartition("/")[2], "spatial") for t in tasks))
    read = text_model(backbone)
    vectors = [extract(read, load_concept(name)) for name in concepts]
    grid: dict[str, Any] = {"blocks": blocks, "strengths": strengths, "positions": positions}
    every = cells_of(vectors, names=concepts, **grid)
    say(f"first-order effects on {len(problems):,} questions")
    found = slopes(model, problems, positions=positions)
    cells = screen(found, every, SCREENED)
    few = blocks[:: max(1, len(blocks) // 4)]
    pairs = [(source, block) for block in few for source in few if source > block]
    cells += [(Cell(PATCH, False, b, float(s), "image"), Patch(s, b, "image")) for s, b in pairs]
    say(f"{len(cells):,} ways of steering, of {len(every) + len(pairs):,}, on {len(problems):,} questions")
    result = sweep(model, problems, cells)
    gain = result.right.mean(axis=1) - result.base_right.mean()
    margin = (result.margin - result.base_margin).mean(axis=1)
    treatments = []
    for name in (*concepts, PATCH):
        at = [i for i, (cell, _) in enumerate(cells) if cell.vector == name]
        best = max(at, key=lambda i: (gain[i], margin[i]), default=None)
        if best is None or gain[best] <= 0:
            continue
        cell, change = cells[best]
        if isinstance(change, Patch):
            treatments.append(patched(model, change.source, change.block))
        else:
            treatments.append(_steering(model, vectors[concepts.index(name)], cell, change))
    if len(vectors) > 1:
        merged = _merged(model, merge(found, vectors, positions="image", groups=result.groups), problems, say)
        treatments += [] if merged is None else [merged]
    return treatments


def _steering(model: LocalModel, vector: SteeringVector, cell: Cell, change: Change) -> Treatment:
    def export(folder: Path) -> tuple[str, ...]:
        vector.save(folder / cell.vector)
        return (
            "from modgap.steering import Change, load_vector, steering",
            f'direction = load_vector("{cell.vector}").directions[{cell.block}]',
            f'change = Change(direction, {cell.block}, {cell.strength:g}, "{cell.positions}")',
            "with steering(model, change): ...",
        )

    said = f"{cell.vector} at block {cell.block} × {cell.strength:g} on {cell.positions} positions"
    changed = model.with_changes([change])
    words = cell.positions != "image"
    return Treatment(f"steering: {cell.vector}", "steering", said, changed, "direct", 1, export, words)


def _merged(
    model: LocalModel, merged: Merged, problems: Sequence[Problem], say: Callable[[str], None]
) -> Treatment | None:
    """All concepts at all blocks, weighed in closed form; how far to go is chosen on these problems."""
    say(f"all concepts merged: {len(MERGED_STRENGTHS)} strengths on {len(problems):,} questions")
    right = {0.0: float(outcomes(model, problems, ()).mean())}
    for strength in MERGED_STRENGTHS:
        right[strength] = float(outcomes(model, problems, merged.changes(strength)).mean())
    best = max(right, key=lambda strength: (right[strength], -strength))
    if best == 0:
        return None

    def export(folder: Path) -> tuple[str, ...]:
        merged.vector.save(folder / "merged")
        return (
            "from modgap.steering import Change, load_vector, steering",
            'directions = load_vector("merged").directions',
            f'changes = [Change(d, b, {best:g}, "{merged.positions}") for b, d in enumerate(directions)]',
            "with steering(model, *changes): ...",
        )

    said = f"{merged.vector.concept} at every block × {best:g} on {merged.positions} positions"
    changed = model.with_changes(merged.changes(best))
    return Treatment("steering: merged", "steering", said, changed, "direct", 1, export, words=False)


def patched(model: LocalModel, source: int, block: int) -> Treatment:
    """States of a late block in an earlier one, at the positions of the picture."""

    def export(folder: Path) -> tuple[str, ...]:
        folder.mkdir(parents=True, exist_ok=True)
        recipe = {"source": source, "block": block, "positions": "image"}
        (folder / "back_patch.json").write_text(json.dumps(recipe) + "\n", encoding="utf-8")
        return ("from modgap.close import Patched", f"model = Patched(model, source={source}, block={block})")

    what = f"what block {source} makes of the picture, put in the place of what block {block} does"
    changed = Patched(model, source, block)
    return Treatment("back-patching", "steering", what, changed, "direct", 2, export, words=False)


def weights(model: LocalModel, name: str, what: str) -> Treatment:
    """A model with other weights."""

    def export(folder: Path) -> tuple[str, ...]:
        model.pretrained.model.save_pretrained(folder)
        model.pretrained.processor.save_pretrained(folder)
        return (
            "from transformers import AutoModelForImageTextToText",
            f'model = AutoModelForImageTextToText.from_pretrained("{folder.name}")',
        )

    return Treatment(name, "training", what, model, "direct", 1, export)
