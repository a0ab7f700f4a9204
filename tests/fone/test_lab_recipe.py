"""The recipe of the lab plans, tunes by validation alone, and trains with what it has chosen."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from modgap.fone._arms import ARMS

RECIPES = Path(__file__).parents[2] / "recipes"
TINY = ("--task", "add-3", "--arms", "slots", "--size", "tiny", "--rows", "40", "--steps", "2")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, RECIPES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    return load("fone_lab")


def run(recipe: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [recipe.__name__, *arguments])
    recipe.main()


def test_a_plan_trains_nothing(
    recipe: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(recipe, monkeypatch, "curves", "--out", str(tmp_path / "x"), "--plan")
    *lines, total = capsys.readouterr().out.splitlines()
    assert total.startswith(f"{len(lines)} runs, about ")
    assert len(set(lines)) == len(ARMS) * 3 * 3
    assert not (tmp_path / "x").exists()


def test_what_tuning_chooses_is_what_is_trained_and_shown(
    recipe: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # Validation accuracy is 0 for all of them after two steps, so the loss decides.
    monkeypatch.setattr(recipe, "RATES", (1e-3, 5e-3))
    run(recipe, monkeypatch, "tune", *TINY, "--out", str(tmp_path / "tune"))
    short, whole = (
        [json.loads(path.read_text()) for path in (tmp_path / "tune").glob(f"{where}*/result.json")]
        for where in ("short/", "")
    )
    assert (len(short), len(whole)) == (4, 2)
    assert {result["config"]["steps"] for result in short} == {1}
    assert {result["config"]["seed"] for result in whole} == {1_000}
    tuned = json.loads((tmp_path / "tune" / "tuned.json").read_text())
    assert tuned.keys() == {"slots"}
    arguments = (
        "--tuned",
        str(tmp_path / "tune" / "tuned.json"),
        "--seeds",
        "0",
        "--out",
        str(tmp_path / "curves"),
    )
    run(recipe, monkeypatch, "curves", *TINY, *arguments)
    config = json.loads((tmp_path / "curves" / "slots-40-0" / "result.json").read_text())["config"]
    assert {name: config[name] for name in ("rate", "init", "weight_decay")} == tuned["slots"]
    capsys.readouterr()
    lines = tmp_path / "lines.jsonl"
    run(load("fone_results"), monkeypatch, str(tmp_path / "curves"), "--each", "20", "--out", str(lines))
    (line,) = map(json.loads, lines.read_text().splitlines())
    assert len(line["by_carries"]) == 4  # no carry to three
    assert f"| 40 | `slots` | {line['rate']:g}, " in capsys.readouterr().out
