"""Encode and decode are inverse, at any length, for any type of input, and after rounding to any float
type."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError
from modgap.fone import (
    EXTRAS,
    FEATURES,
    Codec,
    Number,
    Policy,
    decode,
    encode,
    parse_number,
    periods_of_bases,
)

quick = settings(deadline=None, max_examples=50)  # a busy machine is no failure

Array = npt.NDArray[Any]


def decimals(integer: int, fraction: int) -> st.SearchStrategy[str]:
    """Canonical numbers of 1 to ``integer`` digits before and 0 to ``fraction`` after the point, both
    signs."""
    digits = st.integers(1, integer).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n))
    return st.builds(
        lambda sign, whole, part: f"{sign}{whole.lstrip('0') or '0'}{'.' + part if part else ''}",
        st.sampled_from(["", "-"]),
        digits,
        st.integers(0, fraction).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)),
    )


def rounded(features: Array, bits: int) -> Array:
    """Features with ``bits`` significand bits, the leading one included, to nearest even; exponents
    unlimited."""
    mantissa, exponent = np.frexp(features.astype(np.float64))
    return np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)


@quick
@given(decimals(60, 60), st.sampled_from(FEATURES))
def test_one_number_comes_back(text: str, features: str) -> None:
    assert decode(encode(text, features=features)) == text


@quick
@given(st.lists(st.none() | decimals(60, 20), max_size=8), st.sampled_from(FEATURES), st.booleans())
def test_a_list_comes_back(numbers: list[str | None], features: str, floating: bool) -> None:
    assert decode(encode(numbers, features=features, floating=floating)) == numbers


@quick
@given(decimals(1000, 200), st.sampled_from([None, 5, 7]), st.sampled_from(FEATURES))
def test_a_thousand_digits_come_back_whole_and_in_groups(text: str, group: int | None, features: str) -> None:
    assert decode(encode(text, group_places=group, features=features)) == text


def test_a_number_of_one_thousand_nines_comes_back() -> None:
    """The longest carry chain: every share is as close to one as it gets."""
    for group in (None, 5):
        assert decode(
            encode("-" + "9" * 1000 + "." + "9" * 1000, group_places=group)
        ) == "-" + "9" * 1000 + "." + ("9" * 1000)


def test_more_than_a_thousand_digits_are_a_setting() -> None:
    policy = Policy(max_integer_places=3000)
    assert decode(encode("7" * 3000, policy=policy)) == "7" * 3000
    assert Codec(3000).decode(Codec(3000).encode(["7" * 3000])) == ["7" * 3000]


@quick
@given(decimals(30, 30), st.sampled_from(FEATURES))
def test_features_do_not_depend_on_the_type_of_the_number(text: str, features: str) -> None:
    codec = Codec(30, 30, features)
    expected = codec.encode([text])
    forms: list[Any] = [Decimal(text), parse_number(text), np.array([text]), np.array([text.encode()])]
    if "." not in text and text != "-0":
        forms.append(int(text))
    for form in forms:
        given_form = form if isinstance(form, np.ndarray) else [form]
        assert codec.encode(given_form).tobytes() == expected.tobytes()
    assert codec.encode([text, None, f" {text} "])[[0, 2]].tobytes() == expected.tobytes() * 2


@quick
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8))
def test_integer_arrays_give_the_features_of_their_strings(values: list[int]) -> None:
    codec = Codec(19, 3)
    expected = codec.encode([str(v) for v in values]).tobytes()
    assert codec.encode(np.array(values, dtype=np.int64)).tobytes() == expected
    assert codec.encode(values).tobytes() == expected
    assert codec.encode([Decimal(v) for v in values]).tobytes() == expected


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_every_integer_type_is_read_to_its_ends(dtype: str) -> None:
    ends = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max, 0, 1], dtype=dtype)
    assert decode(encode(ends)) == [str(int(v)) for v in ends]


@quick
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=5))
def test_integers_can_be_multiples_of_a_power_of_ten(values: list[int]) -> None:
    codec = Codec(7, 3)
    expected = [str(Number(v < 0, str(abs(v)), 3)) for v in values]
    assert codec.decode(codec.encode(np.array(values), scale=3)) == expected
    assert decode(encode(values, scale=3)) == expected
    assert decode(encode([*values, 10**30], scale=3))[:-1] == expected


@quick
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
def test_floats_come_back_bit_for_bit_from_a_floating_codec(values: list[float]) -> None:
    codec = Codec.floating()
    texts = codec.decode(codec.encode(values))
    assert [float(str(t)) for t in texts] == values
    assert [math.copysign(1, float(str(t))) for t in texts] == [math.copysign(1, v) for v in values]


def test_single_precision_floats_are_read_as_they_print() -> None:
    assert decode(encode(np.array([0.1, -2.5], dtype=np.float32))) == ["0.1", "-2.5"]
    assert decode(encode(0.1)) == "0.1"
    assert decode(encode([0.1, 5.0, 1e22])) == ["0.1", "5.0", "10000000000000000000000"]


@quick
@given(decimals(25, 10), st.integers(0, 7))
def test_phases_are_the_published_formula(text: str, extra_places: int) -> None:
    """Reference: cos and sin of 2πx/T at exact rational residues of x, T = 10**(-n+1) … 10**m, ascending."""
    number = parse_number(text)
    m, n = number.integer_places + extra_places, number.scale + 1
    phases = encode(text, integer_places=m, decimal_places=n, dtype=np.float64).phases
    value = abs(number.to_fraction())
    for j, i in enumerate(range(-n + 1, m + 1)):
        period = Fraction(10) ** i
        angle = 2 * math.pi * float(value % period / period)
        assert phases[2 * j] == pytest.approx(math.cos(angle), abs=4e-15)
        assert phases[2 * j + 1] == pytest.approx(math.sin(angle), abs=4e-15)


def test_the_example_of_the_paper() -> None:
    """4.17 with m = 1, n = 2: periods 0.1, 1, 10 and residues 0.07, 0.17, 4.17."""
    phases = encode("4.17", integer_places=1, decimal_places=2, extras=()).features
    turns = np.array([0.7, 0.17, 0.417])
    np.testing.assert_allclose(phases[0::2], np.cos(2 * np.pi * turns), atol=6e-8)
    np.testing.assert_allclose(phases[1::2], np.sin(2 * np.pi * turns), atol=6e-8)


def test_digit_angles_are_the_prototypes_of_the_digits() -> None:
    features = encode("407", features="digits", extras=()).features
    angles = 2 * np.pi * np.array([7, 0, 4]) / 10
    np.testing.assert_allclose(features[0::2], np.cos(angles), atol=6e-8)
    np.testing.assert_allclose(features[1::2], np.sin(angles), atol=6e-8)


def test_groups_start_again() -> None:
    """Five digits a group: 12345|67890 has the phases of 67890 and then those of 12345."""
    whole = encode("1234567890", group_places=5, extras=()).features
    low, high = (encode(part, integer_places=5, extras=()).features for part in ("67890", "12345"))
    assert whole.tobytes() == low.tobytes() + high.tobytes()


@quick
@given(st.lists(decimals(60, 60), min_size=1, max_size=5), st.sampled_from(FEATURES), st.integers(1, 11))
def test_rounding_to_few_bits_does_not_change_what_is_read(
    numbers: list[str], features: str, bits: int
) -> None:
    """11 significand bits are float16, 8 bfloat16, 4 and 3 the 8-bit floats; 1 leaves powers of two only."""
    codec = Codec(60, 60, features)
    assert codec.decode(rounded(codec.encode(numbers), bits)) == numbers


@pytest.mark.parametrize(
    ("bits", "worst_degrees"), [(1, 14.845), (2, 6.318), (3, 4.484), (4, 2.346), (8, 0.158), (11, 0.0197)]
)
def test_rounding_turns_no_point_of_the_circle_by_more_than_stated(bits: int, worst_degrees: float) -> None:
    """A digit is safe below 18 degrees, so all of these are; scanned over 400,000 points."""
    turns = np.linspace(0, 1, 400_001)
    points = np.stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)])
    x, y = rounded(points, bits)
    error = np.abs(np.angle((x + 1j * y) / (points[0] + 1j * points[1]), deg=True)).max()
    assert 0.98 * worst_degrees < error <= worst_degrees < 18


def test_signs_alone_are_not_enough() -> None:
    codec = Codec(20)
    numbers = [str(n) for n in np.random.default_rng(0).integers(10**17, 10**18, 20)]
    assert codec.decode(np.sign(codec.encode(numbers))) != numbers


@pytest.mark.parametrize("features", FEATURES)
def test_errors_up_to_the_tolerance_are_survived_and_more_are_not(features: str) -> None:
    """Every pair moved by 0.999 sin(π/10) in a random direction; with 1.1 times it some digit is wrong."""
    rng = np.random.default_rng(1)
    codec = Codec(30, 30, features, extras=())
    numbers = [str(Number(False, str(rng.integers(1, 10**18)) * 3, 30)) for _ in range(200)]
    clean = codec.encode(numbers, dtype=np.float64)
    digits = codec.decode_digits(clean)
    direction = rng.uniform(0, 2 * np.pi, (len(numbers), clean.shape[1] // 2))
    error = np.stack([np.cos(direction), np.sin(direction)], axis=2).reshape(clean.shape)
    assert codec.tolerance == pytest.approx(math.sin(math.pi / 10))
    assert (codec.decode_digits(clean + 0.999 * codec.tolerance * error) == digits).all()
    # Straight across, at right angles to the boundary between two digits, is the worst direction.
    across = np.stack([-clean[:, 1::2], clean[:, 0::2]], axis=2).reshape(clean.shape)
    assert (codec.decode_digits(clean + 1.1 * np.tan(np.pi / 10) * across) != digits).any()


def test_float16_features_are_those_of_float32_rounded() -> None:
    codec = Codec(20, 5)
    numbers = ["12345678901234567890.12345", "-1.5"]
    single = codec.encode(numbers)
    assert single.dtype == np.float32
    assert codec.encode(numbers, dtype=np.float16).tobytes() == single.astype(np.float16).tobytes()
    np.testing.assert_array_equal(codec.encode(numbers, dtype=np.float64).astype(np.float32), single)


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("floating", [False, True])
@pytest.mark.parametrize("extras", [(), ("number",), ("sign",), ("length", "number"), EXTRAS])
def test_columns_tile_the_features(features: str, floating: bool, extras: tuple[str, ...]) -> None:
    codec = (
        Codec.floating(9, features=features, extras=extras)
        if floating
        else Codec(6, 3, features, extras=extras)
    )
    stops = [0, *(c.stop for c in codec.columns.values())]
    assert [c.start for c in codec.columns.values()] == stops[:-1]
    assert codec.encode(["5", None]).shape == (2, codec.width)
    expected = {"phases": 18, "digits": 18, "number": 1, "sign": 1, "zero": 1}
    for name, column in codec.columns.items():
        if name in expected:
            assert column.stop - column.start == expected[name], name


def test_published_features_are_two_per_place_and_nothing_else() -> None:
    assert Codec(10, 3, extras=()).encode(np.arange(4)).shape == (4, 26)


def test_extras_say_sign_zero_length_and_whether_there_is_a_number() -> None:
    codec = Codec(3, 2)
    rows = codec.encode(["0", "-0", "-0.00", "120.5", None])
    columns = codec.columns
    assert rows[:, columns["number"]][:, 0].tolist() == [1, 1, 1, 1, 0]
    assert rows[:, columns["sign"]][:, 0].tolist() == [1, -1, -1, 1, 0]
    assert rows[:, columns["zero"]][:, 0].tolist() == [1, 1, 1, 0, 0]
    assert not rows[4].any()
    one, three, none, two = (np.exp(2j * np.pi * d / 10) for d in (1, 3, 0, 2))
    lengths = rows[:, columns["integer_length"]].astype(np.float64)
    np.testing.assert_allclose(lengths[:4, 0] + 1j * lengths[:4, 1], [one, one, one, three], atol=1e-7)
    written = rows[:, columns["written_length"]].astype(np.float64)
    np.testing.assert_allclose(written[:4, 0] + 1j * written[:4, 1], [none, none, two, one], atol=1e-7)


def test_without_length_all_decimals_are_printed() -> None:
    codec = Codec(4, 2, extras=("sign",))
    assert codec.decode(codec.encode(["-5", "1.5", None, "-0"])) == ["-5.00", "1.50", None, "-0.00"]
    floating = Codec.floating(5, extras=("sign",))
    assert floating.decode(floating.encode(["1.50", "1500", "0", "-0.00", "0.0314"])) == [
        "1.5", "1500", "0", "-0.00", "0.0314",
    ]  # fmt: skip


def test_a_codec_of_decimals_only_holds_numbers_below_one() -> None:
    codec = Codec(0, 3)
    assert codec.decode(codec.encode(["0.125", "-.5", "0"])) == ["0.125", "-0.5", "0"]
    with pytest.raises(InputError, match=r"number 1\.5 has 1 integer places and this codec 0"):
        codec.encode(["1.5"])


def test_a_floating_codec_keeps_zeros_that_end_a_whole_number() -> None:
    codec = Codec.floating(4, 2)
    numbers = ["1200000000", "1.200", "-0.00012", "1e50", "0", "0.000"]
    assert codec.decode(codec.encode(numbers)) == [str(parse_number(n)) for n in numbers]
    with pytest.raises(InputError, match=r"number 12345 has 5 significant places and this codec 4"):
        codec.encode(["12345"])
    with pytest.raises(InputError, match=r"number 1\.0000 has 5 significant places and this codec 4"):
        codec.encode(["1.0000"])
    with pytest.raises(InputError, match=r"has the exponent 100 and this codec 2 digits for it"):
        codec.encode(["1e100"])


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (["1", "1234"], "number 1234 has 4 integer places and this codec 3: give integer_places=4 or more"),
        (np.array([5, -1000]), "number 1000 has 4 integer places and this codec 3"),
        ([10**40], "has 41 integer places and this codec 3"),
        (["1.234"], "number 1.234 has 3 decimal places and this codec 2: give decimal_places=3 or more"),
        (["0.500"], "number 0.500 has 3 decimal places and this codec 2"),
        (["nan"], "'nan' is not finite"),
        ([float("inf")], "'inf' is not finite"),
        (np.array([1.0, np.nan]), "'nan' is not finite"),
        (["12a"], "'12a' is not a number"),
        (["5\x00"], "'5\\x00' is not a number"),
        (["5\x006"], "'5\\x006' is not a number"),
        (np.array([b"5\x006"]), "'5\\x006' is not a number"),
        (["1-2"], "'1-2' is not a number"),
        (["1.2.3"], "'1.2.3' is not a number"),
        (["-"], "'-' is not a number"),
        (["."], "'.' is not a number"),
        ([""], "'' is empty"),
        (["²"], "'²' has digits other than 0-9"),
        ([True], "True is a truth value"),
        ("123", "'123' is one number where many are read: give a list of them"),
        (np.zeros((2, 2), dtype=int), "numbers have shape (2, 2): give one number or a flat list of them"),
    ],
)
def test_what_a_codec_cannot_hold_exactly_is_refused(numbers: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Codec(3, 2).encode(numbers)
    assert message in str(caught.value)


def test_a_sign_is_never_lost_silently() -> None:
    with pytest.raises(
        InputError, match="a number is negative and this codec has no 'sign' among its extras"
    ):
        Codec(3, extras=()).encode(["-1"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"integer_places": 0},
            "0 integer and 0 decimal places given: give 0 or more of each, and at least one",
        ),
        ({"integer_places": -1, "decimal_places": 2}, "-1 integer and 2 decimal places given"),
        (
            {"integer_places": 3, "features": "digit"},
            "features 'digit' is not one of continuous, digits, both",
        ),
        (
            {"integer_places": 3, "extras": ("length", "minus")},
            "extra 'minus' is not one of number, sign, zero",
        ),
        ({"integer_places": 3, "group_places": 0}, "group_places 0 is not a number of places"),
        (
            {"integer_places": 3, "group_places": 5, "periods": (2,)},
            "leave out group_places or features='digits'",
        ),
        ({"integer_places": 3, "periods": (2,), "features": "digits"}, "leave out group_places or features"),
        ({"integer_places": 3, "exponent_places": 2}, "integer_places is 3: a floating codec has one"),
        ({"integer_places": 1, "exponent_places": -2}, "exponent_places -2 is negative"),
        ({"integer_places": 3, "periods": ()}, "no periods given"),
        ({"integer_places": 3, "periods": (0,)}, "period 0 is not a positive decimal"),
        ({"integer_places": 3, "periods": ("-2",)}, "period -2 is not a positive decimal"),
        ({"integer_places": 3, "periods": (10**17 + 1,)}, "of at most 17 significant digits"),
    ],
)
def test_a_codec_refuses_fields_that_do_not_fit(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Codec(**fields)
    assert message in str(caught.value)


def test_damaged_features_are_refused() -> None:
    codec = Codec(3)
    rows = codec.encode(["5"])
    with pytest.raises(InputError, match=r"features have shape \(1, 6\); this codec reads \(numbers, 11\)"):
        codec.decode(rows[:, :6])
    with pytest.raises(InputError, match="features are not finite"):
        codec.decode(rows * np.nan)
    with pytest.raises(InputError, match="dtype of features 'int64' is not one of float16, float32, float64"):
        codec.encode(["5"], dtype=np.int64)


@quick
@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_any_finite_features_decode_to_some_number(places: int, seed: int) -> None:
    """A model's output is rarely on the circle; it must still be read, and what is read must be canonical."""
    rows = np.random.default_rng(seed).normal(size=(5, Codec(places, 2).width)) * 3
    for text in Codec(places, 2).decode(rows):
        assert text is None or str(parse_number(text)) == text


def test_an_encoding_says_its_length_and_converts_to_an_array() -> None:
    encoding = encode(["1", "22"])
    assert len(encoding) == 2 and len(encode("1")) == 1
    assert np.asarray(encoding).shape == (2, encoding.codec.width)
    assert np.asarray(encoding, dtype=np.float16).dtype == np.float16
    assert encoding.phases.shape == (2, 4)
    assert encode("5", features="digits").phases.shape == (2,)
    assert decode(encode([])) == []
    assert decode(encode(None)) is None
    assert decode(encode(np.int32(-7))) == "-7"
    assert decode(encode(np.array(12))) == "12"
    with pytest.raises(InputError, match="integer_places is 3: a floating codec has one, so leave it out"):
        encode("5", floating=True, integer_places=3)
    with pytest.raises(InputError, match="scale 2 is for integers, and '5' is not one"):
        encode(["5"], scale=2)
    with pytest.raises(InputError, match="scale 3 is not within 0 and 2, the decimal places of this codec"):
        encode(np.array([5]), scale=3, integer_places=2, decimal_places=2)


def test_notation_of_strings_follows_the_policy() -> None:
    policy = Policy(decimal_mark=",", group_marks=(".",))
    assert decode(encode(["1.234,5", "1.234", 1.25], policy=policy)) == ["1234.5", "1234", "1.25"]
    codec = Codec(6, 3)
    assert codec.decode(codec.encode(["1.234"], policy=policy)) == ["1234"]
    assert codec.decode(codec.encode(np.array([1.5]), policy=policy)) == ["1.5"]


def test_blocks_of_rows_do_not_show() -> None:
    """More rows than are worked on at once, kinds mixed, in any order."""
    rng = np.random.default_rng(3)
    numbers = [
        str(Number(bool(rng.integers(2)), str(v), int(rng.integers(6))))
        for v in rng.integers(0, 10**9, 20_000)
    ]
    numbers[7::1000] = [None] * len(numbers[7::1000])  # type: ignore[list-item]
    numbers[9::1000] = ["1,234.5"] * len(numbers[9::1000])
    codec = Codec(10, 6)
    rows = codec.encode(numbers)
    order = rng.permutation(len(numbers))
    np.testing.assert_array_equal(codec.encode([numbers[i] for i in order]), rows[order])
    assert codec.decode(rows) == [n and n.replace(",", "") for n in numbers]


@pytest.mark.parametrize(
    ("periods", "places"),
    [
        (periods_of_bases((10,), 12, 6), (12, 6)),
        (periods_of_bases((2, 5, 10), 12, 6), (12, 6)),
        (periods_of_bases((2, 5), 12, 6), (12, 6)),
        (periods_of_bases((7,), 12, 6), (11, 6)),
        (periods_of_bases((13,), 6, 0), (6, 0)),
        ((2, 3, 5, 7, 11, 13, 17, 19, 23), (8, 0)),
        ((1000, 10, 100), (3, 0)),
        (("0.5", "2.5", "0.01", 100), (2, 2)),
        (("0.03", "0.7", 11, 13), (3, 1)),
        ((10**6,), (6, 0)),
    ],
)
def test_any_periods_that_determine_a_number_read_it_back(
    periods: tuple[Any, ...], places: tuple[int, int]
) -> None:
    """Reference for the phases: exact rational residues."""
    rng = np.random.default_rng(5)
    whole, fraction = places
    exact = [int("".join(map(str, rng.integers(0, 10, whole + fraction)))) for _ in range(20)]
    numbers = [str(Number(bool(i % 2), str(v), fraction)) for i, v in enumerate(exact)]
    codec = Codec(whole, fraction, periods=periods)
    rows = codec.encode(numbers, dtype=np.float64)
    assert codec.decode(rows) == numbers
    phases = rows[:, codec.columns["phases"]]
    for row, value in zip(phases, exact, strict=True):
        for j, period in enumerate(periods):
            length = Fraction(str(period))
            angle = 2 * math.pi * float(Fraction(value, 10**fraction) % length / length)
            assert row[2 * j] == pytest.approx(math.cos(angle), abs=4e-15)
            assert row[2 * j + 1] == pytest.approx(math.sin(angle), abs=4e-15)
    error = rng.normal(size=phases.shape)
    error /= np.linalg.norm(error.reshape(20, -1, 2), axis=2).repeat(2, axis=1)
    assert codec.tolerance <= math.sin(math.pi / 10)
    rows[:, codec.columns["phases"]] += 0.99 * codec.tolerance * error
    assert codec.decode(rows) == numbers


def test_periods_that_do_not_determine_a_number_are_refused_when_reading() -> None:
    codec = Codec(5, periods=(2, 3, 5, 7, 11, 13))  # 30,030 in all
    rows = codec.encode(["12345"])
    with pytest.raises(
        InputError, match="these periods do not determine numbers of 5 integer and 0 decimal places"
    ):
        codec.decode(rows)
    both = Codec(5, periods=(2, 3, 5, 7, 11, 13), features="both")
    assert both.decode(both.encode(["12345"])) == ["12345"]
    exact = Codec(4, periods=(2, 3, 5, 7, 11, 13))
    assert exact.decode(exact.encode(["9999"])) == ["9999"]


def test_listing_the_published_periods_changes_nothing() -> None:
    numbers = ["1234.56", "0.01"]
    listed = Codec(4, 2, periods=("0.1", 1, "10", 1e2, 1000, Decimal("1e4")))
    np.testing.assert_array_equal(listed.encode(numbers), Codec(4, 2).encode(numbers))
    assert listed.decode(listed.encode(numbers)) == numbers
    assert periods_of_bases((10,), 2, 1) == ("10e-1", "10e0", "10e1")
