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
from modgap.steering import SteeringVector, extract, load_concept, sweep, text_model
from modgap.steering._replay import Patch
from modgap.steering._sweep import Cell, cells_of
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
    """

    name: str
    kind: str
    what: str
    model: Model
    strategy: str
    calls: int
    export: Export


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
    seed: int,
    say: Callable[[str], None],
) -> list[Treatment]:
    """The best cell of each concept on these problems, all of them merged, and the best back-patch.

    Args:
        model: the multimodal model.
        backbone: where the directions come from.
        problems: to choose by; nothing of what they show is reported as a gain.
        blocks, strengths, positions: the grid.
        seed: of the controls.
        say: told what is going on.

    Returns:
        None for a concept, or for back-patching, where no cell helps on these problems.
    """
    tasks = dict.fromkeys(problem.task for problem in problems)
    concepts = list(dict.fromkeys(CONCEPT_OF.get(t.rpartition("/")[2], "spatial") for t in tasks))
    read = text_model(backbone)
    vectors = [extract(read, load_concept(name)) for name in concepts]
    grid: dict[str, Any] = {"blocks": blocks, "strengths": strengths, "positions": positions}
    cells: list[tuple[Cell, Change | Patch]] = [*cells_of(vectors, names=concepts, **grid)]
    pairs = [(source, block) for block in blocks for source in blocks if source > block]
    cells += [(Cell(PATCH, False, b, float(s), "image"), Patch(s, b, "image")) for s, b in pairs]
    say(f"{len(cells):,} ways of steering on {len(problems):,} questions")
    result = sweep(model, problems, cells, representation="image")
    gain = result.right.mean(axis=1) - result.base_right.mean()
    margin = (result.margin - result.base_margin).mean(axis=1)
    found: list[tuple[SteeringVector, Cell, Change]] = []
    treatments = []
    for vector in vectors:
        at = [i for i, (cell, _) in enumerate(cells) if cell.vector == vector.concept]
        best = max(at, key=lambda i: (gain[i], margin[i]))
        cell, change = cells[best]
        if gain[best] > 0 and isinstance(change, Change):
            found.append((vector, cell, change))
            treatments.append(_steering(model, cell.vector, [(vector, cell, change)]))
    if len(found) > 1:
        treatments.append(_steering(model, "merged", found))
    at = [i for i, (cell, _) in enumerate(cells) if cell.vector == PATCH]
    best = max(at, key=lambda i: (gain[i], margin[i]), default=-1)
    if at and gain[best] > 0:
        treatments.append(patched(model, int(cells[best][0].strength), cells[best][0].block))
    return treatments


def _steering(
    model: LocalModel, name: str, parts: Sequence[tuple[SteeringVector, Cell, Change]]
) -> Treatment:
    said = ", ".join(
        f"{cell.vector} at block {cell.block} × {cell.strength:g} on {cell.positions} positions"
        for _, cell, _ in parts
    )

    def export(folder: Path) -> tuple[str, ...]:
        lines = ["from modgap.steering import Change, load_vector, steering"]
        changes = []
        for vector, cell, _ in parts:
            vector.save(folder / cell.vector)
            place = f'load_vector("{cell.vector}").directions[{cell.block}]'
            changes.append(f'Change({place}, {cell.block}, {cell.strength:g}, "{cell.positions}")')
        return (*lines, f"with steering(model, {', '.join(changes)}): ...")

    changed = model.with_changes([change for _, _, change in parts])
    return Treatment(f"steering: {name}", "steering", said, changed, "direct", 1, export)


def patched(model: LocalModel, source: int, block: int) -> Treatment:
    """States of a late block in an earlier one, at the positions of the picture."""

    def export(folder: Path) -> tuple[str, ...]:
        folder.mkdir(parents=True, exist_ok=True)
        recipe = {"source": source, "block": block, "positions": "image"}
        (folder / "back_patch.json").write_text(json.dumps(recipe) + "\n", encoding="utf-8")
        return ("from modgap.close import Patched", f"model = Patched(model, source={source}, block={block})")

    what = f"what block {source} makes of the picture, put in the place of what block {block} does"
    return Treatment("back-patching", "steering", what, Patched(model, source, block), "direct", 2, export)


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
