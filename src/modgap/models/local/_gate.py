"""Conditional steering: a vector is added only to rows whose prompt says so.

    gate = Gate(condition, block=3, threshold=0.2)
    change = Change(vector.directions[5], block=5, strength=1.0, gate=gate)

The prompt's states at one block are pooled and compared with a condition vector; the decision is made when
the prompt is read and holds for every token that follows. After CAST (Lee et al., ICLR 2025), which compares
with the projection on the condition vector and so cannot tell a direction from its opposite; here the cosine
has its sign.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from modgap._errors import InputError, UnknownName

from ._anatomy import TokenKind, positions_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

Pool = Literal["mean", "last"]
POOLS = ("mean", "last")


@dataclass(frozen=True)
class Gate:
    """When a change is made.

    Args:
        condition: direction that the pooled state is compared with.
        block: whose output is pooled, 0-based; not after the block that is changed.
        threshold: of the cosine.
        above: whether rows above the threshold are changed, or those below.
        pool: ``mean`` of the prompt's text, or its ``last`` token; control tokens never count.
    """

    condition: Float[Tensor, " d_model"]
    block: int
    threshold: float
    above: bool = True
    pool: Pool = "mean"

    def __post_init__(self) -> None:
        if self.pool not in POOLS:
            raise UnknownName("pool", self.pool, POOLS)
        if not bool(torch.isfinite(self.condition).all()) or not math.isfinite(self.threshold):
            raise InputError("the condition or the threshold of a gate is not finite")

    def similarity(
        self, states: Float[Tensor, "batch seq d_model"], kinds: Int[Tensor, "batch seq"]
    ) -> Float[Tensor, " batch"]:
        """Cosine of the pooled states with the condition, -1 to 1."""
        condition = self.condition.to(states.device, torch.float32)
        return torch.cosine_similarity(pooled(states, kinds, self.pool), condition[None], dim=1)

    def opens(
        self, states: Float[Tensor, "batch seq d_model"], kinds: Int[Tensor, "batch seq"]
    ) -> Bool[Tensor, " batch"]:
        """Which rows are changed."""
        found = self.similarity(states, kinds)
        return found > self.threshold if self.above else found < self.threshold


def pooled(
    states: Float[Tensor, "batch seq d_model"], kinds: Int[Tensor, "batch seq"], pool: Pool
) -> Float[Tensor, "batch d_model"]:
    """One float32 state for each row: of its text, the mean or the last."""
    text = positions_of(kinds, TokenKind.TEXT, TokenKind.RESPONSE).to(states.device)
    if pool == "last":
        last = text.shape[1] - 1 - text.flip(1).int().argmax(dim=1)
        return states[torch.arange(len(states), device=states.device), last].float()
    count = text.sum(dim=1, keepdim=True).clamp(min=1)
    return (states.float() * text[..., None]).sum(dim=1) / count
