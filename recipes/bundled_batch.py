"""Training batches for the bundled model: one scene, many questions, one forward pass.

A sequence is a shared head (instruction and scene, as text or as a picture) followed by several turns, each
a question with its reply. Every turn sees the head and itself, never another turn, and its positions go
on from the end of the head: to the model each turn looks exactly as it will at test time, for an eighth
of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface, Idefics3ForConditionalGeneration, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Turn:
    """What is asked about the scene, the right reply, and how much each of its tokens counts in the loss."""

    question: str
    reply: str
    weight: float = 1.0


@dataclass(frozen=True)
class Example:
    """One scene with its turns.

    Args:
        instruction: text before the scene.
        scene: the scene as text; empty when there is a picture.
        picture: (side, side, 3) uint8, or ``None``.
        turns: at least one.
        scene_weight: weight in the loss of the scene's own tokens; 0 for none.
    """

    instruction: str
    scene: str
    picture: np.ndarray | None
    turns: tuple[Turn, ...]
    scene_weight: float = 0.0


@dataclass(frozen=True)
class Batch:
    """Tensors of one batch, laid out as ``head | turn 1 | turn 2 | …``, each part padded on its right.

    Args:
        ids: token ids.
        positions: 0-based; every turn goes on from the end of its own head.
        weight: of each token in the loss; 0 for none.
        valid: False in padding.
        head: length of the head part.
        turns: number of turns per row.
        pixels: pictures as the processor makes them, or ``None``.
    """

    ids: Int[Tensor, "batch seq"]
    positions: Int[Tensor, "batch seq"]
    weight: Float[Tensor, "batch seq"]
    valid: Bool[Tensor, "batch seq"]
    head: int
    turns: int
    pixels: Float[Tensor, "batch 1 3 side side"] | None

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        moved = {
            name: value.to(device) if isinstance(value, Tensor) else value
            for name, value in self.__dict__.items()
        }
        return Batch(**moved)


class Batcher:
    """Turns examples into batches.

    Args:
        tokenizer: of the model.
        image_tokens: positions that a picture takes.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, image_tokens: int) -> None:
        self.backend = tokenizer.backend_tokenizer
        self.picture = (
            "<fake_token_around_image><global-img>" + "<image>" * image_tokens + "<fake_token_around_image>"
        )

    def __call__(self, examples: Sequence[Example]) -> Batch:
        """All examples have pictures, or none has; rows with fewer turns than others are padded."""
        strings = [
            f"<|im_start|>User:{e.instruction}{self.picture if e.picture is not None else e.scene}"
            for e in examples
        ]
        for example in examples:
            for turn in example.turns:
                strings.append(f"{turn.question}<end_of_utterance>\nAssistant:")
                strings.append(f"{turn.reply}<end_of_utterance>")
        encoded = [e.ids for e in self.backend.encode_batch(strings, add_special_tokens=False)]
        asked, said = encoded[len(examples) :: 2], encoded[len(examples) + 1 :: 2]
        head = max(len(ids) for ids in encoded[: len(examples)])
        turns = max(len(e.turns) for e in examples)
        each = max(len(a) + len(b) for a, b in zip(asked, said, strict=True))
        shape = (len(examples), head + turns * each)
        ids, positions = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        weight, valid = np.zeros(shape, np.float32), np.zeros(shape, bool)
        cursor = 0
        for row, example in enumerate(examples):
            first = len(encoded[row])
            ids[row, :first], positions[row, :first] = encoded[row], np.arange(first)
            valid[row, :first], weight[row, :first] = True, example.scene_weight
            for number, turn in enumerate(example.turns):
                question, reply = asked[cursor], said[cursor]
                cursor += 1
                start, length = head + number * each, len(question) + len(reply)
                ids[row, start : start + length] = question + reply
                positions[row, start : start + length] = np.arange(first, first + length)
                valid[row, start : start + length] = True
                weight[row, start + len(question) : start + length] = turn.weight
        pixels = None
        if examples[0].picture is not None:
            stacked = torch.from_numpy(np.stack([e.picture for e in examples if e.picture is not None]))
            # The processor's arithmetic: rescale by 1/255, mean and standard deviation 0.5.
            pixels = (stacked.permute(0, 3, 1, 2).float() / 255.0 - 0.5).div(0.5).unsqueeze(1)
        tensors = (torch.from_numpy(a) for a in (ids, positions, weight, valid))
        return Batch(*tensors, head, turns, pixels)


def _attend(query: Tensor, key: Tensor, value: Tensor, seen: Tensor) -> Tensor:
    # Written out, in few passes and without conversions: at this size it is faster than the fused CPU
    # kernel, whose backward is slow.
    kind = value.dtype  # queries and keys leave the rotation in float32, also under autocast
    with torch.autocast(query.device.type, enabled=False):
        scores = (query * query.shape[-1] ** -0.5).to(kind) @ key.to(kind).transpose(-1, -2)
        scores += torch.zeros(seen.shape, dtype=kind, device=seen.device).masked_fill_(~seen, -1e4)
        return torch.softmax(scores, dim=-1) @ value


class _SharedHead:
    """Attention in which every turn sees the head and itself: a third of the work of one long row.

    The sizes and masks of the batch in flight are kept here, because the library hands an attention
    function only queries, keys and values.
    """

    def __init__(self) -> None:
        self.head = self.turns = 0
        self.mask: Tensor | None = None

    def prepare(self, batch: Batch) -> None:
        self.head, self.turns = batch.head, batch.turns
        rows, each = batch.ids.shape[0], (batch.ids.shape[1] - batch.head) // batch.turns
        seen_head = batch.valid[:, None, None, : batch.head].expand(rows, batch.turns, each, batch.head)
        own = torch.ones(each, each, dtype=torch.bool, device=batch.ids.device).tril()
        seen_own = own.expand(rows, batch.turns, each, each)
        self.mask = torch.cat([seen_head, seen_own], dim=-1).reshape(rows * batch.turns, 1, each, -1)

    def __call__(
        self,
        module: torch.nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        **settings: object,
    ) -> tuple[Tensor, None]:
        rows, heads, _, width = query.shape
        causal = torch.ones(self.head, self.head, dtype=torch.bool, device=query.device).tril()
        first = _attend(query[:, :, : self.head], key[:, :, : self.head], value[:, :, : self.head], causal)

        def split(
            x: Tensor,
        ) -> Tensor:  # (rows, heads, turns * each, width) → (rows * turns, heads, each, width)
            x = x[:, :, self.head :].reshape(rows, heads, self.turns, -1, width)
            return x.transpose(1, 2).reshape(rows * self.turns, heads, -1, width)

        def with_head(x: Tensor) -> Tensor:
            shared = x[:, None, :, : self.head].expand(rows, self.turns, heads, self.head, width)
            return torch.cat([shared.reshape(rows * self.turns, heads, self.head, width), split(x)], dim=2)

        later = _attend(split(query), with_head(key), with_head(value), self.mask)
        later = later.reshape(rows, self.turns, heads, -1, width).transpose(1, 2)
        later = later.reshape(rows, heads, -1, width)
        return torch.cat([first, later], dim=2).transpose(1, 2), None


_SHARED_HEAD = _SharedHead()
AttentionInterface.register("shared_head", _SHARED_HEAD)


def token_losses(
    model: Idefics3ForConditionalGeneration, batch: Batch
) -> tuple[Float[Tensor, " target"], Float[Tensor, " target"], Int[Tensor, "target 2"]]:
    """Cross-entropy of every token that counts.

    Returns:
        losses in nats; their weights; (row, turn) of each, turn -1 in the head.
    """
    text = model.model.text_model
    embedded = text.get_input_embeddings()(batch.ids)
    if batch.pixels is not None:
        features = torch.cat(list(model.model.get_image_features(batch.pixels).pooler_output))
        where = (batch.ids == model.config.image_token_id)[..., None]
        embedded = embedded.masked_scatter(where, features.to(embedded.dtype))
    _SHARED_HEAD.prepare(batch)
    usual = text.config._attn_implementation
    text.config._attn_implementation = "shared_head"
    try:
        # The four-axis mask only tells the library to make none of its own.
        hidden = text(
            inputs_embeds=embedded,
            attention_mask=batch.valid[:, None, None, :],
            position_ids=batch.positions,
            use_cache=False,
        ).last_hidden_state
    finally:
        text.config._attn_implementation = usual
    # The state at t predicts t + 1. A part's first token is never a target: it has no weight in a turn,
    # and the head's first token has nothing before it.
    picked = batch.weight[:, 1:] > 0
    logits = model.lm_head(hidden[:, :-1][picked]).float()
    losses = functional.cross_entropy(logits, batch.ids[:, 1:][picked], reduction="none")
    row, column = picked.nonzero(as_tuple=True)
    each = (batch.ids.shape[1] - batch.head) // batch.turns
    turn = torch.where(column + 1 < batch.head, -1, (column + 1 - batch.head) // each)
    return losses, batch.weight[:, 1:][picked], torch.stack([row, turn], dim=1)
