"""What is inside a model: its decoder blocks, its language part, and what stands at every position.

Everything that looks into a model or changes it on the way (steering, token-level detectors, probes) starts
here, so that it works for every family:

    parts = anatomy(pretrained)
    kinds = parts.token_map(read)                        # what stands where
    with at_block(parts.blocks[5], change): ...          # see or change what block 5 gives
    logits = parts.backbone()(input_ids, attention_mask) # the language model alone

Block ``l`` is counted from 0, and its output is what the next block reads (the residual stream).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from modgap._errors import ModelError

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from ._load import Pretrained


class TokenKind(IntEnum):
    """What stands at a position."""

    PADDING = 0
    SPECIAL = 1
    """A control token: of the chat template, around or between the tiles of a picture, begin and end."""
    TEXT = 2
    IMAGE = 3
    """A position that holds a feature of a picture or of a frame of a film."""
    AUDIO = 4
    RESPONSE = 5
    """A token of the reply that is scored or judged, control tokens aside."""


@dataclass(frozen=True)
class Anatomy:
    """The parts of one model.

    Args:
        kind: model type, as ``config.json`` has it.
        decoder: the language model without its head.
        blocks: decoder blocks in order; never those of a vision or audio encoder.
        head: from the decoder's last state to logits.
        softcap: logits are squeezed to ± this, where the family does so.
        media_ids: token id → ``IMAGE`` or ``AUDIO``, of the positions that hold features.
        special_ids: ids of control tokens.
        cross_attention: blocks that read pictures through cross-attention; then no position of the text
            holds a feature of a picture.
        pad_id: what padding is written with.
    """

    kind: str
    decoder: nn.Module
    blocks: tuple[nn.Module, ...]
    head: nn.Module
    softcap: float | None
    media_ids: dict[int, TokenKind]
    special_ids: frozenset[int]
    cross_attention: tuple[int, ...]
    pad_id: int

    def token_map(self, read: Any, response_from: list[int] | None = None) -> Int[Tensor, "batch seq"]:
        """What stands at every position.

        Args:
            read: the processor's output (``input_ids`` and ``attention_mask``), padded on either side.
            response_from: per row, the column at which the reply begins; the rest of the row is reply.

        Returns:
            Values of :class:`TokenKind`, int64, on the device of ``input_ids``.
        """
        ids = read["input_ids"]
        kinds = torch.full_like(ids, TokenKind.TEXT)
        special = torch.tensor(sorted(self.special_ids), device=ids.device)
        kinds[torch.isin(ids, special)] = TokenKind.SPECIAL
        if response_from is not None:
            starts = torch.tensor(response_from, device=ids.device)[:, None]
            reply = torch.arange(ids.shape[1], device=ids.device)[None] >= starts
            kinds[reply & (kinds == TokenKind.TEXT)] = TokenKind.RESPONSE
        for token, kind in self.media_ids.items():
            kinds[ids == token] = kind
        kinds[read["attention_mask"] == 0] = TokenKind.PADDING
        return kinds

    def logits(self, states: Float[Tensor, "*shape d_model"]) -> Float[Tensor, "*shape vocab"]:
        """Logits of the next token after last states, in float32."""
        return softcapped(self.head(states).float(), self.softcap)

    def causal(self, read: Any) -> dict[str, Any]:
        """The same inputs, read causally by the whole model: no later token moves an earlier score.

        Most families read so anyhow. PaliGemma's prompt is read in both directions if its processor's
        ``token_type_ids`` say that it is a prompt, and in some versions of transformers without them too.
        """
        if self.kind != "paligemma":
            return dict(read)
        return {**read, "token_type_ids": torch.ones_like(read["input_ids"])}

    def backbone(self) -> Backbone:
        """The language model alone; its weights are those of the whole model."""
        return Backbone(self)


def softcapped(logits: Float[Tensor, "*shape"], softcap: float | None) -> Float[Tensor, "*shape"]:
    """Logits squeezed to ± ``softcap``, if there is one."""
    return logits if softcap is None else torch.tanh(logits / softcap) * softcap


class Backbone(nn.Module):
    """The language part of a multimodal model, which gives what the whole gives for text.

    Args:
        parts: of the whole model.
    """

    def __init__(self, parts: Anatomy) -> None:
        super().__init__()
        self.decoder, self.head, self.softcap = parts.decoder, parts.head, parts.softcap
        # Such a decoder reads in both directions wherever it is given no mask.
        self.two_way = any(getattr(m, "is_causal", True) is False for m in parts.decoder.modules())

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
    ) -> Float[Tensor, "batch seq vocab"]:
        """Logits of the next token at every position; causal.

        Args:
            input_ids: token ids of text.
            attention_mask: 0 where there is padding.
        """
        real = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        positions = (real.cumsum(dim=1) - 1).clamp(min=0)
        states = self.decoder(
            input_ids=input_ids,
            attention_mask=self._causal(real) if self.two_way else attention_mask,
            position_ids=positions,
            use_cache=False,
        ).last_hidden_state
        logits: Tensor = self.head(states)
        return softcapped(logits, self.softcap)

    def _causal(self, real: Int[Tensor, "batch seq"]) -> Float[Tensor, "batch 1 seq seq"]:
        dtype = next(self.decoder.parameters()).dtype
        seen = (
            real[:, None, None].bool()
            & torch.ones(real.shape[1], real.shape[1], dtype=torch.bool, device=real.device).tril()
        )
        zeros = torch.zeros(seen.shape, dtype=dtype, device=real.device)
        return zeros.masked_fill(~seen, torch.finfo(dtype).min)


def anatomy(pretrained: Pretrained) -> Anatomy:
    """The parts of a loaded model.

    Args:
        pretrained: the model with its processor.

    Raises:
        ModelError: if its decoder blocks cannot be found.
    """
    model = pretrained.model
    decoder = _decoder(model)
    blocks = getattr(decoder, "layers", None)
    head = model.get_output_embeddings()
    if not isinstance(blocks, nn.ModuleList) or len(blocks) == 0 or head is None:
        raise ModelError(
            f"model type {model.config.model_type!r}: no decoder blocks were found in "
            f"{type(decoder).__name__}; steering and detectors need a decoder with 'layers' and a head"
        )
    config, text = model.config, model.config.get_text_config()
    media = {
        token: kind
        for names, kind in (
            (("image_token_id", "image_token_index", "video_token_id", "video_token_index"), TokenKind.IMAGE),
            (("audio_token_id", "audio_token_index"), TokenKind.AUDIO),
        )
        for name in names
        if isinstance(token := getattr(config, name, None), int)
    }
    crossing = tuple(getattr(text, "cross_attention_layers", None) or ())
    if crossing:
        media = {token: kind for token, kind in media.items() if kind is not TokenKind.IMAGE}
    tokenizer = pretrained.tokenizer
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    return Anatomy(
        kind=config.model_type,
        decoder=decoder,
        blocks=tuple(blocks),
        head=head,
        softcap=getattr(text, "final_logit_softcapping", None),
        media_ids=media,
        special_ids=frozenset(special | set(tokenizer.all_special_ids)),
        cross_attention=crossing,
        pad_id=tokenizer.pad_token_id or 0,
    )


def _decoder(model: Any) -> nn.Module:
    """The language model without its head: what the families call ``language_model`` or ``text_model``."""
    inner = getattr(model, "model", model)
    for name in ("language_model", "text_model", "decoder"):
        found = getattr(inner, name, None)
        if isinstance(found, nn.Module):
            return found
    decoder: nn.Module = model.get_decoder()
    return decoder


@contextmanager
def at_block(
    block: nn.Module, change: Callable[[Float[Tensor, "batch seq width"]], Tensor | None]
) -> Iterator[None]:
    """See or change what a decoder block gives, while the context lasts.

    Args:
        block: of ``Anatomy.blocks``; it may return a tensor or a tuple that begins with one.
        change: called with the block's output at each forward pass; what it returns takes its place, and
            ``None`` leaves it as it is.

    Raises:
        ModelError: from the forward pass, if ``change`` returns another shape.
    """

    def hook(module: nn.Module, args: Any, output: Any) -> Any:
        states = output[0] if isinstance(output, tuple) else output
        changed = change(states)
        if changed is None:
            return None
        if changed.shape != states.shape:
            raise ModelError(
                f"a hook returned states of shape {tuple(changed.shape)} for {tuple(states.shape)}"
            )
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    handle = block.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def positions_of(kinds: Int[Tensor, "batch seq"], *wanted: TokenKind) -> Bool[Tensor, "batch seq"]:
    """Where one of the wanted kinds stands.

    Args:
        kinds: from :meth:`Anatomy.token_map`.
        wanted: at least one.
    """
    return torch.isin(kinds, torch.tensor([int(kind) for kind in wanted], device=kinds.device))
