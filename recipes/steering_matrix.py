"""The full matrix of steering on the bundled model: concepts × tasks × positions, with controls.

    python recipes/steering_matrix.py --out runs/matrix                  # what is missing, task by task
    python recipes/steering_matrix.py --out runs/matrix --tasks count    # one task, in about two minutes
    python recipes/steering_matrix.py --out runs/matrix --summary        # tables, matrix.json and ood.png
    python recipes/steering_matrix.py --summary recipes/steering/outcomes.json      # the published tables

Three sets of scenes that share nothing. On *validation* first-order effects rank the 16 blocks and strengths
of every vector, control and kind of position; the first four (two for the other methods) are tried exactly,
and the most accurate is kept. On *test* and on three kinds of scenes the model did not learn from
(``ELSEWHERE``) only these cells are asked: what is printed comes from there. A gain is claimed if it is above
zero and above that of the best control, chosen alike; Holm's adjustment covers every row of a table.

Each set of each task is a folder that :func:`modgap.steering.load_sweep` reads; what is there is not made
again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from steering_matrix_summary import collect, read, summarise

from modgap.models import load_model
from modgap.models.local._model import LocalModel
from modgap.steering import (
    Change,
    Patch,
    SteeringVector,
    SweepResult,
    cells_of,
    extract,
    load_concept,
    load_sweep,
    load_vector,
    random_like,
    screen,
    slopes,
    sweep,
    text_model,
    train_sae,
)
from modgap.steering._study import problems_of
from modgap.steering._sweep import Cell
from modgap.tasks import Problem

CONCEPTS = ("spatial", "counting", "attribute", "entity", "depth", "distance")
METHODS = ("meanshift", "probe", "sae")
TASKS = ("count", "relation", "distance", "depth", "attribute", "existence")
BLOCKS, STRENGTHS, POSITIONS = (0, 2, 4, 6), (0.25, 0.5, 1.0, 2.0), ("image", "text", "both")
ELSEWHERE: dict[str, dict[str, str | int]] = {
    "style": {"level": "plain", "style": "shadow", "background": "noise"},
    "crowded": {"level": "plain", "min_objects": 6, "max_objects": 8},
    "loose": {"level": "medium"},
}
"""A style and a background that the model never saw; six to eight objects instead of two to five; nothing in
the middle of its ninth, with plates and things in the background."""
KEEP = {"meanshift": 4, "probe": 2, "sae": 2}
SIZES = {"validation": 150, "test": 1000, **dict.fromkeys(ELSEWHERE, 340)}
SEEDS = {name: 7000 + 1000 * i for i, name in enumerate(SIZES)}


def vectors(folder: Path) -> tuple[dict[str, SteeringVector], dict[str, SteeringVector]]:
    """Every concept by every method, and the controls; all of the length of the mean difference."""
    read = text_model("bundled")
    names = [f"{name}/{method}" for method in METHODS for name in CONCEPTS]
    if not all((folder / name / "vector.json").is_file() for name in names):
        saes = [train_sae(read, block).sae for block in BLOCKS]
        for name in names:
            concept, _, method = name.partition("/")
            extract(read, load_concept(concept), method, saes=saes).save(folder / name)
    own = {name: load_vector(folder / name) for name in names}
    first, last = own[f"{CONCEPTS[0]}/meanshift"], own[f"{CONCEPTS[-1]}/meanshift"]
    return own, {
        "random 1": random_like(first, 1),
        "random 2": random_like(last, 2),
        "opposite sign": SteeringVector(first.concept, "opposite", -first.directions),
        "shuffled anchors": extract(read, load_concept(CONCEPTS[0]), shuffled=True),
    }


def ask(
    model: LocalModel,
    problems: Sequence[Problem],
    cells: Sequence[tuple[Cell, Change | Patch]],
    told: Sequence[str],
) -> SweepResult:
    """A sweep, with a row more for each concept whose words stand in the prompt instead of a vector."""
    found = sweep(model, problems, cells)
    rows = []
    for name in told:
        words = ", ".join(sorted({anchor for anchor, _ in load_concept(name).sentences}))
        rows.append(sweep(model, problems, [], prompt=f"Think of these words: {words}."))
    prompts = tuple(Cell(f"{name}/prompt", False, -1, 0.0, "prompt") for name in told)
    return replace(
        found,
        cells=(*found.cells, *prompts),
        right=np.concatenate([found.right, [row.base_right for row in rows]]),
        margin=np.concatenate([found.margin, [row.base_margin for row in rows]]),
    )


def kept(validation: SweepResult) -> set[Cell]:
    """What is asked again: every mean difference at its best cell for each kind of positions, and the best of
    the controls there; of each other method and of the prompts the best."""
    best: dict[tuple[str, str], tuple[float, float, Cell]] = {}
    for number, cell in enumerate(validation.cells):
        arm = "control" if cell.control else cell.vector.partition("/")[2]
        key = {
            "meanshift": (cell.vector, cell.positions),
            "control": (arm, cell.positions),
        }.get(arm, (arm, ""))
        entry = (*score(validation, number), cell)
        if key not in best or entry[:2] > best[key][:2]:
            best[key] = entry
    return {cell for *_, cell in best.values()}


def of_method(cell: Cell, method: str) -> bool:
    """Whether a cell is of a method; the controls go with the mean differences."""
    return cell.vector.endswith(f"/{method}") or (cell.control and method == "meanshift")


def score(result: SweepResult, number: int) -> tuple[float, float]:
    """Accuracy and mean margin under a cell."""
    return float(result.right[number].mean()), float(result.margin[number].mean())


def run(task: str, sets: Sequence[str], out: Path) -> None:
    """What of some sets of one task is not there yet."""
    if all((out / task / name / "sweep.npz").is_file() for name in sets):
        return
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    own, controls = vectors(out / "vectors")
    cells = [
        cell
        for group, control in ((own, False), (controls, True))
        for cell in cells_of(
            group.values(),
            names=list(group),
            control=control,
            blocks=BLOCKS,
            strengths=STRENGTHS,
            positions=POSITIONS,
        )
    ]
    for name in sets:
        if (out / task / name / "sweep.npz").is_file():
            continue
        problems = problems_of((task,), SIZES[name], SEEDS[name], **ELSEWHERE.get(name, {"level": "plain"}))
        if name == "validation":
            found, told = slopes(model, problems), CONCEPTS
            chosen = [
                entry
                for method, keep in KEEP.items()
                for entry in screen(found, [e for e in cells if of_method(e[0], method)], keep)
            ]
        else:
            again = kept(load_sweep(out / task / "validation"))
            chosen = [entry for entry in cells if entry[0] in again]
            told = tuple(c.vector.partition("/")[0] for c in again if c.positions == "prompt")
        ask(model, problems, chosen, told).save(out / task / name)
        print(f"{task}, {name}: {len(problems):,} questions under {len(chosen):,} cells", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/matrix"))
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--sets", default=",".join(SIZES), help="the first is needed by the others")
    parser.add_argument(
        "--summary",
        nargs="?",
        const="",
        metavar="FILE",
        help="print tables and draw, from outcomes collected before; without a file, collect them from --out",
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.summary is not None:
        file = Path(args.summary or args.out / "outcomes.json")
        if not args.summary:
            file.write_text(json.dumps(collect(args.out, TASKS, list(SEEDS)[1:])) + "\n", encoding="utf-8")
        summarise(read(json.loads(file.read_text(encoding="utf-8"))), tuple(ELSEWHERE), args.out)
        return
    for task in args.tasks.split(","):
        run(task, args.sets.split(","), args.out)


if __name__ == "__main__":
    main()
