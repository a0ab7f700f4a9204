"""States at the words of a family, wherever they stand in written scenes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from modgap._errors import InputError
from modgap.scenes import write_caption, write_list
from modgap.tasks.scenes import LEVELS, sample_world

from ._text_states import TextModel, text_states, token_of

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor


@dataclass(frozen=True)
class WordStates:
    """What a language model makes of some words.

    Args:
        words: those that occur and are one token.
        states: one for each occurrence.
        word: of each occurrence, which word it is.
        text: of each occurrence, the number of its text.
    """

    words: tuple[str, ...]
    states: Float[Tensor, "block n d_model"]
    word: Int[Tensor, " n"]
    text: Int[Tensor, " n"]

    def means(self) -> Float[Tensor, "word block d_model"]:
        """Mean state of each word."""
        return torch.stack([self.states[:, self.word == k].mean(dim=1) for k in range(len(self.words))])


def word_states(backbone: TextModel, words: Sequence[str], *, texts: int, seed: int) -> WordStates:
    """Read words in written scenes, half of them lists and half captions.

    Args:
        backbone: the text-only model.
        words: that are looked for.
        texts: number of scenes.
        seed: of the scenes.

    Raises:
        InputError: fewer than two of the words are one token, or occur.
    """
    rng = np.random.default_rng([seed, 11])
    written = []
    for number in range(texts):
        scene = sample_world(rng, LEVELS["plain"])
        written.append(write_list(scene) if number % 2 else write_caption(scene, rng, "dense").text)
    read = text_states(backbone, written)
    found: list[tuple[int, int, int]] = []
    known: list[str] = []
    for word in words:
        at = [
            (number, token, len(known))
            for number, text in enumerate(written)
            for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text)
            if (token := token_of(read, number, match.start(), match.end())) is not None
        ]
        if at:
            found += at
            known.append(word)
    if len(known) < 2:
        raise InputError(
            f"{len(known)} of the words {', '.join(words)} are one token of {backbone.name}; two are needed"
        )
    text, column, number_of = torch.tensor(found).unbind(dim=1)
    return WordStates(tuple(known), read.states[:, text, column], number_of, text)
