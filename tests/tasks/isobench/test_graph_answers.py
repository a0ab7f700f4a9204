"""Answers about graphs a second time, from the nested list alone: networkx, certificates and brute force."""

from __future__ import annotations

import json
from itertools import combinations, pairwise, permutations
from typing import Any

import networkx as nx
import numpy as np
import pytest

from modgap._errors import InputError
from modgap.tasks import Problem, load
from modgap.tasks.isobench import isomorphism, maxflow

LEVELS = ("published", "easy", "medium", "hard")


def problems(task: str, level: str, n: int = 60) -> list[Problem]:
    return [load(f"isobench/{task}").problem(31, i, ["list"], level=level) for i in range(n)]


def matrices(problem: Problem) -> list[list[list[int]]]:
    text = problem.representations[0].parts[0].text  # type: ignore[union-attr]
    return [json.loads("[[" + part.split("]]")[0] + "]]") for part in text.split("[[")[1:]]


@pytest.mark.parametrize("level", LEVELS)
def test_connected_nodes_have_a_path_and_others_a_cut(level: str) -> None:
    for problem in problems("connectivity", level):
        (rows,) = matrices(problem)
        words = problem.question.replace("?", "").split()
        a, b = (int(words[i + 1]) for i, word in enumerate(words) if word == "node")
        graph = nx.from_numpy_array(np.array(rows))
        if problem.answer == "yes":
            path = nx.shortest_path(graph, a, b)
            assert all(rows[i][j] for i, j in pairwise(path))
            assert problem.difficulty["path"] == len(path) - 1
        else:
            side = nx.node_connected_component(graph, a)
            assert b not in side
            assert not any(rows[i][j] for i in side for j in set(range(len(rows))) - side)


@pytest.mark.parametrize("level", LEVELS)
def test_a_flow_equals_a_cut(level: str) -> None:
    for problem in problems("maxflow", level):
        (rows,) = matrices(problem)
        n = len(rows)
        inner = range(1, n - 1)
        # Every cut there is: at most 32 of them.
        cuts = [
            sum(rows[i][j] for i in (0, *side) for j in range(n) if j not in (0, *side))
            for size in range(n - 1)
            for side in combinations(inner, size)
        ]
        network = nx.DiGraph()
        network.add_nodes_from(range(n))
        network.add_edges_from(
            (i, j, {"capacity": rows[i][j]}) for i in range(n) for j in range(n) if rows[i][j]
        )
        assert problem.answer == str(min(cuts)) == str(nx.maximum_flow_value(network, 0, n - 1))
        assert nx.is_directed_acyclic_graph(network)
        assert not network.in_degree(0)
        assert not network.out_degree(n - 1)
        if level == "hard":
            assert min(cuts) < min(cuts[0], cuts[-1])


def test_flow_through_a_network_that_must_be_undone() -> None:
    """The first shortest path uses the middle arrow, which an optimal flow does not."""
    rows = [[0] * 6 for _ in range(6)]
    for i, j in ((0, 1), (0, 2), (1, 3), (2, 4), (1, 4), (3, 5), (4, 5)):
        rows[i][j] = 1
    assert maxflow.max_flow(tuple(map(tuple, rows)))[0] == 2
    assert maxflow.max_flow(((0, 0), (0, 0))) == (0, 0)


@pytest.mark.parametrize("level", LEVELS)
def test_isomorphic_graphs_have_a_renumbering_and_networkx_agrees(level: str) -> None:
    module: Any = load("isobench/isomorphism").module
    for i, problem in enumerate(problems("isomorphism", level)):
        g, h = (nx.from_numpy_array(np.array(rows)) for rows in matrices(problem))
        assert problem.answer == ("yes" if nx.is_isomorphic(g, h) else "no")
        own = module.sample(np.random.default_rng([31, i]), module.LEVELS[level])
        image = isomorphism.find_isomorphism(own.g, own.h)
        if image is not None:
            assert sorted(image) == list(range(len(own.g)))
            assert set(map(frozenset, nx.relabel_nodes(g, dict(enumerate(image))).edges)) == set(
                map(frozenset, h.edges)
            )
        assert g.number_of_edges() == h.number_of_edges()
        if level == "hard":
            for x in (g, h):
                nx.set_node_attributes(x, "node", "kind")
            hashes = {nx.weisfeiler_lehman_graph_hash(x, node_attr="kind", iterations=len(x)) for x in (g, h)}
            assert len(hashes) == 1
            assert sum(nx.triangles(g).values()) == sum(nx.triangles(h).values())
            assert nx.is_connected(g)
            assert nx.is_connected(h)


def test_isomorphism_agrees_with_trying_every_renumbering() -> None:
    rng = np.random.default_rng(3)
    seen = set()
    for _ in range(150):
        first, second = (np.triu(rng.random((5, 5)) < 0.5, 1).astype(int) for _ in range(2))
        g, h = (tuple(map(tuple, (m + m.T).tolist())) for m in (first, second))
        tried = any(
            all(g[i][j] == h[p[i]][p[j]] for i in range(5) for j in range(5)) for p in permutations(range(5))
        )
        assert (isomorphism.find_isomorphism(g, h) is not None) == tried
        seen.add(tried)
    assert seen == {True, False}


def test_a_hexagon_and_two_triangles_look_alike_to_colours() -> None:
    hexagon, triangles = (
        tuple(map(tuple, nx.to_numpy_array(graph, dtype=int).tolist()))
        for graph in (nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)))
    )
    assert isomorphism.same_colors(hexagon, triangles)
    assert isomorphism.find_isomorphism(hexagon, triangles) is None


def test_sizes_are_as_published() -> None:
    sizes = [p.difficulty["nodes"] for p in problems("connectivity", "published", 200)]
    assert set(sizes) <= set(range(8, 16))
    flows = problems("maxflow", "published", 200)
    assert {p.difficulty["nodes"] for p in flows} == {3, 4, 5}
    assert all(1 <= int(p.answer) <= 36 for p in flows)
    assert np.median([int(p.answer) for p in flows]) == pytest.approx(10.5, abs=1.5)


@pytest.mark.parametrize(
    ("task", "settings", "message"),
    [
        ("connectivity", {"min_nodes": 13}, "min_nodes 13 is more than max_nodes 12"),
        ("connectivity", {"min_path": 5}, "min_path 5 is more than max_path 4"),
        ("maxflow", {"min_nodes": 7}, "min_nodes 7 is more than max_nodes 6"),
        (
            "maxflow",
            {"min_nodes": 3, "max_nodes": 3, "min_paths": 6},
            r"no network in 4,000 tries .* lower min_paths",
        ),
        (
            "isomorphism",
            {"min_nodes": 5, "max_nodes": 7, "alike": "colors"},
            "max_nodes 7 is too few for alike",
        ),
        ("isomorphism", {"alike": "colours"}, "alike 'colours' is not one of edges, degrees, colors"),
    ],
)
def test_settings_that_cannot_be_met_say_so(task: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(f"isobench/{task}").problem(0, 0, (), **settings)
