"""``encode`` and ``decode``: the codec in one call, with places chosen to fit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError

from ._digits import Numbers
from ._parse import Numeric, as_number
from ._policy import Policy
from .codec import EXTRAS, Codec, Features
from .number import Number


@dataclass(frozen=True, slots=True)
class Encoding:
    """Features together with the codec that reads them.

    Args:
        codec: the layout.
        features: shape (numbers, width), or (width,) for a single number.
    """

    codec: Codec
    features: Features

    def __len__(self) -> int:
        return len(np.atleast_2d(self.features))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Features:
        return np.array(self.features, dtype=dtype, copy=bool(copy) or dtype is not None)

    @property
    def phases(self) -> Features:
        """The columns of the published embedding alone, or of digit angles if there are no phases."""
        columns = self.codec.columns
        return self.features[..., columns["phases" if "phases" in columns else "digits"]]


def encode(
    numbers: Numeric | Numbers | None,
    *,
    integer_places: int | None = None,
    decimal_places: int | None = None,
    features: str = "continuous",
    periods: tuple[Numeric, ...] | None = None,
    group_places: int | None = None,
    extras: tuple[str, ...] = EXTRAS,
    floating: bool = False,
    exponent_places: int = 3,
    scale: int = 0,
    dtype: npt.DTypeLike = np.float32,
    policy: Policy | None = None,
) -> Encoding:
    """Encodes one number or many.

    Args:
        numbers: a string, int, float, ``Decimal``, ``Number`` or None, or a list or flat array of them.
        integer_places: digits before the point; as many as the longest number has if None.
        decimal_places: digits after the point, likewise.
        features, periods, group_places, extras: as for :class:`Codec`.
        floating: significant digits and a power of ten in place of a fixed range; ``decimal_places`` are then
            those after the leading digit, and ``integer_places`` is left out.
        exponent_places: digits of that power.
        scale: integers are multiples of ``10**-scale``.
        dtype: float16, float32 or float64.
        policy: how strings are written.

    Returns:
        Features and their codec; ``decode`` gives the numbers back.

    Raises:
        InputError: not a number, or it does not fit the places.
    """
    if floating and integer_places not in (None, 1):
        raise InputError(f"integer_places is {integer_places}: a floating codec has one, so leave it out")
    if isinstance(numbers, np.ndarray) and numbers.ndim == 0:
        numbers = numbers[()]
    single = _is_single(numbers)
    many: Numbers = [numbers] if single else numbers  # type: ignore[list-item, assignment]
    if integer_places is None or decimal_places is None:
        whole, decimals, significant, many = _measure(many, scale, policy or Policy())
        scale = 0 if isinstance(many, list) else scale
        if floating:
            whole, decimals = 1, significant - 1
        integer_places = whole if integer_places is None else integer_places
        decimal_places = decimals if decimal_places is None else decimal_places
    codec = Codec(
        1 if floating else integer_places,
        decimal_places,
        features,
        periods,
        group_places,
        extras,
        exponent_places if floating else 0,
    )
    rows = codec.encode(many, scale=scale, dtype=dtype, policy=policy)
    return Encoding(codec, rows[0] if single else rows)


def decode(encoding: Encoding) -> Any:
    """The numbers of an encoding, as canonical strings.

    Args:
        encoding: from ``encode``; its features may have been rounded to a lower precision since.

    Returns:
        A string for a single number and a list for many, None in place of "no number".

    Raises:
        InputError: the features are damaged, or their periods do not determine the number.
    """
    rows = encoding.codec.decode(np.atleast_2d(encoding.features))
    return rows[0] if encoding.features.ndim == 1 else rows


def _is_single(numbers: Numeric | Numbers | None) -> TypeGuard[Numeric | None]:
    return numbers is None or isinstance(numbers, (str, int, float, Decimal, Number, np.generic))


def _measure(numbers: Numbers, scale: int, policy: Policy) -> tuple[int, int, int, Numbers]:
    """Most integer, decimal and significant places, and the numbers in a form that is not parsed again."""
    if isinstance(numbers, np.ndarray) and numbers.dtype.kind in "iu":
        longest = len(str(max(abs(int(numbers.max())), abs(int(numbers.min()))))) if len(numbers) else 1
        return max(longest - scale, 1), scale, longest, numbers
    exact: list[Number | None] = []
    for value in numbers:
        number = None if value is None else as_number(value, policy)
        if number is not None and scale:
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise InputError(f"scale {scale} is for integers, and {value!r} is not one: leave scale out")
            number = Number(number.negative, number.digits, scale)
        exact.append(number)
    found = [number for number in exact if number is not None]
    return (
        max((n.integer_places for n in found), default=1),
        max((n.scale for n in found), default=0),
        # Zeros that end a whole number come back from the power of ten.
        max((len(n.digits if n.scale else n.digits.rstrip("0")) for n in found), default=0) or 1,
        exact,
    )
