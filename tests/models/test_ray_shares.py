"""How queries are cut into pieces and machines divided among workers; nothing here starts Ray."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modgap._errors import InputError
from modgap.media import Image, Text
from modgap.models import Query
from modgap.models._ray._cluster import Machine, Share, room, share
from modgap.models._ray._pieces import MOST, TURNS, cut


def ask(scene: int, question: int, representation: str = "list") -> Query:
    """A query whose media are equal to those of its scene, and not the same object."""
    shown = (
        Image(f"picture {scene}".encode(), "image/png")
        if representation == "image"
        else Text(f"scene {scene}")
    )
    parts = (Text("Look."), shown, Text(f"question {question}?"))
    return Query(parts, problem_id=f"{scene}-{question}", representation=representation)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from(["list", "image"])), max_size=80
    ),
    st.integers(1, 9),
)
def test_every_query_is_in_one_piece_as_it_was(asked: list[tuple[int, int, str]], workers: int) -> None:
    queries = [ask(*one) for one in asked]
    pieces = cut(queries, workers)
    assert sorted(index for piece in pieces for index in piece.indices) == list(range(len(queries)))
    for piece in pieces:
        assert piece.queries == tuple(queries[index] for index in piece.indices)
        assert 1 <= len(piece.queries) <= MOST


def test_a_scene_stays_together_and_is_sent_once() -> None:
    queries = [
        ask(scene, question, name)
        for question in range(8)
        for scene in range(16)
        for name in ("image", "list")
    ]
    pieces = cut(queries, 2)
    # 256 queries for 2 workers in 4 turns: pieces of 32, each of four scenes of eight questions.
    assert [len(piece.queries) for piece in pieces] == [32] * 8
    for piece in pieces:
        assert len({query.representation for query in piece.queries}) == 1
        shown = {id(query.parts[1]) for query in piece.queries}
        assert len(shown) == len({query.parts[1] for query in piece.queries}) == 4


def test_pieces_are_bounded_and_there_are_enough_of_them() -> None:
    assert max(len(piece.queries) for piece in cut([ask(n, 0) for n in range(2000)], 2)) == MOST
    assert max(len(piece.queries) for piece in cut([ask(0, n) for n in range(2000)], 2)) == MOST
    assert len(cut([ask(n, 0) for n in range(64)], 8)) == 8 * TURNS
    assert len(cut([ask(0, 0)], 8)) == 1
    assert cut([], 8) == []


def test_a_suspect_piece_is_taken_apart() -> None:
    queries = [ask(0, n) for n in range(5)]
    pieces = cut(queries, 1)
    assert not any(piece.suspect for piece in pieces)
    singles = [single for piece in pieces for single in piece.singles()]
    assert [(single.indices, single.queries) for single in singles] == [
        ((n,), (queries[n],)) for n in range(5)
    ]
    assert all(single.suspect for single in singles)


ONE_CPU_MACHINE = [Machine(16, 0)]
GPU_MACHINES = [Machine(96, 8), Machine(96, 8)]
MIXED = [Machine(64, 0), Machine(16, 2)]


@pytest.mark.parametrize(
    ("cluster", "workers", "gpus", "expected"),
    [
        (ONE_CPU_MACHINE, None, None, Share(1, 16, 0)),
        (ONE_CPU_MACHINE, 2, None, Share(2, 8, 0)),
        (ONE_CPU_MACHINE, 3, None, Share(3, 5, 0)),
        (ONE_CPU_MACHINE, 16, None, Share(16, 1, 0)),
        (GPU_MACHINES, None, None, Share(16, 12, 1)),
        (GPU_MACHINES, 8, None, Share(8, 24, 1)),
        (GPU_MACHINES, None, 4, Share(4, 48, 4)),
        (GPU_MACHINES, None, 0.5, Share(32, 6, 0.5)),
        (GPU_MACHINES, 2, 0, Share(2, 96, 0)),
        # The machine without GPUs counts for nothing where a GPU is needed.
        (MIXED, None, None, Share(2, 8, 1)),
        (MIXED, None, 0.1, Share(16, 1, 0.1)),
        (MIXED, 1, None, Share(1, 16, 1)),
        ([Machine(64, 0), Machine(16, 0)], 2, None, Share(2, 32, 0)),
    ],
)
def test_machines_are_divided(
    cluster: list[Machine], workers: int | None, gpus: float | None, expected: Share
) -> None:
    made = share(cluster, workers, gpus)
    assert made == expected
    assert room(cluster, made.cpus, made.gpus) >= made.workers


@given(
    st.lists(st.builds(Machine, st.integers(0, 200), st.integers(0, 8)), max_size=5),
    st.none() | st.integers(1, 50),
    st.sampled_from([None, 0.0, 0.1, 0.25, 0.3, 0.5, 1.0, 2.0, 4.0]),
)
def test_workers_have_room_or_it_is_said(
    cluster: list[Machine], workers: int | None, gpus: float | None
) -> None:
    try:
        made = share(cluster, workers, gpus)
    except InputError as error:
        assert "give fewer workers, fewer gpus_per_worker, or add machines" in str(error)
    else:
        assert room(cluster, made.cpus, made.gpus) >= made.workers >= 1


@pytest.mark.parametrize(
    ("cluster", "workers", "gpus", "said"),
    [
        (
            ONE_CPU_MACHINE,
            17,
            None,
            "workers 17 at 0 GPUs each: 1 machine with 16 processors and 0 GPUs has room for 16; give",
        ),
        (
            GPU_MACHINES,
            17,
            None,
            "workers 17 at 1 GPUs each: 2 machines with 192 processors and 16 GPUs have room for 16; give",
        ),
        # Each worker is on one machine: two halves of two machines are no room.
        ([Machine(8, 1)] * 2, 1, 2, "workers 1 at 2 GPUs each: 2 machines .* have room for 0"),
    ],
)
def test_no_room(cluster: list[Machine], workers: int, gpus: float | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        share(cluster, workers, gpus)
