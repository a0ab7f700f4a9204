"""Numbers in running text: exact offsets, what is left alone, and linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError
from modgap.fone import KINDS, Policy, find_numbers, parse_number, split_text

quick = settings(deadline=None, max_examples=50)  # a busy machine is no failure


def surfaces(text: str, policy: Policy | None = None) -> list[str]:
    spans = find_numbers(text, policy) if policy else find_numbers(text)
    return [text[span.start : span.end] for span in spans]


def values(text: str, policy: Policy | None = None) -> list[str]:
    spans = find_numbers(text, policy) if policy else find_numbers(text)
    return [str(span.number) for span in spans]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I have 18 apples and 95 pears.", ["18", "95"]),
        ("It cost 5.", ["5"]),
        ("1,234.56 km", ["1,234.56"]),
        (".5 and -.5, then (.25)", [".5", "-.5", ".25"]),
        ("007 came", ["007"]),
        ("3.14e-2 m, 6.02E+23 and 1e5", ["3.14e-2", "6.02E+23", "1e5"]),
        ("−7 degrees", ["−7"]),
        ("$5.00, 12%, €-2, -$3", ["5.00", "12", "-2", "3"]),
        ("5-3=2", ["5", "3", "2"]),
        ("5--3", ["5", "-3"]),
        ("5 - 3 or 5 -3", ["5", "3", "5", "-3"]),
        ("(5)-3, (-3)", ["5", "3", "-3"]),
        ("12+34=46", ["12", "34", "46"]),
        ("10-20 and 10–20 and 1.5-2.5", ["10", "20", "10", "20", "1.5", "2.5"]),
        ("-5-3", ["-5", "3"]),
        ("2^-3", ["2", "-3"]),
        ('{"a":5,"b":-6}', ["5", "-6"]),
        ("[1,2,3] [1.5,-2.5]", ["1", "2", "3", "1.5", "-2.5"]),
        ("12,34", ["12", "34"]),
        ("1,234,5", ["1", "234", "5"]),
        ("2024,2025", ["2024", "2025"]),
        ("0,123", ["0", "123"]),
        ("10km in 5min at 3.5GHz, 4K", ["10", "5", "3.5"]),
        ("wait...5 and 1..5", ["5", "1", "5"]),
        ("第5章で3.5点", ["5", "3.5"]),
        ("x=-5;y=+6", ["-5", "6"]),
        ("--5 is a flag", ["5"]),
        ("answer:5", ["5"]),
        ("", []),
        ("no digits at all", []),
    ],
)
def test_finds_numbers_at_their_offsets(text: str, found: list[str]) -> None:
    assert surfaces(text) == found


LEFT_ALONE = {
    "fraction": ["3/4", "1.5/2"],
    "ratio": ["16:9", "1:2:3"],
    "date": ["2024-05-01", "2024/05/01", "1/5/2024", "01.05.2024", "2024-05"],
    "time": ["12:30", "9:05:07", "12:30:45.5"],
    "version": ["1.2.3", "10.0.0.1.5"],
    "address": ["192.168.0.1", "10.0.0.0/8",
        "fe80::1", "00:1a:2b:3c:4d:5e", "http://x.com/a/5?b=6", "www.a.b/1"],
    "code": ["555-123-4567", "978-3-16-148410-0"],
    "identifier": [
        "A4", "x2", "Room-505b", "Room-505", "v1.2", "0x1F",
        "GPT-4", "3D", "1st", "1980s", "b7@x.com", "5²", "1_000",
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_other_things_with_digits_are_left_alone_by_default(kind: str) -> None:
    for thing in LEFT_ALONE[kind]:
        assert surfaces(f"see {thing} there") == [], thing
        assert surfaces(f"{thing}, 7") == ["7"], thing


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("fraction", "3/4 and -3/4", ["3", "4", "-3", "4"]),
        ("ratio", "16:9", ["16", "9"]),
        ("date", "2024-05-01", ["2024", "05", "01"]),
        ("time", "12:30:45.5", ["12", "30", "45.5"]),
        ("version", "1.2.3", ["1", "2", "3"]),
        ("address", "192.168.0.1", ["192", "168", "0", "1"]),
        ("code", "555-123-4567", ["555", "123", "4567"]),
        ("identifier", "A4 Room-505b", ["4", "505"]),
    ],
)
def test_the_policy_takes_a_kind_apart(kind: str, text: str, found: list[str]) -> None:
    assert surfaces(text, Policy(split=(kind,))) == found
    others = tuple(k for k in KINDS if k != kind)
    assert surfaces(text, Policy(split=others)) == []


@pytest.mark.parametrize(
    ("policy", "text", "found"),
    [
        (Policy(group_marks=(",", "'", "’")), "1'234'567.5 or 1’234", ["1234567.5", "1234"]),
        (Policy(group_marks=(" ",)), "1 234 567 kg", ["1234567"]),
        (Policy(group_marks=(" ",)), "1 234 5678", ["1234", "5678"]),
        (Policy(), "1 234 567", ["1", "234", "567"]),
        (Policy(decimal_mark=",", group_marks=(".",)), "1.234,56 und 0,5 und ,5", ["1234.56", "0.5", "0.5"]),
        (Policy(group_marks=()), "1,234", ["1", "234"]),
        (Policy(units=("m",)), "5m 5km", ["5"]),
    ],
)
def test_notation_follows_the_policy(policy: Policy, text: str, found: list[str]) -> None:
    assert values(text, policy) == found


def test_a_number_out_of_range_is_text_or_refused() -> None:
    text = f"{'9' * 1001} and 1e9999999999999 and 5"
    assert values(text) == ["5"]
    with pytest.raises(InputError, match="it has 1001 integer places and the limit is 1000"):
        find_numbers(text, Policy(overflow="raise"))
    assert values("1234 12", Policy(max_integer_places=2)) == ["12"]


any_text = st.text(st.sampled_from("0123456789" * 2 + ".,-−+eE'/: \u00a0%$xé第²a@_()[]\n"), max_size=60)


@quick
@given(any_text, st.sets(st.sampled_from(KINDS)))
def test_any_text_is_rebuilt_and_every_span_is_the_number_it_claims(text: str, kinds: set[str]) -> None:
    policy = Policy(split=tuple(kinds))
    split = split_text(text, policy)
    assert split.join() == text
    end = 0
    for span in find_numbers(text, policy):
        assert end <= span.start < span.end <= len(text)
        assert parse_number(text[span.start : span.end], policy) == span.number
        end = span.end


numbers = st.builds(
    lambda sign, integer, decimals: sign + str(integer) + (f".{decimals}" if decimals else ""),
    st.sampled_from(["", "-"]),
    st.integers(0, 10**30),
    st.text("0123456789", max_size=12),
)
words = st.text("abcdefé", min_size=1, max_size=5)


@quick
@given(st.lists(st.tuples(words, numbers), max_size=8))
def test_numbers_written_into_a_text_come_back(pairs: list[tuple[str, str]]) -> None:
    text = " ".join(f"{word} {number}" for word, number in pairs)
    assert values(text) == [number for _, number in pairs]
    assert surfaces(text) == [number for _, number in pairs]


@quick
@given(st.lists(st.tuples(words, numbers), max_size=8))
def test_masking_and_filling_gives_the_canonical_text(pairs: list[tuple[str, str]]) -> None:
    text = "".join(f"{word}: {number}; " for word, number in pairs)
    split = split_text(text)
    assert split.masked("[NUM]") == "".join(f"{word}: [NUM]; " for word, _ in pairs)
    assert split.join([str(n) for n in split.numbers]) == text


def test_a_mask_that_stands_in_the_text_is_not_a_number() -> None:
    split = split_text("[NUM] is 5")
    assert split.masked("[NUM]") == "[NUM] is [NUM]"
    assert split.join() == "[NUM] is 5"
    with pytest.raises(InputError, match="2 words given for a text of 1 numbers: give one for each"):
        split.join(["1", "2"])


@pytest.mark.parametrize(
    "unit",
    [
        "1,",
        "1-",
        "1e",
        "1.",
        "--",
        "a5-",
        "1:",
        "www.",
        "http://",
        ":a:",
        "1 234 ",
        "5km",
        "-.5",
        ".",
        "第5",
        "a@",
    ],
)
def test_time_is_linear_on_texts_made_to_be_slow(unit: str) -> None:
    """A quadratic scan of 100,000 characters takes half a minute or more; the slowest of these takes 0.4
    s."""
    policy = Policy(group_marks=(",", "'", " ", "_"), split=KINDS)
    start = time.process_time()
    find_numbers(unit * (100_000 // len(unit)), policy)
    assert time.process_time() - start < 8


@pytest.mark.parametrize("text", ["1,0000", "1,000,00", "3,00", "12,34,007"])
def test_numbers_in_wrong_groups_are_left_alone(text: str) -> None:
    """They are no lists: reading 1,0000 as 1 and 0 would give two wrong values."""
    assert find_numbers(text) == []
    assert [str(span.number) for span in find_numbers("1,2,3 and (1, 002)")] == ["1", "2", "3", "1", "2"]
