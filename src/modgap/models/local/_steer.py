"""Adding vectors to the residual stream, at chosen positions of chosen rows, for as long as a context lasts.

    change = Change(directions[5], block=5, strength=4.0, positions="image")
    with steering(model, change):
        replies = dict(model.reply(queries))

What stands where is read off the token ids of each forward pass, so it does not matter how the passes are
cut: a prompt read at once, its beginning shared between questions, or one new token at a time. When the
context ends it is checked that every change reached at least one position; a vector that changed nothing is
an error, not a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from modgap._errors import InputError, ModelError, UnknownName

from ._anatomy import Anatomy, TokenKind, at_block, positions_of
from ._gate import Gate

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from ._model import LocalModel

Positions = Literal["image", "text", "both", "question"]
Phase = Literal["prefill", "decode", "both"]
MaskMaker = Callable[["Int[Tensor, 'batch seq']", "Int[Tensor, 'batch seq']"], "Bool[Tensor, 'batch seq']"]
"""From kinds (values of ``TokenKind``) and token ids of a pass to the positions that are changed."""

POSITIONS: dict[str, tuple[TokenKind, ...]] = {
    "image": (TokenKind.IMAGE,),
    "text": (TokenKind.TEXT, TokenKind.RESPONSE),
    "both": (TokenKind.IMAGE, TokenKind.TEXT, TokenKind.RESPONSE),
    "question": (TokenKind.TEXT, TokenKind.RESPONSE),
}
"""Which kinds of token each word means; control tokens and padding are never changed, as published. Of the
text, ``question`` is what comes after the last picture: in a causal model the picture's states stay as they
are, so a sweep need not read it again."""

PHASES = ("prefill", "decode", "both")


@dataclass(frozen=True)
class Change:
    """One vector, where and how strongly.

    Args:
        direction: what is added at strength 1; one for all rows of a pass, or one for each.
        block: whose output is changed, 0-based.
        strength: a number, or one for each row of a pass.
        positions: a key of ``POSITIONS``, or a function that makes the mask.
        phase: ``prefill`` changes what is read, the options that are scored included; ``decode`` each token
            that is written; ``both`` everything. As published: ``prefill``.
        unit: ``raw`` multiplies the direction; ``ratio`` gives the length of what is added as a share of the
            mean length of the states at the changed positions of the pass.
        gate: which rows are changed, by their prompt; by default all.
    """

    direction: Float[Tensor, "*row d_model"]
    block: int
    strength: float | Float[Tensor, " row"]
    positions: Positions | MaskMaker = "image"
    phase: Phase = "prefill"
    unit: Literal["raw", "ratio"] = "raw"
    gate: Gate | None = None

    def __post_init__(self) -> None:
        if isinstance(self.positions, str) and self.positions not in POSITIONS:
            raise UnknownName("positions", self.positions, tuple(POSITIONS))
        if self.phase not in PHASES:
            raise UnknownName("phase", self.phase, PHASES)
        if self.unit not in ("raw", "ratio"):
            raise UnknownName("unit", self.unit, ("raw", "ratio"))
        strength = torch.as_tensor(self.strength)
        if not bool(torch.isfinite(strength).all()) or not bool(torch.isfinite(self.direction).all()):
            raise InputError("a steering vector or its strength is not finite")
        if self.gate is not None and not 0 <= self.gate.block <= self.block:
            raise InputError(
                f"a gate at block {self.gate.block} cannot decide about block {self.block}: it must not come "
                "later"
            )


def mask_of(
    positions: Positions | MaskMaker, kinds: Int[Tensor, "batch seq"], ids: Int[Tensor, "batch seq"]
) -> Bool[Tensor, "batch seq"]:
    """Which positions are changed."""
    if not isinstance(positions, str):
        return positions(kinds, ids)
    mask = positions_of(kinds, *POSITIONS[positions])
    if positions == "question":
        shown = positions_of(kinds, TokenKind.IMAGE).int()
        mask &= shown.flip(1).cumsum(1).flip(1) == 0  # no picture here or later
    return mask


def added(
    change: Change, states: Float[Tensor, "batch seq d_model"], mask: Bool[Tensor, "batch seq"]
) -> Float[Tensor, "batch seq d_model"]:
    """States with the change; what is not in the mask stays bit for bit."""
    direction = change.direction.to(states.device, torch.float32)
    strength = torch.as_tensor(change.strength, dtype=torch.float32, device=states.device)
    if change.unit == "ratio":
        share = mask.sum(dim=1).clamp(min=1)
        mean = (states.float().norm(dim=-1) * mask).sum(dim=1) / share
        strength = strength * mean / direction.norm(dim=-1).clamp(min=1e-30)
    step = strength[..., None] * direction  # (width,) or (row, width)
    step = step if step.ndim == 2 else step[None]
    if step.shape[0] not in (1, states.shape[0]) or step.shape[1] != states.shape[2]:
        raise ModelError(
            f"directions or strengths for {step.shape[0]} rows of width {step.shape[1]} were given, and the "
            f"pass has {states.shape[0]} rows of width {states.shape[2]}"
        )
    return torch.where(mask[..., None], states + step[:, None].to(states.dtype), states)


class _Passes:
    """Token kinds of the forward pass in flight, read off what the model was called with."""

    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self._parts = model.pretrained.anatomy
        self.kinds = self.ids = torch.zeros(0, 0, dtype=torch.long)
        self.decoding = False
        self.begins = True
        """Whether the pass reads prompts from their first token on."""

    def see(self, module: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        ids = named.get("input_ids", args[0] if args else None)
        if not isinstance(ids, torch.Tensor):
            raise ModelError("steering reads token ids, and the model was called without input_ids")
        length = ids.shape[1]
        mask = named.get("attention_mask")
        plain = isinstance(mask, torch.Tensor) and mask.ndim == 2
        real = mask[:, -length:] if plain and mask is not None else torch.ones_like(ids)
        self.ids = ids
        self.kinds = self._parts.token_map({"input_ids": ids, "attention_mask": real})
        if not plain:  # a mask of four axes says who sees whom, so padding is known by its token
            self.kinds = torch.where(ids == self._parts.pad_id, TokenKind.PADDING, self.kinds)
        cache = named.get("past_key_values")
        # An option that is scored is read, even if that is done token by token.
        self.begins = cache is None or cache.get_seq_length() == 0
        written = length == 1 and not self.begins
        self.decoding = written and not self._model.scoring

    def wants(self, phase: Phase) -> bool:
        return phase == "both" or (phase == "decode") == self.decoding


@contextmanager
def steering(model: LocalModel, *changes: Change, must_reach: bool = True) -> Iterator[None]:
    """Change what blocks of a model give, while the context lasts.

    A gate is of whole prompts, so with one the beginnings of prompts are not shared between questions.

    Args:
        model: any local model; everything it reads and writes in the context is changed.
        changes: at least one; several on one block add up.
        must_reach: whether a change that reached no position is an error.

    Raises:
        InputError: a block that the model does not have, a vector of another width, or image positions in a
            model whose pictures take none.
        ModelError: at the end, a change reached no position although the model was used.
    """
    parts = model.pretrained.anatomy
    _check(parts, changes)
    passes = _Passes(model)
    reached = [0] * len(changes)
    used = [0]
    opened: dict[int, Tensor] = {}
    share = model._share

    def decide(number: int, gate: Gate) -> Callable[[Tensor], None]:
        def hook(states: Tensor) -> None:
            if passes.begins:
                opened[number] = gate.opens(states, passes.kinds)

        return hook

    def at(number: int) -> Callable[[Tensor], Tensor | None]:
        change = changes[number]

        def hook(states: Tensor) -> Tensor | None:
            used[0] += 1
            if not passes.wants(change.phase):
                return None
            if states.shape[:2] != passes.kinds.shape:
                raise ModelError(
                    f"block {change.block} read {tuple(states.shape[:2])} positions and the model was given "
                    f"{tuple(passes.kinds.shape)}: it is not known which are which"
                )
            mask = mask_of(change.positions, passes.kinds, passes.ids).to(states.device)
            reached[number] += int(mask.sum())
            if change.gate is not None:
                mask = mask & opened[number][:, None]
            return added(change, states, mask)

        return hook

    with ExitStack() as stack:
        handle = model.pretrained.model.register_forward_pre_hook(passes.see, with_kwargs=True)
        stack.callback(handle.remove)
        for number, change in enumerate(changes):
            if change.gate is not None:
                model._share = False
                stack.callback(setattr, model, "_share", share)
                # First, so that it sees its block as it is without the change.
                stack.enter_context(at_block(parts.blocks[change.gate.block], decide(number, change.gate)))
        for number, change in enumerate(changes):
            stack.enter_context(at_block(parts.blocks[change.block], at(number)))
        yield
    for number, change in enumerate(changes):
        if must_reach and used[0] and not reached[number]:
            raise ModelError(
                f"steering of block {change.block} at positions {change.positions!r}, phase "
                f"{change.phase!r}, changed no position of anything the model "
                "read: show it what those positions stand for"
            )


def _check(parts: Anatomy, changes: Sequence[Change]) -> None:
    if not changes:
        raise InputError("no change was given to steer with")
    weight = getattr(parts.head, "weight", None)
    width = weight.shape[-1] if isinstance(weight, torch.Tensor) else None
    for change in changes:
        if not 0 <= change.block < len(parts.blocks):
            raise InputError(
                f"block {change.block} does not exist: the model has blocks 0 to {len(parts.blocks) - 1}"
            )
        if width is not None and change.direction.shape[-1] != width:
            raise InputError(
                f"the vector has width {change.direction.shape[-1]} and the model {width}: it is of another "
                "model"
            )
        if width is not None and change.gate is not None and len(change.gate.condition) != width:
            raise InputError(
                f"the condition has width {len(change.gate.condition)} and the model {width}: it is of "
                "another model"
            )
        if change.positions == "image" and parts.cross_attention:
            raise InputError(
                "pictures take no positions in this model (it reads them through cross-attention): "
                "use positions 'text'"
            )
