"""What training a detector costs, from a configuration alone: no weights are loaded and nothing is trained.

    cost = estimate("folder-with-config.json", Workload(pictures=9647, captions=9, words=136), TrainConfig())
    cost.gigabytes, cost.hours(teraflops=300)

The model is built without memory for its weights, so parameters are counted exactly. Work is counted as usual
(Kaplan et al. 2020): two operations for each weight and token on the way there, two more on the way back
through a frozen layer, six for a trained weight, and attention. Memory is weights, what the optimizer keeps,
and what is saved for the way back: inputs and outputs of every linear layer that it goes through. Real runs
need somewhat more; ``tests/tldr/test_cost.py`` holds the estimate against what the bundled model saves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from modgap._errors import InputError, ModelError
from modgap.models.local._load import CONFIG_FILES, LoadOptions, Pretrained, find_folder, first_line, quiet

from ._detector_files import base_folder
from ._network import lora_targets
from ._steps import PER_PICTURE
from ._train_config import TrainConfig

TOKENS_PER_WORD = 1.3
"""Of English in current tokenizers (our choice; 1.2 to 1.5 are usual)."""
_STATE = 16  # bytes for each trained weight: itself, its gradient and two moments of Adam, in float32


@dataclass(frozen=True)
class Workload:
    """Data by its size.

    Args:
        pictures: number of them.
        captions: of each, wrong ones included.
        words: of each caption.
        prompt_tokens: of the prompt, without the picture.

    Raises:
        InputError: if a number is not above 0.
    """

    pictures: int
    captions: float
    words: float
    prompt_tokens: int = 16

    def __post_init__(self) -> None:
        if min(self.pictures, self.captions, self.words, self.prompt_tokens) <= 0:
            raise InputError("pictures, captions, words and prompt tokens must be above 0")

    @property
    def caption_tokens(self) -> float:
        """Of one caption."""
        return self.words * TOKENS_PER_WORD


@dataclass(frozen=True)
class Cost:
    """What one training costs.

    Args:
        parameters: part → number of weights: ``vision``, ``decoder``, and all ``other``.
        trained: weights of the low-rank changes and the head.
        image_tokens: positions that a picture takes in the decoder.
        tokens: positions that are read in one pass over the data.
        steps: of the optimizer.
        operations: of the whole training.
        gigabytes: part → 10^9 bytes on one GPU: ``weights``, ``optimizer``, ``saved`` for the way back.
    """

    parameters: dict[str, int]
    trained: int
    image_tokens: int
    tokens: float
    steps: int
    operations: float
    gigabytes: dict[str, float]

    def hours(self, teraflops: float) -> float:
        """Time at so many 10^12 operations a second that are really reached."""
        return self.operations / teraflops / 1e12 / 3600


def estimate(model: str, work: Workload, config: TrainConfig, *, image_tokens: int | None = None) -> Cost:
    """Count what training would cost.

    Args:
        model: ``bundled``, a folder with ``config.json``, or a hub id, of which only that is fetched.
        work: size of the data.
        config: how it would be trained.
        image_tokens: positions of a picture; by default what the configuration says.

    Raises:
        FileError, ModelError: if there is no such configuration, or it does not say how many tokens a picture
            takes.
    """
    pretrained = _without_weights(model)
    net, parts = pretrained.model, pretrained.anatomy
    counts = _count(net, parts.blocks)
    targets = lora_targets(pretrained, config.lora.parts)
    linears = {name: module for name, module in net.named_modules() if isinstance(module, nn.Linear)}
    width = net.config.get_text_config().hidden_size
    low_rank = sum(config.lora.rank * (linears[n].in_features + linears[n].out_features) for n in targets)
    pictured, patches = _image_tokens(net.config, image_tokens)
    per_picture = min(work.captions, PER_PICTURE)
    readings = work.pictures * work.captions / per_picture  # a picture is read once for so many captions
    prompt = pictured + work.prompt_tokens
    tokens = readings * prompt + work.pictures * work.captions * work.caption_tokens
    passes = _passes(config, work)
    goes_back = bool(config.lora.parts)
    decoder = tokens * ((4 if goes_back else 2) * counts["decoder"] + 6 * low_rank)
    context = prompt + work.caption_tokens / 2
    decoder += tokens * (3 if goes_back else 1) * 4 * len(parts.blocks) * width * context
    sees = readings * patches * (6 if "vision" in config.lora.parts else 2) * counts["vision"]
    together = max(config.captions / per_picture, 1.0)
    at_once = together * prompt + config.captions * work.caption_tokens
    size = 2 if config.bf16 or net.dtype == torch.bfloat16 else 4
    saved = at_once * size * _saved(parts.blocks) if goes_back else 0.0
    trained = low_rank + width + 1
    return Cost(
        counts,
        trained,
        pictured,
        tokens,
        math.ceil(passes * work.pictures * work.captions / config.captions),
        passes * (decoder + sees),
        {
            "weights": sum(counts.values()) * size / 1e9,
            "optimizer": trained * _STATE / 1e9,
            "saved": saved / 1e9,
        },
    )


def _without_weights(model: str) -> Pretrained:
    from transformers import AutoConfig, AutoModelForImageTextToText

    folder, _ = find_folder(base_folder(model), LoadOptions(), CONFIG_FILES)
    try:
        with quiet(), torch.device("meta"):
            net = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(folder))
    except Exception as error:  # transformers raises many kinds
        raise ModelError(f"{model}: no model can be built of its config.json: {first_line(error)}") from error
    tokenizer = SimpleNamespace(added_tokens_decoder={}, all_special_ids=[], pad_token_id=0)
    return Pretrained(
        Path(model).name, folder, "", None, LoadOptions(), net, SimpleNamespace(tokenizer=tokenizer)
    )


def _count(net: nn.Module, blocks: tuple[nn.Module, ...]) -> dict[str, int]:
    in_blocks = {id(p) for block in blocks for p in block.parameters()}
    counts = {"vision": 0, "decoder": 0, "other": 0}
    for name, value in net.named_parameters():
        seen = "vision" in name or ".visual." in name
        part = "decoder" if id(value) in in_blocks else "vision" if seen else "other"
        counts[part] += value.numel()
    return counts


def _saved(blocks: tuple[nn.Module, ...]) -> float:
    """Numbers that are kept for one token: what goes in and out of its linear layers, and the states."""
    total = 0.0
    for block in blocks:
        linears = [module for module in block.modules() if isinstance(module, nn.Linear)]
        total += sum(one.in_features + one.out_features for one in linears)
        total += 4 * linears[0].in_features
    return total


def _image_tokens(config: Any, given: int | None) -> tuple[int, int]:
    """Positions of a picture in the decoder, and patches in the vision encoder."""
    vision = getattr(config, "vision_config", None)
    side, patch = getattr(vision, "image_size", None), getattr(vision, "patch_size", None)
    patches = (side // patch) ** 2 if isinstance(side, int) and isinstance(patch, int) and patch else 0
    scale = getattr(config, "scale_factor", 1) or 1
    fixed = getattr(config, "mm_tokens_per_image", None)
    found = given or fixed or patches // scale**2
    if not found:
        raise ModelError(
            f"{config.model_type}: its configuration does not say how many tokens a picture takes; give "
            f"image_tokens"
        )
    return found, patches or found


def _passes(config: TrainConfig, work: Workload) -> float:
    """How often the data is read."""
    if config.steps is None:
        return 1.0
    return config.steps * config.captions / (work.pictures * work.captions)
