"""An exact decimal number: sign, digits and scale.

``Number(negative=True, digits="123456789", scale=4)`` is -12345.6789. Digits are kept as text, so that length
is limited by memory only and no step goes through binary floating point; the scale (how many of the digits
stand after the point) is part of the number, so that ``1.50`` is printed as ``1.50`` again.

The canonical form is what ``str`` prints: a minus sign if negative (``-0`` included), the integer part
without leading zeros but with at least one digit, then, if the scale is not zero, a point and exactly
``scale`` digits. No exponent, no separator, no plus sign: ``.5`` is ``0.5``, ``5.`` is ``5``, ``007`` is
``7``, ``3.14e-2`` is ``0.0314``, ``1.5e3`` is ``1500`` and ``1.50e1`` is ``15.0``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from modgap._errors import InputError

_DIGITS = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Number:
    """One exact decimal, ``(-1)**negative * int(digits) / 10**scale``.

    Equality compares the three fields: ``1.5`` and ``1.50`` are equal values but different numbers, as are
    ``0`` and ``-0``. Compare ``to_fraction()`` to compare values.

    Args:
        negative: whether the number is written with a minus sign; minus zero exists.
        digits: the coefficient, ASCII digits without leading zeros; ``"0"`` for zero.
        scale: how many decimal places are written, 0 or more.

    Raises:
        InputError: digits or scale are not of this form.
    """

    negative: bool
    digits: str
    scale: int = 0

    def __post_init__(self) -> None:
        if not _DIGITS.fullmatch(self.digits):
            raise InputError(
                f"digits {self.digits[:40]!r} are not a coefficient: give ASCII digits 0-9 without leading "
                "zeros, sign or point, or use parse_number for other forms"
            )
        if self.scale < 0:
            raise InputError(f"scale {self.scale} is negative: give the number of decimal places, 0 or more")

    def __str__(self) -> str:
        sign = "-" if self.negative else ""
        if self.scale == 0:
            return sign + self.digits
        padded = self.digits.rjust(self.scale + 1, "0")
        return f"{sign}{padded[: -self.scale]}.{padded[-self.scale :]}"

    @property
    def is_zero(self) -> bool:
        """Whether the value is zero, of either sign."""
        return self.digits == "0"

    @property
    def integer_places(self) -> int:
        """How many digits the canonical form has before the point, 1 or more."""
        return max(len(self.digits) - self.scale, 1)

    @property
    def decimal_places(self) -> int:
        """How many digits the canonical form has after the point: the scale."""
        return self.scale

    def to_decimal(self) -> Decimal:
        """The same sign, digits and scale as a ``decimal.Decimal``; no context rounding applies."""
        return Decimal((int(self.negative), tuple(map(int, self.digits)), -self.scale))

    def to_fraction(self) -> Fraction:
        """The exact value; minus zero becomes zero."""
        return Fraction(self.to_decimal())


def number_from_parts(*, negative: bool, integer: str, decimals: str = "", exponent: int = 0) -> Number:
    """The number ``integer.decimals × 10**exponent``, with the written decimal places kept.

    Args:
        negative: whether there is a minus sign.
        integer: digits before the point; leading zeros and an empty string are fine.
        decimals: digits after the point.
        exponent: power of ten; a positive one consumes decimal places first and then appends zeros.

    Returns:
        A number of scale ``max(len(decimals) - exponent, 0)``.
    """
    digits = (integer + decimals).lstrip("0")
    scale = len(decimals) - exponent
    if scale < 0:
        digits, scale = digits + "0" * -scale if digits else "", 0
    return Number(negative, digits or "0", scale)
