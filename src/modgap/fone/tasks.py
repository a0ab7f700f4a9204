"""Arithmetic tasks: sums, differences, products and quotients, whose answers are exact integers.

    task = task_named("add")
    data = make_data(task, rows=25_600, seed=0)
    task.prompts(data.train.operands[:1])                     # ["482910+77345="]

Numbers are integers in units of 10**-scale from beginning to end, so no answer is ever rounded by accident.
The tasks are those of Table 10 of the paper (Zhou et al., FoNE, 2026), and more: differences of any sign,
six-digit quotients, a three-digit sum for demonstrations, sums of numbers of up to 5, 10, 20 and 60 digits,
every pair of lengths equally often (sections 3 and 4 of the paper), and, after the kinds of problems of
BitTokens (arXiv 2510.06824), ``rank`` (the r-th smallest of four numbers: all ranks are a sorted list, the
first and last its minimum and maximum), ``interval`` (how many of three bounds a number has reached), and
``mean`` and standard ``deviation`` of four numbers, rounded by rule. Over 18 digits, rows are arrays of
objects.

Unlike the published data, operands of + and × keep the order they are drawn in, so a model answers 3+15 and
15+3 alike (``add-sorted`` has the published order), and no unordered pair of a validation or test row is ever
in the training rows. Training rows
depend on the seed; validation and test rows do not, and the first N training rows of a seed are the same for
every N, so curves over rows are nested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError, UnknownName

from ._draws import (
    MOST_DRAWN,
    Draw,
    Integers,
    added,
    ascending,
    balanced_products,
    bounded,
    descending,
    deviation,
    divided,
    dividends,
    interval,
    is_above,
    mean,
    multiplied,
    of_rank,
    ranked,
    subtracted,
    triples,
    uniform,
    unordered,
)
from ._long import INT64_DIGITS, lengths_evenly

Range: TypeAlias = tuple[int, int]

_SPLITS = ("validation", "test", "train", "unseen")
_TRIES = 40


@dataclass(frozen=True)
class Rows:
    """Problems with their answers.

    Args:
        operands: shape (rows, operands), in units of 10**-scale of the task.
        answers: shape (rows,), likewise.
    """

    operands: Integers
    answers: Integers

    def __len__(self) -> int:
        return len(self.answers)

    def __getitem__(self, at: slice | Integers) -> Rows:
        return Rows(self.operands[at], self.answers[at])


@dataclass(frozen=True)
class Task:
    """One kind of arithmetic.

    Args:
        name: of the task.
        symbol: between operands.
        scale: decimal places of operands and answers.
        draw: draws operands.
        answer: from operands, shape (rows, operands), to answers, shape (rows,).
        most: the largest operand, in units of 10**-scale.
        largest: the largest answer, likewise, by size.
        table: how many different problems there are, order left out where it does not matter.
        commutes: the operand, from 0, from which on order does not matter; None if it does everywhere.
        signed: whether answers may be negative.
        published: places before and after the point in the published scripts.
    """

    name: str
    symbol: str
    scale: int
    draw: Draw
    answer: Callable[[Integers], Integers]
    most: int
    largest: int
    table: int
    commutes: int | None = None
    signed: bool = False
    published: tuple[int, int] = (10, 0)

    @property
    def operands(self) -> int:
        """How many numbers a prompt has."""
        return int(self.draw(np.random.default_rng(0), 1).shape[1])

    @property
    def drawn_freely(self) -> bool:
        """Whether both operands may be any number, so that every pair of lengths makes sense."""
        return self.name in FREE

    @property
    def places(self) -> tuple[int, int]:
        """Places before and after the point that operands and answers need."""
        return max(len(str(max(self.most, self.largest) // 10**self.scale)), 1), self.scale

    @property
    def digits(self) -> int:
        """Digits of the longest operand; a round number such as 1000 alone at the top does not count."""
        return len(str(self.most - 1)) if self.most > 1 else 1

    @property
    def long(self) -> bool:
        """Whether numbers may be too long for int64."""
        return len(str(max(self.most, self.largest))) > INT64_DIGITS

    def rows(self, operands: Integers) -> Rows:
        """Operands with their answers."""
        return Rows(operands, self.answer(operands))

    def texts(self, values: Integers) -> list[str]:
        """Numbers as they are written: all decimal places, no separators."""
        if not self.scale:
            return [str(value) for value in values.tolist()]
        unit = 10**self.scale
        return [
            f"{'-' * (value < 0)}{abs(value) // unit}.{abs(value) % unit:0{self.scale}d}"
            for value in values.tolist()
        ]

    def prompts(self, operands: Integers) -> list[str]:
        """Problems as text, which ends where the answer begins."""
        columns = [self.texts(operands[:, i]) for i in range(operands.shape[1])]
        return [self.symbol.join(parts) + "=" for parts in zip(*columns, strict=True)]

    def value(self, text: str) -> int | None:
        """The inverse of ``texts`` for one number; None for a text that is not written like that."""
        digits = text.removeprefix("-")
        whole, point, decimals = digits.partition(".")
        if whole.startswith("0") and whole != "0":
            return None
        if (
            not (whole.isascii() and whole.isdecimal() and len(whole) <= max(self.places[0], INT64_DIGITS))
            or len(decimals) != self.scale
        ):
            return None
        if bool(point) != bool(self.scale) or (
            decimals and not (decimals.isascii() and decimals.isdecimal())
        ):
            return None
        found = int(whole + decimals)
        if text.startswith("-"):
            return -found or None
        return found

    def keys(self, operands: Integers) -> Integers:
        """One integer per problem, the same for both orders where the order does not matter."""
        ordered = operands
        if self.commutes is not None:
            kept, free = np.split(operands, [self.commutes], axis=1)
            ordered = np.concatenate([kept, np.sort(free, axis=1)], axis=1)
        keys = ordered[:, 0].copy()
        for i in range(1, ordered.shape[1]):
            keys = keys * (self.most + 1) + ordered[:, i]
        return keys


@dataclass(frozen=True)
class Data:
    """Rows of a run.

    Args:
        train, validation, test: no problem is in two of them.
        unseen: rows with an operand in a range that training and validation rows have none in; None unless
            asked for.
        share_seen: training rows over all different problems of the task, 0 to 1.
    """

    train: Rows
    validation: Rows
    test: Rows
    unseen: Rows | None
    share_seen: float


def make_data(
    task: Task,
    *,
    rows: int,
    seed: int,
    validation: int = 2_000,
    test: int = 4_000,
    unseen: Range | None = None,
) -> Data:
    """Rows of a task.

    Args:
        task: which.
        rows: of training, 1 or more.
        seed: of the training rows, 0 or more.
        validation: rows to choose by.
        test: rows to report on.
        unseen: lowest and highest operand, inclusive, in units of the task, that are kept out of training,
            validation and test; as many rows as ``test`` with such an operand are then made too.

    Raises:
        InputError: more rows than nine tenths of the problems there are, or an empty range.
    """
    if rows < 1 or validation < 1 or test < 1:
        raise InputError(
            f"{rows} training, {validation} validation and {test} test rows: give 1 or more of each"
        )
    asked = rows + validation + test * (2 if unseen else 1)
    if 10 * asked > 9 * task.table:
        raise InputError(
            f"{asked:,} rows of {task.name!r} asked for, which has {task.table:,} different problems: "
            f"give {9 * task.table // 10:,} or fewer"
        )
    if unseen is not None and not 0 <= unseen[0] <= unseen[1] < task.most:
        raise InputError(f"the unseen range {unseen} is not within 0 and {task.most - 1}")

    def allowed(operands: Integers) -> npt.NDArray[np.bool_]:
        if unseen is None:
            return np.ones(len(operands), dtype=np.bool_)
        return ~np.asarray(((operands >= unseen[0]) & (operands <= unseen[1])).any(axis=1), dtype=np.bool_)

    taken = np.empty(0, dtype=np.int64)
    found: dict[str, Rows] = {}
    for split, count in (("test", test), ("validation", validation), ("train", rows)):
        rng = np.random.default_rng([_SPLITS.index(split), seed if split == "train" else 0])
        operands, taken = _distinct(task, task.draw, rng, count, taken, allowed)
        found[split] = task.rows(operands)
    strange = None
    if unseen is not None:
        rng = np.random.default_rng([_SPLITS.index("unseen"), 0])
        operands, _ = _distinct(task, task.draw, rng, test, taken, lambda rows: ~allowed(rows))
        strange = task.rows(operands)
    return Data(found["train"], found["validation"], found["test"], strange, rows / task.table)


def task_named(name: str) -> Task:
    """A task by its name.

    Raises:
        UnknownName: there is none of that name.
    """
    if name not in TASKS:
        raise UnknownName("arithmetic task", name, TASKS)
    return TASKS[name]


def _distinct(
    task: Task,
    draw: Draw,
    rng: np.random.Generator,
    count: int,
    taken: Integers,
    allowed: Callable[[Integers], npt.NDArray[np.bool_]],
) -> tuple[Integers, Integers]:
    """The first ``count`` allowed rows that are drawn and not taken, and all keys that are taken then.

    What is drawn does not depend on ``count``, so a longer answer begins with a shorter one.
    """
    kept: list[Integers] = []
    missing = count
    block = 4096
    for _ in range(_TRIES):
        operands = draw(rng, block)
        block = min(2 * block, MOST_DRAWN)
        operands = operands[allowed(operands)]
        keys = task.keys(operands)
        first = np.zeros(len(keys), dtype=np.bool_)
        first[np.unique(keys, return_index=True)[1]] = True
        at = np.flatnonzero(first & ~np.isin(keys, taken))[:missing]
        kept.append(operands[at])
        taken = np.concatenate([taken, keys[at]])
        missing -= len(at)
        if not missing:
            return np.concatenate(kept), taken
    raise InputError(
        f"{count:,} different problems of {task.name!r} were not found: ask for fewer rows, or another range"
    )


def _addition(name: str, most: int, scale: int = 0) -> Task:
    return Task(
        name, "+", scale, uniform((most, most)), added, most, 2 * most, unordered(most), commutes=0,
        published=(10 - scale, scale),
    )  # fmt: skip


def _lengths(digits: int) -> Task:
    most = 10**digits - 1
    return Task(
        f"add-lengths-{digits}", "+", 0, lambda rng, count: lengths_evenly(rng, count, digits), added, most,
        2 * most, unordered(most), commutes=0, published=(digits + 1, 0),
    )  # fmt: skip


def _multiplication(name: str, most: int, draw: Draw) -> Task:
    return Task(name, "*", 0, draw, multiplied, most, most**2, unordered(most), commutes=0)


def _classification(name: str, limit: int) -> Task:
    table = 1001 * 1002 * 1003 // 6
    # Published with three decimal places, which none of its numbers has.
    return Task(name, ";", 0, triples(1000), is_above(limit), 1000, 1, table)


_FOURS = 1000 * 1001 * 1002 * 1003 // 24  # unordered lists of four numbers below a thousand

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        _addition("add", 10**6),
        _addition("add-decimal", 10**6, scale=3),
        _addition("add-3", 10**3),
        _addition("add-4", 10**4),
        replace(_addition("add", 10**6), name="add-sorted", draw=ascending(10**6)),
        Task("subtract", "-", 0, descending(10**5), subtracted, 10**5, 10**5, unordered(10**5)),
        Task(
            "subtract-signed", "-", 0, uniform((10**5, 10**5)), subtracted, 10**5, 10**5, (10**5 + 1) ** 2,
            signed=True,
        ),
        _multiplication("multiply-3", 1000, uniform((1000, 1000))),
        _multiplication("multiply-4", 10**4, balanced_products(10**4)),
        Task("divide", "÷", 0, dividends(999, 999), divided, 999 * 999, 999, 1000 * 999),
        _classification("classify", 10),
        _classification("classify-low", -190),
        *map(_lengths, (5, 10, 20, 60)),
        Task("rank", ";", 0, ranked(4, 999), of_rank, 999, 999, 4 * _FOURS, commutes=1),
        Task("interval", ";", 0, bounded(3, 999), interval, 999, 3, 1000 * (1000 * 1001 * 1002 // 6)),
        Task("mean", ";", 0, uniform((999,) * 4), mean, 999, 999, _FOURS, commutes=0),
        Task("deviation", ";", 0, uniform((999,) * 4), deviation, 999, 500, _FOURS, commutes=0),
    )
}  # fmt: skip
"""Arithmetic tasks by name. Table 10 has ``add``, ``add-decimal``, ``subtract``, ``multiply-3``,
``multiply-4``, ``classify`` and ``classify-low``."""

FREE = (
    "add", "add-decimal", "add-3", "add-4", "subtract-signed", "multiply-3", "multiply-4",
    "add-lengths-5", "add-lengths-10", "add-lengths-20", "add-lengths-60",
)  # fmt: skip
"""Tasks that draw two operands freely."""
