"""Grouping and batching, on jobs without a model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap.media import Image, Text
from modgap.models import Query
from modgap.models.local._batches import GROUP, Group, Job, grouped, halves, take
from modgap.models.local._prompt import Prompt


def job(
    index: int, scene: str = "a", tokens: int = 10, images: tuple[Image, ...] = (), limit: int = 0
) -> Job:
    query = Query((Text(scene), *images, Text(f"question {index}")))
    return Job(index, query, Prompt("", images), [*range(tokens - 1), 1000 + index], limit=limit)


def members(groups: list[Group]) -> list[list[int]]:
    return [[one.index for one in group.jobs] for group in groups]


def test_questions_with_the_same_beginning_form_a_group() -> None:
    jobs = [job(0, "a"), job(1, "b", tokens=20), job(2, "a")]
    assert members(grouped(jobs, share=True)) == [[0, 2], [1]] or members(grouped(jobs, share=True)) == [
        [1],
        [0, 2],
    ]
    assert sorted(members(grouped(jobs, share=False))) == [[0], [1], [2]]


def test_a_large_group_is_cut() -> None:
    sizes = [len(group.jobs) for group in grouped([job(i) for i in range(2 * GROUP + 1)], share=True)]
    assert sorted(sizes) == [1, GROUP, GROUP]


def test_what_is_shared_counts_once() -> None:
    (group,) = grouped([job(0), job(1), job(2)], share=True)
    assert group.size(0) == 12  # nine tokens in common, one of each


def test_long_groups_come_first(picture: Callable[[int], Image]) -> None:
    jobs = [job(0, "a", 5), job(1, "b", 50), job(2, "c", 20), job(3, "d", 5, images=(picture(0),))]
    assert members(grouped(jobs, share=True)) == [[3], [1], [2], [0]]


def test_a_batch_has_one_kind(picture: Callable[[int], Image]) -> None:
    pending = deque(
        grouped([job(0, "a"), job(1, "b", images=(picture(0),)), job(2, "c", limit=5)], share=True)
    )
    batches = []
    while pending:
        batches.append(take(pending, rows=9, tokens=999, tokens_per_image=4))
    assert sorted(members(batch)[0][0] for batch in batches) == [0, 1, 2]


def test_the_first_picture_goes_alone(picture: Callable[[int], Image]) -> None:
    pending = deque(grouped([job(i, str(i), images=(picture(i),)) for i in range(4)], share=True))
    assert len(take(pending, rows=9, tokens=999, tokens_per_image=None)) == 1
    assert len(take(pending, rows=9, tokens=999, tokens_per_image=4)) == 3


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(2, 60)), min_size=1),
    st.integers(1, 9),
    st.integers(1, 99),
)
def test_batches_hold_every_job_once_within_bounds(
    kinds: list[tuple[str, int]], rows: int, tokens: int
) -> None:
    pending = deque(grouped([job(i, scene, n) for i, (scene, n) in enumerate(kinds)], share=True))
    seen: list[int] = []
    while pending:
        batch = take(pending, rows=rows, tokens=tokens, tokens_per_image=None)
        indices = [index for group in members(batch) for index in group]
        assert len(indices) <= rows
        assert len(batch) == 1 or max(group.size(0) for group in batch) * len(batch) <= tokens
        seen += indices
    assert sorted(seen) == list(range(len(kinds)))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_halves_keep_every_job(count: int) -> None:
    one_group = grouped([job(i) for i in range(count)], share=True)
    many_groups = grouped([job(i, str(i)) for i in range(count)], share=True)
    for batch in (one_group, many_groups):
        parts = halves(batch)
        assert len(parts) == 2
        assert sorted(i for part in parts for group in members(part) for i in group) == list(range(count))
    assert members(halves(grouped([job(7)], share=True))[0]) == [[7]]
