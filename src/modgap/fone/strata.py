"""Where a trained arm fails: sums by their longest chain of carries, problems by lengths of their numbers.

    measure_strata(Path("runs/add-fone"), np.random.default_rng(0), each=200)

A mean over uniform operands hides both: nine in ten operands have the full length, and long chains of carries
are rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modgap._errors import InputError

from ._arms import Arm, build_arm
from ._score import Score
from ._strata_rows import carry_rows, length_rows
from .tasks import task_named
from .train import evaluate, load_best, read_config


@dataclass(frozen=True)
class Stratum:
    """A part of the problems of a task.

    Args:
        kind: ``"carries"`` or ``"lengths"``.
        name: length of the longest chain of carries, or the digits of both operands, as ``"3 and 6"``.
        score: of the arm on it.
    """

    kind: str
    name: str
    score: Score


def load_arm(folder: Path) -> Arm:
    """The trained arm of a run, with the parameters that were best on validation rows.

    Raises:
        FileError: no run, or a damaged one.
    """
    config = read_config(folder)
    arm = build_arm(config.arm, task_named(config.task), config.size, config.seed, config.init)
    load_best(arm, folder)
    return arm


def measure_strata(folder: Path, rng: np.random.Generator, *, each: int = 200) -> list[Stratum]:
    """Test an arm on every stratum that its task has.

    Rows are drawn anew; a short one, such as 3+5, may have been trained on, as there are few of its kind.

    Args:
        folder: of a run.
        rng: where chance comes from.
        each: rows of each stratum, 1 or more.

    Raises:
        FileError: no run, or a damaged one.
        InputError: no rows.
    """
    if each < 1:
        raise InputError(f"{each} rows of each stratum: give 1 or more")
    arm = load_arm(folder)
    task = arm.task
    found = []
    if task.symbol == "+":
        for length, rows in carry_rows(task, rng, each).items():
            found.append(Stratum("carries", str(length), evaluate(arm, rows)))
    if task.drawn_freely:
        for (a, b), rows in length_rows(task, rng, each).items():
            found.append(Stratum("lengths", f"{a} and {b}", evaluate(arm, rows)))
    return found
