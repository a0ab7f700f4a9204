"""The cache of sprites returns what was made, makes it once, and stays within its memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import PIL.Image

from modgap.scenes._kept import Kept


def square(side: int) -> tuple[PIL.Image.Image, ...]:
    return (PIL.Image.new("L", (side, side), side % 256),)


def test_what_is_kept_is_made_once() -> None:
    made: list[int] = []

    def make(side: int) -> tuple[PIL.Image.Image, ...]:
        made.append(side)
        return square(side)

    kept = Kept(make, megabytes=1)
    assert kept(10)[0] is kept(10)[0]
    assert kept(11)[0].size == (11, 11)
    assert made == [10, 11]


def test_those_unused_for_longest_are_dropped_first() -> None:
    made: list[int] = []

    def make(side: int) -> tuple[PIL.Image.Image, ...]:
        made.append(side)
        return square(side)

    kept = Kept(make, megabytes=0.03)  # two pictures of 100 × 100 and a little more
    for side in (100, 101, 100, 102, 100, 101):
        kept(side)
    assert made == [100, 101, 102, 101]


def test_one_picture_larger_than_the_budget_is_still_returned() -> None:
    kept = Kept(square, megabytes=0.001)
    assert [kept(side)[0].width for side in (200, 300, 200)] == [200, 300, 200]


def test_threads_may_share_it() -> None:
    kept = Kept(square, megabytes=0.05)
    with ThreadPoolExecutor(8) as pool:
        widths = list(pool.map(lambda i: kept(50 + i % 40)[0].width, range(4000)))
    assert widths == [50 + i % 40 for i in range(4000)]
