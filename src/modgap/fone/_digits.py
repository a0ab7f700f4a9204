"""From numbers of any type to a matrix of decimal digits.

All inputs meet in one matrix, shape (places, numbers), finest place first, so features cannot depend on
whether a number came as an int, a string or a ``Decimal``. Integer arrays and plain strings are read without
a Python step per number; anything else (separators, exponents, bare points …) goes through ``as_number``
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError

from ._parse import Numeric, as_number
from ._phases import Digits
from ._policy import Policy
from .number import Number

Numbers: TypeAlias = "Sequence[Numeric | None] | npt.NDArray[Any]"
"""Many numbers; None where there is no number."""

_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class DigitBlock:
    """Some numbers, by digits.

    Args:
        values: the digits, shape (places, numbers), finest place first.
        negative: whether each has a minus sign.
        written: how many decimal places (floating codecs: significant digits) each is written with.
        present: whether there is a number at all.
        exponent: power of ten of the first digit, floating codecs only, else zeros.
    """

    values: Digits
    negative: npt.NDArray[np.bool_]
    written: npt.NDArray[np.int64]
    present: npt.NDArray[np.bool_]
    exponent: npt.NDArray[np.int64]


def as_sequence(numbers: Numbers, policy: Policy) -> Numbers:
    """The same numbers in the form that is read fastest: an integer or byte-string array, or a list.

    Raises:
        InputError: an array that is not one-dimensional.
    """
    if not isinstance(numbers, np.ndarray):
        if isinstance(numbers, (str, bytes)):
            raise InputError(f"{numbers[:40]!r} is one number where many are read: give a list of them")
        numbers = list(numbers)
        types = set(map(type, numbers))
        if types == {int}:
            try:
                return np.array(numbers, dtype=np.int64)
            except OverflowError:
                return numbers
        return list(map(repr, numbers)) if types == {float} and policy.decimal_mark == "." else numbers
    if numbers.ndim != 1:
        raise InputError(f"numbers have shape {numbers.shape}: give one number or a flat list of them")
    if numbers.dtype.kind in "iuS":
        return numbers
    if numbers.dtype.kind == "f":
        return list(map(str, numbers)) if policy.decimal_mark == "." else list(numbers)
    return list(numbers.tolist())


def read_fixed(
    numbers: Numbers, integer_places: int, decimal_places: int, scale: int, policy: Policy
) -> DigitBlock:
    """Digits of numbers in a fixed range of places.

    Args:
        numbers: from ``as_sequence``.
        integer_places: digits before the point.
        decimal_places: digits after the point.
        scale: integers are multiples of ``10**-scale``.
        policy: how strings are written.

    Raises:
        InputError: not a number, or not within the places.
    """
    if isinstance(numbers, np.ndarray) and numbers.dtype.kind in "iu":
        return _read_integers(numbers, integer_places, decimal_places, scale)
    if scale:
        numbers = [_scaled(value, scale, policy) for value in numbers]
    return _read_texts(numbers, integer_places, decimal_places, policy)


def _scaled(value: Numeric | None, scale: int, policy: Policy) -> Number | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(f"scale {scale} is for integers, and {value!r} is not one: leave scale out")
    number = as_number(value, policy)
    return Number(number.negative, number.digits, scale)


@lru_cache(maxsize=1)
def _chunk_digits() -> npt.NDArray[np.uint32]:
    """The four digits of 0..9999, least significant first, four bytes in one entry."""
    value = np.arange(_CHUNK)
    digits = np.stack([value // 10**k % 10 for k in range(4)], axis=1).astype(np.uint8)
    return np.ascontiguousarray(digits).view(np.uint32)[:, 0]


def _read_integers(
    numbers: npt.NDArray[Any], integer_places: int, decimal_places: int, scale: int
) -> DigitBlock:
    if scale < 0 or scale > decimal_places:
        raise InputError(
            f"scale {scale} is not within 0 and {decimal_places}, the decimal places of this codec"
        )
    count = len(numbers)
    negative = numbers < 0
    rest = numbers.astype(np.uint64)
    if negative.any():
        np.negative(rest, out=rest, where=negative)  # modulo 2**64, right also for the smallest int64
    room = integer_places + scale
    chunks = min(-(-room // 4), 5)
    found = np.zeros((max(4 * chunks, room), count), dtype=np.uint8)
    table = _chunk_digits()
    for chunk in range(chunks):
        higher = rest // np.uint64(_CHUNK)
        rest -= higher * np.uint64(_CHUNK)
        found[4 * chunk : 4 * chunk + 4] = table.take(rest).view(np.uint8).reshape(count, 4).T
        rest = higher
    over = rest > 0
    if len(found) > room:
        over |= found[room:].any(axis=0)
    if over.any():
        digits = str(abs(int(numbers[over.argmax()])))
        raise _too_long(digits, len(digits) - scale, "integer", integer_places)
    values = found[:room]
    if scale < decimal_places:
        values = np.concatenate([np.zeros((decimal_places - scale, count), dtype=np.uint8), values])
    return DigitBlock(
        values=values,
        negative=negative,
        written=np.full(count, scale, dtype=np.int64),
        present=np.ones(count, dtype=np.bool_),
        exponent=np.zeros(count, dtype=np.int64),
    )


def _read_texts(numbers: Numbers, integer_places: int, decimal_places: int, policy: Policy) -> DigitBlock:
    """Plain strings at once, the others after turning them into plain strings one by one."""
    count = len(numbers)
    texts, lengths = _ascii(numbers)
    width = texts.dtype.itemsize
    characters = texts.view(np.uint8).reshape(count, width)
    is_digit = (characters - np.uint8(48)) <= 9  # uint8 wraps around, so this is one comparison
    is_point = characters == ord(".")
    digit_count = is_digit.sum(axis=1, dtype=np.int64)
    has_point = is_point.any(axis=1)
    point = np.where(has_point, is_point.argmax(axis=1), lengths)
    negative = characters[:, 0] == ord("-")
    written = np.where(has_point, lengths - point - 1, 0)
    plain = (digit_count + has_point + negative == lengths) & (digit_count > 0)
    plain &= point - negative <= min(integer_places, policy.max_integer_places)
    plain &= written <= min(decimal_places, policy.max_decimal_places)
    if policy.decimal_mark != ".":
        plain &= False
    block = DigitBlock(
        values=_align(
            characters,
            is_digit,
            negative=negative,
            point=point,
            lengths=lengths,
            integer_places=integer_places,
            decimal_places=decimal_places,
        ),
        negative=negative,
        written=written,
        present=np.ones(count, dtype=np.bool_),
        exponent=np.zeros(count, dtype=np.int64),
    )
    for i in np.flatnonzero(~plain).tolist():
        _read_one(numbers[i], block, i, (integer_places, decimal_places), policy)
    return block


def _ascii(numbers: Numbers) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.int64]]:
    """Byte strings and their lengths; what is no ASCII string becomes an empty one, which is not plain."""
    if isinstance(numbers, np.ndarray):
        return np.ascontiguousarray(numbers), np.char.str_len(numbers).astype(np.int64)
    texts = [text if isinstance(text, str) and text.isascii() else "" for text in numbers]
    # A trailing NUL would vanish in the array; the length keeps it visible, and the row is then not plain.
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return np.array(texts, dtype=np.bytes_), lengths


def _align(
    characters: Digits,
    is_digit: npt.NDArray[np.bool_],
    *,
    negative: npt.NDArray[np.bool_],
    point: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    integer_places: int,
    decimal_places: int,
) -> Digits:
    """Digits by place from characters by position."""
    count, width = characters.shape
    values = np.zeros((integer_places + decimal_places, count), dtype=np.uint8)
    if count == 0:
        return values
    sign, at, end = int(negative[0]), int(point[0]), int(lengths[0])
    if (negative == sign).all() and (point == at).all() and (lengths == end).all():
        high = characters[:, max(sign, at - integer_places) : at]
        low = characters[:, at + 1 : min(end, at + 1 + decimal_places)]
        top, bottom = decimal_places + high.shape[1], decimal_places - low.shape[1]
        values[decimal_places:top] = high[:, ::-1].T - np.uint8(48)
        values[bottom:decimal_places] = low[:, ::-1].T - np.uint8(48)
        return values
    # A column of zeros on both sides: a place that is not written is read there.
    padded = np.zeros((count, width + 2), dtype=np.uint8)
    np.multiply(characters - np.uint8(48), is_digit, out=padded[:, 1:-1])
    flat = padded.reshape(-1)
    start = np.arange(count, dtype=np.int64) * (width + 2) + 1
    for row in range(integer_places + decimal_places):
        place = row - decimal_places
        column = point - (place + 1 if place >= 0 else place)
        np.clip(column, -1, width, out=column)
        column += start
        flat.take(column, out=values[row], mode="clip")
    return values


def _read_one(
    value: Numeric | bytes | None, block: DigitBlock, i: int, places: tuple[int, int], policy: Policy
) -> None:
    """Writes column ``i`` of the block, of so many integer and decimal places, from a value of any type."""
    integer_places, decimal_places = places
    block.values[:, i] = 0
    if value is None:
        block.present[i], block.negative[i], block.written[i] = False, False, 0
        return
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    number = as_number(value, policy)
    if number.scale > decimal_places:
        raise _too_long(str(number), number.scale, "decimal", decimal_places)
    integer_digits = 0 if number.is_zero else len(number.digits) - number.scale
    if integer_digits > integer_places:
        raise _too_long(str(number), integer_digits, "integer", integer_places)
    digits = np.frombuffer(number.digits.encode("ascii"), dtype=np.uint8)[::-1] - np.uint8(48)
    start = decimal_places - number.scale
    if not number.is_zero:
        block.values[start : start + len(digits), i] = digits
    block.negative[i], block.written[i] = number.negative, number.scale


def _too_long(text: str, places: int, kind: str, limit: int) -> InputError:
    shown = text if len(text) <= 40 else text[:40] + "…"
    return InputError(
        f"number {shown} has {places} {kind} places and this codec {limit}: give {kind}_places={places} or "
        "more, or use a floating codec"
    )


def read_floating(
    numbers: Numbers, significant_places: int, exponent_places: int, policy: Policy
) -> DigitBlock:
    """Digits of numbers as a leading digit, decimals and a power of ten.

    ``written`` counts the digits that are kept. Zeros that end a whole number may be dropped to fit; they
    come back from the exponent.

    Raises:
        InputError: not a number, or too many significant digits, or the exponent is out of range.
    """
    count = len(numbers)
    block = DigitBlock(
        values=np.zeros((significant_places, count), dtype=np.uint8),
        negative=np.zeros(count, dtype=np.bool_),
        written=np.zeros(count, dtype=np.int64),
        present=np.zeros(count, dtype=np.bool_),
        exponent=np.zeros(count, dtype=np.int64),
    )
    for i, value in enumerate(numbers):
        if value is None:
            continue
        number = as_number(value.decode("utf-8", "replace") if isinstance(value, bytes) else value, policy)
        digits, exponent = number.digits, len(number.digits) - 1 - number.scale
        if len(digits) > significant_places and number.scale == 0:
            digits = digits[:significant_places] + digits[significant_places:].rstrip("0")
        if len(digits) > significant_places:
            raise _too_long(str(number), len(digits), "significant", significant_places)
        if abs(exponent) >= 10**exponent_places:
            raise InputError(
                f"number {number!s:.40} has the exponent {exponent} and this codec {exponent_places} digits "
                "for it: give more exponent_places"
            )
        row = np.frombuffer(digits.encode("ascii"), dtype=np.uint8) - np.uint8(48)
        block.values[significant_places - len(row) :, i] = row[::-1]
        block.negative[i], block.written[i] = number.negative, len(digits)
        block.present[i], block.exponent[i] = True, exponent
    return block


def integer_lengths(values: Digits, decimal_places: int) -> npt.NDArray[np.int64]:
    """Written integer places: up to the highest digit that is not zero, at least one."""
    whole = values[decimal_places:][::-1] != 0
    return np.maximum(np.where(whole.any(axis=0), len(whole) - whole.argmax(axis=0), 1), 1)
