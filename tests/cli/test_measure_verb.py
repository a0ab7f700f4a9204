"""``modgap measure``: its flags are the fields of the configuration; what it prints."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from modgap.cli import measure as verb
from modgap.cli._group import app
from modgap.evaluate import MeasureConfig, open_run


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["measure", *arguments])


def test_flags_are_the_fields() -> None:
    parameters = {name.rstrip("_") for name in inspect.signature(verb.measure).parameters}
    fields = {field.name for field in dataclasses.fields(MeasureConfig)}
    assert parameters - {"config", "report"} == fields


def test_every_flag_reaches_the_configuration(tmp_path: Path) -> None:
    given = {
        "--model": "random",
        "--suite": "scenes",
        "-n": "2",
        "--seed": "3",
        "--modalities": "text,image",
        "--representations": "list, image",
        "--tasks": "count,relation",
        "--set": "level=hard",
        "--strategy": "direct",
        "--samples": "2",
        "--temperature": "0.5",
        "--top-p": "0.9",
        "--max-tokens": "9",
        "--wording": "polite",
        "--option": "largest=5",
        "--engine": "local",
        "--name": "run",
        "--out": str(tmp_path),
    }
    done = run(*(word for pair in given.items() for word in pair), "--no-report")
    assert done.exit_code == 0, done.output
    config = open_run(tmp_path / "run").info.config
    assert {name: value for name, value in config.items() if value is not None} == {
        "model": "random",
        "suite": "scenes",
        "n": 2,
        "seed": 3,
        "modalities": ["text", "image"],
        "representations": ["list", "image"],
        "tasks": ["count", "relation"],
        "set": {"level": "hard"},
        "strategy": "direct",
        "samples": 2,
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 9,
        "wording": "polite",
        "option": {"largest": 5},
        "engine": "local",
        "name": "run",
        "out": str(tmp_path),
    }
    assert len(open_run(tmp_path / "run").records()) == 2 * 2 * 2 * 2


def test_what_only_workers_have_is_refused_without_them() -> None:
    done = run("-m", "random", "--workers", "2", "--gpus-per-worker", "1.5")
    assert done.exit_code == 2
    assert "modgap: gpus_per_worker 1.5 is neither a part of one GPU" in done.stderr
    assert "workers is for the engine 'ray'; add --engine ray, or leave it out" in done.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["--answer", "options"],
        ["--batch-size", "4"],
        ["--adapter", "a"],
        ["--dtype", "float32"],
        ["--device-map", "cpu"],
        ["--load-in-4bit"],
        ["--revision", "b"],
        ["--trust-remote-code"],
        ["--url", "http://localhost:1"],
        ["--key-env", "KEY"],
        ["--concurrency", "3"],
        ["--budget", "9"],
    ],
)
def test_options_of_a_model_reach_the_model(tmp_path: Path, flags: list[str]) -> None:
    done = run("-m", "random", "-n", "1", "--out", str(tmp_path), *flags)
    assert done.exit_code == 2
    name = flags[0].strip("-").replace("-", "_")
    assert f"modgap: model 'random' does not accept the option {name}" in done.stderr


def test_a_config_file_gives_what_flags_do_not(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        f'model = "random"\nn = 2\nwording = "terse"\ntasks = ["count"]\nout = "{tmp_path}"\nname = "run"\n'
    )
    assert run("--config", str(path), "-n", "1", "--no-report").exit_code == 0
    config = open_run(tmp_path / "run").info.config
    assert (config["n"], config["wording"], config["tasks"]) == (1, "terse", ["count"])


def test_it_prints_the_gaps_with_intervals_and_the_report(tmp_path: Path) -> None:
    done = run("-m", "oracle", "--option", "image_accuracy=0.5", "-n", "30", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    (header,) = (line for line in lines if "95 % interval" in line and "task" in line)
    assert header.split()[:6] == ["task", "in", "words", "in", "pictures", "gap"]
    (pooled,) = (line for line in lines if "all problems" in line)
    assert "100.0 %" in pooled
    assert " to +" in pooled
    assert "< 0.001" in pooled
    assert "In words 100.0 %, in pictures" in done.stdout
    report = Path(lines[-1].removeprefix("report: "))
    assert report.name == "report.html"
    assert report.is_file()


def test_one_modality_prints_accuracies(tmp_path: Path) -> None:
    done = run("-m", "oracle", "-n", "2", "--modalities", "text", "--out", str(tmp_path), "--no-report")
    assert done.exit_code == 0, done.output
    assert "accuracy" in done.stdout
    assert "chance" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"run: {tmp_path}/oracle-scenes-")


def test_progress_and_resume_are_said_in_plain_lines(tmp_path: Path) -> None:
    arguments = ("-m", "random", "-n", "2", "--tasks", "count", "--out", str(tmp_path), "--no-report")
    first, second = run(*arguments), run(*arguments)
    assert "8 samples, " in first.stderr
    assert "per second" in first.stderr
    assert second.stderr == "8 samples, 8 of them kept from before\n"
    assert first.stdout == second.stdout


def test_errors_are_counted_and_shown(tmp_path: Path) -> None:
    stored = tmp_path / "stored.jsonl"
    stored.write_text(
        json.dumps({"problem_id": "scenes/count-0-000000", "representation": "list", "reply": "Answer: 1"})
        + "\n"
    )
    arguments = (
        "-m",
        f"replay:{stored}",
        "-n",
        "1",
        "--tasks",
        "count",
        "--out",
        str(tmp_path),
        "--no-report",
    )
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "3 errors; the same command asks again" in done.stderr
    assert "1 × error: no stored reply to problem 'scenes/count-0-000000' as 'image'" in done.stdout
