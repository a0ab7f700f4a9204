"""The statistics of a sweep on results whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from modgap._errors import FileError, InputError
from modgap.steering import SteeringVector, SweepResult, find, load_sweep
from modgap.steering._select import max_t, nested
from modgap.steering._sweep import Cell, cells_of

BLOCKS, STRENGTHS = range(6), (0.5, 1.0, 2.0)


def made_up(seed: int, *, helps: float = 0.0, n: int = 120) -> SweepResult:
    """A sweep in which every change flips some answers at random and one cell of one vector repairs some."""
    rng = np.random.default_rng(seed)
    cells = tuple(
        Cell(name, name.startswith("random"), block, strength, "image")
        for name in ("a", "b", "random 1", "random 2")
        for block in BLOCKS
        for strength in STRENGTHS
    )
    base_margin = rng.normal(0.5, 1, n)
    margin = base_margin + rng.normal(0, 0.7, (len(cells), n))
    margin[cells.index(Cell("a", False, 3, 1.0, "image"))] += helps
    groups = tuple(f"scene-{i // 2}" for i in range(n))
    ids = tuple(map(str, range(n)))
    return SweepResult(cells, ("s/t",) * n, groups, ids, base_margin > 0, base_margin, margin > 0, margin)


def test_a_cell_that_helps_is_found() -> None:
    a, b = find(made_up(0, helps=1.5))
    assert (a.vector, b.vector) == ("a", "b")
    assert a.chosen is not None
    assert a.chosen[:2] == a.best == (3, 1.0)
    assert a.gain_points > 10
    assert a.beyond_interval[0] > 0
    assert a.p_holm < 0.01
    assert b.p_holm > 0.05


def test_searching_alone_claims_nothing() -> None:
    """Of forty sweeps without an effect at most two may claim one, and choosing inside does not pay."""
    found = [find(made_up(seed)) for seed in range(40)]
    assert sum(any(one.p_holm < 0.05 and one.gain_points > 0 for one in each) for each in found) <= 2
    best = [100 * (r.right.mean(axis=1).max() - r.base_right.mean()) for r in map(made_up, range(40))]
    honest = [one.gain_points for each in found for one in each]
    assert np.mean(best) > 2
    assert np.mean(honest) < 0.5


def test_max_t_keeps_its_level_over_the_grid() -> None:
    smallest = []
    for seed in range(40):
        result = made_up(seed, n=60)
        smallest.append(max_t(result.margin - result.base_margin, result.groups, seed, draws=300).min())
    assert np.mean(np.array(smallest) < 0.05) <= 0.15
    result = made_up(1, helps=1.0)
    p = max_t(result.margin - result.base_margin, result.groups, 0)
    assert p.argmin() == result.cells.index(Cell("a", False, 3, 1.0, "image"))
    assert p.min() < 0.01


def test_nothing_is_chosen_where_nothing_helps() -> None:
    result = made_up(0)
    worse = SweepResult(**{**vars(result), "right": np.zeros_like(result.right)})
    found = nested(worse, range(len(worse.cells)), np.arange(len(worse.groups)) % 5)
    assert set(found.chosen) == {-1}
    assert (found.right == worse.base_right).all()


def test_a_sweep_in_a_folder(tmp_path: Path) -> None:
    result = made_up(0)
    result.save(tmp_path)
    again = load_sweep(tmp_path)
    assert again.cells == result.cells
    assert (again.right == result.right).all()
    for damaged in (b"PK", b"PK\x03\x04 and no archive"):
        (tmp_path / "sweep.npz").write_bytes(damaged)
        with pytest.raises(FileError, match="damaged"):
            load_sweep(tmp_path)
    with pytest.raises(FileError, match="no sweep"):
        load_sweep(tmp_path / "nothing")


def test_a_block_that_a_vector_does_not_have() -> None:
    vector = SteeringVector("place", "made up", torch.ones(3, 4))
    with pytest.raises(InputError, match="block 3 does not exist: the vector place has blocks 0 to 2"):
        cells_of([vector], blocks=(0, 3))


def test_nothing_is_claimed_without_a_control() -> None:
    result = made_up(0)
    own = [i for i, cell in enumerate(result.cells) if not cell.control]
    alone = SweepResult(
        **{
            **vars(result),
            "cells": tuple(result.cells[i] for i in own),
            "right": result.right[own],
            "margin": result.margin[own],
        }
    )
    with pytest.raises(InputError, match="controls"):
        find(alone)
    with pytest.raises(InputError, match="too few"):
        find(made_up(0, n=6))
