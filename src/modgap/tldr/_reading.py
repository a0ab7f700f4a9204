"""Captions as a model reads them: each after its picture and prompt; what they share is read once.

    reader = Reader(pretrained)
    encoded = reader.encode("Two red circles.")      # token ids, and characters of the caption
    batch = reader.batch([Shown(prompt, ids_of_its_captions), ...])
    states = read_states(pretrained, **batch)         # (captions, tokens, d_model)

Read causally, the state at a token depends on the picture, the prompt and the caption up to that token, never
on what comes later: it can be had while a caption is written. Read bidirectionally, every token of a caption
sees all of it, as in an encoder; "two" can then be held against the picture knowing what there are two of.
Where the family allows it, prompts are read once, and all captions about a picture go on from the keys and
values; else each is read causally with its prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import DynamicCache

from modgap._errors import InputError, ModelError
from modgap.media import Part, Text
from modgap.models.local._anatomy import TokenKind
from modgap.models.local._extend import extended
from modgap.models.local._load import Pretrained
from modgap.models.local._prompt import Prompt, PromptWriter
from modgap.models.local._score import why_not

from ._scores import Item

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

CAUSAL, BIDIRECTIONAL = READS = ("causal", "bidirectional")
"""How a caption is read."""


@dataclass(frozen=True)
class Encoded:
    """A caption as token ids.

    Args:
        ids: of its tokens.
        offsets: start and end of each in the caption, in characters.
    """

    ids: list[int]
    offsets: Int[np.ndarray, "tokens 2"]


@dataclass(frozen=True)
class Shown:
    """A prompt with the captions that answer it, as token ids; each has at least one token."""

    prompt: Prompt
    captions: tuple[list[int], ...]


class Reader:
    """Prepares what a model reads.

    Args:
        pretrained: the model; its tokenizer must give character offsets.

    Raises:
        ModelError: if it does not.
    """

    def __init__(self, pretrained: Pretrained) -> None:
        if not getattr(pretrained.tokenizer, "is_fast", False):
            raise ModelError(
                f"{pretrained.name}: its tokenizer does not say which characters a token holds; "
                "detectors need a model with a tokenizer.json"
            )
        self._pretrained = pretrained
        self._writer = PromptWriter(pretrained.processor)
        parts = pretrained.anatomy
        self._refused = parts.special_ids | {
            i for i, kind in parts.media_ids.items() if kind is not TokenKind.TEXT
        }

    def prompt(self, item: Item) -> Prompt:
        """What the model is shown before the caption.

        Raises:
            InputError: if the prompt has a control token of the model, or the model cannot see.
        """
        parts: list[Part] = [] if item.image is None else [item.image]
        return self._writer.write([*parts, Text(f"\n\n{item.prompt}")])

    def encode(self, prompt: Prompt, caption: str) -> Encoded:
        """Token ids of a caption. Control tokens that are written in it are read as plain text.

        Args:
            prompt: that it follows; a space goes between them unless the prompt ends with white space.
            caption: untrusted.

        Raises:
            InputError: if it has no token, or one that the model cannot take for text.
        """
        space = "" if prompt.text[-1:].isspace() else " "
        read = self._pretrained.tokenizer(
            space + caption,
            add_special_tokens=False,
            return_offsets_mapping=True,
            split_special_tokens=True,
        )
        ids: list[int] = read["input_ids"]
        if not ids or not caption.strip():
            raise InputError("a caption without a word cannot be scored")
        if self._refused.intersection(ids):
            raise InputError("the caption contains a control token of this model; write it differently")
        offsets = np.array(read["offset_mapping"], dtype=np.int64).reshape(len(ids), 2)
        return Encoded(ids, np.maximum(offsets - len(space), 0))

    def read(self, prompts: Sequence[Prompt]) -> dict[str, Any]:
        """The processor's output for prompts, all with a picture, or all without."""
        return dict(self._writer.read(prompts))

    def check_length(self, prompt_tokens: int, caption_tokens: int) -> None:
        """Refuse what does not fit the window of the model.

        Raises:
            InputError: if it does not.
        """
        window = self._pretrained.window
        if window is not None and prompt_tokens + caption_tokens > window:
            raise InputError(
                f"prompt and caption have {prompt_tokens + caption_tokens} tokens and the model reads "
                f"{window}; split the caption, or take a model with a longer window"
            )

    def batch(self, shown: Sequence[Shown]) -> dict[str, Any]:
        """Tensors for :func:`read_states`, on the CPU.

        Args:
            shown: all with a picture, or all without.

        Returns:
            ``prompts``, the processor's output; ``owner``, per caption the row of its prompt; ``ids`` and
            ``real`` of the captions, (captions, tokens), padded on the right. A family that cannot share
            prompts gets each once for every caption.

        Raises:
            InputError: if a caption does not fit the window.
        """
        prompts = self._writer.read([one.prompt for one in shown])
        if len(shown) < sum(len(one.captions) for one in shown) and why_not(self._pretrained, prompts):
            shown = [Shown(one.prompt, (ids,)) for one in shown for ids in one.captions]
            prompts = self._writer.read([one.prompt for one in shown])
        lengths = prompts["attention_mask"].sum(dim=1).tolist()
        captions = [ids for one in shown for ids in one.captions]
        for one, length in zip(shown, lengths, strict=True):
            self.check_length(length, max(map(len, one.captions)))
        width = max(map(len, captions))
        pad = self._pretrained.tokenizer.pad_token_id or 0
        return {
            "prompts": dict(prompts),
            "owner": torch.tensor([row for row, one in enumerate(shown) for _ in one.captions]),
            "ids": torch.tensor([[*ids, *[pad] * (width - len(ids))] for ids in captions]),
            "real": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in captions]),
        }


def read_states(
    pretrained: Pretrained,
    prompts: dict[str, Any],
    owner: Int[Tensor, " captions"],
    ids: Int[Tensor, "captions tokens"],
    real: Int[Tensor, "captions tokens"],
    reads: str = CAUSAL,
) -> Float[Tensor, "captions tokens d_model"]:
    """The decoder's last states at the tokens of captions; gradients flow if they are on.

    Args:
        pretrained: the model.
        prompts, owner, ids, real: from :meth:`Reader.batch`, on any device.
        reads: ``causal`` or ``bidirectional``.

    Raises:
        ModelError: if captions share a prompt, or are to be read bidirectionally, and the family does not
            allow it.
    """
    reason = why_not(pretrained, prompts)
    if reason is None:
        return _shared_states(pretrained, prompts, owner, ids, real, reads)
    if reads != CAUSAL:
        raise ModelError(
            f"{pretrained.name} cannot read captions bidirectionally: {reason}; read them causally"
        )
    if len(owner) != len(prompts["input_ids"]):
        raise ModelError(f"{pretrained.name} reads each caption with its own prompt, and they were shared")
    lengths = real.sum(dim=1).tolist()
    replies = [row[:length] for row, length in zip(ids.tolist(), lengths, strict=True)]
    return decoder_states(pretrained, extended(pretrained, prompts, replies))[:, -ids.shape[1] :]


def _shared_states(
    pretrained: Pretrained, prompts: dict[str, Any], owner: Tensor, ids: Tensor, real: Tensor, reads: str
) -> Tensor:
    taken = pretrained.inputs(prompts)
    owner, ids, real = (x.to(pretrained.device) for x in (owner, ids, real))
    mask = taken["attention_mask"]
    cache = DynamicCache(config=pretrained.model.config.get_text_config())
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    decoder_states(
        pretrained, {**taken, "position_ids": positions, "past_key_values": cache, "use_cache": True}
    )
    cache.batch_select_indices(owner)
    after = mask.sum(dim=1)[owner, None] + torch.arange(ids.shape[1], device=ids.device)
    seen = torch.cat([mask[owner], real.to(mask.dtype)], dim=1)
    if reads != CAUSAL:  # what is seen is added to attention, (captions, 1, query, key)
        dtype = pretrained.model.dtype
        seen = (1 - seen.to(dtype)) * torch.finfo(dtype).min
        seen = seen[:, None, None].expand(-1, 1, ids.shape[1], -1)
    return decoder_states(
        pretrained,
        {
            "input_ids": ids,
            "attention_mask": seen,
            "position_ids": after,
            "past_key_values": cache,
            "use_cache": True,
        },
    )


def decoder_states(pretrained: Pretrained, inputs: dict[str, Any]) -> Float[Tensor, "batch new d_model"]:
    """The decoder's last states of one forward pass.

    The head for words is asked for one position only, and its answer is dropped.
    """
    found: list[Tensor] = []

    def keep(module: Any, args: Any, output: Any) -> None:
        found.append(output[0] if isinstance(output, tuple) else output.last_hidden_state)

    only = {"logits_to_keep": 1} if "logits_to_keep" in pretrained.forward_names else {}
    handle = pretrained.anatomy.decoder.register_forward_hook(keep)
    try:
        pretrained.model(**inputs, **only)
    finally:
        handle.remove()
    return found[-1]
