"""The summary of the steering matrix, on sweeps made by hand: one vector that helps, and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

import steering_matrix as recipe

from modgap.steering import SweepResult
from modgap.steering._sweep import Cell

NAMES = ("style", "crowded", "loose")


def made(n: int, seed: int) -> SweepResult:
    """Half of the answers right; under ``spatial/meanshift`` at block 2 a fifth more."""
    rng = np.random.default_rng(seed)
    cells = [
        Cell(f"{concept}/{method}", False, block, 1.0, place)
        for concept in ("spatial", "depth")
        for method in ("meanshift", "probe", "sae")
        for place in ("image", "text")
        for block in (0, 2)
    ]
    cells += [Cell("random 1", True, block, 1.0, p) for p in ("image", "text") for block in (0, 2)]
    cells.append(Cell("depth/prompt", False, -1, 0.0, "prompt"))
    base = rng.random(n) < 0.5
    right = np.tile(base, (len(cells), 1))
    helped = cells.index(Cell("spatial/meanshift", False, 2, 1.0, "image"))
    right[helped] |= rng.random(n) < 0.4
    margin = np.where(right, 1.0, -1.0)
    groups = tuple(f"scene {seed} {i}" for i in range(n))
    return SweepResult(
        tuple(cells), ("scenes/x",) * n, groups, groups, base, np.where(base, 1.0, -1.0), right, margin
    )


def test_what_helps_is_claimed_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validation = made(60, 0)
    again = recipe.kept(validation)
    assert Cell("spatial/meanshift", False, 2, 1.0, "image") in again
    assert Cell("spatial/meanshift", False, 0, 1.0, "image") not in again
    assert sum(cell.control for cell in again) == 2  # the best at each kind of positions
    assert sum(cell.vector.endswith(("/probe", "/sae")) for cell in again) == 2
    for task in ("count", "relation"):
        validation.save(tmp_path / task / "validation")
        for seed, name in enumerate(("test", *NAMES), start=1):
            whole = made(200, seed)
            at = [i for i, cell in enumerate(whole.cells) if cell in again]
            part = SweepResult(
                *(tuple(whole.cells[i] for i in at), whole.tasks, whole.groups, whole.problem_ids),
                *(whole.base_right, whole.base_margin, whole.right[at], whole.margin[at]),
            )
            part.save(tmp_path / task / name)
    about = recipe.collect(tmp_path, ("count", "relation", "depth"), ("test", *NAMES))
    assert list(about) == ["count", "relation"]  # depth is not there yet
    recipe.summarise(recipe.read(json.loads(json.dumps(about))), NAMES, tmp_path)
    printed = capsys.readouterr().out
    assert "n = 200 a task; 2 of 8 cells claimed (bold)" in printed
    about = json.loads((tmp_path / "matrix.json").read_text())
    best = [row for row in about["rows"] if row["p_holm"] < 0.05]
    assert {(row["concept"], row["positions"], row["at"]) for row in best} == {("spatial", "image", "2@1")}
    mean, low, high = about["elsewhere"]["meanshift"]["all"]
    assert 15 < mean < 25
    assert low < mean < high < 30
    assert about["elsewhere"]["prompt"]["all"][0] == 0
    assert (tmp_path / "ood.png").stat().st_size > 5_000
