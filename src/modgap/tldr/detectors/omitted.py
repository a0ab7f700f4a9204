"""Omitted: how much less likely a token is with the picture than with no picture in the prompt at all.

As ``contrast``, in nats, but a prompt without a picture may be one that the model never saw in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from modgap.tldr._scores import Item, TokenScores

from ._read import check_pictures, likelihoods

if TYPE_CHECKING:
    from modgap.models.local._model import LocalModel


class Omitted:
    """See the module.

    Args:
        model: that reads the captions.
    """

    name = "omitted"

    def __init__(self, model: LocalModel) -> None:
        self._model = model

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """Scores in nats; every item needs a picture."""
        check_pictures(self.name, items)
        with_it = likelihoods(self._model, items)
        without = likelihoods(self._model, [replace(item, image=None) for item in items])
        return [
            TokenScores(one.offsets, other.log_p - one.log_p)
            for one, other in zip(with_it, without, strict=True)
        ]


def load(model: LocalModel) -> Omitted:
    """The detector on a model."""
    return Omitted(model)
