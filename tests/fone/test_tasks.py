"""Rows of arithmetic: right answers, no leaks between splits, and strata that are what they say."""

from __future__ import annotations

import statistics
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import modgap.fone.tasks as tasks_module
from modgap._errors import InputError, UnknownName
from modgap.fone._strata_rows import carry_rows, length_rows, longest_carries
from modgap.fone.tasks import (
    TASKS,
    make_data,
    task_named,
)


def by_schoolbook(name: str, operands: list[int], scale: int) -> Decimal | int:
    """The answer by decimals and fractions, which no task uses."""
    numbers = [Decimal(x).scaleb(-scale) for x in operands]
    if name.startswith("add"):
        return numbers[0] + numbers[1]
    if name.startswith("subtract"):
        return numbers[0] - numbers[1]
    if name.startswith("multiply"):
        return numbers[0] * numbers[1]
    if name == "divide":
        exact = Fraction(operands[0], operands[1])
        assert exact.denominator == 1
        return int(exact)
    if name == "rank":
        return sorted(operands[1:])[operands[0] - 1]
    if name == "interval":
        return sum(bound <= operands[0] for bound in operands[1:])
    if name == "mean":
        return int(Decimal(str(statistics.mean(operands))).to_integral_value(ROUND_HALF_UP))
    if name == "deviation":
        with localcontext(prec=60):
            return int(statistics.pstdev(map(Decimal, operands)).to_integral_value(ROUND_HALF_UP))
    a, b, c = (Fraction(x) for x in operands)
    limit = 10 if name == "classify" else -190
    return int(Fraction(3, 2) * a - 2 * b + Fraction(1, 2) * c - limit > 0)


@pytest.mark.parametrize("name", TASKS)
def test_answers_are_those_of_schoolbook_arithmetic_and_text_reads_back(name: str) -> None:
    task = task_named(name)
    data = make_data(task, rows=300, seed=0, validation=50, test=50)
    for operands, answer in zip(data.train.operands.tolist(), data.train.answers.tolist(), strict=True):
        with localcontext(prec=80):
            assert Decimal(answer).scaleb(-task.scale) == by_schoolbook(name, operands, task.scale)
        assert abs(answer) <= task.largest
        assert max(operands) <= task.most
        assert task.signed or answer >= 0
    texts = task.texts(data.train.answers)
    assert [task.value(text) for text in texts] == data.train.answers.tolist()
    integer, decimal = task.places
    assert decimal == task.scale
    assert all(len(text.lstrip("-").split(".")[0]) <= integer for text in texts)


@pytest.mark.parametrize("name", TASKS)
def test_no_problem_is_in_two_splits_whatever_its_order(name: str) -> None:
    task = task_named(name)
    data = make_data(task, rows=2_000, seed=3, validation=300, test=300)
    whole = np.concatenate([data.train.operands, data.validation.operands, data.test.operands])
    at = whole.shape[1] if task.commutes is None else task.commutes
    seen = {(*row[:at], *sorted(row[at:])) for row in whole.tolist()}
    assert len(seen) == len(whole) == 2_600
    assert len(set(task.keys(whole).tolist())) == 2_600


def test_a_seed_fixes_rows_and_shorter_data_begin_longer_ones() -> None:
    task = task_named("add")
    long, short = (make_data(task, rows=rows, seed=1, validation=50, test=50) for rows in (9_000, 500))
    assert np.array_equal(long.train.operands[:500], short.train.operands)
    other = make_data(task, rows=500, seed=2, validation=50, test=50)
    assert not np.array_equal(other.train.operands, short.train.operands)
    # What is reported on is the same for all seeds.
    assert np.array_equal(other.test.operands, short.test.operands)
    assert np.array_equal(other.validation.operands, short.validation.operands)


def test_both_orders_of_a_sum_are_asked() -> None:
    operands = make_data(task_named("add"), rows=1_000, seed=0, validation=1, test=1).train.operands
    assert 400 < (operands[:, 0] > operands[:, 1]).sum() < 600


def test_operands_are_sorted_where_the_published_ones_are() -> None:
    task = task_named("add-sorted")
    operands = make_data(task, rows=1_000, seed=0, validation=1, test=1).train.operands
    assert (operands[:, 0] <= operands[:, 1]).all()
    with pytest.raises(InputError, match="sums of any two numbers, and 'add-sorted' has none"):
        carry_rows(task, np.random.default_rng(0), each=1)


def test_a_list_in_another_order_is_the_same_problem() -> None:
    task = task_named("rank")
    keys = task.keys(np.array([[2, 5, 7, 1, 9], [2, 9, 1, 5, 7], [3, 5, 7, 1, 9]]))
    assert keys[0] == keys[1] != keys[2]


def test_the_share_of_the_table_that_is_seen() -> None:
    """501,501 unordered pairs of 0 … 1000, as counted in the facts."""
    task = task_named("multiply-3")
    assert task.table == 501_501
    assert make_data(task, rows=25_075, seed=0, validation=1, test=1).share_seen == pytest.approx(
        0.05, abs=1e-4
    )
    with pytest.raises(InputError, match="501,501 different problems: give 451,350 or fewer"):
        make_data(task, rows=501_000, seed=0)


def test_products_fall_into_ten_equal_bins() -> None:
    """Table 10: balanced over 10 product bins; 4,000 rows, so 400 a bin, give or take five deviations."""
    data = make_data(task_named("multiply-4"), rows=4_000, seed=0, validation=1, test=1)
    counts = np.bincount(np.minimum(data.train.answers // 10**7, 9), minlength=10)
    assert abs(counts - 400).max() < 100


def test_operands_of_a_range_are_kept_out_of_training() -> None:
    data = make_data(
        task_named("add"), rows=1_000, seed=0, validation=200, test=200, unseen=(600_000, 699_999)
    )
    assert data.unseen is not None
    for rows in (data.train, data.validation, data.test):
        assert not ((rows.operands >= 600_000) & (rows.operands <= 699_999)).any()
    assert ((data.unseen.operands >= 600_000) & (data.unseen.operands <= 699_999)).any(axis=1).all()
    assert len(data.unseen) == 200


def carries_on_paper(a: int, b: int) -> int:
    """The longest chain, digit by digit, from strings."""
    longest = run = carry = 0
    for x, y in zip(str(a).zfill(9)[::-1], str(b).zfill(9)[::-1], strict=True):
        carry = int(int(x) + int(y) + carry > 9)
        run = run + 1 if carry else 0
        longest = max(longest, run)
    return longest


def test_every_length_of_a_chain_of_carries() -> None:
    task = task_named("add")
    found = carry_rows(task, np.random.default_rng(0), each=60)
    assert list(found) == list(range(7))
    for length, rows in found.items():
        assert len(rows) == 60
        assert {carries_on_paper(a, b) for a, b in rows.operands.tolist()} == {length}
        assert np.array_equal(longest_carries(rows.operands), np.full(60, length))
        assert np.array_equal(rows.answers, rows.operands.sum(axis=1))
    # Chains begin at every place where they fit.
    assert len({len(str(a)) for a, _ in found[1].operands.tolist()}) > 1


def test_every_pair_of_lengths() -> None:
    found = length_rows(task_named("add-3"), np.random.default_rng(0), each=20)
    assert len(found) == 9
    for (i, j), rows in found.items():
        assert {(len(str(a)), len(str(b))) for a, b in rows.operands.tolist()} == {(i, j)}


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.500", 12_500), ("-0.007", -7), ("0.000", 0), ("12.5", None), ("12", None), (".500", None),
     ("", None), ("007.000", None), ("-0.000", None),
     ("1.2.3", None), ("--1.000", None), ("1e3.000", None),
     ("٣.000", None)],
)  # fmt: skip
def test_decimals_are_read_with_all_their_places(text: str, value: int | None) -> None:
    assert task_named("add-decimal").value(text) == value


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: task_named("ad"), "arithmetic task 'ad' is not one of add, .*; did you mean 'add'"),
        (
            lambda: make_data(task_named("add"), rows=0, seed=0),
            "0 training, 2000 validation and 4000 test rows",
        ),
        (
            lambda: make_data(task_named("add"), rows=9, seed=0, unseen=(5, 10**7)),
            r"the unseen range \(5, 10000000\) is not within 0 and 999999",
        ),
        (
            lambda: carry_rows(task_named("subtract"), np.random.default_rng(0), 5),
            "carries are those of sums of any two numbers, and 'subtract' has none",
        ),
        (
            lambda: length_rows(task_named("divide"), np.random.default_rng(0), 5),
            "'divide' does not draw two operands freely; these do: add, add-decimal",
        ),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises((InputError, UnknownName), match=message):
        call()


def test_a_range_that_leaves_too_little_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_module, "_TRIES", 3)
    with pytest.raises(
        InputError, match="9 different problems of 'add' were not found: ask for fewer rows, or"
    ):
        make_data(task_named("add"), rows=9, seed=0, test=9, unseen=(0, 10**6 - 2))
