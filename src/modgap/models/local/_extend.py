"""Prompts with given replies, read in one pass: what scoring of replies, sweeps and detectors share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from ._load import Pretrained


def extended(pretrained: Pretrained, read: Any, replies: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Inputs of a forward pass over each prompt with its reply; the reply is read causally.

    Args:
        pretrained: the model.
        read: the processor's output for the prompts, padded on the left.
        replies: token ids that follow each prompt; shorter ones are padded on the right.

    Returns:
        What the model takes. Reply token ``i`` of every row stands in column ``prompt width + i``.
    """
    inputs = pretrained.inputs(read)
    ids = inputs["input_ids"]
    width = max(map(len, replies), default=0)
    if width == 0:
        return inputs
    device, kind = ids.device, pretrained.model.config.model_type
    pad = pretrained.tokenizer.pad_token_id or 0
    more = torch.tensor([[*reply, *[pad] * (width - len(reply))] for reply in replies], device=device)
    real = torch.tensor([[1] * len(reply) + [0] * (width - len(reply)) for reply in replies], device=device)
    longer = dict(inputs)
    for name, value in inputs.items():
        if getattr(value, "shape", ())[:2] != ids.shape or name.startswith(("pixel_", "image_")):
            continue
        if name == "input_ids":
            extra = more
        elif name == "attention_mask":
            extra = real
        elif name == "cross_attention_mask":  # a reply sees the pictures that the end of the prompt sees
            extra = value[:, -1:].expand(-1, width, *value.shape[2:])
        elif name == "token_type_ids" and kind == "paligemma":
            extra = torch.ones_like(more)  # of a reply, which is read causally
        else:
            extra = torch.zeros_like(more)
        longer[name] = torch.cat([value, extra.to(value.dtype)], dim=1)
    return longer
