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

END = "<end_of_utterance>"
REPLY = "\nAssistant:"
"""What the chat template puts after a message, and before a reply."""


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

    def __call__(self, examples: Sequence[Example], unsaid: Sequence[str] = ()) -> Batch:
        """All examples have pictures, or none has; rows with fewer turns than others are padded.

        Args:
            examples: at least one.
            unsaid: words that cost nothing, wherever they stand; each is one token after a space.
        """
        strings = [
            f"<|im_start|>User:{e.instruction}{self.picture if e.picture is not None else e.scene}"
            for e in examples
        ]
        for example in examples:
            for turn in example.turns:
                strings.append(f"{turn.question}{END}{REPLY}")
                strings.append(f"{turn.reply}{END}")
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
        weight[np.isin(ids, [self.backend.token_to_id(f"Ġ{word}") for word in unsaid])] = 0.0
        pixels = None
        if examples[0].picture is not None:
            stacked = torch.from_numpy(np.stack([e.picture for e in examples if e.picture is not None]))
            # The processor's arithmetic: rescale by 1/255, mean and standard deviation 0.5.
            pixels = (stacked.permute(0, 3, 1, 2).float() / 255.0 - 0.5).div(0.5).unsqueeze(1)
        tensors = (torch.from_numpy(a) for a in (ids, positions, weight, valid))
        return Batch(*tensors, head, turns, pixels)


def _bias(seen: Tensor, kind: torch.dtype) -> Tensor:
    return torch.zeros(seen.shape, dtype=kind, device=seen.device).masked_fill_(~seen, -1e4)


class _SharedHead:
    """Attention in which every turn sees the head and itself, over the valid tokens of a batch in one row.

    The maps and masks of the batch in flight are kept here, because the library hands an attention function
    only queries, keys and values. Written out, in few passes and without conversions: at this size that is
    faster than the fused CPU kernel, whose backward is slow.
    """

    def __init__(self) -> None:
        self.head = self.turns = self.each = self.places = 0
        self.flat = self.causal = self.own = self.seen_head = torch.empty(0)

    def prepare(self, batch: Batch) -> None:
        rows, length = batch.ids.shape
        self.head, self.turns = batch.head, batch.turns
        self.each = (length - batch.head) // batch.turns
        self.places = rows * length
        self.flat = batch.valid.flatten().nonzero()[:, 0]  # of each valid token, its place among all

        def lower(n: int) -> Tensor:
            return torch.ones(n, n, dtype=torch.bool, device=batch.ids.device).tril()

        self.causal, self.own = lower(batch.head), lower(self.each)
        self.seen_head = batch.valid[:, None, None, : batch.head]

    def __call__(
        self,
        module: torch.nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        **settings: object,
    ) -> tuple[Tensor, None]:
        _, heads, _, width = query.shape
        rows, kind = len(self.seen_head), value.dtype

        def spread(x: Tensor) -> tuple[Tensor, Tensor]:
            # (1, heads, valid, width) → (rows, heads, head, width), (rows, heads, turns * each, width)
            x = x[0].transpose(0, 1).reshape(-1, heads * width).to(kind)
            x = x.new_zeros(self.places, heads * width).index_copy(0, self.flat, x)
            x = x.view(rows, -1, heads, width).transpose(1, 2)
            return x[:, :, : self.head], x[:, :, self.head :]

        def apart(x: Tensor) -> Tensor:
            return x.reshape(rows, heads, self.turns, self.each, x.shape[-1])

        # Queries and keys leave the rotation in float32, also under autocast.
        with torch.autocast(query.device.type, enabled=False):
            q_head, q_turn = spread(query * width**-0.5)
            (k_head, k_turn), (v_head, v_turn) = spread(key), spread(value)
            scores = q_head @ k_head.transpose(-1, -2) + _bias(self.causal, kind)
            first = torch.softmax(scores, dim=-1) @ v_head
            to_head = q_turn @ k_head.transpose(-1, -2) + _bias(self.seen_head, kind)
            to_own = apart(q_turn) @ apart(k_turn).transpose(-1, -2) + _bias(self.own, kind)
            chances = torch.softmax(torch.cat([apart(to_head), to_own], dim=-1), dim=-1)
            p_head, p_own = chances.split([self.head, self.each], dim=-1)
            later = p_head.reshape(rows, heads, -1, self.head) @ v_head
            later = later + (p_own @ apart(v_turn)).reshape(rows, heads, -1, width)
            out = torch.cat([first, later], dim=2).transpose(1, 2).reshape(-1, heads * width)
        return out.index_select(0, self.flat).view(1, -1, heads, width), None


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
    valid = batch.valid
    ids, weight = batch.ids[valid], batch.weight[valid]
    embedded = text.get_input_embeddings()(ids)
    if batch.pixels is not None:
        features = torch.cat(list(model.model.get_image_features(batch.pixels).pooler_output))
        where = (ids == model.config.image_token_id)[:, None]
        embedded = embedded.masked_scatter(where, features.to(embedded.dtype))
    _SHARED_HEAD.prepare(batch)
    usual = text.config._attn_implementation
    text.config._attn_implementation = "shared_head"
    try:
        # Only the valid tokens of all rows, as one row; the four-axis mask only tells the library to make
        # none of its own.
        hidden = text(
            inputs_embeds=embedded[None],
            attention_mask=torch.ones(1, 1, 1, len(ids), dtype=torch.bool, device=ids.device),
            position_ids=batch.positions[valid][None],
            use_cache=False,
        ).last_hidden_state[0]
    finally:
        text.config._attn_implementation = usual
    # The state at t predicts t + 1. A part's first token is never a target: it has no weight in a turn,
    # and the head's first token has nothing before it.
    column = torch.arange(batch.ids.shape[1], device=ids.device).expand_as(batch.ids)[valid]
    row = torch.arange(len(batch.ids), device=ids.device)[:, None].expand_as(batch.ids)[valid]
    target = ((weight > 0) & (column > 0)).nonzero()[:, 0]
    logits = model.lm_head(hidden[target - 1]).float()
    losses = functional.cross_entropy(logits, ids[target], reduction="none")
    each = (batch.ids.shape[1] - batch.head) // batch.turns
    column = column[target]
    turn = torch.where(column < batch.head, -1, (column - batch.head) // each)
    return losses, weight[target], torch.stack([row[target], turn], dim=1)
