"""Draws for the baselines that depend on what is asked and never on when.

A generator would give other draws when queries come in another order, when a run is resumed, or when one
representation is left out; a hash of the question does not.
"""

from __future__ import annotations

import hashlib

from ._query import Query


def draw(query: Query, seed: int, purpose: str) -> float:
    """A number for one query.

    Args:
        query: its problem, representation, strategy, sample and sampling seed count.
        seed: of the baseline.
        purpose: separates several draws for the same query.

    Returns:
        Uniform in [0, 1), a multiple of 2**-53.
    """
    what = (
        purpose,
        seed,
        query.sampling.seed,
        query.problem_id,
        query.representation,
        query.strategy,
        query.sample,
    )
    digest = hashlib.sha256(repr(what).encode("utf-8", "backslashreplace")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
