"""States of a text-only model at every token of some sentences, after every block."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from modgap._errors import FileError, InputError, ModelError
from modgap.models import bundled, local
from modgap.models.local._anatomy import at_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Bool, Float, Int
    from torch import Tensor, nn

BATCH = 64
"""Sentences that are read together."""


@dataclass(frozen=True)
class TextModel:
    """A language model whose blocks can be looked into.

    Args:
        name: of the model.
        blocks: decoder blocks in order.
        tokenizer: its tokenizer.
        run: from token ids and attention mask, both (batch, seq), to whatever the model gives.
    """

    name: str
    blocks: tuple[nn.Module, ...]
    tokenizer: Any
    run: Callable[[Tensor, Tensor], Any]


@dataclass(frozen=True)
class TextStates:
    """Where tokens stand and what the model makes of them.

    Args:
        states: output of every block, float32.
        spans: [start, end) of each token in its text, in characters; empty for tokens of no text.
        real: False in padding and for the tokens that the tokenizer puts before a text.
    """

    states: Float[Tensor, "block text token d_model"]
    spans: Int[Tensor, "text token 2"]
    real: Bool[Tensor, "text token"]


def text_model(spec: str) -> TextModel:
    """The language model to take directions from.

    Args:
        spec: ``bundled`` (its ``text_backbone``, which never saw a picture), folder or hub id of a causal
            language model, or of a multimodal model, whose language part is then taken.

    Raises:
        FileError, ModelError: it cannot be loaded.
    """
    place = str(bundled.FOLDER / "text_backbone") if spec == "bundled" else spec
    name = "bundled" if spec == "bundled" else Path(spec).name
    try:
        config = AutoConfig.from_pretrained(place)
    except (OSError, ValueError) as error:
        raise FileError(f"{spec}: no model there ({' '.join(str(error).split())[:200]})") from error
    kinds = getattr(config, "architectures", None) or ()
    if not any(kind.endswith("ForCausalLM") for kind in kinds):
        loaded = local.load(place, dtype="float32").pretrained
        return TextModel(name, loaded.anatomy.blocks, loaded.tokenizer, loaded.anatomy.backbone())
    model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32, use_safetensors=True).eval()
    inner = getattr(model, model.base_model_prefix, model)
    blocks = getattr(inner, "layers", None) or getattr(inner, "h", None)
    if blocks is None:
        raise ModelError(f"{spec}: no decoder blocks were found in {type(inner).__name__}")
    tokenizer = AutoTokenizer.from_pretrained(place)

    def run(ids: Tensor, mask: Tensor) -> Any:
        return inner(input_ids=ids, attention_mask=mask, use_cache=False)

    return TextModel(name, tuple(blocks), tokenizer, run)


@torch.inference_mode()
def text_states(model: TextModel, texts: Sequence[str], opening: str = "") -> TextStates:
    """Read texts, each alone.

    Args:
        model: the language model; its states are those of block outputs, the last one before the final norm.
        texts: at least one. Each gets a space in front, so that its first word is a word like the others.
        opening: what stands before each, such as the beginning of a chat; its tokens are not ``real``.

    Raises:
        InputError: no text, or a tokenizer that does not say where its tokens stand.
    """
    if not texts:
        raise InputError("no text was given to read states from")
    tokenizer = model.tokenizer
    if not getattr(tokenizer, "is_fast", False):
        raise InputError("a tokenizer with character offsets is needed (a fast one)")
    before = (tokenizer.bos_token or "") + opening
    head = len(before) + 1  # the space
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    read = tokenizer(
        [f"{before} {text}" for text in texts],
        return_tensors="pt",
        padding=True,
        padding_side="right",
        return_offsets_mapping=True,
        add_special_tokens=False,
    )
    spans = read["offset_mapping"] - head
    mask = read["attention_mask"]
    real = mask.bool() & (spans[..., 1] > 0) & (spans[..., 1] > spans[..., 0])
    spans = spans.clamp(min=0)
    device = next(model.blocks[0].parameters()).device
    parts: list[list[Tensor]] = [[] for _ in model.blocks]
    with ExitStack() as stack:
        for block, kept in zip(model.blocks, parts, strict=True):
            stack.enter_context(at_block(block, _keep(kept)))
        for start in range(0, len(texts), BATCH):
            rows = slice(start, start + BATCH)
            model.run(read["input_ids"][rows].to(device), mask[rows].to(device))
    return TextStates(torch.stack([torch.cat(kept) for kept in parts]), spans, real)


def _keep(kept: list[Tensor]) -> Callable[[Tensor], None]:
    def hook(states: Tensor) -> None:
        kept.append(states.float().cpu())

    return hook


def token_of(states: TextStates, text: int, start: int, end: int) -> int | None:
    """The token that stands for characters [start, end) alone, or ``None`` if there are several."""
    spans = states.spans[text]
    inside = states.real[text] & (spans[:, 1] > start) & (spans[:, 0] < end)
    found = inside.nonzero()[:, 0].tolist()
    if len(found) != 1:
        return None
    a, b = spans[found[0]].tolist()
    return int(found[0]) if start - 1 <= a <= start and b == end else None
