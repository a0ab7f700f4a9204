"""Runs in a browser: the list, the reports, two side by side, and nothing from outside the folder."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from modgap._errors import FileError, InputError, RunError
from modgap.report import report_of
from modgap.report._index import find
from modgap.report._render import script_hash
from modgap.report._results import tables_of
from modgap.report._view import make_app, serve

TOKEN = "correct horse battery"


@pytest.fixture
def runs(make_run, tmp_path) -> Path:
    """Two runs, a loop, results, and a secret beside them."""
    make_run(30, name="first")
    make_run(30, name="second")
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop/close.json").write_text(json.dumps({"model": "m", "verdict": "Nothing <b>helps</b>."}))
    (tmp_path / "loop/close.html").write_text("<script>alert(1)</script>a loop")
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep/findings.json").write_text(json.dumps({"findings": [{"task": "<i>", "gain": 1.25}]}))
    (tmp_path / ".secret.json").write_text("{}")
    return tmp_path


def connect(folder: Path, **options) -> TestClient:
    return TestClient(make_app(folder, **options), base_url="http://localhost:8711")


def test_the_list(runs: Path) -> None:
    page = connect(runs).get("/")
    assert page.status_code == 200
    for place in ("first", "second", "loop", "sweep"):
        assert f'href="/open/{place}"' in page.text
    assert re.search(r"gap [+−]?\d+\.\d \([+−]?\d+\.\d to [+−]?\d+\.\d\), n = 29", page.text)
    assert "Nothing &lt;b&gt;helps&lt;/b&gt;." in page.text
    assert page.text.count('type="checkbox"') == 2
    assert {entry.kind for entry in find(runs)} == {"run", "loop", "results"}


def test_a_run_itself_can_be_served(runs: Path) -> None:
    client = connect(runs / "first")
    assert 'href="/open/."' in client.get("/").text
    assert "Words against pictures" in client.get("/open/.").text


def test_a_report_is_written_when_it_is_old_and_only_then(runs: Path) -> None:
    client, report = connect(runs), runs / "first/report.html"
    report.unlink(missing_ok=True)
    page = client.get("/open/first")
    assert str(page.url).endswith("/file/first/report.html")
    assert "Words against pictures" in page.text
    written = report.stat().st_mtime_ns
    client.get("/open/first")
    assert report.stat().st_mtime_ns == written
    report.write_text("<script>alert(1)</script>")  # not one of ours
    assert "alert(1)" not in client.get("/open/first").text


def test_two_side_by_side(runs: Path) -> None:
    client = connect(runs)
    page = client.get("/compare?run=first&run=second")
    assert page.status_code == 200
    assert "2 runs over the same problems" in page.text
    assert "tick two to twelve" in client.get("/compare?run=first&run=first").text
    assert client.get("/compare?run=first&run=../x").status_code == 404


def test_results_of_other_verbs_are_a_page(runs: Path) -> None:
    page = connect(runs).get("/open/sweep")
    assert "findings.json: findings" in page.text
    assert "1.25" in page.text
    assert "&lt;i&gt;" in page.text
    assert report_of(runs / "sweep").name == "results.html"
    assert report_of(runs / "loop").name == "close.html"
    with pytest.raises(RunError, match="neither a run, nor a loop, nor results"):
        report_of(runs)


def test_a_training_is_results_too(tmp_path: Path) -> None:
    """It has a run.json of its own, which is no run of a model."""
    test = {"n": 4000, "exact": 0.5, "low": 0.48, "high": 0.52}
    (tmp_path / "run.json").write_text('{"version": 1, "config": {}}')
    (tmp_path / "result.json").write_text(json.dumps({"test": test}))
    rows = [{"step": 0, "loss": 2.0}, {"step": 100, "loss": 0.5}, {"step": "?", "loss": None}]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (entry,) = find(tmp_path)
    assert (entry.kind, entry.said) == ("results", "exactly right 50.0 % (48.0 to 52.0), n = 4,000")
    page = connect(tmp_path).get("/open/.").text
    assert '<polyline class="curve l-text" points="0.0,10.0 300.0,92.5"/>' in page
    assert "2 at step 0, 0.5 at step 100" in page


def test_no_foreign_script_runs(runs: Path) -> None:
    page = connect(runs).get("/open/loop")
    assert "a loop" in page.text  # served as it is, and its script is not let run
    policy = page.headers["content-security-policy"]
    assert f"script-src {script_hash()};" in policy
    assert "default-src 'none'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "place",
    [
        "../outside.json",
        "..%2foutside.json",
        "%2e%2e/outside.json",
        "first/../../outside.json",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        ".secret.json",
        "link/outside.json",
        "first/%00.png",
        "first/media",
        "first/run.py",
        "a" * 5000,
    ],
)
def test_nothing_else_is_served(runs: Path, place: str) -> None:
    (runs.parent / "outside.json").write_text('"secret"')
    (runs / "first/run.py").write_text("secret")
    (runs / "link").symlink_to(runs.parent)
    client = connect(runs)
    for verb in ("file", "open"):
        page = client.get(f"/{verb}/{place}")
        assert page.status_code == 404
        assert "secret" not in page.text.replace(".secret", "")


def test_who_is_let_in(runs: Path) -> None:
    assert connect(runs).get("/", headers={"Host": "evil.example"}).status_code == 421
    client = connect(runs, token=TOKEN)
    asked = client.get("/file/first/run.json")
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic")
    assert client.get("/", auth=("me", "wrong")).status_code == 401
    assert client.get("/", headers={"Authorization": "Basic ééé".encode("latin-1")}).status_code == 401
    assert client.get("/", auth=("me", TOKEN)).status_code == 200
    with pytest.raises(InputError, match="give a --token that visitors must know"):
        serve(runs, host="0.0.0.0")
    with pytest.raises(FileError, match="no such folder"):
        serve(runs / "nowhere")


def test_damaged_folders_are_one_line(runs: Path) -> None:
    (runs / "first/run.json").write_text("{")
    (runs / "loop/close.json").write_text("[1]")
    (runs / "sweep/findings.json").write_text("[" * 100_000)
    client = connect(runs)
    assert client.get("/").text.count("cannot be read") == 2
    for place in ("first", "sweep"):
        assert client.get(f"/open/{place}").status_code == 404


def test_any_json_is_tables() -> None:
    tables = tables_of("f", {"a": 1, "b": [{"x": -0.5}, {"y": None}], "c": {"d": [1, 2]}, "e": []})
    assert [table.title for table in tables] == ["f", "f: b", "f: c"]
    assert tables[1].columns == ("x", "y")
    assert tables[1].rows == (("−0.5", "–"), ("–", "–"))
    long = tables_of("f", list(range(500)))[0]
    assert (len(long.rows), long.left_out) == (200, 300)


def test_the_verb(runs: Path) -> None:
    command = [str(Path(sys.executable).with_name("modgap")), "view", str(runs), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[0]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address, timeout=10) as page:
            assert b"/open/first" in page.read()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
