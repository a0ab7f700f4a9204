"""Labels are exact integers, and a row of labels is a number again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError
from modgap.fone import Codec, parse_number
from modgap.fone._slots import NO_NUMBER, holds, slots_of

quick = settings(deadline=None, max_examples=100)  # a busy machine is no failure

NUMBERS = st.builds(
    lambda sign, whole, part: f"{sign}{whole.lstrip('0') or '0'}{'.' + part if part else ''}",
    st.sampled_from(["", "-"]),
    st.text("0123456789", min_size=1, max_size=25),
    st.text("0123456789", max_size=12),
)


@quick
@given(st.lists(st.none() | NUMBERS, max_size=6))
def test_numbers_come_back_from_their_labels(numbers: list[str | None]) -> None:
    for codec in (Codec(25, 12), Codec.floating(37, 2), Codec(25, 12, "both", group_places=5)):
        slots = slots_of(codec)
        labels = slots.labels(numbers)
        assert labels.shape == (len(numbers), slots.count)
        assert slots.numbers(labels) == numbers


@quick
@given(NUMBERS, st.integers(1, 20), st.integers(0, 12), st.booleans())
def test_a_codec_holds_a_number_exactly_if_it_encodes_it(
    text: str, places: int, decimals: int, floating: bool
) -> None:
    number = parse_number(text)
    for codec in (
        Codec.floating(places, 1) if floating else Codec(places, decimals),
        Codec(places, decimals, extras=()),
    ):
        try:
            codec.encode([number])
        except InputError:
            assert not holds(codec, number)
        else:
            assert holds(codec, number)


def test_labels_are_the_digits_finest_first_then_lengths_then_flags() -> None:
    slots = slots_of(Codec(3, 2))
    assert slots.ten_way == {
        "digits": slice(0, 5), "integer_length": slice(5, 6), "written_length": slice(6, 7),
    }  # fmt: skip
    assert slots.flags == ("sign", "zero")
    assert slots.labels(["-12.5", 0, None]).tolist() == [
        [0, 5, 2, 1, 0, 2, 1, 1, 0],
        [0, 0, 0, 0, 0, 1, 0, 0, 1],
        [NO_NUMBER] * 9,
    ]
    floating = slots_of(Codec.floating(3, 2))
    assert floating.flags == ("sign", "exponent_sign", "zero")
    assert floating.labels(["0.0105"]).tolist() == [[5, 0, 1, 2, 0, 3, 0, 1, 0]]


def test_published_slots_are_the_digits_alone() -> None:
    slots = slots_of(Codec(7, 3, extras=()))
    assert (slots.count, slots.flags) == (10, ())
    assert slots.labels(["1234567.089"]).tolist() == [[9, 8, 0, 7, 6, 5, 4, 3, 2, 1]]
    assert slots.numbers(slots.labels(["5"])) == ["5.000"]
    with pytest.raises(InputError, match="this codec has no 'sign' among its extras: add it"):
        slots.labels(["-1"])


def test_labels_of_another_codec_are_refused() -> None:
    with pytest.raises(InputError, match=r"labels have shape \(1, 3\); this codec reads \(numbers, 10\)"):
        slots_of(Codec(7, 3, extras=())).numbers(np.zeros((1, 3)))
