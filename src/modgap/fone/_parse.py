"""Reading one number, whatever it comes as.

``parse_number("1,234.50")`` reads a string that is a number and nothing else; ``as_number`` also takes int,
float, ``Decimal`` and numpy scalars. A float is read as the shortest decimal that Python prints for it: 0.1
is one tenth, not the 55 digits that the binary value has.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypeAlias

import numpy as np

from modgap._errors import InputError

from ._policy import MINUS, Policy, grammar_of
from .number import Number, number_from_parts

Numeric: TypeAlias = "str | int | float | Decimal | Number | np.integer | np.floating"
"""Anything that is one number."""

DEFAULT_POLICY = Policy()

_NOT_FINITE = re.compile(r"[-+−]?\s*(?:nan|snan|inf|infinity|∞)", re.IGNORECASE)
_SHOWN = 40  # characters of a bad input that an error repeats


def parse_number(text: str, policy: Policy = DEFAULT_POLICY) -> Number:
    """Reads a string that is one number, with any of sign, separators, bare point, zeros and exponent.

    Args:
        text: the number; white space around it is ignored.
        policy: decimal mark, group marks and range; its other fields play no part here.

    Returns:
        The exact number, with as many decimal places as are written.

    Raises:
        InputError: it is not a number, not finite, or longer than the policy's range.
    """
    body = text.strip()
    negative = body[:1] in tuple(MINUS)
    if negative or body[:1] == "+":
        body = body[1:]
    number = read_unsigned(_without_bare_mark(body, policy.decimal_mark), negative, policy)
    if number is None:
        raise InputError(_reason(text, policy))
    check_range(number, policy)
    return number


def _without_bare_mark(body: str, mark: str) -> str:
    """``.5`` as ``0.5``, ``5.`` as ``5`` and ``5.e3`` as ``5e3``; anything else as it is."""
    before, _, after = body.partition(mark)
    if not before and "0" <= after[:1] <= "9":
        return "0" + body
    if "0" <= before[-1:] <= "9" and after[:1] in ("", "e", "E"):
        return before + after
    return body


def read_unsigned(body: str, negative: bool, policy: Policy) -> Number | None:
    """The number that ``body``, without sign, is under this policy; None if it is none.

    Raises:
        InputError: the exponent alone takes it out of the policy's range (its digits are then never written
        out).
    """
    grammar = grammar_of(policy)
    found = grammar.number.fullmatch(body)
    if found is None:
        return None
    integer = grammar.group.sub("", found["integer"])
    decimals = found["decimals"] or ""
    exponent = _read_exponent(found["exponent"] or "0")
    limit = policy.max_integer_places + policy.max_decimal_places + len(integer) + len(decimals)
    if abs(exponent) > limit:
        if (integer + decimals).strip("0"):
            raise InputError(
                f"number {_show(body)} is out of range: its exponent moves the point by more than {limit} "
                f"places; the range is {policy.max_integer_places} integer and {policy.max_decimal_places} "
                "decimal places, set by max_integer_places and max_decimal_places of the policy"
            )
        exponent = 0  # zero times any power of ten
    return number_from_parts(negative=negative, integer=integer, decimals=decimals, exponent=exponent)


def check_range(number: Number, policy: Policy) -> None:
    """Refuses a number longer than the policy's range.

    Raises:
        InputError: too many integer or decimal places.
    """
    for kind, places, limit in (
        ("integer", number.integer_places, max(policy.max_integer_places, 1)),
        ("decimal", number.decimal_places, policy.max_decimal_places),
    ):
        if places > limit:
            raise InputError(
                f"number {_show(str(number))} is out of range: it has {places} {kind} places and the limit "
                f"is {limit}; set max_{kind}_places of the policy to take longer ones"
            )


def as_number(value: Numeric, policy: Policy = DEFAULT_POLICY) -> Number:
    """One exact number from any of the types a number comes as.

    Args:
        value: a string (read by ``parse_number``), int, float (read as the shortest decimal that prints it),
            ``Decimal``, ``Number`` or numpy scalar.
        policy: how strings are written, and the range of any number.

    Returns:
        The exact number. An int or an integral float in exponent form has scale 0, ``5.0`` has scale 1.

    Raises:
        InputError: not a number, not finite, or out of range.
    """
    if isinstance(value, str):
        return parse_number(value, policy)
    if isinstance(value, Number):
        number = value
    elif isinstance(value, (bool, np.bool_)):
        raise InputError(f"{value!r} is a truth value, not a number: give 0 or 1 if that is what is meant")
    elif isinstance(value, (int, np.integer)):
        number = _from_int(int(value), policy)
    elif isinstance(value, Decimal):
        number = _from_decimal(value, policy)
    elif isinstance(value, (float, np.floating)):
        text = str(value) if isinstance(value, np.floating) else repr(value)
        return parse_number(text, _plain(policy))
    else:
        raise InputError(
            f"{_show(repr(value))} of type {type(value).__name__} is not a number this codec reads: give a "
            "string, int, float, decimal.Decimal or Number (a fraction has no exact decimal form in general)"
        )
    check_range(number, policy)
    return number


def _from_int(value: int, policy: Policy) -> Number:
    # log10(2) > 0.301: turning a huge int into digits is quadratic, so its length is bounded first.
    if value.bit_length() * 0.301 > policy.max_integer_places + 1:
        raise InputError(
            f"integer of {value.bit_length()} bits is out of range: the limit is "
            f"{policy.max_integer_places} integer places; set max_integer_places of the policy to take "
            "longer ones"
        )
    return Number(value < 0, _int_digits(abs(value)))


def _int_digits(value: int) -> str:
    """Decimal digits, also beyond the length at which Python refuses ``str``."""
    if value.bit_length() < 10_000:
        return str(value)
    half = value.bit_length() * 3 // 20
    high, low = divmod(value, 10**half)
    return _int_digits(high) + _int_digits(low).rjust(half, "0")


def _from_decimal(value: Decimal, policy: Policy) -> Number:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise InputError(_reason(str(value), policy))
    return parse_number(f"{'-' if sign else ''}{''.join(map(str, digits)) or '0'}e{exponent}", _plain(policy))


def _plain(policy: Policy) -> Policy:
    """The notation of Python with the range of this policy."""
    return Policy(max_integer_places=policy.max_integer_places, max_decimal_places=policy.max_decimal_places)


def _read_exponent(text: str) -> int:
    """The exponent as an int; one too long to mean anything is cut to a value that is out of any range."""
    text = text.replace("−", "-")
    digits = text.lstrip("+-").lstrip("0")
    magnitude = int(digits) if len(digits) < 16 and digits else (10**15 if digits else 0)
    return -magnitude if text.startswith("-") else magnitude


def _show(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _reason(text: str, policy: Policy) -> str:
    """Why a text is not a number, and what to do."""
    shown = _show(text)
    body = text.strip()
    if not body:
        return f"{shown} is empty: give a number such as -12.5, or None for 'no number here'"
    if _NOT_FINITE.fullmatch(body):
        return f"{shown} is not finite: only finite decimals have digits; leave it as text or give None"
    if re.fullmatch(r"[-+−]?[0-9.,]+\s*/\s*[0-9.,]+", body):
        return f"{shown} is a fraction, which may have no exact decimal form: give a decimal or two numbers"
    if any(c.isdigit() and not c.isascii() for c in body):
        return f"{shown} has digits other than 0-9: write it with ASCII digits"
    if re.search(r"[%$€£¥]", body):
        return f"{shown} has a sign around the number: find_numbers takes the number out of the text"
    marks = " ".join(repr(m) for m in policy.group_marks) or "no mark"
    return (
        f"{shown} is not a number: accepted are digits with an optional sign, {policy.decimal_mark!r} "
        f"before decimals, {marks} between groups of three, and an exponent such as e-3; find_numbers finds "
        "numbers in running text"
    )
