"""Where the nodes of a graph stand, so that edges and labels keep clear of all that is not theirs.

    places = scattered(n, edges, rng)        # anywhere in the unit square
    places = on_circle(n, rng)               # on a circle, where no edge can touch a third node

Places know nothing of what is asked: nodes are not drawn closer together because they are joined.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Place = tuple[float, float]
Edge = tuple[int, int]

MARGIN = 0.05  # of the side, from a place to the border
NODE_GAP = 0.14  # between two nodes
LABELLED_GAP = 0.24  # the same where labels stand on edges
HEAD_GAP = 0.115  # between a label and the node at the head of its arrow
EDGE_GAP = 0.056  # between a node and an edge that passes
LABEL_GAP = 0.052  # between a label and anything else
HEAD_ANGLE = math.radians(18)  # least angle between an arrow and another edge at the node it points to
CROSSING = math.sin(math.radians(10))  # sine of the least angle of two edges that cross
_LABEL_AT = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73)  # of the way along an edge, the best first
_MOVES = 120  # of a node, on the average, before places are given up
_MOVES_AT_ONCE = 4
_ROUNDS = 40
_REACH = (1.001 * EDGE_GAP) ** 2


def on_circle(n: int, rng: np.random.Generator) -> tuple[Place, ...]:
    """Places on a circle, turned and ordered at random; up to 15 nodes keep clear of edges."""
    order = rng.permutation(n)
    turn = rng.random()
    radius = 0.5 - MARGIN
    return tuple(
        (
            0.5 + radius * math.cos(2 * math.pi * (i + turn) / n),
            0.5 + radius * math.sin(2 * math.pi * (i + turn) / n),
        )
        for i in order.tolist()
    )


def scattered(
    n: int, edges: Sequence[Edge], rng: np.random.Generator, gap: float = NODE_GAP
) -> tuple[Place, ...] | None:
    """Places anywhere; nodes in the way move until nothing touches.

    Args:
        n: number of nodes.
        edges: pairs of them.
        rng: where all randomness comes from.
        gap: least distance of two nodes.

    Returns:
        One place for each node, or ``None`` if none were found, as happens when there are many edges.
    """
    neighbours: list[list[int]] = [[] for _ in range(n)]
    for i, j in edges:
        neighbours[i].append(j)
        neighbours[j].append(i)
    draws = iter((MARGIN + (1 - 2 * MARGIN) * rng.random((n + _MOVES * n, 2))).tolist())
    places: list[Place] = [(x, y) for x, y in (next(draws) for _ in range(n))]
    settled = 0  # nodes in a row with nothing in their way
    i = 0
    while settled < n:
        cost = _cost(i, places[i], places, edges, neighbours, gap, n * n)
        settled = settled + 1 if cost == 0 else 0
        for _ in range(_MOVES_AT_ONCE):
            if cost == 0:
                break
            fresh = next(draws, None)
            if fresh is None:
                return None
            found = _cost(i, (fresh[0], fresh[1]), places, edges, neighbours, gap, cost)
            if found < cost:
                places[i], cost = (fresh[0], fresh[1]), found
        i = (i + 1) % n
    return tuple(places) if cross_clearly(places, edges) else None


def cross_clearly(places: Sequence[Place], edges: Sequence[Edge]) -> bool:
    """Whether no two edges cross at so small an angle that one may be followed into the other."""
    ways = [(places[i], places[j], i, j) for i, j in edges]
    for number, (a, b, i, j) in enumerate(ways):
        ux, uy = b[0] - a[0], b[1] - a[1]
        for c, d, k, m in ways[number + 1 :]:
            vx, vy = d[0] - c[0], d[1] - c[1]
            turn = ux * vy - uy * vx
            if abs(turn) < CROSSING * math.hypot(ux, uy) * math.hypot(vx, vy) and not {i, j} & {k, m}:
                sides = [ux * (y - a[1]) - uy * (x - a[0]) for x, y in (c, d)]
                others = [vx * (y - c[1]) - vy * (x - c[0]) for x, y in (a, b)]
                if sides[0] * sides[1] <= 0 and others[0] * others[1] <= 0:
                    return False
    return True


def _cost(
    i: int,
    here: Place,
    places: list[Place],
    edges: Sequence[Edge],
    neighbours: list[list[int]],
    gap: float,
    most: int,
) -> int:
    """How many things would be too near to node ``i`` or its edges if it stood here, up to ``most``."""
    cost = 0
    for j, place in enumerate(places):
        if j != i and math.dist(here, place) < gap:
            cost += 1
    x, y = here
    for a, b in edges:
        if cost >= most:
            return cost
        if i not in (a, b):
            start = places[a]
            dx, dy = places[b][0] - start[0], places[b][1] - start[1]
            off = dx * (y - start[1]) - dy * (x - start[0])
            # Most points are too far from the whole line to ask how far they are from the edge.
            if off * off < _REACH * (dx * dx + dy * dy) and near_segment(here, start, places[b]) < EDGE_GAP:
                cost += 1
    for j in neighbours[i]:
        end = places[j]
        dx, dy = end[0] - x, end[1] - y
        reach = _REACH * (dx * dx + dy * dy)
        for k, place in enumerate(places):
            off = dx * (place[1] - y) - dy * (place[0] - x)
            if off * off < reach and k not in (i, j) and near_segment(place, here, end) < EDGE_GAP:
                cost += 1
                if cost >= most:
                    return cost
    return cost


def near_segment(point: Place, start: Place, end: Place) -> float:
    """Distance of a point from a segment."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = point[0] - start[0], point[1] - start[1]
    length = dx * dx + dy * dy
    along = min(max((px * dx + py * dy) / length, 0.0), 1.0) if length else 0.0
    return math.hypot(px - along * dx, py - along * dy)


def place_labels(places: Sequence[Place], edges: Sequence[Edge]) -> tuple[float, ...] | None:
    """How far along each edge its label stands, clear of nodes, other edges and other labels.

    Returns:
        Fractions of the way from the first to the second node, or ``None`` if a label finds no place.
    """
    taken: list[Place] = []
    chosen: list[float] = []
    for number, (i, j) in enumerate(edges):
        others = [(places[a], places[b]) for k, (a, b) in enumerate(edges) if k != number]
        for share in _LABEL_AT:
            at = along(places[i], places[j], share)
            if (
                math.dist(at, places[j]) > HEAD_GAP
                and all(math.dist(at, place) > 1.6 * LABEL_GAP for place in places)
                and all(math.dist(at, other) > 1.6 * LABEL_GAP for other in taken)
                and all(near_segment(at, *other) > LABEL_GAP for other in others)
            ):
                taken.append(at)
                chosen.append(share)
                break
        else:
            return None
    return tuple(chosen)


def heads_apart(places: Sequence[Place], arrows: Sequence[Edge]) -> bool:
    """Whether no line leaves a node so close to the head of an arrow that it might seem to be its line."""
    for node, (x, y) in enumerate(places):
        ends = [
            (other, other == i) for i, j in arrows if node in (i, j) for other in (j if node == i else i,)
        ]
        turns = sorted(
            (math.atan2(places[other][1] - y, places[other][0] - x), incoming) for other, incoming in ends
        )
        for k, (turn, incoming) in enumerate(turns[1:] + turns[:1]):
            before, other_incoming = turns[k]
            if (
                (incoming or other_incoming)
                and (turn - before) % (2 * math.pi) < HEAD_ANGLE
                and len(turns) > 1
            ):
                return False
    return True


def along(start: Place, end: Place, share: float) -> Place:
    """A point between two others."""
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def lay_out(
    n: int, edges: Sequence[Edge], rng: np.random.Generator, *, circle: bool = False
) -> tuple[Place, ...]:
    """Places without labels: scattered where that works, else on a circle."""
    for _ in range(0 if circle else 3):
        places = scattered(n, edges, rng)
        if places is not None:
            return places
    return on_circle(n, rng)


def lay_out_labelled(
    n: int, edges: Sequence[Edge], rng: np.random.Generator, *, circle: bool = False
) -> tuple[tuple[Place, ...], tuple[float, ...]] | None:
    """Places and label positions of arrows, or ``None`` if no arrangement was found."""
    for attempt in range(_ROUNDS):
        on_ring = circle or attempt >= _ROUNDS * 3 // 4
        places = on_circle(n, rng) if on_ring else scattered(n, edges, rng, LABELLED_GAP)
        labels = places and place_labels(places, edges)
        if places and labels and heads_apart(places, edges):
            return places, labels
    return None
