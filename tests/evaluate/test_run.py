"""Reading a run folder: latest records, problems with media, tables, and no trust in what is found."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import modgap
from modgap._errors import FileError, RunError
from modgap.evaluate import Record, Run
from modgap.evaluate._writer import LOWEST_SCORE, storable
from modgap.models import Query, Reply


@pytest.fixture
def run(fakes: ModuleType, tmp_path: Path) -> Run:
    def reply(query: Query) -> Reply:
        return dataclasses.replace(
            fakes.guess(query), option_scores=(-0.5, -1.0, -2.0, -3.0), usage={"tokens": 3.0}
        )

    return modgap.measure(fakes.FakeModel(reply), fakes.FakeSuite(), n=4, out=tmp_path, name="run")


def appended(run: Run, **changes: Any) -> Record:
    record = dataclasses.replace(run.records()[0], **changes)
    with (run.folder / "records.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(record) + b"\n")
    return record


def test_problems_come_back_with_their_media(fakes: ModuleType, run: Run) -> None:
    assert list(run.problems()) == [fakes.make_problem(number) for number in range(4)]
    assert [problem.problem_id for problem in run.problems(media=False)] == [
        fakes.make_problem(number).problem_id for number in range(4)
    ]


def test_the_later_record_of_a_sample_counts(run: Run) -> None:
    changed = appended(run, key="another version drew the picture", reply="Answer: below", answer="below")
    records = run.records()
    assert len(records) == 8
    assert records[0] == changed


def test_rows_are_plain_dictionaries(run: Run) -> None:
    rows = run.rows()
    assert len(rows) == 8
    assert rows[0]["option_scores"] == (-0.5, -1.0, -2.0, -3.0)
    assert set(rows[0]) == {field.name for field in dataclasses.fields(Record)}


def test_a_summary_of_the_run(run: Run) -> None:
    summary = run.summary()
    assert summary.tasks == ("fake/where",)
    assert summary.pooled[0].n == 4
    assert {cell.chance for cell in summary.cells} == {0.25}


def test_csv_round_trip(run: Run, tmp_path: Path) -> None:
    appended(run, reply='a "quoted"\nline, Ω')
    path = run.to_csv(tmp_path / "x.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == [record.key for record in run.records()]
    assert rows[0]["reply"] == 'a "quoted"\nline, Ω'
    assert json.loads(rows[1]["option_scores"]) == [-0.5, -1.0, -2.0, -3.0]


def test_parquet_round_trip(run: Run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(run.to_parquet(tmp_path / "x.parquet")).to_pylist()
    assert [row["key"] for row in rows] == [record.key for record in run.records()]
    assert rows[0]["conflicting"] is False
    assert rows[0]["sample"] == 0
    assert json.loads(rows[0]["usage"]) == {"tokens": 3.0}


def test_a_table_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    for write in (run.to_csv, run.to_parquet):
        with pytest.raises(RunError, match=r"cannot be written .* choose another with --out"):
            write(tmp_path / "missing" / "x")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"created": 1}', b"\xff", b""])
def test_a_damaged_run_file(run: Run, content: bytes) -> None:
    (run.folder / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"run.json: damaged .*; restore it from a copy, or measure again"):
        modgap.open_run(run.folder)


def test_a_run_of_a_later_version(run: Run) -> None:
    path = run.folder / "run.json"
    raw = json.loads(path.read_text())
    path.write_text(json.dumps({**raw, "version": 99}))
    with pytest.raises(RunError, match=r"run.json: format 99, this modgap reads up to 1; update modgap"):
        modgap.open_run(run.folder)


def test_what_is_not_a_run_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", Path(__file__)):
        with pytest.raises(RunError, match=r"not a run folder .*give a folder that `modgap measure` made"):
            modgap.open_run(path)


@pytest.mark.parametrize(
    "change",
    [{"outcome": "superb"}, {"sample": "0"}, {"modality": "smell"}, {"key": None}, {"option_scores": ["x"]}],
)
def test_a_record_of_the_wrong_type_is_damage(run: Run, change: dict[str, Any]) -> None:
    path = run.folder / "records.jsonl"
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(first), **change}), *others]) + "\n")
    with pytest.raises(RunError, match=r"records.jsonl: line 1 is damaged"):
        run.records()


def test_missing_media(run: Run) -> None:
    for path in (run.folder / "media").iterdir():
        path.unlink()
    with pytest.raises(FileError, match="is not a file in"):
        list(run.problems())
    assert len(list(run.problems(media=False))) == 4


def test_replies_that_json_cannot_hold_are_stored_readably(run: Run) -> None:
    record = dataclasses.replace(
        run.records()[0],
        reply="half a pair \ud800 here",
        option_scores=(float("-inf"), -1.0),
        usage={"tokens": float("nan"), "cost": 1.0},
    )
    stored = storable(record)
    assert msgspec.json.decode(msgspec.json.encode(stored), type=Record) == stored
    assert stored.reply == "half a pair ? here"
    assert stored.option_scores == (LOWEST_SCORE, -1.0)
    assert stored.usage == {"cost": 1.0}


def test_a_hostile_reply_survives_a_run(fakes: ModuleType, tmp_path: Path) -> None:
    replies = ["\ud800Answer: left", "a\nb\r\n\u2028\0", '{"key":1}\n', "x" * 10_000_000]

    def reply(query: Query) -> Reply:
        return Reply(replies[int(query.problem_id.rpartition("-")[2])])

    run = modgap.measure(
        fakes.FakeModel(reply), fakes.FakeSuite(), n=4, out=tmp_path, representations=["list"], name="hostile"
    )
    found = {record.problem_id[-1]: record.reply for record in run.records()}
    assert [found[str(number)] for number in range(4)] == ["?Answer: left", *replies[1:]]


def test_media_of_a_crashed_machine_is_written_again(fakes: ModuleType, run: Run) -> None:
    (first, *_) = sorted((run.folder / "media").iterdir())
    os.truncate(first, 0)
    (run.folder / "problems.jsonl").write_bytes(b"")
    modgap.measure(fakes.FakeModel(), fakes.FakeSuite(), n=4, out=run.folder.parent, name="run")
    assert list(run.problems()) == [fakes.make_problem(number) for number in range(4)]
