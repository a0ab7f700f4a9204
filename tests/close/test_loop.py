"""The loop on simulated models whose cause is known, and its report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modgap._errors import InputError
from modgap.close import Closed, Plan, close, dry_run
from modgap.close._selftest import SHARE, Planted
from modgap.models import Model

TASKS = ("existence", "relation")


def run(out: Path, cause: str, seed: int = 0) -> Closed:
    plan = Plan(n=40, seed=seed, tasks=TASKS)
    return close(Planted(cause, seed), out, plan, treatments=lambda *given: [])


@pytest.mark.parametrize(("cause", "fixed"), [("perception", False), ("access", True), ("reasoning", False)])
def test_the_cause_is_named_and_only_what_can_be_closed_is(tmp_path: Path, cause: str, fixed: bool) -> None:
    closed = run(tmp_path, cause)
    pooled = closed.causes[0]
    assert pooled.cause == cause
    share = getattr(pooled, cause)
    assert share.low_points <= 100 * SHARE <= share.high_points
    assert (closed.winner is not None) == fixed
    if fixed:
        assert closed.after[0].low_points > 0
        assert closed.elsewhere[0].low_points > 0
        assert closed.after[0].n == 2 * 40
        assert closed.winner in closed.verdict
    else:
        assert closed.after == ()
        assert "Nothing that was tried helps" in closed.verdict


def test_nothing_is_claimed_where_there_is_no_gap(tmp_path: Path) -> None:
    for seed in range(3):
        closed = run(tmp_path / str(seed), "no gap", seed)
        assert closed.winner is None
        assert closed.gap[0].low_points <= 0 <= closed.gap[0].high_points


def test_what_is_written(tmp_path: Path) -> None:
    closed = run(tmp_path, "access")
    about = json.loads((tmp_path / "close.json").read_text())
    assert about["winner"] == closed.winner
    assert about["verdict"] == closed.verdict
    page = (tmp_path / "close.html").read_text()
    for heading in ("Where it loses", "Why it loses", "What was tried", "Use it"):
        assert heading in page
    assert (tmp_path / "winner/recipe.json").is_file()
    assert any("strategy=" in line for line in closed.lines)


def test_it_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """The same folder again: nothing is asked twice, and the result is the same."""
    first = run(tmp_path, "access")
    asked: list[int] = []

    class Counting(Planted):
        def reply(self, queries):  # type: ignore[no-untyped-def]
            asked.append(len(queries))
            return super().reply(queries)

    again = close(Counting("access", 0), tmp_path, Plan(n=40, tasks=TASKS), treatments=lambda *given: [])
    assert sum(asked) == 0
    assert again.after == first.after


def test_harm_disqualifies(tmp_path: Path) -> None:
    """A treatment that helps one task and clearly harms another may not win."""
    from modgap.close._treatments import Treatment

    class Mixed(Planted):
        def _answer(self, query):  # type: ignore[no-untyped-def]
            if not query.options or query.problem_id.startswith("scenes/existence"):
                return f"Answer: {query.truth}"
            return f"Answer: {next(o for o in query.options if o != query.truth)}"

    def made(model: Model, *given: object) -> list[Treatment]:
        mixed = Mixed("mixed", 0)
        return [Treatment("mixed", "training", "", mixed, "direct", 1, lambda folder: ())]

    closed = close(Planted("access", 0), tmp_path, Plan(n=40, tasks=TASKS), treatments=made)
    (mixed,) = [one for one in closed.tried if one.name == "mixed"]
    assert "scenes/relation" in mixed.harms
    assert not mixed.helps
    assert closed.winner != "mixed"


def test_plans(tmp_path: Path) -> None:
    steps = dry_run(Plan(n=60))
    assert sum(calls for _, calls, _ in steps) > 10_000
    with pytest.raises(InputError, match="at least 20"):
        Plan(n=3)
    with pytest.raises(InputError, match="leaves no time"):
        Plan(minutes=0)
    with pytest.raises(InputError, match="no adapter there; give a folder of `modgap tldr train`"):
        Plan(detector=str(tmp_path))
