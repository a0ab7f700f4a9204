"""A small sparse autoencoder of one block, trained on a CPU in seconds, so that the method works offline.

TopK: the ``k`` largest activations reconstruct the state, so sparsity is set and not tuned. Features that
have not been active for a while take over what the others leave (an auxiliary loss, as in Gao et al., Scaling
and evaluating sparse autoencoders, 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from modgap._errors import InputError
from modgap.scenes import write_caption, write_list
from modgap.tasks.scenes import LEVELS, sample_world

from ._concepts import concept_names, load_concept
from ._sae import SAE
from ._text_states import TextModel, text_states

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

FEATURES, K, STEPS, ROWS, RATE = 512, 8, 1500, 512, 2e-3
"""Features, active ones, steps, states of a step and learning rate (our choice; ``modgap steer sae`` prints
what they give)."""
_IDLE = 100
"""Steps without activity after which a feature counts as dead."""


@dataclass(frozen=True)
class Trained:
    """A trained autoencoder and what it gives on states it was not trained on.

    Args:
        sae: of the block.
        explained: share of the variance of the states that it reconstructs.
        active: mean number of active features.
        dead: share of features that are never active there.
        states: number of states it was trained on.
    """

    sae: SAE
    explained: float
    active: float
    dead: float
    states: int


def written_texts(count: int, seed: int) -> list[str]:
    """Written scenes, half lists and half captions, and the sentences of every concept."""
    rng = np.random.default_rng([seed, 13])
    found = [sentence for name in concept_names() for _, sentence in load_concept(name).sentences]
    for number in range(count):
        scene = sample_world(rng, LEVELS["plain"])
        found.append(write_list(scene) if number % 2 else write_caption(scene, rng, "dense").text)
    return found


def train_sae(
    model: TextModel,
    block: int,
    *,
    features: int = FEATURES,
    k: int = K,
    texts: int = 300,
    steps: int = STEPS,
    seed: int = 0,
) -> Trained:
    """Train on what a block makes of written scenes and of the sentences of all concepts.

    Args:
        model: the text-only model.
        block: 0-based; its output is reconstructed.
        features: number of features.
        k: active features of a state.
        texts: written scenes.
        steps: of AdamW.
        seed: of the scenes, the start and the order.

    Raises:
        InputError: no such block, or ``k`` above ``features``.
    """
    if not 0 <= block < len(model.blocks):
        raise InputError(
            f"block {block} does not exist: {model.name} has blocks 0 to {len(model.blocks) - 1}"
        )
    if not 0 < k <= features:
        raise InputError(f"k is {k}; it must be from 1 to the {features} features")
    read = text_states(model, written_texts(texts, seed))
    x = read.states[block][read.real]
    rng = torch.Generator().manual_seed(seed)
    x = x[torch.randperm(len(x), generator=rng)]
    train, test = x[len(x) // 10 :], x[: len(x) // 10]
    scale = float(x.shape[1] ** 0.5 / train.norm(dim=1).mean())
    encoder, bias, decoder, middle = _fit(train * scale, features, k, steps, rng)
    sae = SAE(
        encoder, bias, decoder, middle, torch.zeros(features), k=k, block=block, scale=scale, shifted=True
    )
    with torch.inference_mode():
        found = sae.encode(test)
        left = (test - sae.decode(found)).square().sum() / (test - test.mean(dim=0)).square().sum()
    return Trained(
        sae,
        1 - float(left),
        float((found > 0).float().sum(dim=1).mean()),
        float((found > 0).any(dim=0).logical_not().float().mean()),
        len(train),
    )


def _fit(
    x: Float[Tensor, "n d"], features: int, k: int, steps: int, rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    start = torch.randn(features, x.shape[1], generator=rng)
    decoder = (start / start.norm(dim=1, keepdim=True)).requires_grad_()
    encoder = decoder.detach().T.clone().requires_grad_()
    bias = torch.zeros(features, requires_grad=True)
    middle = x.mean(dim=0).clone().requires_grad_()
    learner = torch.optim.AdamW([encoder, bias, decoder, middle], lr=RATE, weight_decay=0.0)
    idle = torch.zeros(features)
    for step in range(steps):
        for group in learner.param_groups:
            group["lr"] = RATE * min(1.0, 2 * (1 - step / steps))
        some = x[torch.randint(len(x), (ROWS,), generator=rng)]
        before = ((some - middle) @ encoder + bias).relu()
        left = some - (_top(before, k) @ decoder + middle)
        loss = left.square().sum(dim=1).mean()
        active = (_top(before, k) > 0).any(dim=0)
        idle = torch.where(active, 0, idle + 1)
        if bool((dead := idle > _IDLE).any()):
            helped = _top(before * dead, min(4 * k, int(dead.sum()))) @ decoder
            loss = loss + (left.detach() - helped).square().sum(dim=1).mean() / 32
        learner.zero_grad()
        loss.backward()
        learner.step()
        with torch.no_grad():
            decoder /= decoder.norm(dim=1, keepdim=True)
    return encoder.detach(), bias.detach(), decoder.detach(), middle.detach()


def _top(found: Float[Tensor, "n feature"], k: int) -> Float[Tensor, "n feature"]:
    top = found.topk(k, dim=1)
    return torch.zeros_like(found).scatter(1, top.indices, top.values)
