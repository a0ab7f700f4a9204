"""States of a multimodal model at the positions of a picture, after every block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import torch

from modgap._errors import InputError
from modgap.evaluate import INSTRUCTIONS
from modgap.media import Image, Text
from modgap.models.local._anatomy import TokenKind, at_block, positions_of
from modgap.models.local._model import LocalModel
from modgap.scenes import Scene, draw_scene

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

BATCH = 32
"""Pictures that are read together."""
PIXELS = 224


@torch.inference_mode()
def picture_states(model: LocalModel, scenes: Sequence[Scene]) -> Float[Tensor, "block scene d_model"]:
    """Mean state over the positions of a picture; float32, on the CPU.

    Args:
        model: reads each picture behind its usual instruction; nothing is asked.
        scenes: at least one; drawn as the suite draws them by default.

    Raises:
        InputError: pictures take no positions in this model.
    """
    parts, pretrained = model.pretrained.anatomy, model.pretrained
    if TokenKind.IMAGE not in parts.media_ids.values():
        raise InputError(
            f"{model.name}: pictures take no positions in this model, which has no states of them"
        )
    means: list[list[Tensor]] = [[] for _ in parts.blocks]
    for start in range(0, len(scenes), BATCH):
        some = scenes[start : start + BATCH]
        pictures = [Image.from_pil(draw_scene(scene, pixels=PIXELS)) for scene in some]
        prompts = [model._writer.write((Text(INSTRUCTIONS["plain"]), picture)) for picture in pictures]
        read = model._writer.read(prompts)
        here = positions_of(parts.token_map(read), TokenKind.IMAGE)
        weights = here.float() / here.sum(dim=1, keepdim=True).clamp(min=1)
        with ExitStack() as stack:
            for block, kept in zip(parts.blocks, means, strict=True):
                stack.enter_context(at_block(block, _mean_into(kept, weights)))
            pretrained.model(**pretrained.inputs(read), use_cache=False)
    return torch.stack([torch.cat(kept) for kept in means])


def _mean_into(kept: list[Tensor], weights: Float[Tensor, "batch seq"]) -> Callable[[Tensor], None]:
    def hook(states: Tensor) -> None:
        kept.append(torch.einsum("bs,bsd->bd", weights.to(states.device), states.float()).cpu())

    return hook
