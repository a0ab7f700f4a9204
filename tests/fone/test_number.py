"""One number: reading, printing and refusing; expected values are worked out by hand from the definition."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError
from modgap.fone import Number, Policy, as_number, parse_number

quick = settings(deadline=None, max_examples=50)  # a busy machine is no failure

digits = st.text("0123456789", min_size=1, max_size=60)
plain = st.builds(
    lambda sign, integer, decimals: sign + (str(int(integer))) + (f".{decimals}" if decimals else ""),
    st.sampled_from(["", "-"]),
    digits,
    st.text("0123456789", max_size=40),
)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("18", "18"),
        ("-0", "-0"),
        ("-0.00", "-0.00"),
        ("0", "0"),
        ("1,234.56", "1234.56"),
        ("1,234,567", "1234567"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("5.", "5"),
        ("0.", "0"),
        ("1,234.", "1234"),
        ("007", "7"),
        ("-007.50", "-7.50"),
        ("1.50", "1.50"),
        ("3.14e-2", "0.0314"),
        ("1.5e3", "1500"),
        ("1.50e1", "15.0"),
        ("1.e2", "100"),
        ("1e−5", "0.00001"),
        ("6.02E+23", "602000000000000000000000"),
        ("−7", "-7"),
        ("+5", "5"),
        (" 12 ", "12"),
        ("0e999999999999", "0"),
        ("16777217", "16777217"),
    ],
)
def test_reads_and_prints_the_canonical_form(text: str, printed: str) -> None:
    assert str(parse_number(text)) == printed


@quick
@given(plain)
def test_a_canonical_number_prints_as_it_was_read(text: str) -> None:
    assert str(parse_number(text)) == text


@quick
@given(plain)
def test_the_standard_library_agrees_on_value_sign_and_scale(text: str) -> None:
    number = parse_number(text)
    assert number.to_decimal().as_tuple() == Decimal(text).as_tuple()
    assert number.to_fraction() == Fraction(text)


@quick
@given(st.integers(-(10**80), 10**80), st.integers(-70, 70))
def test_exponents_shift_the_point_exactly(coefficient: int, exponent: int) -> None:
    number = parse_number(f"{coefficient}e{exponent}")
    assert number.to_fraction() == coefficient * Fraction(10) ** exponent
    assert number.scale == max(-exponent, 0)


@quick
@given(plain)
def test_every_type_gives_the_same_number(text: str) -> None:
    number = parse_number(text)
    assert as_number(Decimal(text)) == number
    assert as_number(number) == number
    if "." not in text and text != "-0":
        assert as_number(int(text)) == number


@quick
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_shortest_decimal(value: float) -> None:
    assert float(str(as_number(value))) == value
    assert as_number(value).to_fraction() == Fraction(repr(value))
    assert as_number(np.float64(value)) == as_number(value)


def test_numpy_scalars_are_read_at_their_own_precision() -> None:
    assert str(as_number(np.float32(0.1))) == "0.1"
    assert str(as_number(np.float16(0.1))) == "0.1"
    assert str(as_number(np.int64(-3))) == "-3"
    assert str(as_number(np.uint64(2**64 - 1))) == "18446744073709551615"


def test_an_integer_longer_than_python_prints_is_read() -> None:
    number = as_number(10**5000 + 1, Policy(max_integer_places=6000))
    assert number.digits == "1" + "0" * 4999 + "1"


@pytest.mark.parametrize(
    ("given_value", "message"),
    [
        ("nan", "'nan' is not finite: only finite decimals have digits; leave it as text or give None"),
        ("-inf", "'-inf' is not finite"),
        ("Infinity", "'Infinity' is not finite"),
        (float("nan"), "'nan' is not finite"),
        (float("-inf"), "'-inf' is not finite"),
        (Decimal("NaN"), "'NaN' is not finite"),
        (Decimal("-Infinity"), "'-Infinity' is not finite"),
        (np.float32("inf"), "'inf' is not finite"),
        ("3/4", "'3/4' is a fraction, which may have no exact decimal form: give a decimal or two numbers"),
        (Fraction(3, 4), "of type Fraction is not a number this codec reads"),
        (True, "True is a truth value, not a number"),
        (np.False_, "is a truth value, not a number"),
        (1 + 2j, "of type complex is not a number this codec reads"),
        ("", "'' is empty: give a number such as -12.5, or None for 'no number here'"),
        ("5%", "'5%' has a sign around the number: find_numbers takes the number out of the text"),
        ("٣", "'٣' has digits other than 0-9: write it with ASCII digits"),
        ("12,34", "'12,34' is not a number: accepted are digits with an optional sign"),
        ("0,123", "is not a number"),
        ("1.2.3", "is not a number"),
        ("--5", "is not a number"),
        ("-", "is not a number"),
        (".", "is not a number"),
        ("5..", "is not a number"),
        ("0x10", "is not a number"),
        ("1_000", "is not a number"),
        ("5\x00", "is not a number"),
        ("1" * 1001, "it has 1001 integer places and the limit is 1000; set max_integer_places"),
        ("0." + "1" * 1001, "it has 1001 decimal places and the limit is 1000; set max_decimal_places"),
        ("1e5000", "its exponent moves the point by more than 2001 places"),
        ("1e-99999999999999999999", "its exponent moves the point by more than 2001 places"),
        (10**1001, "is out of range"),
        (Decimal("1e1001"), "is out of range"),
    ],
)
def test_refuses_what_is_not_one_finite_decimal_in_range(given_value: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        as_number(given_value)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_integer_too_long_to_print_is_refused_before_it_is_printed() -> None:
    with pytest.raises(
        InputError, match="integer of 332193 bits is out of range: the limit is 1000 integer places"
    ):
        as_number(10**100_000)


def test_the_range_is_a_setting_and_its_ends_are_inside() -> None:
    policy = Policy(max_integer_places=3, max_decimal_places=2)
    assert str(parse_number("999.99", policy)) == "999.99"
    for text in ("1000", "9.999", "1e3", "1e-3"):
        with pytest.raises(InputError, match="out of range"):
            parse_number(text, policy)
    assert str(parse_number("1e999")) == "1" + "0" * 999


@pytest.mark.parametrize(
    ("policy", "text", "printed"),
    [
        (Policy(group_marks=("'", "’")), "1'234'567.8", "1234567.8"),
        (Policy(group_marks=("'", "’")), "1’234", "1234"),
        (Policy(group_marks=(" ", "\u00a0", "\u202f")), "1 234 567", "1234567"),
        (Policy(group_marks=(" ", "\u00a0", "\u202f")), "1\u202f234,", None),
        (Policy(decimal_mark=",", group_marks=(".",)), "1.234,50", "1234.50"),
        (Policy(decimal_mark=",", group_marks=(".",)), ",5", "0.5"),
        (Policy(group_marks=("_",)), "1_000", "1000"),
        (Policy(group_marks=(",", "'")), "1,234'567", None),
        (Policy(group_marks=()), "1,234", None),
    ],
)
def test_notation_follows_the_policy(policy: Policy, text: str, printed: str | None) -> None:
    if printed is None:
        with pytest.raises(InputError, match="is not a number"):
            parse_number(text, policy)
    else:
        assert str(parse_number(text, policy)) == printed


def test_the_notation_of_strings_does_not_touch_other_types() -> None:
    policy = Policy(decimal_mark=",", group_marks=(".",))
    assert str(as_number(1.5, policy)) == "1.5"
    assert str(as_number(Decimal("1.50"), policy)) == "1.50"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"decimal_mark": ";"}, "decimal mark ';' is not one of '.', ','"),
        ({"group_marks": (".",)}, "group mark '.' cannot separate groups of digits here"),
        ({"group_marks": ("-",)}, "group mark '-' cannot separate groups of digits here"),
        ({"group_marks": ("1",)}, "group mark '1' cannot separate groups of digits here"),
        ({"split": ("dates",)}, "kind of text with digits 'dates' is not one of fraction, ratio, date"),
        ({"overflow": "ignore"}, "overflow rule 'ignore' is not one of leave, raise"),
        ({"max_integer_places": -1}, "max_integer_places -1 is negative"),
    ],
)
def test_a_policy_refuses_what_it_cannot_mean(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Policy(**fields)  # type: ignore[arg-type]
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("digits_given", "scale", "message"),
    [("007", 0, "are not a coefficient"), ("", 0, "are not a coefficient"), ("٣", 0, "are not a coefficient"),
     ("1.5", 0, "are not a coefficient"), ("5", -1, "scale -1 is negative")],
)  # fmt: skip
def test_a_number_has_one_form_only(digits_given: str, scale: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Number(False, digits_given, scale)


def test_places_are_those_of_the_printed_form() -> None:
    number = parse_number("-0.050")
    assert (number.integer_places, number.decimal_places, number.digits) == (1, 3, "50")
    assert parse_number("-0.00").is_zero and not number.is_zero
    assert parse_number("1.5") != parse_number("1.50")
    assert parse_number("0") != parse_number("-0")
