"""Means over seeds with intervals, and curves."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from modgap._errors import FileError
from modgap.fone._compare import compare_runs, find_runs, plot_curves
from modgap.fone._score import score
from modgap.fone.train import TrainConfig


def write_run(folder: Path, exact: float, **config: Any) -> Path:
    """A finished run with so many of 1,000 answers right."""
    answers = np.arange(1_000)
    predicted = np.where(answers < 1_000 * exact, answers, answers + 1)
    given = TrainConfig(**config)
    content = {
        "config": {name: getattr(given, name) for name in TrainConfig.__dataclass_fields__},
        "parameters": {"total": 10, "transformer": 8, "tokens_and_numbers": 2},
        "tokens_per_number": 1.0 if given.arm == "fone" else 6.5,
        "seconds": 100.0 + given.rows / 1_000,
        "test": score(predicted, np.ones(1_000, dtype=bool), answers).as_json(),
    }
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(content))
    return folder


def test_runs_that_differ_in_their_seed_are_one_group(tmp_path: Path) -> None:
    for seed, exact in enumerate((0.90, 0.92, 0.97)):
        write_run(tmp_path / f"f{seed}", exact, arm="fone", rows=3_200, seed=seed)
    write_run(tmp_path / "d", 0.5, arm="digits", rows=3_200)
    write_run(tmp_path / "more", 0.99, arm="fone", rows=6_400)
    groups = compare_runs(find_runs([tmp_path]))
    assert [(g.config["arm"], g.config["rows"], g.seeds) for g in groups] == [
        ("digits", 3_200, (0,)),
        ("fone", 3_200, (0, 1, 2)),
        ("fone", 6_400, (0,)),
    ]
    three = groups[1]
    assert three.exact == pytest.approx(0.93)
    # Student's t with 2 degrees of freedom: 4.303 times the standard error.
    half = 4.303 * np.std([0.90, 0.92, 0.97], ddof=1) / math.sqrt(3)
    assert (three.low, three.high) == (pytest.approx(0.93 - half), 1.0)
    assert (three.least, three.most, three.n) == (0.90, 0.97, 1_000)
    assert math.isnan(groups[0].low)
    plot_curves(groups, tmp_path / "curves.png")
    with PIL.Image.open(tmp_path / "curves.png") as picture:
        assert picture.width == 1_200  # rows and seconds vary, parameters do not


def test_seeds_that_agree_do_not_make_a_mean_certain(tmp_path: Path) -> None:
    """Wilson's interval of 1,000 of 1,000: 1 / (1 + 1.96² / 1,000) = 0.99617."""
    for seed in (0, 1):
        write_run(tmp_path / f"f{seed}", 1.0, arm="fone", rows=3_200, seed=seed)
    (group,) = compare_runs(find_runs([tmp_path]))
    assert (group.exact, group.low, group.high) == (1.0, pytest.approx(0.99617, abs=1e-5), 1.0)


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no finished FoNE run: give folders of modgap fone train"):
        find_runs([tmp_path])
    (tmp_path / "result.json").write_text("[1]")
    with pytest.raises(FileError, match=r"result\.json: not a JSON object"):
        compare_runs([tmp_path])
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(FileError, match="its result has no configuration of a FoNE run"):
        compare_runs([tmp_path])
