"""Agreement of two sets of answers, and the level that chance alone would reach.

Two modalities can be equally accurate and still disagree on most problems; agreement against its chance level
tells the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from modgap._errors import InputError


class Agreement(NamedTuple):
    """How often two sets of answers are the same.

    Args:
        observed: share of pairs with the same answer.
        chance: share expected from how often each side gives each answer.
        kappa: (observed − chance) / (1 − chance); ``None`` when chance is 1.
    """

    observed: float
    chance: float
    kappa: float | None


def cohen_kappa(first: Sequence[Any], second: Sequence[Any]) -> Agreement:
    """Agreement beyond chance (Cohen 1960). ``None`` is a missing answer and agrees with nothing.

    Args:
        first: answers of one side.
        second: answers of the other, pair by pair.

    Returns:
        Observed agreement, its chance level, and kappa.

    Raises:
        InputError: if the lists are empty or differ in length.
    """
    if len(first) != len(second) or not first:
        raise InputError(
            f"cohen_kappa: {len(first)} and {len(second)} answers; give as many of each, at least one"
        )
    n = len(first)
    observed = sum(a is not None and a == b for a, b in zip(first, second, strict=True)) / n
    counts: dict[Any, list[int]] = {}
    for side, answers in enumerate((first, second)):
        for answer in answers:
            if answer is not None:
                counts.setdefault(answer, [0, 0])[side] += 1
    chance = sum(a * b for a, b in counts.values()) / (n * n)
    return Agreement(observed, chance, kappa_of(observed, chance))


def kappa_of(observed: float, chance: float) -> float | None:
    """(observed − chance) / (1 − chance), or ``None`` when chance leaves nothing to explain."""
    return None if chance > 1 - 1e-12 else (observed - chance) / (1 - chance)
