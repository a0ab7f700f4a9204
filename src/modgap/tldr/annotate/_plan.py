"""Who sees what: an order of the captions for every annotator, and for every caption whether flags are shown.

Captions are dealt in pairs that are alike in whether they have flags and known errors; of each pair one, by
chance, shows its flags. So the two arms of an annotator are equally large and equally hard at the end, up to
one caption for each kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, cast, get_args

import numpy as np

from modgap._errors import UnknownName

from ._items import Item

Arms = Literal["random", "with", "without"]


def check_arms(name: str) -> Arms:
    """Refuse a word that says nothing about flags.

    Raises:
        UnknownName: if it is not ``random``, ``with`` or ``without``.
    """
    if name not in get_args(Arms):
        raise UnknownName("flags", name, get_args(Arms))
    return cast(Arms, name)


def plan(
    items: Sequence[Item], annotator: str, seed: int, arms: str, offset: int = 0
) -> list[tuple[str, bool]]:
    """Deal captions to an annotator.

    Args:
        items: what to deal.
        annotator: their name; another name gives another order.
        seed: 0 or more.
        arms: ``random``, or ``with`` or ``without`` flags for all.
        offset: captions they were dealt before; captions that are added later are dealt among themselves.

    Returns:
        Ids and whether flags are shown, in the order to go through.
    """
    name = int.from_bytes(hashlib.sha256(annotator.encode()).digest()[:8], "big")
    rng = np.random.default_rng([seed, name, offset])
    kinds: dict[tuple[bool, bool], list[Item]] = {}
    for index in rng.permutation(len(items)):
        item = items[index]
        kinds.setdefault((bool(item.flags), bool(item.known)), []).append(item)
    dealt: list[tuple[float, str, bool]] = []
    for alike in kinds.values():
        first = rng.integers(0, 2, size=(len(alike) + 1) // 2)
        for index, item in enumerate(alike):
            # Spread evenly over the way through, so that stopping early leaves the arms balanced.
            place = (index + rng.random()) / len(alike)
            shown = bool(first[index // 2] == index % 2) if arms == "random" else arms == "with"
            dealt.append((place, item.item_id, shown))
    return [(item_id, shown) for _, item_id, shown in sorted(dealt)]
