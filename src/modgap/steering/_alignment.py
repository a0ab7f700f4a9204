"""How alike two sets of states of the same things are, and what chance would give."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

PERMUTATIONS = 5000
"""Orders of the values that are tried, all of them if there are fewer (our choice)."""


def mutual_neighbours(
    one: Float[np.ndarray, "n d_one"], other: Float[np.ndarray, "n d_other"], k: int = 10
) -> float:
    """Mean share of the ``k`` nearest neighbours that two representations of the same things have in common.

    Neighbours are by cosine of the centred states. The measure is that of Huh et al., The Platonic
    Representation Hypothesis (2024); chance is ``k / (n - 1)``.

    Args:
        one, other: row by row of the same things.
        k: fewer than there are rows.
    """
    shared = [len(np.intersect1d(a, b)) for a, b in zip(_nearest(one, k), _nearest(other, k), strict=True)]
    return float(np.mean(shared)) / k


def _nearest(states: Float[np.ndarray, "n d"], k: int) -> Int[np.ndarray, "n k"]:
    centred = states - states.mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    found: Int[np.ndarray, "n k"] = np.argpartition(-alike, k - 1, axis=1)[:, :k]
    return found


def orders_of(values: int, seed: int) -> Int[np.ndarray, "order value"]:
    """Orders of some values, the given one first: all, or ``PERMUTATIONS`` at random."""
    if math.factorial(values) <= PERMUTATIONS:
        return np.array(list(itertools.permutations(range(values))))
    rng = np.random.default_rng(seed)
    drawn = rng.permuted(np.tile(np.arange(values), (PERMUTATIONS - 1, 1)), axis=1)
    return np.concatenate([np.arange(values)[None], drawn])


def best_under_orders(
    tables: Float[np.ndarray, "block value value"], orders: Int[np.ndarray, "order value"]
) -> Float[np.ndarray, " order"]:
    """For each order of the values, the largest sum over the blocks of the entries (value, its partner).

    Args:
        tables: what each pair of values contributes, at each block.
        orders: the partner of each value.
    """
    sums = tables[:, np.arange(orders.shape[1]), orders].sum(axis=2)  # (block, order)
    found: Float[np.ndarray, " order"] = sums.max(axis=0)
    return found
