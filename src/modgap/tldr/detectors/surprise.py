"""Surprise: −log p(token | picture, prompt, tokens before), in nats. It cannot tell rare from wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modgap.tldr._scores import Item, TokenScores

from ._read import likelihoods

if TYPE_CHECKING:
    from modgap.models.local._model import LocalModel


class Surprise:
    """See the module.

    Args:
        model: that reads the captions.
    """

    name = "surprise"

    def __init__(self, model: LocalModel) -> None:
        self._model = model

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """Scores in nats, 0 or more."""
        return [TokenScores(one.offsets, -one.log_p) for one in likelihoods(self._model, items)]


def load(model: LocalModel) -> Surprise:
    """The detector on a model."""
    return Surprise(model)
