"""Probe: a logistic regression on what one block of the frozen model gives at the token.

    detector = load("probe", model)
    detector.fit(examples)          # labelled captions; chooses the block on a fifth of the groups

The model is not changed. It is the cheapest detector that learns from labels, and what training the model
itself has to beat. Errors are weighted as they come; the score is a probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from modgap._errors import InputError
from modgap.tldr._blind import average_precision
from modgap.tldr._example import Example
from modgap.tldr._labels import token_labels
from modgap.tldr._scores import Item, TokenScores

from ._read import batches, states_at

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from modgap.models.local._model import LocalModel

L2 = 1e-3
"""Penalty on the squared weights, of standardised states (our choice)."""


class Probe:
    """See the module.

    Args:
        model: that reads the captions.
    """

    name = "probe"

    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self._block = -1
        self._weights: tuple[Tensor, Tensor, Tensor, Tensor] | None = None

    def fit(self, examples: Sequence[Example]) -> int:
        """Learn from labelled captions.

        Args:
            examples: with pictures; some wrong words and some right ones.

        Returns:
            The block that was chosen, 0-based.

        Raises:
            InputError: if all words are right or all wrong.
        """
        names = sorted({example.group for example in examples})
        held = np.isin([example.group for example in examples], names[::5])
        blocks = range(len(self._model.pretrained.anatomy.blocks))
        states, wrong, weights, owner = self._states(examples, list(blocks))
        kept = weights > 0
        states, wrong, held_token = [s[kept] for s in states], wrong[kept], held[owner[kept]]
        for part in (wrong[~held_token], wrong[held_token]):
            if part.all() or not part.any():
                raise InputError(
                    f"{len(examples)} captions in {len(names)} groups have not both right and wrong words in "
                    "the part to learn from and the part to choose with; give more"
                )
        found = []
        for of_block in states:
            one = _fit(of_block[~held_token], wrong[~held_token])
            found.append((average_precision(wrong[held_token], _apply(one, of_block[held_token])), one))
        self._block = max(blocks, key=lambda block: found[block][0])
        self._weights = found[self._block][1]
        return self._block

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """Probabilities.

        Raises:
            InputError: if it has not been fitted.
        """
        if self._weights is None:
            raise InputError("the probe has learned nothing yet; call fit with labelled captions first")
        found: list[TokenScores | None] = [None] * len(items)
        for indices, encoded, batch in batches(self._model.pretrained, items):
            with torch.inference_mode():
                (states,) = states_at(self._model.pretrained, batch, [self._block])
            for row, (index, one) in enumerate(zip(indices, encoded, strict=True)):
                found[index] = TokenScores(one.offsets, _apply(self._weights, states[row, : len(one.ids)]))
        return [one for one in found if one is not None]

    def _states(
        self, examples: Sequence[Example], blocks: list[int]
    ) -> tuple[list[Tensor], np.ndarray, np.ndarray, np.ndarray]:
        """States of all tokens at each block, whether they are wrong, their weights, and whose they are."""
        items = [Item(e.image, e.response, e.prompt) for e in examples]
        states: list[list[Tensor]] = [[] for _ in blocks]
        wrong, weights, owner = [], [], []
        for indices, encoded, batch in batches(self._model.pretrained, items):
            with torch.inference_mode():
                seen = states_at(self._model.pretrained, batch, blocks)
            for row, (index, one) in enumerate(zip(indices, encoded, strict=True)):
                labels, weight = token_labels(one.offsets, examples[index].spans)
                for kept, of_block in zip(states, seen, strict=True):
                    kept.append(of_block[row, : len(one.ids)].float().cpu())
                wrong.append(labels == 0)
                weights.append(weight)
                owner.append(np.full(len(labels), index))
        return (
            [torch.cat(kept) for kept in states],
            np.concatenate(wrong),
            np.concatenate(weights),
            np.concatenate(owner),
        )


def _fit(states: Float[Tensor, "n d_model"], wrong: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean, spread, weights and bias of a logistic regression."""
    mean, spread = states.mean(dim=0), states.std(dim=0).clamp(min=1e-6)
    x, y = (states.clone() - mean) / spread, torch.from_numpy(wrong.astype(np.float32))
    rate = float(y.mean())
    weight = torch.zeros(x.shape[1], requires_grad=True)
    bias = torch.tensor(float(np.log(rate / (1 - rate))), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(x @ weight + bias, y)
        value = value + L2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return mean, spread, weight.detach(), bias.detach()


def _apply(weights: tuple[Tensor, Tensor, Tensor, Tensor], states: Tensor) -> np.ndarray:
    mean, spread, weight, bias = weights
    logits = (states.float().cpu() - mean) / spread @ weight + bias
    return np.asarray(torch.sigmoid(logits.double()).numpy())


def load(model: LocalModel) -> Probe:
    """The detector on a model; it has to be fitted."""
    return Probe(model)
