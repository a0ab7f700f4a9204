"""Stored results of others, made up here in their formats; the real ones are measured where they are."""

from __future__ import annotations

import csv
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from modgap import ModgapError
from modgap.evaluate import Record, rescore, summarize
from modgap.evaluate._import_blink import import_blink
from modgap.evaluate._import_isobench import import_isobench_eval
from modgap.evaluate._import_run import PARSES_FILE
from modgap.report import write_report
from modgap.tasks import read_reply

PARITY = [
    # index, modality, reply, official parse, gold
    (0, "text", "Answer: odd", "odd", "odd"),
    (0, "image", "The graph is symmetric about the y-axis, so it is even.", "even", "odd"),
    (1, "text", "Final answer: neither", "neither", "neither"),
    (1, "image", "I can't see the image. Please upload it.", "neither", "neither"),
]
BREAKPOINTS = [(0, "text", "4 breakpoints.", 3, 3), (0, "image", "There are 3 breakpoints.", 3, 3)]
SCIENCE = [
    (0, "text", "They attract each other.", "attract", "attract"),
    (0, "image", None, "-1", "attract"),
]


def _records(task: str, rows: list[Any], choices: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "sample_index": index,
            "task_name": task,
            "modality": modality,
            "dataset_sample": {"question": "Will they attract or repel?", "label": 0},
            "evaluation": {
                "choices": choices,
                "input_prompt": f"Look at this ({modality}).",
                "model_response": reply,
                "parsed_prediction": parsed,
                "ground_truth": gold,
                "is_correct": parsed == gold,
            },
        }
        for index, modality, reply, parsed, gold in rows
    ]


def _counts(rows: list[Any]) -> dict[str, Any]:
    cells = {m: [r[3] == r[4] for r in rows if r[1] == m] for m in ("text", "image")}
    return {"modality_breakdown": {m: {"total": len(c), "correct": sum(c)} for m, c in cells.items()}}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "some-model"
    folder.mkdir()
    tasks = {
        "math_parity": (PARITY, ["even", "neither", "odd"]),
        "math_breakpoint": (BREAKPOINTS, [2, 3]),
        "physics": (SCIENCE, ["repel", "attract"]),
    }
    for task, (rows, choices) in tasks.items():
        with gzip.open(folder / f"{task}.json.gz", "wt") as file:
            json.dump(_records(task, rows, choices), file)
    summary = {
        "model_name": "some-model",
        "task_summaries": {task: _counts(rows) for task, (rows, _) in tasks.items()},
    }
    (folder / "evaluation_summary.json").write_text(json.dumps(summary))
    return folder


def _outcomes(records: list[Record]) -> dict[str, str]:
    return {f"{r.problem_id}-{r.representation}": r.outcome for r in records}


def test_both_readings_become_runs(results: Path, tmp_path: Path) -> None:
    imported = import_isobench_eval(results, tmp_path / "run")
    assert _outcomes(imported.run.records()) == {
        "parity-0-text": "correct",
        "parity-0-image": "wrong",
        "parity-1-text": "correct",
        "parity-1-image": "refused",
        "breakpoints-0-text": "wrong",
        "breakpoints-0-image": "correct",
        "physics-0-text": "correct",
        "physics-0-image": "error",
    }
    assert imported.official is not None
    official = _outcomes(imported.official.records())
    assert official["parity-1-image"] == "correct"
    assert official["breakpoints-0-text"] == "correct"
    assert official["physics-0-image"] == "wrong"
    assert (
        imported.notes[0] == "the official reading reproduces every accuracy of the official summary exactly"
    )
    with (imported.run.folder / PARSES_FILE).open(newline="") as file:
        rows = {row["record"]: row for row in csv.DictReader(file)}
    assert rows["breakpoints-text-0"]["official"] == "3"
    assert rows["breakpoints-text-0"]["ours"] == "4"
    assert rows["physics-text-0"]["ours"] == "attract"


def test_report_summary_and_rescore_work_on_an_import(results: Path, tmp_path: Path) -> None:
    run = import_isobench_eval(results, tmp_path / "run").run
    assert {gap.task for gap in summarize(run.records()).gaps} == {"isobench/parity", "isobench/breakpoints"}
    assert write_report(run.folder).is_file()
    again = rescore(run, read_reply)
    assert (again.moved, again.answers) == ({}, 0)


def test_importing_again_changes_nothing(results: Path, tmp_path: Path) -> None:
    first = import_isobench_eval(results, tmp_path / "run").run
    before = (first.folder / "records.jsonl").read_bytes()
    import_isobench_eval(results, tmp_path / "run")
    assert (first.folder / "records.jsonl").read_bytes() == before


def test_a_summary_that_does_not_follow_is_told(results: Path, tmp_path: Path) -> None:
    path = results / "evaluation_summary.json"
    path.write_text(path.read_text().replace('"correct": 2', '"correct": 1'))
    notes = import_isobench_eval(results, tmp_path / "run").notes
    assert notes[0] == (
        "the official summary does not follow from the records (math_parity text: 2/2, not 1/2)"
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    (
        ("math_parity.json", "[1]", "expected `object`, got `int`"),
        ("math_parity.json", "{", "expected stored results as the source writes them"),
        ("math_parity.json.gz", "no gzip", "expected JSON, or JSON packed with gzip"),
        ("notes.txt", "", "holds no results of the official evaluation"),
    ),
)
def test_what_is_not_a_result_is_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / name).write_text(content)
    with pytest.raises(ModgapError) as caught:
        import_isobench_eval(folder, tmp_path / "run")
    assert said.lower() in str(caught.value).lower()
    assert not (tmp_path / "run").exists()


def test_an_item_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    twice = _records("math_parity", [PARITY[0], PARITY[0]], ["odd"])
    (folder / "math_parity.json").write_text(json.dumps(twice))
    with pytest.raises(ModgapError, match="was there before"):
        import_isobench_eval(folder, tmp_path / "run")


def test_blink_outputs(tmp_path: Path) -> None:
    folder = tmp_path / "GPT"
    folder.mkdir()
    lines = [
        {"idx": "v1", "answer": "(A)", "full_prediction": "(A) yes", "prediction": "(A)"},
        {"idx": "v2", "answer": "(B)", "full_prediction": "There is no cat in it.", "prediction": "(B)"},
    ]
    hidden = [{"idx": "t1", "answer": "hidden", "full_prediction": "(B) no", "prediction": "(B)"}]
    (folder / "Spatial_Relation.json").write_text(json.dumps({"val": lines, "test": hidden}))
    imported = import_blink(folder, tmp_path / "run")
    assert _outcomes(imported.run.records()) == {"v1-image": "correct", "v2-image": "unparsed"}
    assert imported.official is not None
    assert set(_outcomes(imported.official.records()).values()) == {"correct"}
    assert [one.agrees for one in imported.stored] == [True, False, True]
    assert "1 replies of the test split are read but not scored: their answers are hidden" in imported.notes
    assert write_report(imported.run.folder).is_file()


STORED = os.environ.get("MODGAP_STORED_REPLIES", "")


@pytest.mark.skipif(not STORED, reason="MODGAP_STORED_REPLIES does not name a folder of stored replies")
def test_the_official_summary_of_real_results_is_reproduced(tmp_path: Path) -> None:
    imported = import_isobench_eval(Path(STORED) / "isobench_eval" / "gpt-5-nano", tmp_path / "run")
    assert "reproduces every accuracy" in imported.notes[0]
    assert len(imported.stored) == 3374
    credited = {
        m: sum(o.credited for o in imported.stored if o.representation == m) for m in ("text", "image")
    }
    assert credited == {"text": 1642, "image": 1365}  # of 1,687 each, as the source publishes
    differing = [one for one in imported.stored if not one.agrees]
    assert len(differing) == 125
