"""Attention: how little a token looks at the picture; minus that share of its attention.

Mean over the heads and blocks of the decoder. Families that read pictures through cross-attention have no
such share and are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from modgap._errors import ModelError
from modgap.models.local._anatomy import TokenKind
from modgap.tldr._reading import read_states
from modgap.tldr._scores import Item, TokenScores

from ._read import batches, check_pictures

if TYPE_CHECKING:
    from modgap.models.local._load import Pretrained
    from modgap.models.local._model import LocalModel


class Attention:
    """See the module.

    Args:
        model: that reads the captions.

    Raises:
        ModelError: if its pictures take no places in the text.
    """

    name = "attention"

    def __init__(self, model: LocalModel) -> None:
        parts = model.pretrained.anatomy
        if parts.cross_attention or TokenKind.IMAGE not in parts.media_ids.values():
            raise ModelError(
                f"{model.name}: its pictures take no places in the text, so there is no attention to them to "
                "sum; take the detector 'contrast'"
            )
        self._model = model

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """Scores from −1, all attention on the picture, to 0; every item needs a picture."""
        check_pictures(self.name, items)
        pretrained = self._model.pretrained
        found: list[TokenScores | None] = [None] * len(items)
        with _eager(pretrained), torch.inference_mode():
            for indices, encoded, batch in batches(pretrained, items):
                looks = _on_picture(pretrained, batch).double().cpu().numpy()
                for row, (index, one) in enumerate(zip(indices, encoded, strict=True)):
                    bad = -looks[row, : len(one.ids)]
                    found[index] = TokenScores(one.offsets, np.asarray(bad))
        return [one for one in found if one is not None]


def _on_picture(pretrained: Pretrained, batch: dict[str, Any]) -> torch.Tensor:
    """Share of the attention of each token of each caption that is on the picture."""
    kinds = pretrained.anatomy.token_map(batch["prompts"])
    picture = (kinds == TokenKind.IMAGE)[batch["owner"]].to(pretrained.device)
    width, before = batch["ids"].shape[1], picture.shape[1]
    shares: list[torch.Tensor] = []

    def look(module: Any, args: Any, output: Any) -> None:
        weights = output[1] if isinstance(output, tuple) and len(output) > 1 else None
        if weights is None:
            raise ModelError(f"{pretrained.name}: its attention does not say where it looks")
        if weights.shape[0] == len(picture) and weights.shape[-1] == before + width:
            on_it = weights[:, :, -width:, :before] * picture[:, None, None]
            shares.append(on_it.sum(dim=-1).mean(dim=1))

    with ExitStack() as stack:
        for block in pretrained.anatomy.blocks:
            handle = _attention_of(block).register_forward_hook(look)
            stack.callback(handle.remove)
        read_states(pretrained, **batch)
    if not shares:
        raise ModelError(f"{pretrained.name}: its attention has not the shape of prompt and caption")
    return torch.stack(shares).mean(dim=0)


def _attention_of(block: torch.nn.Module) -> torch.nn.Module:
    for name in ("self_attn", "attention", "attn"):
        found = getattr(block, name, None)
        if isinstance(found, torch.nn.Module):
            return found
    raise ModelError(f"{type(block).__name__}: its attention was not found; take the detector 'contrast'")


@contextmanager
def _eager(pretrained: Pretrained) -> Iterator[None]:
    """The decoder with an attention that keeps its weights."""
    decoder: Any = pretrained.anatomy.decoder
    before = decoder.config._attn_implementation
    decoder.set_attn_implementation("eager")
    try:
        yield
    finally:
        decoder.set_attn_implementation(before)


def load(model: LocalModel) -> Attention:
    """The detector on a model."""
    return Attention(model)
