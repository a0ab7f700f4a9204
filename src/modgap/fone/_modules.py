"""Where attention and MLP of a language model are, and what its last norm does to the rows of numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modgap._errors import ModelError

from ._phases import digit_points
from ._torch import torch

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from .head import NumberHead

_ATTENTION = re.compile(r"^(self_)?(attn|attention)$")
_MLP = re.compile(r"^(mlp|feed_forward|ffn|fc2|moe|block_sparse_moe)$")
_LAST_NORM = re.compile(r"^(norm|ln_f|final_layer_?norm)$")


@dataclass(frozen=True)
class Block:
    """The two modules of a block whose outputs are added to the state.

    Args:
        attention: the module; its output may be the first of several.
        mlp: likewise.
    """

    attention: Any
    mlp: Any


def blocks_of(model: Any) -> list[Block]:
    """The blocks of a causal language model of transformers, first to last.

    Raises:
        ModelError: there is no row of blocks with an attention and an MLP each.
    """
    wanted = int(model.config.get_text_config().num_hidden_layers)
    for module in decoder_of(model).modules():
        if not isinstance(module, torch.nn.ModuleList) or len(module) != wanted:
            continue
        found = [(_child(block, _ATTENTION), _child(block, _MLP)) for block in module]
        if all(attention is not None and mlp is not None for attention, mlp in found):
            return [Block(attention, mlp) for attention, mlp in found]
    raise ModelError(
        f"{type(model).__name__}: its {wanted} blocks with an attention and an MLP each were not found, so "
        "there is no map of modules; the spectrum of embeddings and of layers works without"
    )


def decoder_of(model: Any) -> Any:
    """The part of a model that holds the language blocks; the model itself if it does not say."""
    find = getattr(model, "get_decoder", None)
    return (find() if callable(find) else None) or model


def number_rows(model: Any, ids: list[int]) -> Float[Tensor, "numbers width"]:
    """Rows whose products with a state, before the last norm, are the logits of numbers up to the size of
    that state.

    Args:
        model: a causal language model of transformers.
        ids: token of each number from 0 up.
    """
    rows = model.get_output_embeddings().weight[ids].detach().float()
    return through_last_norm(model, rows)


def number_rows_of_head(model: Any, head: NumberHead, most: int) -> Float[Tensor, "numbers width"]:
    """The same for a number head: the logits of a number are the sum of those of its digits.

    Args:
        model: the base model.
        head: that reads its last state.
        most: numbers are 0 to most - 1.
    """
    digits = head.slots.ten_way["digits"]
    labels = torch.from_numpy(head.slots.labels(np.arange(most))[:, digits].astype(np.int64))
    points = torch.from_numpy(digit_points()).float()
    pairs = points[labels]  # (numbers, places, 2)
    if head.log_scale is not None:
        pairs = pairs * head.log_scale.detach().float().cpu().exp()[digits, None]
    flat = torch.zeros(most, 2 * head.slots.tens + len(head.slots.flags))
    flat[:, 2 * digits.start : 2 * digits.stop] = pairs.flatten(1)
    if head.map is not None:
        rows = flat @ head.map.weight.detach().float().cpu()
    else:
        rows = torch.nn.functional.pad(flat, (0, head.width - flat.shape[1]))
    rows = rows * head.norm.weight.detach().float().cpu()
    return through_last_norm(model, rows - rows.mean(dim=1, keepdim=True))  # a layer norm takes the mean out


def through_last_norm(model: Any, rows: Tensor) -> Tensor:
    """Rows for states before the last norm, from rows for states after it.

    A norm divides a state by its size, which is the same for all numbers, multiplies its entries by a gain,
    and may take its mean out. Gain and mean are found by trying, because families store them differently.
    """
    norm = _child(decoder_of(model), _LAST_NORM)
    if norm is None:
        return rows
    weight = next(norm.parameters(), None)
    wave = torch.ones(rows.shape[1])
    wave[::2] = -1
    with torch.no_grad():
        there, back, moved = (
            norm((sign * wave + shift).to(weight)[None])[0].float().cpu()
            for sign, shift in ((1, 0), (-1, 0), (1, 1))
        )
    rows = rows.cpu() * (there - back) / 2 * wave
    if torch.allclose(there, moved, atol=1e-3):
        rows = rows - rows.mean(dim=1, keepdim=True)
    return rows


def _child(module: Any, pattern: re.Pattern[str]) -> Any:
    """The first child whose name matches, None if there is none."""
    return next((child for name, child in module.named_children() if pattern.match(name)), None)
