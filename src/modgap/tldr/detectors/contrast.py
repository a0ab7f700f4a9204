"""Contrast: how much less likely a token is with the picture than with a blank one.

The score is log p(token | blank picture) − log p(token | picture), in nats, above 0 where the picture speaks
against the token. What language alone makes likely cancels. Nothing is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import PIL.Image

from modgap.media import Image
from modgap.tldr._scores import Item, TokenScores

from ._read import check_pictures, likelihoods

if TYPE_CHECKING:
    from modgap.models.local._model import LocalModel

GREY = (128, 128, 128)


class Contrast:
    """See the module.

    Args:
        model: that reads the captions.
    """

    name = "contrast"

    def __init__(self, model: LocalModel) -> None:
        self._model = model

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """Scores in nats; every item needs a picture."""
        check_pictures(self.name, items)
        with_it = likelihoods(self._model, items)
        without = likelihoods(self._model, [replace(item, image=blank(item.image)) for item in items])
        return [
            TokenScores(one.offsets, other.log_p - one.log_p)
            for one, other in zip(with_it, without, strict=True)
        ]


def blank(image: Image | None) -> Image | None:
    """An even grey picture of the same size."""
    return None if image is None else _grey(image.to_pil().size)


@cache
def _grey(size: tuple[int, int]) -> Image:
    return Image.from_pil(PIL.Image.new("RGB", size, GREY))


def load(model: LocalModel) -> Contrast:
    """The detector on a model."""
    return Contrast(model)
