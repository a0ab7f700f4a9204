"""``modgap import``: what it prints."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from modgap.cli._group import app


def test_import_prints_both_readings_and_where_they_lie(tmp_path: Path) -> None:
    folder = tmp_path / "GPT"
    folder.mkdir()
    lines = [
        {"idx": f"v{i}", "answer": "(A)", "full_prediction": reply, "prediction": "(A)"}
        for i, reply in enumerate(("(A) yes", "I do not know."))
    ]
    (folder / "Counting.json").write_text(json.dumps({"val": lines}))
    done = CliRunner().invoke(app, ["import", "blink", str(folder), "--out", str(tmp_path / "runs")])
    assert done.exit_code == 0, done.output
    assert "1 of 2 replies are read differently" in done.stdout
    assert f"run: {tmp_path / 'runs' / 'blink-GPT'}" in done.stdout
    assert f"official reading: {tmp_path / 'runs' / 'blink-GPT-official'}" in done.stdout


def test_the_verb_is_listed_without_its_underscore() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert "import " in shown
    assert "import-" not in shown


def test_a_folder_without_results_is_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["import", "isobench-eval", str(tmp_path)])
    assert done.exit_code == 2
    assert "holds no results of the official evaluation" in done.output
