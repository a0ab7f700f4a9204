"""A number as a row of small choices: what a model is asked to predict.

Every number of a codec is a row of slots. A *ten-way* slot is a digit: of the number itself, of its power of
ten, or of a length. A *flag* is a yes or no: the sign, the sign of the power of ten, zero. Labels are these
choices as integers, so that no label goes through floating point, and a predicted row is a number again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError

from ._digits import DigitBlock, Numbers, as_sequence, integer_lengths, read_fixed, read_floating
from ._print import print_block
from .codec import policy_of

if TYPE_CHECKING:
    from ._policy import Policy
    from .codec import Codec
    from .number import Number

Labels = npt.NDArray[np.int16]

NO_NUMBER = -100
"""What all slots of a row hold where there is no number: the label that cross-entropy in torch leaves out."""

_TEN_WAY = ("exponent", "integer_length", "written_length")
_FLAGS = ("sign", "exponent_sign", "zero")


@dataclass(frozen=True)
class Slots:
    """The slots of a codec, in order: ten-way ones first, then flags.

    Args:
        codec: whose numbers they are.
        ten_way: positions of the ten-way slots by what they are digits of, finest digit first: ``"digits"``
            (of the number) and those of ``"exponent"``, ``"integer_length"``, ``"written_length"`` that the
            codec has columns for.
        flags: names of the flags, in order; 1 means negative for ``"sign"`` and ``"exponent_sign"``.
    """

    codec: Codec
    ten_way: dict[str, slice]
    flags: tuple[str, ...]

    @property
    def tens(self) -> int:
        """How many ten-way slots there are."""
        return int(max(part.stop for part in self.ten_way.values()))

    @property
    def count(self) -> int:
        """How many slots there are."""
        return self.tens + len(self.flags)

    def flag(self, name: str) -> int | None:
        """Position of a flag among all slots; None if there is no such flag."""
        return self.tens + self.flags.index(name) if name in self.flags else None

    def labels(self, numbers: Numbers, policy: Policy | None = None) -> Labels:
        """Numbers as labels.

        Args:
            numbers: as for ``Codec.encode``.
            policy: how strings are written.

        Returns:
            Shape (numbers, count), int16: digits 0-9 and flags 0 or 1; ``NO_NUMBER`` throughout for None.

        Raises:
            InputError: not a number, or one that the codec cannot hold exactly.
        """
        codec = self.codec
        policy = policy or policy_of(codec)
        numbers = as_sequence(numbers, policy)
        if codec.exponent_places:
            block = read_floating(numbers, codec.places, codec.exponent_places, policy)
        else:
            block = read_fixed(numbers, codec.integer_places, codec.decimal_places, 0, policy)
        if "sign" not in self.flags and block.negative.any():
            raise InputError("a number is negative and this codec has no 'sign' among its extras: add it")
        out = np.empty((len(block.present), self.count), dtype=np.int16)
        out[:, self.ten_way["digits"]] = block.values.T
        counts = {"exponent": np.abs(block.exponent), "written_length": block.written}
        if "integer_length" in self.ten_way:
            counts["integer_length"] = integer_lengths(block.values, codec.decimal_places)
        for name, part in self.ten_way.items():
            if name != "digits":
                powers = 10 ** np.arange(part.stop - part.start, dtype=np.int64)
                out[:, part] = counts[name][:, None] // powers % 10
        answers = {
            "sign": block.negative,
            "exponent_sign": block.exponent < 0,
            "zero": block.values.max(axis=0) == 0,
        }
        for name in self.flags:
            out[:, self.flag(name)] = answers[name]
        out[~block.present] = NO_NUMBER
        return out

    def numbers(self, labels: npt.ArrayLike) -> list[str | None]:
        """The numbers of labels, in canonical form; the inverse of ``labels``.

        ``zero`` and ``integer_length`` follow from the digits and are not read.

        Args:
            labels: shape (numbers, count), integers.

        Returns:
            One string per row; None where the first slot is negative.

        Raises:
            InputError: wrong shape.
        """
        rows = np.asarray(labels)
        if rows.ndim != 2 or rows.shape[1] != self.count:
            raise InputError(f"labels have shape {rows.shape}; this codec reads (numbers, {self.count})")
        codec = self.codec
        present = rows[:, 0] >= 0
        rows = np.where(present[:, None], rows, 0).astype(np.int64)
        values = rows[:, self.ten_way["digits"]].T.astype(np.uint8)
        exponent = self._count(rows, "exponent", 0)
        if (at := self.flag("exponent_sign")) is not None:
            exponent = np.where(rows[:, at] > 0, -exponent, exponent)
        if "written_length" in self.ten_way:
            limit = codec.places if codec.exponent_places else codec.decimal_places
            written = np.minimum(self._count(rows, "written_length", 0), limit)
        elif codec.exponent_places:
            written = np.where(values.any(axis=0), codec.places - (values != 0).argmax(axis=0), 1)
        else:
            written = np.full(len(rows), codec.decimal_places, dtype=np.int64)
        sign = self.flag("sign")
        negative = rows[:, sign] > 0 if sign is not None else np.zeros(len(rows), dtype=np.bool_)
        block = DigitBlock(values, negative, written, present, exponent)
        return print_block(block, codec.integer_places, codec.exponent_places > 0)

    def _count(self, rows: npt.NDArray[np.int64], name: str, otherwise: int) -> npt.NDArray[np.int64]:
        """A small whole number from its digits."""
        if name not in self.ten_way:
            return np.full(len(rows), otherwise, dtype=np.int64)
        part = self.ten_way[name]
        powers = 10 ** np.arange(part.stop - part.start, dtype=np.int64)
        found: npt.NDArray[np.int64] = rows[:, part] @ powers
        return found


@lru_cache(maxsize=64)
def slots_of(codec: Codec) -> Slots:
    """The slots of a codec."""
    columns = codec.columns
    ten_way = {"digits": slice(0, codec.places)}
    start = codec.places
    for name in _TEN_WAY:
        if name in columns:
            width = (columns[name].stop - columns[name].start) // 2
            ten_way[name] = slice(start, start + width)
            start += width
    return Slots(codec, ten_way, tuple(name for name in _FLAGS if name in columns))


def holds(codec: Codec, number: Number) -> bool:
    """Whether a codec can hold a number exactly."""
    if number.negative and "sign" not in codec.extras:
        return False
    digits = "" if number.is_zero else number.digits
    if not codec.exponent_places:
        return number.scale <= codec.decimal_places and len(digits) - number.scale <= codec.integer_places
    exponent = len(number.digits) - 1 - number.scale
    if number.scale == 0:
        digits = digits.rstrip("0")
    return len(digits) <= codec.places and abs(exponent) < 10**codec.exponent_places
