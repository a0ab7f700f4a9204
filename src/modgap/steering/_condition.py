"""The gate that tells some prompts from others: a condition vector and its threshold, from examples."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import torch

from modgap._errors import InputError
from modgap.models import Query
from modgap.models.local._anatomy import TokenKind, at_block
from modgap.models.local._gate import Gate, Pool, pooled
from modgap.models.local._model import LocalModel

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor


def fit_gate(
    model: LocalModel, changed: Sequence[Query], left: Sequence[Query], *, block: int, pool: Pool = "mean"
) -> tuple[Gate, float]:
    """A gate that opens for one kind of prompt.

    The condition is the difference of the mean states, and the threshold the one with the best balanced
    accuracy, both on every other prompt of either kind.

    Args:
        model: whose states are read.
        changed: prompts for which the gate is to open; at least four.
        left: prompts for which it is to stay shut; at least four.
        block: whose output is pooled, 0-based.
        pool: see :class:`Gate`.

    Returns:
        The gate; its balanced accuracy on the prompts that took no part, 0 to 1.

    Raises:
        InputError: too few prompts, or a block that does not exist.
    """
    blocks = model.pretrained.anatomy.blocks
    if min(len(changed), len(left)) < 4:
        raise InputError(f"{len(changed)} and {len(left)} prompts are too few: give at least 4 of each kind")
    if not 0 <= block < len(blocks):
        raise InputError(f"block {block} does not exist: the model has blocks 0 to {len(blocks) - 1}")
    own, other = (_states(model, queries, block, pool) for queries in (changed, left))
    condition = own[::2].mean(dim=0) - other[::2].mean(dim=0)
    condition = condition / condition.norm().clamp(min=1e-30)

    def cosines(states: Float[Tensor, "n d_model"]) -> Float[Tensor, " n"]:
        return torch.cosine_similarity(states, condition[None], dim=1)

    seen = torch.cat([cosines(own[::2]), cosines(other[::2])]).sort().values
    between = (seen[1:] + seen[:-1]) / 2
    best = max(between.tolist(), key=lambda t: _balanced(cosines(own[::2]), cosines(other[::2]), t))
    held_out = _balanced(cosines(own[1::2]), cosines(other[1::2]), best)
    return Gate(condition, block, best, pool=pool), held_out


def decisions(
    model: LocalModel, queries: Sequence[Query], gates: Sequence[Gate | None]
) -> Bool[np.ndarray, "gate question"]:
    """Which questions each gate opens for; without a gate, all."""
    known: dict[tuple[int, Pool], Float[Tensor, "n d_model"]] = {}
    found = np.ones((len(gates), len(queries)), dtype=bool)
    for number, gate in enumerate(gates):
        if gate is None:
            continue
        key = (gate.block, gate.pool)
        if key not in known:
            known[key] = _states(model, queries, *key)
        states = known[key][:, None]
        found[number] = gate.opens(states, torch.full(states.shape[:2], TokenKind.TEXT)).numpy()
    return found


def _balanced(own: Float[Tensor, " n"], other: Float[Tensor, " m"], threshold: float) -> float:
    return 0.5 * float((own > threshold).float().mean() + (other <= threshold).float().mean())


@torch.inference_mode()
def _states(
    model: LocalModel, queries: Sequence[Query], block: int, pool: Pool
) -> Float[Tensor, "n d_model"]:
    parts, found = model.pretrained.anatomy, []
    for query in queries:
        read = model._writer.read([model._writer.write(query.parts)])
        kept: list[Tensor] = []
        with ExitStack() as stack:
            stack.enter_context(at_block(parts.blocks[block], kept.append))
            model.pretrained.model(**model.pretrained.inputs(read), use_cache=False)
        kinds = parts.token_map(read).to(kept[0].device)
        found.append(pooled(kept[0], kinds, pool)[0].cpu())
    return torch.stack(found).clone()
