"""Where a trained arm fails: sums by their longest chain of carries, problems by lengths of their numbers.

    measure_strata(Path("runs/add-fone"), np.random.default_rng(0), each=200)

A mean over uniform operands hides both: nine in ten operands have the full length, and long chains of carries
are rare.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from modgap._errors import InputError

from ._arms import Arm, build_arm
from ._score import Score
from ._strata_rows import carry_rows, length_rows
from ._token_arm import TokenArm
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


def load_arm(folder: Path, longest: int | None = None) -> Arm:
    """The trained arm of a run, with the parameters that were best on validation rows.

    Args:
        folder: of a run.
        longest: give it longer numbers than it was trained on, sums of up to so many digits.

    Raises:
        FileError: no run, or a damaged one.
        InputError: longer numbers for an arm whose numbers have fixed places, or for no addition.
    """
    config = read_config(folder)
    task = task_named(config.task)
    arm = build_arm(config.arm, task, config.size, config.seed, config.init, config.bases)
    load_best(arm, folder)
    if longest is not None:
        if task.symbol != "+" or task.scale or not isinstance(arm, TokenArm):
            raise InputError(
                f"{folder}: longer numbers are for sums of integers whose numbers are several tokens, and "
                f"this is arm {config.arm!r} on {task.name!r}: leave out longest"
            )
        most = 10**longest - 1
        arm.prepare(replace(task, most=most, largest=2 * most))
    return arm


def measure_strata(
    folder: Path, rng: np.random.Generator, *, each: int = 200, longest: int | None = None
) -> list[Stratum]:
    """Test an arm on every stratum that its task has: chains of carries, and pairs of lengths.

    Rows are drawn anew; a short one, such as 3+5, may have been trained on, as there are few of its kind.

    Args:
        folder: of a run.
        rng: where chance comes from.
        each: rows of each stratum, 1 or more.
        longest: see ``load_arm``.

    Raises:
        FileError: no run, or a damaged one.
        InputError: no rows, or longer numbers for an arm that has no place for them.
    """
    if each < 1:
        raise InputError(f"{each} rows of each stratum: give 1 or more")
    arm = load_arm(folder, longest)
    task = arm.task
    found = []
    if task.symbol == "+" and task.drawn_freely:
        for length, rows in carry_rows(task, rng, each).items():
            found.append(Stratum("carries", str(length), evaluate(arm, rows)))
    if task.drawn_freely:
        for (a, b), rows in length_rows(task, rng, each).items():
            found.append(Stratum("lengths", f"{a} and {b}", evaluate(arm, rows)))
    return found
