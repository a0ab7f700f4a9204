"""Numbers to Fourier features and back, exactly.

    from modgap.fone import encode, decode
    decode(encode("-12345.6789"))                      # "-12345.6789"
    decode(encode(["18", "1,234.56", None]))           # ["18", "1234.56", None]
    codec = Codec(integer_places=7, decimal_places=3)
    codec.decode(codec.encode(["12.5", "-3"]))         # ["12.5", "-3"]

A codec is a fixed layout of columns, the same for all numbers, so that a column always means the same thing:

``phases``          pairs (cos, sin) of the residue modulo each period, finest first [FoNE, Zhou et al. 2026]
``digits``          pairs of the digit angle 2πd/10 of each place, finest first
``exponent_sign``   1 or -1, and ``exponent``, digit angles: floating codecs only
``number``          1; a row of zeros is "no number"
``sign``            1 or -1, minus zero included
``zero``            1 for zero, else 0
``integer_length``  how many integer places are written, as digit angles, finest first
``written_length``  how many decimal places (floating: significant digits) are written, likewise

Sign and zero are columns of their own because phases are those of the magnitude; published phases alone
(``extras=()``) give one vector to -37 and 10**m - 37. ``zero`` and ``integer_length`` follow from the digits
and are there for models to read; the decoder goes by the digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError, UnknownName

from ._digits import DigitBlock, Numbers, as_sequence, integer_lengths, read_fixed, read_floating
from ._layout import columns_of
from ._parse import Numeric
from ._periods import Period, candidates, decimal_periods, read_periods, read_turns, turns_of
from ._phases import Digits, Floats, cosine_and_sine, digit_points, shares
from ._policy import MAX_PLACES, Policy
from ._print import print_block
from ._read import TOLERANCE, nearest_digits, read_both, read_phases, turns_of_points

FEATURES = ("continuous", "digits", "both")
EXTRAS = ("number", "sign", "zero", "length")
Features: TypeAlias = npt.NDArray[Any]

_DTYPES = ("float16", "float32", "float64")
_BLOCK = 1 << 17  # matrix entries worked on at once; their float64 temporaries stay within a few MB of cache


@dataclass(frozen=True, slots=True)
class Codec:
    """A layout of features for numbers of so many places.

    Args:
        integer_places: digits before the point, 0 or more.
        decimal_places: digits after the point, 0 or more.
        features: ``"continuous"`` phases as published, ``"digits"`` for digit angles, or ``"both"``.
        periods: the periods of the phases, decimals such as ``"0.1"``, ``7`` or ``"2e3"``; None for the
            published ones, ten to the power -decimal_places + 1 … integer_places.
        group_places: periods start again every so many places, counted from the finest; 5 is the published
            treatment of long numbers. None (here exact at any length) for never.
        extras: which of ``EXTRAS`` have columns.
        exponent_places: digits of the power of ten of a floating codec, 0 for a fixed one; a floating codec
            has one integer place, see ``Codec.floating``.

    Raises:
        InputError: fields that do not fit together.
    """

    integer_places: int
    decimal_places: int = 0
    features: str = "continuous"
    periods: tuple[Numeric, ...] | None = None
    group_places: int | None = None
    extras: tuple[str, ...] = EXTRAS
    exponent_places: int = 0

    def __post_init__(self) -> None:
        if self.integer_places < 0 or self.decimal_places < 0 or self.places == 0:
            raise InputError(
                f"{self.integer_places} integer and {self.decimal_places} decimal places given: give 0 or "
                "more of each, and at least one place"
            )
        if self.features not in FEATURES:
            raise UnknownName("features", self.features, FEATURES)
        for extra in self.extras:
            if extra not in EXTRAS:
                raise UnknownName("extra", extra, EXTRAS)
        if self.group_places is not None and self.group_places < 1:
            raise InputError(f"group_places {self.group_places} is not a number of places: give 1 or more")
        if self.periods is not None and (self.group_places or self.features == "digits"):
            raise InputError(
                "periods are for phases over all places: leave out group_places or features='digits'"
            )
        if self.exponent_places < 0:
            raise InputError(f"exponent_places {self.exponent_places} is negative: give 0 for a fixed codec")
        if self.exponent_places and self.integer_places != 1:
            raise InputError(
                f"integer_places is {self.integer_places}: a floating codec has one, use Codec.floating"
            )
        if self.periods is not None:
            read_periods(self.periods)

    @classmethod
    def floating(
        cls,
        significant_places: int = 17,
        exponent_places: int = 3,
        *,
        features: str = "continuous",
        extras: tuple[str, ...] = EXTRAS,
    ) -> Codec:
        """A codec of any magnitude: significant digits and a power of ten.

        Args:
            significant_places: digits that are kept; 17 hold any float64.
            exponent_places: digits of the power of ten; 3 reach 10**±999.
            features: as for the class; the phases are those of the leading digit and its decimals.
            extras: as for the class.
        """
        return cls(1, significant_places - 1, features, extras=extras, exponent_places=exponent_places)

    @property
    def places(self) -> int:
        """How many digits a number has."""
        return self.integer_places + self.decimal_places

    @property
    def columns(self) -> dict[str, slice]:
        """Which columns hold what, by the names in the module's description, in order."""
        return dict(columns_of(self))

    @property
    def width(self) -> int:
        """How many columns there are."""
        return int(next(reversed(columns_of(self).values())).stop)

    @property
    def tolerance(self) -> float:
        """Error vectors of pairs shorter than this do not change what is decoded; 0.309 unless periods are
        given.

        Raises:
            InputError: the periods do not determine the number.
        """
        periods = self._own_periods()
        if periods is None:
            return TOLERANCE
        most = max((*self._candidates(periods), 2))
        return min(TOLERANCE, float(np.sin(np.pi / most)))

    def encode(
        self,
        numbers: Numbers,
        *,
        scale: int = 0,
        dtype: npt.DTypeLike = np.float32,
        policy: Policy | None = None,
    ) -> Features:
        """Features of many numbers.

        Args:
            numbers: a list or flat array of strings, ints, floats, ``Decimal`` or ``Number``, None where
                there is no number. Integer arrays and plain strings are read fastest.
            scale: integers are multiples of ``10**-scale``.
            dtype: float16, float32 or float64. float16 is rounded from float32, as every later conversion is.
            policy: how strings are written.

        Returns:
            Shape (numbers, width); None is a row of zeros.

        Raises:
            InputError: not a number, or one that this codec cannot hold exactly.
        """
        kind = np.dtype(dtype)
        if kind.name not in _DTYPES:
            raise UnknownName("dtype of features", kind.name, _DTYPES)
        policy = policy or policy_of(self)
        numbers = as_sequence(numbers, policy)
        out = np.empty((len(numbers), self.width), dtype=np.float64 if kind.name == "float64" else np.float32)
        step = self._rows_at_once()
        for start in range(0, len(out), step):
            part = numbers[start : start + step]
            if self.exponent_places:
                block = read_floating(part, self.places, self.exponent_places, policy)
            else:
                block = read_fixed(part, self.integer_places, self.decimal_places, scale, policy)
            self._write(block, out[start : start + step])
        return out.astype(kind, copy=False)

    def decode(self, features: npt.ArrayLike) -> list[str | None]:
        """The numbers of features, in canonical form.

        Features may have been rounded to any float type or moved by less than ``tolerance`` per pair.

        Args:
            features: shape (numbers, width), any real dtype.

        Returns:
            One string per row, None for "no number". Without the ``length`` extra all have ``decimal_places``
            decimal places (floating: no zeros at the end of a fraction).

        Raises:
            InputError: wrong shape, not finite, or periods that do not determine the number.
        """
        out: list[str | None] = []
        for part in self._parts(features):
            out += print_block(self._read(part), self.integer_places, bool(self.exponent_places))
        return out

    def decode_digits(self, features: npt.ArrayLike) -> Digits:
        """The digits of features.

        Args:
            features: as for ``decode``.

        Returns:
            Shape (numbers, places), finest place first, uint8; all zero for "no number".

        Raises:
            InputError: as for ``decode``.
        """
        blocks = [self._read(part) for part in self._parts(features)]
        found = [np.where(block.present, block.values, np.uint8(0)).T for block in blocks]
        return np.concatenate([*found, np.empty((0, self.places), dtype=np.uint8)])

    def _parts(self, features: npt.ArrayLike) -> Iterator[Floats]:
        """Checked features, a block of rows at a time."""
        rows = np.asarray(features)
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise InputError(f"features have shape {rows.shape}; this codec reads (numbers, {self.width})")
        for start in range(0, len(rows), self._rows_at_once()):
            part = rows[start : start + self._rows_at_once()].astype(np.float64)
            if not np.isfinite(part).all():
                raise InputError(
                    "features are not finite: the computation they come from overflowed or failed"
                )
            yield part

    def _rows_at_once(self) -> int:
        return min(max(_BLOCK // self.places, 256), 8192)

    def _own_periods(self) -> tuple[Period, ...] | None:
        """The periods if they are not the published ones."""
        if self.periods is None or self.features == "digits":
            return None
        periods = read_periods(self.periods)
        return None if periods == decimal_periods(self.integer_places, self.decimal_places) else periods

    def _candidates(self, periods: tuple[Period, ...]) -> tuple[int, ...]:
        found = candidates(periods, self.places, self.decimal_places)
        if found is None and self.features == "continuous":
            raise InputError(
                f"these periods do not determine numbers of {self.integer_places} integer and "
                f"{self.decimal_places} decimal places, because their least common multiple is too small: "
                "add periods, or features='both'"
            )
        return found or ()

    def _write(self, block: DigitBlock, out: Features) -> None:
        """Fills rows of features."""
        columns = columns_of(self)
        if "sign" not in columns and block.negative.any():
            raise InputError("a number is negative and this codec has no 'sign' among its extras: add it")
        if "phases" in columns:
            periods = self._own_periods()
            turns = (
                shares(block.values, self.group_places)
                if periods is None
                else turns_of(block.values, periods, self.decimal_places)
            )
            pairs = out[:, columns["phases"]]
            cosine, sine = cosine_and_sine(turns)
            pairs[:, 0::2] = cosine.T
            pairs[:, 1::2] = sine.T
        if "digits" in columns:
            out[:, columns["digits"]] = _points(block.values, out.dtype)
        if "exponent" in columns:
            out[:, columns["exponent_sign"]] = np.where(block.exponent < 0, -1, 1)[:, None]
            self._write_count("exponent", np.abs(block.exponent), out)
        if "number" in columns:
            out[:, columns["number"]] = 1
        if "sign" in columns:
            out[:, columns["sign"]] = np.where(block.negative, -1, 1)[:, None]
        if "zero" in columns:
            out[:, columns["zero"]] = (block.values.max(axis=0) == 0)[:, None]
        if "integer_length" in columns:
            self._write_count("integer_length", integer_lengths(block.values, self.decimal_places), out)
        if "written_length" in columns:
            self._write_count("written_length", block.written, out)
        if not block.present.all():
            out[~block.present] = 0

    def _write_count(self, name: str, counts: npt.NDArray[np.int64], out: Features) -> None:
        """A small whole number as digit angles."""
        column = columns_of(self)[name]
        slots = (column.stop - column.start) // 2
        digits = np.stack([counts // 10**k % 10 for k in range(slots)]).astype(np.uint8)
        out[:, column] = _points(digits, out.dtype)

    def _read(self, rows: Floats) -> DigitBlock:
        """Digits of rows of features."""
        columns = columns_of(self)
        periods = self._own_periods()
        places = slice(0, 2 * self.places)
        if self.features == "digits" or (self.features == "both" and periods is not None):
            values = nearest_digits(rows[:, columns["digits"]])
        elif periods is not None:
            self._candidates(periods)
            turns = turns_of_points(rows[:, columns["phases"]])
            values = read_turns(turns, periods, self.places, self.decimal_places)
        elif self.features == "both":
            values = read_both(rows[:, places], rows[:, columns["digits"]], self.group_places)
        else:
            values = read_phases(rows[:, places], self.group_places)
        count = len(rows)
        exponent = np.zeros(count, dtype=np.int64)
        if "exponent" in columns:
            exponent = self._read_count("exponent", rows)
            exponent = np.where(rows[:, columns["exponent_sign"]][:, 0] < 0, -exponent, exponent)
        written = np.full(count, self.decimal_places, dtype=np.int64)
        if "written_length" in columns:
            limit = self.places if self.exponent_places else self.decimal_places
            written = np.minimum(self._read_count("written_length", rows), limit)
        elif self.exponent_places:
            written = np.maximum(self.places - (values != 0).argmax(axis=0), 1)
            written[~values.any(axis=0)] = 1
        if "number" in columns:
            present = rows[:, columns["number"]][:, 0] > 0.5
        else:
            present = np.abs(rows).max(axis=1) > 0.25  # a point on the unit circle has a side above 0.7
        negative = np.zeros(count, dtype=np.bool_)
        if "sign" in columns:
            negative = rows[:, columns["sign"]][:, 0] < 0
        return DigitBlock(values, negative, written, present, exponent)

    def _read_count(self, name: str, rows: Floats) -> npt.NDArray[np.int64]:
        digits = nearest_digits(rows[:, columns_of(self)[name]]).astype(np.int64)
        powers: npt.NDArray[np.int64] = 10 ** np.arange(len(digits), dtype=np.int64)
        counts: npt.NDArray[np.int64] = powers @ digits
        return counts


@lru_cache(maxsize=64)
def policy_of(codec: Codec) -> Policy:
    """The usual notation, with a range that does not refuse what the codec can hold."""
    longest = max(MAX_PLACES, codec.places)
    if codec.exponent_places:
        longest = max(longest, 10 ** min(codec.exponent_places, 4) + codec.places)
    return Policy(max_integer_places=longest, max_decimal_places=longest)


@lru_cache(maxsize=4)
def _typed_points(dtype: str) -> Features:
    return digit_points().astype(dtype)


def _points(digits: Digits, dtype: npt.DTypeLike) -> Features:
    """Digit angles, shape (numbers, 2 * slots), of digits, shape (slots, numbers)."""
    return _typed_points(np.dtype(dtype).name).take(digits.T, axis=0).reshape(digits.shape[1], -1)
