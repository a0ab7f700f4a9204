"""What a sweep shows, told apart from what a search over a grid finds by chance.

The best cell of a grid looks better than it is. So a cell is chosen on four fifths of the scenes and counted
on the fifth that took no part, five times; the gain is the mean over all questions, each counted once. The
same search over the controls (random directions, shuffled anchors, the opposite sign) gives the gain that
searching alone finds, and only the difference of the two is claimed. A test over the whole grid, on the
log-probability margins, says whether any cell does anything at all (max-T with sign flips of whole scenes).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modgap._errors import InputError
from modgap.evaluate._statistics import (
    Interval,
    group_codes,
    holm,
    paired_bootstrap,
    sign_flip_test,
)

from ._sweep import SweepResult

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

FOLDS = 5
DRAWS = 2000


@dataclass(frozen=True)
class Finding:
    """One vector at one kind of position on one task.

    Args:
        task, vector, positions: what was searched.
        n: questions; ``groups`` scenes.
        base: accuracy of the unchanged model, 0 to 1.
        gain_points: of the search, on scenes that took no part in it, in percentage points; with interval.
        control_points: the same search over the controls at these positions.
        beyond_points: what the vector gains beyond the controls, paired; with interval.
        p, p_holm: that the vector helps no more than doing nothing, or no more than the controls (the larger
            of the two, by sign flips of scenes); adjusted over all findings.
        chosen: block and strength most often chosen, and in how many of the folds; ``None`` if most often
            the unchanged model was better.
        best: block and strength of the best cell over all scenes.
    """

    task: str
    vector: str
    positions: str
    n: int
    groups: int
    base: float
    gain_points: float
    gain_interval: tuple[float, float]
    control_points: float
    beyond_points: float
    beyond_interval: tuple[float, float]
    p: float
    p_holm: float
    chosen: tuple[int, float, int] | None
    best: tuple[int, float]

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return asdict(self)


def find(result: SweepResult, *, seed: int = 0) -> list[Finding]:
    """Every vector at every kind of position on every task of a sweep.

    Args:
        result: with at least one vector and one control.
        seed: of folds, flips and bootstrap.

    Raises:
        InputError: no vector or no control, or fewer scenes than folds.
    """
    cells = result.cells
    vectors = list(dict.fromkeys(cell.vector for cell in cells if not cell.control))
    places = list(dict.fromkeys(cell.positions for cell in cells))
    if not vectors or not any(cell.control for cell in cells):
        raise InputError("a sweep needs vectors and controls: nothing can be claimed without a control")
    found: list[Finding] = []
    for task in dict.fromkeys(result.tasks):
        part = result.of_task(task)
        codes = group_codes(part.groups)
        folds = folds_of(codes, seed)
        for place in places:
            there = [i for i, cell in enumerate(cells) if cell.positions == place]
            control = nested(part, [i for i in there if cells[i].control], folds)
            for vector in vectors:
                at = [i for i in there if cells[i].vector == vector]
                own = nested(part, at, folds)
                found.append(_finding(part, task, vector, place, at, own, control, seed))
    adjusted = holm([one.p for one in found])
    return [_with_holm(one, p) for one, p in zip(found, adjusted, strict=True)]


@dataclass(frozen=True)
class Nested:
    """Outcomes on questions that took no part in the choice.

    Args:
        right: of every question, under the cell chosen on the other folds.
        chosen: index of the chosen cell, fold by fold; -1 for the unchanged model.
    """

    right: Bool[np.ndarray, " question"]
    chosen: tuple[int, ...]


def nested(result: SweepResult, at: Sequence[int], folds: Int[np.ndarray, " question"]) -> Nested:
    """Choose a cell or none inside, count outside; of equals the larger mean margin, then the weaker one.

    Args:
        result: of one task.
        at: indices of the cells to choose among.
        folds: fold of every question.
    """
    cells = np.array([*at, -1])
    strength = np.array([*(abs(result.cells[i].strength) for i in at), 0.0])
    all_right = np.concatenate([result.right[list(at)], result.base_right[None]])
    all_margin = np.concatenate([result.margin[list(at)], result.base_margin[None]])
    right, chosen = np.zeros(len(folds), dtype=bool), []
    for fold in range(int(folds.max()) + 1):
        inside = folds != fold
        order = np.lexsort(
            (
                strength,
                -all_margin[:, inside].mean(axis=1).round(6),
                -all_right[:, inside].mean(axis=1),
            )
        )
        chosen.append(int(cells[order[0]]))
        right[~inside] = all_right[order[0], ~inside]
    return Nested(right, tuple(chosen))


def max_t(
    differences: Float[np.ndarray, "cell question"], groups: Sequence[str], seed: int, draws: int = DRAWS
) -> Float[np.ndarray, " cell"]:
    """P-values of every cell, adjusted over all of them (Westfall and Young 1993).

    Args:
        differences: margin under the change less margin without.
        groups: of the questions; all of a group are flipped together.
        seed: of the flips.
        draws: number of flips.

    Returns:
        Two-sided p-values, (1 + hits) / (1 + draws).
    """
    codes = group_codes(groups)
    sums = np.stack([np.bincount(codes, weights=row) for row in differences])
    scale = np.sqrt((sums**2).sum(axis=1))
    scale[scale == 0] = np.inf
    observed = np.abs(sums.sum(axis=1)) / scale
    flips = np.random.default_rng(seed).choice((-1.0, 1.0), size=(draws, sums.shape[1]))
    largest = np.abs(flips @ (sums / scale[:, None]).T).max(axis=1)
    hits = (largest[None] >= observed[:, None] * (1 - 1e-12)).sum(axis=1)
    return np.asarray((1 + hits) / (1 + draws))


def folds_of(codes: Int[np.ndarray, " question"], seed: int) -> Int[np.ndarray, " question"]:
    """Fold of every question, ``FOLDS`` in all; questions about one scene are in the same.

    Raises:
        InputError: fewer scenes than folds.
    """
    groups = int(codes.max()) + 1
    if groups < FOLDS:
        raise InputError(f"{groups} scenes are too few to choose and count apart; give at least {FOLDS}")
    folds: np.ndarray = (np.random.default_rng(seed).permutation(groups) % FOLDS)[codes]
    return folds


def _finding(
    part: SweepResult,
    task: str,
    vector: str,
    place: str,
    at: Sequence[int],
    own: Nested,
    control: Nested,
    seed: int,
) -> Finding:
    rng = np.random.default_rng(seed)
    gain = own.right.astype(float) - part.base_right
    beyond = own.right.astype(float) - control.right
    codes = group_codes(part.groups)
    (often, times), *_ = Counter(own.chosen).most_common(1)
    best = part.cells[max(at, key=lambda i: (part.right[i].mean(), part.margin[i].mean()))]
    cell = part.cells[often] if often >= 0 else None
    return Finding(
        task=task,
        vector=vector,
        positions=place,
        n=len(codes),
        groups=int(codes.max()) + 1,
        base=float(part.base_right.mean()),
        gain_points=100 * float(gain.mean()),
        gain_interval=_points(paired_bootstrap(gain, rng, part.groups)),
        control_points=100 * float((control.right.astype(float) - part.base_right).mean()),
        beyond_points=100 * float(beyond.mean()),
        beyond_interval=_points(paired_bootstrap(beyond, rng, part.groups)),
        # Controls that do harm would make a vector that does nothing look good, so both must be beaten.
        p=max(sign_flip_test(np.bincount(codes, weights=x), rng) for x in (gain, beyond)),
        p_holm=1.0,
        chosen=None if cell is None else (cell.block, cell.strength, times),
        best=(best.block, best.strength),
    )


def _points(interval: Interval) -> tuple[float, float]:
    return (100 * interval.low, 100 * interval.high)


def _with_holm(one: Finding, p: float) -> Finding:
    return Finding(**{**asdict(one), "p_holm": p})
