"""Strengths that compare across blocks, vectors and models: how far the answers move, in nats.

A multiple of a direction means little by itself: states grow from block to block, and families differ by
orders of magnitude. ``Change(..., unit="ratio")`` counts in mean lengths of the states; here the unit is what
the change does to the options, the Kullback-Leibler divergence of the unchanged model's answers from the
changed one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from modgap._errors import InputError
from modgap.models import Query
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change

from ._replay import replay

if TYPE_CHECKING:
    from jaxtyping import Float

GRID = 16
"""Strengths that are read at once; a second grid lies between two of the first."""


def strength_within(
    model: LocalModel, queries: Sequence[Query], change: Change, nats: float, *, most: float = 64.0
) -> tuple[float, float]:
    """The largest strength up to which the answers move no further than a budget.

    Args:
        model: a local model that scores options.
        queries: each with options; the divergence is the mean over them.
        change: whose direction, block and positions are taken; its strength is not.
        nats: the budget, above 0.
        most: strengths are tried from ``most / 4096`` on; a negative one goes the other way.

    Returns:
        The strength, and the divergence there in nats.

    Raises:
        InputError: a budget that is not positive, or one that the smallest strength already exceeds.
    """
    if not nats > 0:
        raise InputError(f"a budget of {nats} nats leaves no strength; give a number above 0")
    low, high = most / 4096, most
    best: tuple[float, float] | None = None
    for _ in range(2):
        grid = np.sign(most) * np.geomspace(abs(low), abs(high), GRID)
        found = replay(model, queries, [replace(change, strength=float(s)) for s in grid])
        moved = divergence(found.base[None], found.changed).mean(axis=1)
        within = int(np.argmax(moved > nats)) if (moved > nats).any() else GRID
        if within == 0:
            break
        best = (float(grid[within - 1]), float(moved[within - 1]))
        if within == GRID:
            return best
        low, high = float(grid[within - 1]), float(grid[within])
    if best is None:
        raise InputError(
            f"strength {low:g} already moves the answers by {moved[0]:.3g} nats, more than {nats:g}: "
            "give a larger budget or a smaller 'most'"
        )
    return best


def divergence(
    base: Float[np.ndarray, "#change question option"], changed: Float[np.ndarray, "change question option"]
) -> Float[np.ndarray, "change question"]:
    """Kullback-Leibler divergence of the options' probabilities, in nats; those of a question add up to 1."""
    one, other = (x - np.logaddexp.reduce(x, axis=2, keepdims=True) for x in (base, changed))
    present = np.isfinite(one)
    terms = np.where(present, np.exp(one) * (np.where(present, one, 0) - np.where(present, other, 0)), 0)
    found: Float[np.ndarray, "change question"] = terms.sum(axis=2)
    return found
