"""The command line as a whole: verbs by file, help, one line for what a user can cause."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import modgap
from modgap.cli._group import app, verbs

MODGAP = str(Path(sys.executable).with_name("modgap"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([MODGAP, *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_the_verbs_are_the_files() -> None:
    folder = Path(modgap.__file__).parent / "cli"
    assert set(verbs()) == {path.stem for path in folder.glob("[!_]*.py")}
    assert {"measure", "report", "compare", "rescore", "generate", "export", "models", "tasks"} <= set(
        verbs()
    )


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_has_help(verb: str) -> None:
    module = importlib.import_module(f"modgap.cli.{verb}")
    own = getattr(module, "app", None)
    text = own.info.help if own else getattr(module, verb).__doc__
    first = (text or "").strip().partition("\n")[0]
    assert first.endswith(".")
    listed = CliRunner().invoke(app, ["--help"], terminal_width=200).output
    assert any(line.split()[:1] == [verb.rstrip("_")] and first[:20] in line for line in listed.splitlines())
    shown = CliRunner().invoke(app, [verb, "--help"], terminal_width=200)
    assert shown.exit_code == 0
    assert first in " ".join(shown.output.split())


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"modgap {modgap.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mesure"], "modgap: verb 'mesure' is not one of align, "),
        (
            ["export", "/nowhere", "--csv"],
            "modgap: /nowhere: not a run folder (it has no run.json); give a folder",
        ),
        (["export", "/nowhere"], "modgap: give one of --csv, --parquet and --to inspect"),
        (["measure", "-m", "rndom"], "modgap: model 'rndom' is not one of "),
        (["measure", "-m", "random", "--set", "level"], "modgap: --set 'level' is not NAME=VALUE, such as"),
        (["measure", "-m", "random", "--set", "level=hrad"], "modgap: level 'hrad' is not one of "),
        (
            ["measure", "-m", "random", "--option", "a=1", "--option", "a=2"],
            "modgap: --option a is given twice",
        ),
        (["measure", "-m", "random", "--modalities", "vidoe"], "modgap: modality 'vidoe' is not one of text"),
        (["measure", "-m", "random", "--tasks", "cuont"], "modgap: task 'cuont' is not one of "),
        (["measure", "--config", "/nowhere.toml"], "modgap: /nowhere.toml: cannot be read"),
        (["measure", "-s", "/nowhere.jsonl"], "modgap: /nowhere.jsonl: "),
        (["rescore", "/nowhere"], "modgap: /nowhere: not a run folder"),
        (["generate", "sceens", "--out", "/tmp/x"], "modgap: suite or task 'sceens' is not one of "),
    ],
)
def test_what_a_user_can_cause_is_one_line_and_status_2(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_the_same_from_a_shell() -> None:
    done = run("export", "/nowhere", "--csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "modgap: /nowhere: not a run folder (it has no run.json); give a folder that `modgap measure` made\n"
    )


def test_a_wrong_flag_is_a_usage_error() -> None:
    done = run("measure", "--mdoel", "random")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    command = [
        MODGAP,
        "measure",
        "-m",
        "random",
        "-n",
        "2000",
        "--out",
        str(tmp_path),
        "--name",
        "run",
        "--no-report",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    records = tmp_path / "run" / "records.jsonl"
    began = time.monotonic()
    while not (records.exists() and records.stat().st_size):
        assert process.poll() is None
        assert time.monotonic() - began < 60
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.endswith("modgap: stopped; the same command goes on from here\n")
    assert "Traceback" not in errors


def test_a_reader_that_leaves_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([MODGAP, "tasks"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ""


def test_a_terminal_without_unicode_gets_question_marks(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [MODGAP, "measure", "-m", "random", "-n", "2", "--out", str(tmp_path), "--no-report"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "gap = words ? " in done.stdout
