"""Queries cut into pieces: what one worker is given at a time.

Queries that begin with the same parts stay together, because a local model reads what they share once, and
because a picture then travels once. Pieces are of one representation where possible, so that a batch pads
little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from modgap.media import Part
from modgap.models._query import Query
from modgap.models.local import BATCH_SIZE

MOST = BATCH_SIZE
"""Most queries in a piece: the largest batch of a local model. More would only be more to ask again."""

TURNS = 4
"""Pieces for each worker, or more, so that none waits long for the last one (our choice)."""


@dataclass(frozen=True)
class Piece:
    """Queries that are answered together.

    Args:
        indices: of the queries, as their asker counts them.
        queries: the same number of queries.
        suspect: a worker ended while it was asked these.
    """

    indices: tuple[int, ...]
    queries: tuple[Query, ...]
    suspect: bool = False

    def singles(self) -> Iterator[Piece]:
        """Each query alone, so that the one that ends workers is found and the others are answered."""
        for index, query in zip(self.indices, self.queries, strict=True):
            yield Piece((index,), (query,), suspect=True)


def cut(queries: Sequence[Query], workers: int) -> list[Piece]:
    """Cut queries into pieces of at most ``MOST``.

    Args:
        queries: in any order.
        workers: how many the pieces are for.

    Returns:
        Pieces that hold every query once. Queries of a piece that begin alike hold the same objects, which
        are sent once.
    """
    limit = min(MOST, max(1, -(-len(queries) // (TURNS * workers))))
    pieces: list[Piece] = []
    indices: list[int] = []
    chosen: list[Query] = []
    for shown, members in _scenes(queries):
        for start in range(0, len(members), limit):
            some = members[start : start + limit]
            if chosen and len(chosen) + len(some) > limit:
                pieces.append(Piece(tuple(indices), tuple(chosen)))
                indices, chosen = [], []
            indices += some
            chosen += [
                replace(queries[index], parts=(*shown, *queries[index].parts[len(shown) :])) for index in some
            ]
    if chosen:
        pieces.append(Piece(tuple(indices), tuple(chosen)))
    return pieces


def _scenes(queries: Sequence[Query]) -> list[tuple[tuple[Part, ...], list[int]]]:
    """What is shown before the last part → indices of the queries about it, by name of representation."""
    found: dict[tuple[str, tuple[Part, ...]], list[int]] = {}
    for index, query in enumerate(queries):
        found.setdefault((query.representation, query.parts[:-1]), []).append(index)
    by_name = sorted(found.items(), key=lambda item: item[0][0])
    return [(shown, members) for (_, shown), members in by_name]
