"""A run as a log of inspect-ai: its structure, and read back by inspect-ai where that is installed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from modgap._errors import RunError
from modgap.evaluate import Run, measure, open_run
from modgap.evaluate._export_inspect import write_inspect


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs")
    return measure(
        model="random",
        suite="scenes",
        tasks=["count"],
        n=3,
        representations=["story", "image"],
        out=str(folder),
    )


def members(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as log:
        return {name: json.loads(log.read(name)) for name in log.namelist()}


def test_one_sample_for_each_problem_and_representation(run: Run, tmp_path: Path) -> None:
    found = members(write_inspect(run, tmp_path / "a.eval"))
    samples = [value for name, value in found.items() if name.startswith("samples/")]
    assert {*found} - {f"samples/{s['id']}_epoch_1.json" for s in samples} == {
        "_journal/start.json",
        "summaries.json",
        "header.json",
    }
    assert len(samples) == 6
    pairs: dict[str, set[str]] = {}
    for sample in samples:
        pairs.setdefault(sample["metadata"]["problem_id"], set()).add(sample["metadata"]["representation"])
    assert list(pairs.values()) == [{"story", "image"}] * 3
    outcomes = {f"{r.problem_id}:{r.representation}".replace("/", "%2F"): r.outcome for r in run.records()}
    for sample in samples:
        expected = {"correct": "C", "wrong": "I"}[outcomes[sample["id"]]]
        assert sample["scores"]["outcome"]["value"] == expected
        kinds = [part["type"] for part in sample["input"][0]["content"]]
        assert ("image" in kinds) == (sample["metadata"]["modality"] == "image")
    right = sum(outcome == "correct" for outcome in outcomes.values())
    metrics = found["header.json"]["results"]["scores"][0]["metrics"]
    assert metrics["accuracy"]["value"] == pytest.approx(right / 6)
    assert set(metrics) == {"accuracy", "accuracy_story", "accuracy_image"}


def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    first, second = (write_inspect(run, tmp_path / name).read_bytes() for name in ("a.eval", "b.eval"))
    assert first == second


def test_what_has_no_answer_is_no_wrong_answer(run: Run, tmp_path: Path) -> None:
    path = run.folder / "records.jsonl"
    kept = path.read_bytes()
    lines = [json.loads(line) for line in kept.splitlines()]
    lines[0] |= {"outcome": "unparsed", "answer": None, "reply": "hm"}
    lines[1] |= {"outcome": "error", "answer": None, "reply": None, "error": "timeout"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        found = members(write_inspect(open_run(run.folder), tmp_path / "a.eval"))
    finally:
        path.write_bytes(kept)
    by_id = {f"{x['problem_id']}:{x['representation']}".replace("/", "%2F"): x for x in lines[:2]}
    unparsed, failed = (found[f"samples/{name}_epoch_1.json"] for name in by_id)
    assert unparsed["scores"]["outcome"]["value"] == "N"
    assert failed["scores"] == {}
    assert failed["error"]["message"] == "timeout"
    assert failed["output"]["choices"] == []
    results = found["header.json"]["results"]
    assert (results["total_samples"], results["completed_samples"]) == (6, 5)


def test_an_id_is_no_path(run: Run, tmp_path: Path) -> None:
    """The id of a problem of a file is anybody's text, and part of the name of a file in the log."""
    for name in ("records.jsonl", "problems.jsonl"):
        path = run.folder / name
        (tmp_path / name).write_bytes(path.read_bytes())
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            for key in ("problem_id", "id"):
                if line.get(key, "").endswith("-000000"):
                    line[key] = "../../etc\\a:b\n☃"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        found = members(write_inspect(open_run(run.folder), tmp_path / "a.eval"))
    finally:
        for name in ("records.jsonl", "problems.jsonl"):
            (run.folder / name).write_bytes((tmp_path / name).read_bytes())
    names = [name.removeprefix("samples/") for name in found if name.startswith("samples/")]
    assert len(names) == 6 and not [name for name in names if set(name) & set("/\\\n")]
    odd = next(
        value for name, value in found.items() if name.startswith("samples/..%2F..%2Fetc%5Ca:b%0A%E2%98%83:")
    )
    assert f"samples/{odd['id']}_epoch_1.json" in found
    assert odd["metadata"]["problem_id"] == "../../etc\\a:b\n☃"


def test_a_place_that_cannot_be_written_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"cannot be written \(No such file or directory\); choose another with"
    ):
        write_inspect(run, tmp_path / "none" / "a.eval")


def test_inspect_reads_it(run: Run, tmp_path: Path) -> None:
    log = pytest.importorskip("inspect_ai.log")
    read = log.read_eval_log(str(write_inspect(run, tmp_path / "a.eval")))
    assert (read.status, len(read.samples), read.eval.model) == ("success", 6, run.info.model.name)
    assert read.samples[0].input[0].content[0].type == "text"
    one = log.read_eval_log_sample(str(tmp_path / "a.eval"), read.samples[0].id)
    assert one.metadata["problem_id"] == read.samples[0].metadata["problem_id"]
