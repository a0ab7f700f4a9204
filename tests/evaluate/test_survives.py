"""A run survives what happens to it: kill -9, a full disk, a second process, a folder it may not write.

Everything runs in a process of its own, as a user would start it.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

import modgap
from modgap._errors import RunError
from modgap.evaluate import Run

PROGRAM = [sys.executable, str(Path(__file__).with_name("fakes.py"))]
N = 40


def start(out: Path, pause: float = 0.0, *, limit: str = "") -> subprocess.Popen[str]:
    """Begin to measure 40 problems × 2 representations into ``out/run``."""
    command = [*PROGRAM, str(out), str(pause), str(N)]
    if limit:
        command = ["bash", "-c", f'{limit}; exec "$@"', "bash", *command]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> str:
    """Wait, and give what it wrote to its error stream."""
    _, errors = process.communicate(timeout=60)
    return errors


def content(out: Path) -> dict[str, tuple[str | None, str]]:
    """Key → (reply, outcome) of the run in ``out``."""
    return {record.key: (record.reply, record.outcome) for record in Run(out / "run").records()}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str | None, str]]:
    out = tmp_path_factory.mktemp("whole")
    process = start(out)
    assert finished(process) == ""
    found = content(out)
    assert len(found) == 2 * N
    return found


def kill_after(out: Path, seconds: float) -> None:
    process = start(out, 0.003)
    began = time.monotonic()
    while not (out / "run").exists() and process.poll() is None:
        assert time.monotonic() - began < 30
        time.sleep(0.001)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    finished(process)


@pytest.mark.parametrize(
    "moment",
    [0, 1, 2, *(pytest.param(number, marks=pytest.mark.slow) for number in range(3, 23))],
)
def test_killed_at_a_random_moment(
    tmp_path: Path, moment: int, uninterrupted: dict[str, tuple[str | None, str]]
) -> None:
    # From the making of the folder, a run takes about 0.3 s: 20 ms of writing, then 80 replies of 3 ms.
    chance = random.Random(moment)
    for _ in range(2):  # killed twice, since a resumed run is another one to survive
        kill_after(tmp_path, chance.random() ** 2 * 0.3)
    process = start(tmp_path)
    assert finished(process) == ""
    assert process.returncode == 0
    assert content(tmp_path) == uninterrupted
    run = Run(tmp_path / "run")
    assert len(list(run.problems())) == N
    lines = (run.folder / "records.jsonl").read_bytes().splitlines()
    assert len(lines) == 2 * N  # nothing was asked twice
    assert run.info.finished


def test_cut_off_lines_are_noted_and_asked_again(
    fakes: ModuleType, tmp_path: Path, uninterrupted: dict[str, tuple[str | None, str]]
) -> None:
    finished(start(tmp_path))
    for name in ("records.jsonl", "problems.jsonl"):
        path = tmp_path / "run" / name
        os.truncate(path, path.stat().st_size - 30)
    model = fakes.FakeModel()
    run = modgap.measure(model, fakes.FakeSuite(), n=N, out=tmp_path, name="run")
    assert len(model.queries) == 1
    assert content(tmp_path) == uninterrupted
    assert len(list(run.problems())) == N
    notes = " / ".join(run.info.notes)
    assert "problems.jsonl: an incomplete last line of " in notes
    assert "records.jsonl: an incomplete last line of " in notes


def test_damage_elsewhere_stops_and_changes_nothing(fakes: ModuleType, tmp_path: Path) -> None:
    finished(start(tmp_path))
    path = tmp_path / "run" / "records.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], lines[4][:50] + b"\n", *lines[5:]]))
    before = path.read_bytes()
    with pytest.raises(RunError, match=r"records.jsonl: line 5 is damaged"):
        modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=N, out=tmp_path, name="run")
    assert path.read_bytes() == before


@pytest.mark.parametrize("kilobytes", [1, 4, 16, 24])
def test_a_limit_on_file_size_stops_with_a_message_and_goes_on_later(
    tmp_path: Path, kilobytes: int, uninterrupted: dict[str, tuple[str | None, str]]
) -> None:
    # Stands for a full disk, which a test cannot make without mounting one; the last test does where it may.
    process = start(tmp_path, limit=f"ulimit -f {kilobytes}")
    errors = finished(process)
    assert process.returncode == 1
    assert errors.startswith(f"modgap: {tmp_path}/run: cannot write "), errors
    assert "(File too large)" in errors
    assert "finished samples are kept: make room, then run the same command again" in errors
    assert len(errors.splitlines()) == 1
    assert finished(start(tmp_path)) == ""
    assert content(tmp_path) == uninterrupted
    assert not Run(tmp_path / "run").info.notes


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    return disk


def test_a_full_disk(
    tmp_path: Path, small_disk: Path, uninterrupted: dict[str, tuple[str | None, str]]
) -> None:
    try:
        errors = finished(start(small_disk))
        assert "(No space left on device)" in errors
        assert "finished samples are kept: make room" in errors
        shutil.copytree(small_disk / "run", tmp_path / "run")
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)
    assert finished(start(tmp_path)) == ""
    assert content(tmp_path) == uninterrupted


def test_a_disk_that_became_read_only(tmp_path: Path, small_disk: Path) -> None:
    try:
        finished(start(small_disk))
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        process = start(small_disk)
        errors = finished(process)
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)
    assert process.returncode == 1
    assert errors == (
        f"modgap: {small_disk}/run: cannot be written (Read-only file system); "
        "choose another folder with --out\n"
    )


def test_two_processes_on_one_run(tmp_path: Path, uninterrupted: dict[str, tuple[str | None, str]]) -> None:
    first = start(tmp_path, 0.02)
    while not (tmp_path / "run" / "records.jsonl").exists():
        assert first.poll() is None
        time.sleep(0.005)
    second = start(tmp_path)
    errors = finished(second)
    assert second.returncode == 1
    assert errors == (
        f"modgap: {tmp_path}/run: in use by another process (pid {first.pid}); "
        "wait until it ends, or use another run folder with --name\n"
    )
    assert finished(first) == ""
    assert content(tmp_path) == uninterrupted
    assert finished(start(tmp_path)) == ""  # and the lock is gone


def test_a_file_in_place_of_the_folder(fakes: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    for out, name in ((tmp_path, "run"), (tmp_path / "run", "inside")):
        with pytest.raises(RunError, match=r"cannot be made \(.*\); choose another folder with --out"):
            modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=1, out=out, name=name)
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written(fakes: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o500)
    with pytest.raises(RunError, match=r"run: cannot be written \(Permission denied\)"):
        modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=1, out=tmp_path, name="run")


def test_a_folder_of_something_else(fakes: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match=r"holds thesis.tex but no run.json, so it is not a run folder"):
        modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=1, out=tmp_path, name="run")
    assert (tmp_path / "run" / "thesis.tex").read_text() == "mine"


def test_what_a_killed_run_was_about_to_rename_is_removed(fakes: ModuleType, tmp_path: Path) -> None:
    modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=1, out=tmp_path, name="run")
    halves = [tmp_path / "run" / ".run.json.4711", tmp_path / "run" / "media" / ".0a.png.4711"]
    for path in halves:
        path.write_text("half")
    modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=1, out=tmp_path, name="run")
    assert not any(path.exists() for path in halves)


def test_killed_before_the_first_file(fakes: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for name in ("lock", ".run.json.4711"):
        (tmp_path / "run" / name).write_text("")
    run = modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=1, out=tmp_path, name="run")
    assert len(run.records()) == 2
