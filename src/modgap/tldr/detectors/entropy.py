"""Entropy: how undecided the model was where it, or another one, wrote the token, in nats.

It does not look at the token that stands there, so it flags places where errors are likely, not errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modgap.tldr._scores import Item, TokenScores

from ._read import likelihoods

if TYPE_CHECKING:
    from modgap.models.local._model import LocalModel


class Entropy:
    """See the module.

    Args:
        model: that reads the captions.
    """

    name = "entropy"

    def __init__(self, model: LocalModel) -> None:
        self._model = model

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """Scores in nats, 0 or more."""
        return [TokenScores(one.offsets, one.entropy) for one in likelihoods(self._model, items)]


def load(model: LocalModel) -> Entropy:
    """The detector on a model."""
    return Entropy(model)
