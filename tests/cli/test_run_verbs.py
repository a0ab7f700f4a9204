"""The verbs that work on run folders and suites: rescore, export, generate, models, tasks."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import modgap
from modgap.cli._group import app
from modgap.evaluate import Run
from modgap.models import names as model_names
from modgap.tasks import load_suite
from modgap.tasks import names as task_names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def measured(tmp_path: Path) -> Run:
    return modgap.measure("random", "scenes", n=2, tasks=["count"], out=tmp_path, name="run")


def test_rescore_prints_what_changed(measured: Run) -> None:
    path = measured.folder / "records.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["answer"], line["outcome"] = None, "unparsed"  # as an older parser might have
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    dry = run("rescore", str(measured.folder), "--dry-run")
    assert "8 records read again: 8 outcomes and 8 answers would change" in dry.stdout
    assert {record.outcome for record in measured.records()} == {"unparsed"}
    done = run("rescore", str(measured.folder))
    assert done.exit_code == 0, done.output
    assert "8 records read again: 8 outcomes and 8 answers changed" in done.stdout
    assert "unparsed" in done.stdout
    assert "records.before-rescore.jsonl" in done.stdout
    assert {record.outcome for record in measured.records()} <= {"correct", "wrong"}


def test_rescore_with_nothing_to_change(measured: Run) -> None:
    done = run("rescore", str(measured.folder))
    assert done.stdout == "8 records read again: 0 outcomes and 0 answers changed\n"


def test_export(measured: Run, tmp_path: Path) -> None:
    done = run("export", str(measured.folder), "--csv")
    written = Path(done.stdout.strip())
    assert written == measured.folder / "records.csv"
    with written.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 8
    pytest.importorskip("pyarrow")
    done = run("export", str(measured.folder), "--parquet", "--out", str(tmp_path / "x.parquet"))
    assert done.stdout == f"{tmp_path}/x.parquet\n"
    assert (tmp_path / "x.parquet").read_bytes()[:4] == b"PAR1"


def test_generate_writes_a_suite_that_can_be_measured(tmp_path: Path) -> None:
    folder = tmp_path / "suite"
    arguments = (
        "--tasks",
        "count",
        "--representations",
        "list,image",
        "-n",
        "3",
        "--seed",
        "5",
        "--no-parquet",
    )
    done = run("generate", "scenes", "--out", str(folder), *arguments)
    assert done.exit_code == 0, done.output
    drawn = list(load_suite("scenes", tasks=["count"]).problems(3, 5, ["list", "image"]))
    assert list(load_suite(str(folder)).problems(None)) == drawn
    done = run("measure", "-m", "random", "-s", str(folder), "--out", str(tmp_path), "--name", "run")
    assert done.exit_code == 0, done.output
    assert list(Run(tmp_path / "run").problems()) == drawn


def test_a_run_is_itself_a_suite(measured: Run, tmp_path: Path) -> None:
    again = modgap.measure("random", str(measured.folder / "problems.jsonl"), out=tmp_path, name="again")
    assert list(again.problems()) == list(measured.problems())
    assert {(r.problem_id, r.representation) for r in again.records()} == {
        (r.problem_id, r.representation) for r in measured.records()
    }


def test_models_and_tasks_are_listed() -> None:
    shown = run("models").stdout
    assert all(name in shown for name in model_names())
    shown = run("tasks").stdout
    assert all(name.split("/")[1] in shown for name in task_names())


def test_export_writes_a_log_of_inspect(measured: Run) -> None:
    done = run("export", str(measured.folder), "--to", "inspect")
    assert done.exit_code == 0, done.output
    assert (measured.folder / "records.eval").read_bytes().startswith(b"PK")
    wrong = run("export", str(measured.folder), "--to", "inspct")
    assert "--to 'inspct' is not one of inspect; did you mean 'inspect'?" in wrong.output


def test_generate_writes_the_published_columns(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    done = run(
        "generate",
        "isobench",
        "--tasks",
        "maxflow",
        "--format",
        "isobench",
        "--out",
        str(tmp_path / "x"),
        "-n",
        "1",
    )
    assert done.exit_code == 0, done.output
    (problem,) = load_suite(f"isobench:{tmp_path / 'x'}").problems(None)
    assert problem.difficulty["gold"] == "confirmed"
