"""A guess among the options, the floor every model is compared with: random.

``load("", seed=0)``. An open question gets a whole number. The guess for a query is a hash of what is asked,
so it is the same in any order and after a resume.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modgap._errors import InputError
from modgap.media import MODALITIES, Modality

from ._draw import draw
from ._query import JSON, Query, Reply


def load(argument: str = "", *, seed: int = 0, largest: int = 9) -> RandomModel:
    """The guessing baseline.

    Args:
        argument: must be empty.
        seed: of the guesses.
        largest: an open question gets a whole number from 0 to this.

    Raises:
        InputError: if an argument is given, or ``largest`` or ``seed`` is not accepted.
    """
    if argument:
        raise InputError(f"random takes no argument, got {argument!r}; use: random")
    if type(seed) is not int:
        raise InputError(f"seed {seed!r} is not a whole number")
    if type(largest) is not int or largest < 0:
        raise InputError(f"largest {largest!r} is not a whole number of at least 0")
    return RandomModel(seed, largest)


@dataclass(frozen=True)
class RandomModel:
    """Guesses uniformly.

    Args:
        seed: of the guesses.
        largest: an open question gets a whole number from 0 to this.
    """

    seed: int = 0
    largest: int = 9

    @property
    def name(self) -> str:
        """``random``."""
        return "random"

    @property
    def modalities(self) -> frozenset[Modality]:
        """All: it does not look."""
        return frozenset(MODALITIES)

    def fingerprint(self) -> dict[str, JSON]:
        """The seed and the range."""
        return {"adapter": "random", "seed": self.seed, "largest": self.largest}

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Guess for every query, in order."""
        for index, query in enumerate(queries):
            choices = query.options or range(self.largest + 1)
            yield index, Reply(f"Answer: {choices[int(draw(query, self.seed, 'guess') * len(choices))]}")

    def close(self) -> None:
        """Nothing is held."""
