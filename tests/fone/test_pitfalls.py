"""What goes wrong in a float64 implementation of FoNE, row by row, does not go wrong here.

``from_formula`` is such an implementation, written from the published formula; where a row says at which
length it breaks, the test shows that it does, on the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from modgap._errors import InputError
from modgap.fone import FEATURES, Codec, Number, decode, encode, find_numbers, parse_number

Array = npt.NDArray[Any]


def from_formula(values: Array, integer_places: int, decimal_places: int = 0) -> Array:
    """cos and sin of 2πx/T in float64, T = 10**i for i = -decimal_places + 1 … integer_places, cast to
    float32."""
    periods = 10.0 ** np.arange(1 - decimal_places, integer_places + 1)
    angles = 2 * np.pi * values.astype(np.float64)[:, None] / periods
    out = np.empty((len(values), 2 * len(periods)))
    out[:, 0::2], out[:, 1::2] = np.cos(angles), np.sin(angles)
    return out.astype(np.float32)


def integers(digits: int, count: int = 500, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 10, (count, digits))
    rows[:, 0] = rng.integers(1, 10, count)
    return ["".join(map(str, row)) for row in rows]


def share_right(found: list[str | None], expected: list[str]) -> float:
    return float(np.mean([a == b for a, b in zip(found, expected, strict=True)]))


@pytest.mark.parametrize("features", FEATURES)
def test_phases_read_back_as_the_number_and_not_as_its_rounded_places(features: str) -> None:
    numbers = ["18", "95", "199", "999", "123", "444"]
    assert decode(encode(numbers, features=features)) == numbers


@pytest.mark.parametrize("digits", [1, 2, 3, 4, 6, 8, 10, 15, 16, 17, 18, 19, 20, 30, 60])
def test_random_integers_of_any_length_read_back(digits: int) -> None:
    numbers = integers(digits)
    for features in FEATURES:
        codec = Codec(digits, features=features, extras=())
        assert codec.decode(codec.encode(numbers)) == numbers


@pytest.mark.parametrize(("digits", "at_most"), [(16, 0.95), (17, 0.3), (18, 0.05)])
def test_float64_phases_break_where_these_do_not(digits: int, at_most: float) -> None:
    """Known: 79.5, 10.7 and 0.9 % of 16, 17 and 18 digits survive float64 phases, whatever decodes them."""
    numbers = integers(digits)
    codec = Codec(digits, extras=())
    reference = from_formula(np.array(numbers, dtype=np.float64), digits)
    assert share_right(codec.decode(reference), numbers) < at_most
    assert codec.decode(codec.encode(numbers)) == numbers


@pytest.mark.parametrize("digits", [15, 16, 17, 18, 40])
def test_digit_labels_are_exact(digits: int) -> None:
    numbers = integers(digits)
    expected = np.array([[int(d) for d in number[::-1]] for number in numbers])
    codec = Codec(digits)
    np.testing.assert_array_equal(codec.decode_digits(codec.encode(numbers)), expected)
    if digits > 16:
        through_float = np.array([[int(d) for d in f"{int(float(n)):0{digits}d}"[::-1]] for n in numbers])
        assert (through_float != expected).any()


@pytest.mark.parametrize(("whole", "fraction"), [(19, 0), (20, 0), (21, 4), (17, 32), (30, 34)])
def test_more_places_than_int64_has_do_not_overflow(whole: int, fraction: int) -> None:
    numbers = [str(Number(False, digits, fraction)) for digits in integers(whole + fraction)]
    codec = Codec(whole, fraction)
    assert codec.decode(codec.encode(numbers)) == numbers


def test_an_integer_of_sixty_digits_keeps_them_all() -> None:
    value = int("123456789" * 6 + "123457")
    assert decode(encode(value)) == str(value)
    assert encode(value, extras=()).features.shape == (120,)


@pytest.mark.parametrize("fraction", [3, 9, 10, 12, 32])
def test_decimals_are_exact_in_every_place(fraction: int) -> None:
    """Float64 phases of six integer and ten or more decimal places lose a large part of the numbers."""
    numbers = [str(Number(False, digits, fraction)) for digits in integers(6 + fraction)]
    codec = Codec(6, fraction, extras=())
    assert codec.decode(codec.encode(numbers)) == numbers
    if fraction >= 10:
        reference = from_formula(np.array(numbers, dtype=np.float64), 6, fraction)
        assert share_right(codec.decode(reference), numbers) < 0.7


def test_a_billionth_is_not_lost() -> None:
    assert decode(encode(["1e-9", "123456.000000001", 1e-9])) == [
        "0.000000001",
        "123456.000000001",
        "0.000000001",
    ]


@pytest.mark.parametrize("digits", [7, 8, 12, 20])
def test_single_precision_features_hold_any_length(digits: int) -> None:
    """Known: phases computed in float32 keep 94 % of 7-digit and 21 % of 8-digit integers."""
    numbers = integers(digits)
    codec = Codec(digits, extras=())
    rows = codec.encode(numbers)
    assert rows.dtype == np.float32
    assert codec.decode(rows) == numbers
    values = np.array(numbers, dtype=np.float64).astype(np.float32)
    angles = (np.float32(2 * np.pi) * values[:, None]) / np.float32(10.0) ** np.arange(
        1, digits + 1, dtype=np.float32
    )
    naive = np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(len(numbers), -1)
    assert share_right(codec.decode(naive), numbers) < 0.99


@pytest.mark.parametrize("digits", [3, 4, 20, 60])
@pytest.mark.parametrize("features", FEATURES)
def test_half_precision_features_hold_any_length(digits: int, features: str) -> None:
    """Known: a module cast to bfloat16 keeps 48 % and 0 % of 3- and 4-digit integers, float16 100 % and 24
    %."""
    numbers = integers(digits)
    codec = Codec(digits, features=features)
    assert codec.decode(codec.encode(numbers, dtype=np.float16)) == numbers
    bits = codec.encode(numbers).view(np.uint32)
    bfloat16 = ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    assert not np.array_equal(bfloat16, codec.encode(numbers))
    assert codec.decode(bfloat16) == numbers


def test_the_first_integer_that_float32_cannot_hold() -> None:
    assert decode(encode(["16777217", 16777217])) == ["16777217", "16777217"]
    assert decode(encode(np.array([16777217]))) == ["16777217"]


@pytest.mark.parametrize("extras", [(), ("number", "sign", "zero", "length")])
@pytest.mark.parametrize("features", FEATURES)
def test_zero_is_a_number(features: str, extras: tuple[str, ...]) -> None:
    codec = Codec(3, features=features, extras=extras)
    rows = codec.encode(["0", None])
    assert rows[0].any() and not rows[1].any()
    assert codec.decode(rows) == ["0", None]
    assert decode(encode([0.0, "-0", None, "-0.00"])) == ["0.0", "-0", None, "-0.00"]


def test_a_negative_number_is_not_its_complement() -> None:
    """Known: -37 and 10**m - 37 get the same phases, and negative labels decode as ten's complement."""
    codec = Codec(4)
    rows = codec.encode(["-37", "9963"])
    assert not np.array_equal(rows[0], rows[1])
    assert codec.decode(rows) == ["-37", "9963"]


def test_a_number_beyond_the_range_is_refused_and_not_cut() -> None:
    """Known: with m = 3, 1442 becomes 442."""
    with pytest.raises(InputError, match="number 1442 has 4 integer places and this codec 3"):
        Codec(3).encode([1442])


def test_written_forms_are_read_as_written() -> None:
    for text, expected in [
        ("−5+3", ["-5", "3"]),
        ("3.14e-2", ["0.0314"]),
        ("1,234.56", ["1234.56"]),
        (".5", ["0.5"]),
        ("007", ["7"]),
    ]:
        spans = find_numbers(text)
        assert [str(span.number) for span in spans] == expected
        assert decode(encode([span.number for span in spans])) == expected


@pytest.mark.parametrize("places", [1, 2, 3])
def test_one_unit_in_the_last_place_is_another_number(places: int) -> None:
    """Known: a tolerance of 10**-n in floats accepts 48, 85 and 74 % of answers off by one unit."""
    rng = np.random.default_rng(places)
    values = rng.integers(1, 10**6, 300)
    codec = Codec(6, places)
    right, wrong = (codec.decode(codec.encode(v, scale=places)) for v in (values, values + 1))
    assert not any(a == b for a, b in zip(right, wrong, strict=True))
    assert all(
        parse_number(str(t)).to_fraction() * 10**places == int(v) for t, v in zip(right, values, strict=True)
    )


def test_digits_are_compared_by_place() -> None:
    """Known: comparing strings from the left gives 1000.0 against 999.0 no digit, and 7.0 against 8.0 two in
    three."""
    codec = Codec(4, 1)
    digits = codec.decode_digits(codec.encode(["1000.0", "999.0", "7.0", "8.0"]))
    assert digits.tolist() == [[0, 0, 0, 0, 1], [0, 9, 9, 9, 0], [0, 7, 0, 0, 0], [0, 8, 0, 0, 0]]


def test_the_example_in_the_description_runs() -> None:
    assert decode(encode("-12345.6789")) == "-12345.6789"
    assert decode(encode(["18", "1,234.56", None])) == ["18", "1234.56", None]
    codec = Codec(integer_places=7, decimal_places=3)
    assert codec.decode(codec.encode(["12.5", "-3"])) == ["12.5", "-3"]
