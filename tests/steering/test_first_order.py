"""First-order effects against small exact steps, on models that share rows and on one that does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from modgap._errors import InputError
from modgap.models import load_model, local
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change
from modgap.steering import cells_of, extract, load_concept, screen, slopes, sweep
from modgap.steering._first_order import rank_agreement, spearman
from modgap.steering._study import problems_of
from modgap.tasks import Problem

from .tiny_families import families

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def bundled() -> LocalModel:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    return model


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return problems_of(("count", "relation"), 6, 3, level="plain")


def differences(model: LocalModel, problems: list[Problem], direction: torch.Tensor) -> None:
    """A central difference of two small steps is the slope."""
    found = slopes(model, problems)
    step = 0.02
    for place in found.sums:
        changes = [
            Change(direction, block, sign * step, place)  # type: ignore[arg-type]
            for block in (0, 1)
            for sign in (1, -1)
        ]
        cells = cells_of([], blocks=())
        cells += [(cell_like(change), change) for change in changes]
        result = sweep(model, problems, cells)
        assert np.allclose(found.margin, result.base_margin, atol=1e-4)
        for number, change in ((0, changes[0]), (2, changes[2])):
            exact = (result.margin[number] - result.margin[number + 1]) / 2
            assert np.allclose(found.gain(change), exact, atol=3e-4 + 0.02 * np.abs(exact).max())


def cell_like(change: Change):  # type: ignore[no-untyped-def]
    from modgap.steering._sweep import Cell

    return Cell("x", False, change.block, float(change.strength), str(change.positions))


def test_slopes_are_small_exact_steps(bundled: LocalModel, problems: list[Problem]) -> None:
    differences(bundled, problems, torch.randn(128, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("name", ["idefics3-tiles", "paligemma"])
def test_slopes_of_other_families(name: str, tmp_path: Path, problems: list[Problem]) -> None:
    model = local.load(str(families.build(name, tmp_path / name)))
    words = ("left", "right", "north", "south-east")  # one of several tokens
    asked = [
        replace(p, question="what is 10?", options=words, answer=words[i % 4], instruction="Look.")
        for i, p in enumerate(problems[:4])
    ]
    width = int(model.pretrained.model.config.get_text_config().hidden_size)
    differences(model, asked, torch.randn(width, generator=torch.Generator().manual_seed(0)))


def test_screening_keeps_the_cells_that_first_order_likes(
    bundled: LocalModel, problems: list[Problem]
) -> None:
    vectors = [extract("bundled", load_concept(name)) for name in ("spatial", "counting")]
    cells = cells_of(vectors, blocks=range(0, 8, 2), strengths=(0.1, 0.2), positions=("image", "text"))
    found = slopes(bundled, problems)
    kept = screen(found, cells, 2)
    assert len(kept) == 2 * 2 * 2
    assert [cell for cell, _ in kept] == [cell for cell, _ in cells if cell in {c for c, _ in kept}]
    result = sweep(bundled, problems, cells)
    assert rank_agreement(found, result, cells) > 0.8  # steps are small here
    with pytest.raises(InputError, match="at least 1"):
        screen(found, cells, 0)
    with pytest.raises(InputError, match="positions 'question' were not read"):
        found.gain(Change(torch.ones(128), 0, 1.0, "question"))
    with pytest.raises(InputError, match="block 8"):
        found.gain(Change(torch.ones(128), 8, 1.0))
    with pytest.raises(InputError, match="unit 'raw'"):
        found.gain(Change(torch.ones(128), 0, 1.0, unit="ratio"))
    with pytest.raises(InputError, match="no question"):
        slopes(bundled, [])


def test_spearman_shares_ranks() -> None:
    assert spearman(np.array([1.0, 2, 3]), np.array([10.0, 20, 15])) == pytest.approx(0.5)
    assert spearman(np.array([1.0, 1, 2]), np.array([3.0, 3, 9])) == pytest.approx(1)
