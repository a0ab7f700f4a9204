"""Runs against each other, on records made by hand: every expected number is counted in the test."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from modgap._errors import InputError
from modgap.evaluate._comparison import compare
from modgap.evaluate._record import Record
from modgap.evaluate._statistics import mcnemar_exact


def records(
    right: dict[str, list[bool]], task: str = "scenes/count", group: int = 1, start: int = 0
) -> list[Record]:
    """One record per problem and representation."""
    return [
        Record(
            key=f"{task}{i}{name}",
            problem_id=f"{task}-{start + i}",
            task=task,
            group=f"s{(start + i) // group}",
            representation=name,
            modality="image" if name.startswith("image") else "text",
            strategy="direct",
            sample=0,
            reply="",
            answer="3" if ok else "4",
            expected="3",
            outcome="correct" if ok else "wrong",
        )
        for name, column in right.items()
        for i, ok in enumerate(column)
    ]


def column(right: int, n: int) -> list[bool]:
    return [i < right for i in range(n)]


def test_a_difference_is_paired():
    # Pictures: the first run is right on 0..59, the second on 10..89: 30 gained, 10 lost.
    first = records({"json": column(95, 100), "image": column(60, 100)})
    second = records({"json": column(95, 100), "image": [10 <= i < 90 for i in range(100)]})
    made = compare([("a", first), ("b", second)])
    text, image = made.differences
    assert (text.modality, text.difference_points, text.p_value) == ("text", 0, 1)
    assert (image.first_accuracy, image.accuracy) == (0.6, 0.8)
    assert (image.only_first, image.only_this) == (10, 30)
    assert image.difference_points == pytest.approx(20)
    assert image.p_value == pytest.approx(mcnemar_exact(30, 10))
    assert image.low_points < 20 < image.high_points and image.claimed
    # Normal interval of a mean of differences −1, 0, 1.
    spread = np.sqrt(0.4 - 0.2**2)
    assert image.high_points - image.low_points == pytest.approx(2 * 196 * spread / 10, rel=0.1)
    (change,) = made.gap_changes
    assert (change.first_gap_points, change.gap_points) == (pytest.approx(35), pytest.approx(15))
    assert change.change_points == pytest.approx(-20) and change.claimed
    assert made.summaries[0].pooled[0].gap_points == pytest.approx(35)


def test_only_what_both_asked_is_compared():
    first = records({"json": column(5, 10), "story": column(0, 10), "image": column(5, 10)})
    second = records({"json": column(5, 6), "image_large": column(6, 6)})
    text, *rest = compare([("a", first), ("b", second)]).differences
    assert rest == []  # no picture that both were shown
    assert (text.n, text.first_accuracy, text.accuracy) == (6, 5 / 6, 5 / 6)  # the story is not counted


def test_tasks_are_adjusted_and_all_together_come_first():
    def run(right: int) -> list[Record]:
        return [
            record
            for task, n in (("scenes/count", right), ("scenes/depth", 20))
            for record in records({"json": column(n, 40)}, task)
        ]

    made = compare([("a", run(10)), ("b", run(30))])
    pooled, count, depth = made.differences
    assert [one.task for one in made.differences] == ["pooled", "scenes/count", "scenes/depth"]
    assert (pooled.n, pooled.difference_points) == (80, 25)
    assert pooled.p_holm == pooled.p_value
    assert count.p_holm == pytest.approx(2 * count.p_value)
    assert (depth.difference_points, depth.p_holm) == (0, 1)
    assert made.gap_changes == ()


def test_groups_are_resampled_whole():
    first, second = column(0, 400), [i % 40 < 20 for i in range(400)]
    alone = compare([("a", records({"json": first})), ("b", records({"json": second}))]).differences[0]
    together = compare(
        [("a", records({"json": first}, group=10)), ("b", records({"json": second}, group=10))]
    ).differences[0]
    assert (alone.groups, together.groups) == (400, 40)
    ratio = (together.high_points - together.low_points) / (alone.high_points - alone.low_points)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.15)


def test_what_cannot_be_compared_is_said():
    one = records({"json": column(1, 4)})
    with pytest.raises(InputError, match="1 run was given; give two or more run folders"):
        compare([("a", one)])
    with pytest.raises(
        InputError, match="runs a and b have no problem in common; measure both with the same"
    ):
        compare([("a", one), ("b", records({"json": column(1, 4)}, start=9))])
    other = [dataclasses.replace(record, expected="5") for record in one]
    with pytest.raises(
        InputError, match=r"differ in problem 'scenes/count-0'.*'3' in one and '5' in the other"
    ):
        compare([("a", one), ("b", other)])
