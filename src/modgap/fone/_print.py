"""From digits to canonical strings."""

from __future__ import annotations

import numpy as np

from ._digits import DigitBlock


def print_block(block: DigitBlock, integer_places: int, floating: bool) -> list[str | None]:
    """Canonical strings of digits, None for "no number".

    Args:
        block: the digits.
        integer_places: how many of them stand before the point.
        floating: whether the point is moved by ``block.exponent``.
    """
    places = len(block.values)
    text = np.ascontiguousarray((block.values[::-1] + np.uint8(48)).T).tobytes().decode("ascii")
    rows = zip(
        (text[i : i + places] for i in range(0, len(text), places)),
        ("-" if negative else "" for negative in block.negative.tolist()),
        block.written.tolist(),
        block.present.tolist(),
        block.exponent.tolist(),
        strict=True,
    )
    if floating:
        return [sign + _move_point(d[: max(w, 1)], e) if p else None for d, sign, w, p, e in rows]
    return [
        sign
        + (digits[:integer_places].lstrip("0") or "0")
        + (f".{digits[integer_places : integer_places + written]}" if written else "")
        if present
        else None
        for digits, sign, written, present, _ in rows
    ]


def _move_point(digits: str, exponent: int) -> str:
    """Significant digits with the point after digit ``exponent``, counted from 0."""
    if exponent < 0:
        digits, exponent = "0" * -exponent + digits, 0
    whole = digits[: exponent + 1].ljust(exponent + 1, "0").lstrip("0") or "0"
    decimals = digits[exponent + 1 :]
    return whole + (f".{decimals}" if decimals else "")
