"""Doses and a whole study on the bundled model, small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from modgap._errors import InputError, UnknownName
from modgap.cli._group import app
from modgap.models import load_model
from modgap.models.local._model import LocalModel
from modgap.steering import dose


@pytest.fixture(scope="module")
def bundled() -> LocalModel:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    return model


def test_a_color_from_text_moves_what_is_seen(bundled: LocalModel) -> None:
    (one,) = dose(bundled, "bundled", ("purple",), n=24, blocks=(0, 2), strengths=(0.0, 8.0))
    assert one.base < 0.2
    shares = np.array(one.shares["value"])
    assert np.allclose(shares[:, 0], one.base, atol=1e-4)  # strength 0 changes nothing
    assert shares.max() > 0.5
    assert max(np.max(one.shares[arm]) for arm in ("random", "wrong")) < shares.max() - 0.3
    assert one.chosen[1] == 8.0
    assert one.held_out["value"][0] > one.held_out["random"][0]


def test_what_cannot_be_asked(bundled: LocalModel) -> None:
    with pytest.raises(UnknownName, match="value"):
        dose(bundled, "bundled", ("pink",))
    with pytest.raises(InputError, match="at least 4"):
        dose(bundled, "bundled", ("red",), n=2)


def test_the_verbs(tmp_path: Path) -> None:
    run = CliRunner().invoke
    result = run(app, ["steer", "extract", "bundled", "--concept", "spatial", "--out", str(tmp_path / "v")])
    assert result.exit_code == 0, result.output
    vector = tmp_path / "v" / "spatial-meanshift"
    assert (vector / "vector.safetensors").is_file()
    small = ["--tasks", "relation", "-n", "12", "--blocks", "0,4", "--strengths", "1", "--positions", "image"]
    out = tmp_path / "sweep"
    result = run(
        app, ["steer", "sweep", "--concept", "spatial", "--vector", str(vector), *small, "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    found = json.loads((out / "findings.json").read_text())
    assert [one["vector"] for one in found["findings"]] == ["spatial/meanshift", "spatial/meanshift (2)"]
    assert len(found["elsewhere"]) == 1
    assert [one["n"] for one in found["back_patched"]] == [12]
    assert [(one["task"], one["n"]) for one in found["harm"]] == [("scenes/relation", 0)]
    assert (out / "sweep.png").stat().st_size > 5_000
    page = (out / "results.html").read_text()
    assert "sweep.png" in page
    assert "curves.png" in page
    assert "spatial/meanshift (2)" in page
    screened = [*small[:5], "0,2,4,6", "--strengths", "0.5,1", "--positions", "image", "--screen", "1"]
    result = run(app, ["steer", "sweep", "--concept", "spatial", *screened, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "first-order effects rank" in result.output
    assert len(json.loads((out / "sweep.json").read_text())["cells"]) == 5  # one of each vector and control
    options = ["--values", "red", "-n", "8", "--strengths", "4", "--out", str(tmp_path / "dose")]
    result = run(app, ["steer", "dose", *options])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "dose/dose.png").is_file()
    assert run(app, ["steer", "sweep", "random"]).exit_code == 2
    assert run(app, ["steer", "dose", "--strengths", "x"]).exit_code == 2


def test_questions_of_ones_own(tmp_path: Path) -> None:
    """A folder of problems: nothing is drawn otherwise, and the questions that follow screen."""
    run, folder, out = CliRunner().invoke, tmp_path / "own", tmp_path / "sweep"
    made = ["generate", "scenes", "--tasks", "count", "-n", "16", "--seed", "3", "--out", str(folder)]
    assert run(app, made).exit_code == 0
    grid = ["--blocks", "0,4", "--strengths", "1", "--positions", "question"]
    sweep = ["steer", "sweep", "--suite", str(folder), "--concept", "counting", *grid, "--out", str(out)]
    result = run(app, [*sweep, "-n", "8", "--screen", "1"])
    assert result.exit_code == 0, result.output
    found = json.loads((out / "findings.json").read_text())
    assert found["findings"][0]["n"] == 8
    assert found["elsewhere"] == []
    result = run(app, [*sweep, "-n", "16", "--screen", "1"])
    assert result.exit_code == 2
    assert "twice as many" in result.output
