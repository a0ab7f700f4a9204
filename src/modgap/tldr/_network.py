"""The detector as a network: a model without its head for words, low-rank changes, one linear head.

    network = DetectorNetwork(pretrained, new_head(pretrained, prior=0.02))
    add_lora(pretrained, LoraSettings(rank=16))
    loss = network(**batch)["loss"]

As in section 3 of the TLDR paper the head reads the state *at* the token that is judged. Its output is the
logit of "this token is right"; its bias begins at the log-odds of that, so that training does not spend
its first steps on learning how rare errors are (our choice; the paper does not say).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from modgap._errors import InputError, MissingExtra, ModelError
from modgap.models.local._load import Pretrained, quiet

from ._reading import CAUSAL, read_states

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

PARTS = ("connector", "decoder")
"""What low-rank changes are put on as published: the vision encoder is left as it is."""
ALL_PARTS = ("vision", *PARTS)
"""With the vision encoder, for a model whose eyes miss what the detector is to see."""

_VISION = re.compile(r"(^|\.)(vision_\w+|visual|image_encoder|vit\w*)(\.|$)")
_CONNECTOR = re.compile(r"(^|\.)(multi_modal_projector|connector|\w*merger\w*)(\.|$)")


@dataclass(frozen=True)
class LoraSettings:
    """Low-rank changes; the change is scaled by ``alpha / rank``, as PEFT does.

    Args:
        rank: 1 or more. The paper has 512 for widths of 2,048 and 4,096.
        alpha: as published a quarter of the rank; twice the rank is ours, for low ranks.
        dropout: 0 to below 1; 0.1 as published.
        parts: of ``vision``, ``connector`` and ``decoder``; none for a probe on the frozen model.

    Raises:
        InputError: if a value is not accepted.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    parts: tuple[str, ...] = PARTS

    def __post_init__(self) -> None:
        if self.rank < 1 or not self.alpha > 0 or not 0 <= self.dropout < 1:
            raise InputError(
                f"rank {self.rank}, alpha {self.alpha} and dropout {self.dropout} are not accepted; give a "
                "rank of 1 or more, an alpha above 0 and a dropout from 0 to below 1"
            )
        if unknown := [part for part in self.parts if part not in ALL_PARTS]:
            raise InputError(f"part {unknown[0]!r} is not one of {', '.join(ALL_PARTS)}")


def new_head(pretrained: Pretrained, prior: float) -> nn.Linear:
    """A head that says of every token that it is wrong with the same probability.

    Args:
        pretrained: the model; gives width and device.
        prior: fraction of tokens that are wrong, above 0 and below 1.

    Returns:
        A linear layer from the decoder's width to 1, in float32: weights 0, bias the log-odds of "right".
    """
    width = pretrained.model.config.get_text_config().hidden_size
    head = nn.Linear(width, 1, device=pretrained.device, dtype=torch.float32)
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, math.log((1 - prior) / prior))
    return head


def lora_targets(pretrained: Pretrained, parts: tuple[str, ...] = PARTS) -> list[str]:
    """Full names of the linear layers that get low-rank changes.

    Raises:
        ModelError: if the model has none.
    """
    anatomy = pretrained.anatomy
    in_blocks = {id(module) for block in anatomy.blocks for module in block.modules()}
    names = []
    for name, module in pretrained.model.named_modules():
        if isinstance(module, nn.Linear):
            if id(module) in in_blocks:
                part = "decoder"
            elif _CONNECTOR.search(name):
                part = "connector"
            else:
                part = "vision" if _VISION.search(name) else ""
            if part in parts:
                names.append(name)
    if parts and not names:
        raise ModelError(
            f"{pretrained.name}: no linear layers were found in {' and '.join(parts)}; leave the change out "
            "(a probe on the frozen model), or take other parts"
        )
    return names


def add_lora(pretrained: Pretrained, settings: LoraSettings, seed: int = 0) -> Any:
    """Put low-rank changes into a model, in place; all else is frozen.

    Returns:
        The PEFT wrapper that saves them; ``None`` without parts.

    Raises:
        MissingExtra: if peft is not installed.
        ModelError: if the model has no such layers.
    """
    pretrained.model.requires_grad_(False)
    if not settings.parts:
        return None
    try:
        import peft
    except ImportError as error:
        raise MissingExtra("low-rank changes", "train") from error
    config = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=lora_targets(pretrained, settings.parts),
    )
    with quiet(), torch.random.fork_rng():
        torch.manual_seed(seed)
        return peft.get_peft_model(pretrained.model, config)


class DetectorNetwork(nn.Module):
    """The model with the head.

    Args:
        pretrained: the model, with or without low-rank changes.
        head: from the decoder's width to 1.
        reads: ``causal`` or ``bidirectional``, see ``_reading.py``.
        objective: ``token``, every token of a caption counts; or ``response``, the baseline of the paper:
            only the last token does, and its label is that of the whole caption.
        wrong_weight: how much a wrong token counts in the loss; a right one counts 1.
        focal: a token that is already told right with probability p counts (1 − p) to this power; 0 for all
            alike (Lin et al. 2017 have 2).
    """

    def __init__(
        self,
        pretrained: Pretrained,
        head: nn.Linear,
        *,
        reads: str = CAUSAL,
        objective: str = "token",
        wrong_weight: float = 1.0,
        focal: float = 0.0,
    ) -> None:
        super().__init__()
        self.model = pretrained.model
        self.head = head
        self._pretrained = pretrained
        self._reads = reads
        self._objective = objective
        self._wrong_weight = wrong_weight
        self._focal = focal

    def forward(
        self,
        prompts: dict[str, Any],
        owner: Tensor,
        ids: Tensor,
        real: Tensor,
        labels: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Logits of "right" at every token, and the loss where labels are given.

        Args:
            prompts, owner, ids, real: from :meth:`Reader.batch`.
            labels: 1 right, 0 wrong, (captions, tokens).
            weights: how much each token counts, 0 in padding, (captions, tokens).

        Returns:
            ``logits`` (captions, tokens) in float32, and ``loss``: binary cross-entropy, the mean over what
            counts.
        """
        states = read_states(self._pretrained, prompts, owner, ids, real, self._reads)
        logits = self.head(states.float())[..., 0].float()
        if labels is None or weights is None:
            return {"logits": logits}
        return {"loss": self._loss(logits, real, labels.float(), weights), "logits": logits}

    def _loss(
        self,
        logits: Float[Tensor, "captions tokens"],
        real: Tensor,
        labels: Float[Tensor, "captions tokens"],
        weights: Float[Tensor, "captions tokens"],
    ) -> Tensor:
        if self._objective == "response":
            rows = torch.arange(len(logits), device=logits.device)
            last = real.sum(dim=1) - 1
            is_right = 1 - ((labels == 0) & (weights > 0)).any(dim=1).float()
            return functional.binary_cross_entropy_with_logits(logits[rows, last], is_right)
        weights = torch.where(labels == 0, weights * self._wrong_weight, weights)
        losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        if self._focal:
            losses = losses * (1 - torch.exp(-losses)) ** self._focal  # exp(−loss) is p of the label
        return (losses * weights).sum() / weights.sum().clamp(min=1e-9)
