"""Figures of a run, on records made by hand: every expected number is counted in the test."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from modgap.evaluate._record import Record
from modgap.evaluate._statistics import holm, mcnemar_exact, wilson
from modgap.evaluate._summary import summarize, summary_to_json
from modgap.tasks._problem import Problem

MODALITIES = {"json": "text", "story": "text", "image": "image", "audio": "audio", "video": "video"}


def record(
    problem: str,
    representation: str,
    outcome: str,
    *,
    task: str = "scenes/count",
    sample: int = 0,
    answer: str | None = "",
    group: str = "",
) -> Record:
    if answer == "":
        answer = {"correct": "3", "wrong": "4"}.get(outcome)
    return Record(
        key=f"{task}{problem}{representation}{sample}",
        problem_id=problem,
        task=task,
        group=group or problem,
        representation=representation,
        modality=MODALITIES[representation],
        strategy="direct",
        sample=sample,
        reply=None if outcome == "error" else f"Answer: {answer}",
        answer=answer,
        expected="3",
        outcome=outcome,
        error="timeout" if outcome == "error" else None,
    )


def table(
    both: int, only_text: int, only_image: int, neither: int, task: str = "scenes/count"
) -> list[Record]:
    """One text form against pictures with the given 2 × 2 table."""
    kinds = [("correct", "correct")] * both + [("correct", "wrong")] * only_text
    kinds += [("wrong", "correct")] * only_image + [("wrong", "wrong")] * neither
    return [
        record(f"{task}-{i}", name, outcome, task=task)
        for i, pair in enumerate(kinds)
        for name, outcome in zip(("json", "image"), pair, strict=True)
    ]


def problem(name: str, difficulty: dict | None = None, chance: float | None = 0.25) -> Problem:
    return Problem(name, "scenes/count", "How many?", "3", (), difficulty=difficulty or {}, chance=chance)


def test_one_text_form_against_pictures():
    summary = summarize(table(60, 30, 5, 5))
    (gap,) = summary.gaps
    assert (gap.n, gap.groups, gap.text_accuracy, gap.modality_accuracy) == (100, 100, 0.9, 0.65)
    assert gap.gap_points == pytest.approx(25)
    assert (gap.both_right, gap.only_text, gap.only_other, gap.both_wrong) == (60, 30, 5, 5)
    assert gap.test == "mcnemar"
    assert gap.p_value == gap.p_holm == pytest.approx(mcnemar_exact(30, 5))
    assert gap.low_points < 25 < gap.high_points
    assert (gap.text_low, gap.text_high) == wilson(90, 100)
    # Same answers: 60 both right and 5 both wrong. Chance: both say 3 or both say 4, from how often each
    # does.
    assert gap.agreement == pytest.approx(0.65)
    assert gap.agreement_chance == pytest.approx(0.9 * 0.65 + 0.1 * 0.35)
    assert gap.kappa == pytest.approx((0.65 - 0.62) / 0.38)
    (form,) = gap.forms
    assert (form.only_text, form.only_other, form.gap_points) == (30, 5, pytest.approx(25))
    (cell, other) = summary.cells
    assert (cell.n, cell.correct, cell.accuracy, cell.low, cell.high) == (100, 90, 0.9, *wilson(90, 100))
    assert other.outcomes == {"correct": 65, "wrong": 35, "unparsed": 0, "refused": 0, "error": 0}


def test_several_text_forms_are_averaged_never_the_best():
    records = []
    for i in range(40):
        records += [
            record(f"p{i}", "json", "correct"),
            record(f"p{i}", "story", "correct" if i % 2 else "wrong"),
            record(f"p{i}", "image", "correct" if i % 4 else "wrong"),
        ]
    (gap,) = summarize(records).gaps
    assert gap.text_accuracy == 0.75  # the mean of 1 and 1/2, not 1
    assert gap.modality_accuracy == 0.75
    assert gap.gap_points == pytest.approx(0)
    assert gap.test == "sign-flip"
    # Differences: 10 problems −1/2 (story and nothing else right is impossible here), 10 of +1/2, 20 of 0.
    assert gap.only_text - gap.only_other == pytest.approx(0)
    assert sum((gap.both_right, gap.only_text, gap.only_other, gap.both_wrong)) == pytest.approx(40)
    assert {(f.text_representation, f.only_text, f.only_other) for f in gap.forms} == {
        ("json", 10, 0),
        ("story", 0, 10),
    }


def test_samples_count_as_shares_of_a_problem():
    records = [
        record("a", "json", outcome, sample=i) for i, outcome in enumerate(["correct"] * 3 + ["wrong"])
    ]
    records += [record("a", "image", outcome, sample=i) for i, outcome in enumerate(["correct", "wrong"] * 2)]
    summary = summarize(records)
    assert [(cell.n, cell.correct) for cell in summary.cells] == [(1, 0.75), (1, 0.5)]
    (gap,) = summary.gaps
    assert gap.gap_points == pytest.approx(25)
    assert gap.both_right == pytest.approx(0.75 * 0.5)
    assert gap.agreement == 0.75  # sample by sample: 3 of 4 answers are the same


def test_errors_are_left_out_and_other_failures_are_not_correct():
    records = [
        record("a", "json", "correct"),
        record("a", "image", "error"),
        record("b", "json", "correct"),
        record("b", "image", "unparsed"),
        record("c", "json", "refused"),
        record("c", "image", "correct"),
    ]
    summary = summarize(records)
    text, image = summary.cells
    assert (text.n, text.accuracy) == (3, pytest.approx(2 / 3))
    assert (image.n, image.accuracy) == (2, 0.5)
    (gap,) = summary.gaps
    assert (gap.n, gap.text_accuracy, gap.modality_accuracy) == (2, 0.5, 0.5)  # b and c only
    assert gap.agreement == 0  # an answer that is missing agrees with nothing
    assert summary.outcomes == {"correct": 3, "wrong": 0, "unparsed": 1, "refused": 1, "error": 1}
    assert summary.notes[0] == "Ended in an error, and left out of every accuracy: 1 of 6 replies."


def test_a_later_record_replaces_an_error():
    records = [record("a", "json", "error"), record("a", "image", "correct"), record("a", "json", "correct")]
    assert [cell.n for cell in summarize(records).cells] == [1, 1]


def test_tasks_pooled_and_macro_and_holm():
    records = [
        *table(50, 30, 10, 10, "scenes/depth"),
        *table(280, 10, 5, 5, "scenes/count"),
        *table(95, 2, 2, 1, "scenes/existence"),
    ]
    summary = summarize(records)
    assert summary.tasks == ("scenes/count", "scenes/depth", "scenes/existence")
    gaps = {gap.task: gap for gap in summary.gaps}
    assert [gap.p_holm for gap in summary.gaps] == holm([gap.p_value for gap in summary.gaps])
    assert gaps["scenes/depth"].claimed and not gaps["scenes/existence"].claimed
    (pooled,), (macro,) = summary.pooled, summary.macro
    assert pooled.n == 500
    assert pooled.gap_points == pytest.approx(100 * (42 - 17) / 500)
    assert pooled.p_value == pytest.approx(mcnemar_exact(42, 17))
    assert macro.gap_points == pytest.approx((20 + 5 / 3 + 0) / 3)
    # Normal interval of a mean over tasks with independent problems.
    spread = np.sqrt(sum(g.only_text + g.only_other for g in summary.gaps) / 500 - 0.05**2)
    assert pooled.high_points - pooled.low_points == pytest.approx(2 * 196 * spread / np.sqrt(500), rel=0.1)
    assert macro.low_points < macro.gap_points < macro.high_points
    assert summary.verdict == (
        "In words 93.4 %, in pictures 88.4 %: a gap of 5.0 points "
        f"(95 % interval {pooled.low_points:.1f} to {pooled.high_points:.1f}, n = 500 problems); "
        "largest on depth (20.0 points)."
    )


def test_problems_of_one_scene_are_not_independent():
    # Eight questions about one scene stand or fall together: the interval is about √8 wider than without
    # groups.
    def records(grouped: bool) -> list[Record]:
        return [
            record(f"{i}-{q}", name, outcome, group=f"s{i}" if grouped else "")
            for i in range(100)
            for q in range(8)
            for name, outcome in (("json", "correct"), ("image", "wrong" if i % 3 == 0 else "correct"))
        ]

    together, alone = summarize(records(True)).gaps[0], summarize(records(False)).gaps[0]
    assert (together.groups, alone.groups) == (100, 800)
    ratio = (together.high_points - together.low_points) / (alone.high_points - alone.low_points)
    assert ratio == pytest.approx(np.sqrt(8), rel=0.1)
    assert together.p_value == pytest.approx(mcnemar_exact(34, 0))
    assert (together.test, alone.test) == ("sign-flip", "mcnemar")
    assert together.detectable_points > 2 * alone.detectable_points


def test_no_gap_is_said_with_what_could_go_unseen():
    summary = summarize(table(95, 2, 2, 1))
    (gap,) = summary.pooled
    assert summary.verdict == (
        "No gap can be claimed: in words 97.0 %, in pictures 97.0 %, a difference of 0.0 points "
        f"(95 % interval −{-gap.low_points:.1f} to {gap.high_points:.1f}, n = 100 problems); "
        f"with this n a gap below {gap.detectable_points:.1f} points could go unseen."
    )


def test_perfect_on_both_sides_still_has_an_interval():
    (gap,) = summarize(table(512, 0, 0, 0)).pooled
    assert gap.low_points == pytest.approx(-gap.high_points)
    assert 0.6 < gap.high_points < 0.8
    assert gap.p_value == 1.0


def test_pictures_ahead_is_not_called_a_gap():
    summary = summarize(table(50, 2, 30, 18))
    assert summary.verdict.startswith(
        "In words 52.0 %, in pictures 80.0 %: pictures are ahead by 28.0 points (95 %"
    )


def test_one_modality_has_no_gap():
    summary = summarize([r for r in table(6, 3, 0, 1) if r.representation == "json"])
    assert summary.gaps == summary.pooled == summary.macro == ()
    assert summary.verdict == (
        "In words 90.0 % (n = 10 answers). Only one modality was measured, so there is no gap to state."
    )
    summary = summarize([record("a", "image", "correct"), record("a", "audio", "correct")])
    assert summary.verdict.endswith("Nothing was asked in words, so there is no gap to state.")


def test_nothing_at_all_and_nothing_but_errors():
    assert summarize([]).verdict == "Nothing was measured: the run has no records."
    records = [record("a", "json", "error"), record("a", "image", "error")]
    summary = summarize(records)
    assert summary.verdict == "Nothing was answered: every record ended in an error."
    assert [(cell.n, cell.accuracy) for cell in summary.cells] == [(0, None), (0, None)]
    unpaired = summarize([record("a", "json", "correct"), record("b", "image", "correct")])
    assert unpaired.verdict.endswith("No problem was answered on both sides, so there is no gap to state.")


def test_every_modality_is_compared_with_words():
    records = [
        record(f"p{i}", name, "correct" if i % modulo else "wrong")
        for i in range(60)
        for name, modulo in (("json", 60), ("image", 4), ("audio", 3), ("video", 2))
    ]
    summary = summarize(records)
    assert [gap.modality for gap in summary.gaps] == ["image", "audio", "video"]
    assert [round(gap.gap_points) for gap in summary.pooled] == [23, 32, 48]
    assert "in sound 66.7 %" in summary.verdict and "in video 50.0 %" in summary.verdict


def test_chance_and_difficulty_come_from_the_problems():
    records = table(30, 20, 0, 10)
    problems = [problem(f"scenes/count-{i}", {"objects": 2 + i % 3, "seed": 1}) for i in range(60)]
    summary = summarize(records, problems)
    assert [cell.chance for cell in summary.cells] == [0.25, 0.25]
    points = [p for p in summary.difficulty if p.modality == "text"]
    assert [(p.dial, p.value, p.n) for p in points] == [("objects", str(k), 20) for k in (2, 3, 4)]
    assert sum(p.accuracy * p.n for p in points) == pytest.approx(50)
    # A chance level that is unknown for some problems is not stated.
    problems[0] = problem("scenes/count-0", chance=None)
    assert summarize(records, problems).cells[0].chance is None


def test_many_values_of_a_dial_are_put_into_bins():
    records = table(100, 0, 0, 0)
    problems = [problem(f"scenes/count-{i}", {"distance": i / 100}) for i in range(100)]
    points = [p for p in summarize(records, problems).difficulty if p.modality == "image"]
    assert len(points) == 5 and sum(p.n for p in points) == 100
    assert points[0].value == "0–0.198"


def test_a_task_at_chance_in_words_is_noted():
    problems = [problem(f"scenes/count-{i}") for i in range(100)]
    summary = summarize(table(5, 20, 20, 55), problems)
    assert summary.notes == (
        "Not above chance in words: count. A skill that is absent in words cannot show a gap.",
    )


def test_the_order_of_records_does_not_matter():
    records = table(50, 30, 10, 10, "scenes/depth") + table(60, 10, 5, 5, "scenes/count")
    shuffled = records.copy()
    random.Random(0).shuffle(shuffled)
    assert summarize(shuffled) == summarize(records)


def test_only_one_strategy_is_summarized():
    import dataclasses

    records = table(6, 3, 0, 1)
    other = [dataclasses.replace(r, strategy="isoscratchpad", outcome="wrong") for r in records]
    both = summarize([*records, *other])
    assert (both.strategy, both.gaps) == ("direct", summarize(records).gaps)
    assert summarize([*records, *other], strategy="isoscratchpad").gaps[0].text_accuracy == 0


def test_summary_is_json():
    plain = summary_to_json(summarize(table(60, 30, 5, 5)))
    assert json.loads(json.dumps(plain)) == plain
    assert plain["pooled"][0]["gap_points"] == pytest.approx(25)
    assert plain["cells"][0]["outcomes"]["correct"] == 90
