"""Rescoring: the stored replies, another parser, no calls, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import modgap
from modgap._errors import RunError
from modgap.evaluate import Run, rescore
from modgap.evaluate._lock import FolderLock
from modgap.models import Query, Reply
from modgap.tasks import Answer, Problem

Parse = Callable[[Problem, str], Answer]


@pytest.fixture
def run(fakes: ModuleType, tmp_path: Path) -> Run:
    def reply(query: Query) -> Reply:
        number = int(query.problem_id.rpartition("-")[2])
        if query.representation == "list":
            return Reply(f"**{query.truth}**")  # the parser of this suite cannot read it
        return (
            Reply(f"Answer: {query.truth}"),
            Reply(None, error="HTTP 500"),
            Reply("No.", refused=True),
        )[number % 3]

    return modgap.measure(fakes.FakeModel(reply), fakes.FakeSuite(), n=6, out=tmp_path, name="run")


def bold(problem: Problem, reply: str) -> Answer:
    """A better parser: reads a bold option too."""
    value = reply.rpartition("Answer:")[2].strip(" *")
    return Answer(value, "answer") if value in problem.options else Answer(None, "unparsed")


def test_replies_are_read_again_and_the_old_records_kept(run: Run) -> None:
    before = (run.folder / "records.jsonl").read_bytes()
    changes = rescore(run, bold)
    assert (changes.records, changes.moved, changes.answers) == (12, {("unparsed", "correct"): 6}, 6)
    assert changes.kept == run.folder / "records.before-rescore.jsonl"
    assert changes.kept.read_bytes() == before
    after = {(r.representation, r.problem_id): r for r in run.records()}
    assert {r.outcome for r in after.values() if r.representation == "list"} == {"correct"}
    pictured = [r.outcome for r in after.values() if r.representation == "image"]
    assert sorted(pictured) == ["correct"] * 2 + ["error"] * 2 + ["refused"] * 2


def test_a_dry_run_changes_nothing(run: Run) -> None:
    before = (run.folder / "records.jsonl").read_bytes()
    changes = rescore(run, bold, dry_run=True)
    assert changes.moved == {("unparsed", "correct"): 6}
    assert changes.kept is None
    assert (run.folder / "records.jsonl").read_bytes() == before


def test_rescoring_twice_keeps_both(fakes: ModuleType, run: Run) -> None:
    rescore(run, bold)
    assert rescore(run, bold).kept is None  # nothing to change, nothing written
    changes = rescore(run, fakes.FakeSuite().parse)
    assert changes.moved == {("correct", "unparsed"): 6}
    assert changes.kept == run.folder / "records.before-rescore-2.jsonl"


def test_a_resumed_run_still_asks_only_what_failed(fakes: ModuleType, run: Run) -> None:
    rescore(run, bold)
    model = fakes.FakeModel()
    modgap.measure(model, fakes.FakeSuite(), n=6, out=run.folder.parent, name="run")
    assert len(model.queries) == 2


def test_a_run_in_use_is_left_alone(run: Run) -> None:
    lock = FolderLock(run.folder)
    with pytest.raises(RunError, match=r"in use by another process \(pid \d+\)"):
        rescore(run, bold)
    lock.close()
    rescore(run, bold)


def test_a_record_without_its_problem(run: Run) -> None:
    (run.folder / "problems.jsonl").write_text("")
    with pytest.raises(
        RunError, match=r"'fake/where-0-5': has a record, but problems.jsonl does not have it"
    ):
        rescore(run, bold)
