"""Which columns of the features hold what."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .codec import Codec


@lru_cache(maxsize=64)
def columns_of(codec: Codec) -> dict[str, slice]:
    """Slices of the columns of a codec by name, in order; the names are described with :class:`Codec`."""
    pairs = codec.places if codec.periods is None else len(codec.periods)
    widths: dict[str, int] = {}
    if codec.features != "digits":
        widths["phases"] = 2 * pairs
    if codec.features != "continuous":
        widths["digits"] = 2 * codec.places
    if codec.exponent_places:
        widths["exponent_sign"] = 1
        widths["exponent"] = 2 * codec.exponent_places
    for extra in ("number", "sign", "zero"):
        if extra in codec.extras:
            widths[extra] = 1
    if "length" in codec.extras:
        floating = codec.exponent_places > 0
        counted = codec.places if floating else codec.decimal_places
        if codec.integer_places and not floating:
            widths["integer_length"] = 2 * len(str(codec.integer_places))
        if counted:
            widths["written_length"] = 2 * len(str(counted))
    out: dict[str, slice] = {}
    start = 0
    for name, width in widths.items():
        out[name] = slice(start, start + width)
        start += width
    return out
