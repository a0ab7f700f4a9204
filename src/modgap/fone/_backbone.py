"""The transformer that all arms of the arithmetic lab share, in the sizes of the paper and smaller ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modgap._errors import UnknownName

from ._torch import torch, transformers

if TYPE_CHECKING:
    from torch import Tensor

SYMBOLS = ("<pad>", "<unk>", "<end>", "+", "-", "*", "÷", ";", "=", ".")
"""Tokens that every arm has."""

DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class Size:
    """A Llama.

    Args:
        hidden, mlp: widths.
        layers, heads, kv: numbers of blocks, of heads, and of heads of keys and values.
        head: width of a head.
    """

    hidden: int
    mlp: int
    layers: int
    heads: int
    kv: int
    head: int


SIZES: dict[str, Size] = {
    "tiny": Size(64, 256, 2, 4, 2, 16),
    "small": Size(128, 512, 4, 4, 2, 32),  # 1.0 M: the default on a CPU
    "level-1": Size(64, 256, 1, 4, 2, 64),
    "level-2": Size(128, 512, 2, 4, 2, 64),
    "level-3": Size(192, 768, 3, 6, 3, 64),
    "paper": Size(256, 1024, 4, 8, 4, 64),  # level 4: 4.72 M, and 37.55 M with the published vocabulary
    "level-5": Size(320, 1280, 5, 8, 4, 64),
    "level-6": Size(384, 1536, 6, 8, 4, 64),
}
"""Sizes by name; levels are those of the paper, where heads keep a width of 64."""


def build_backbone(size: str, vocabulary: int, seed: int, init: float = 0.02) -> Any:
    """A random Llama in float32, tied embeddings, as published.

    Args:
        size: one of ``SIZES``.
        vocabulary: how many tokens.
        seed: of its parameters.
        init: standard deviation of the first ones.

    Raises:
        UnknownName: no such size.
    """
    if size not in SIZES:
        raise UnknownName("size", size, SIZES)
    wanted = SIZES[size]
    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=wanted.hidden,
        intermediate_size=wanted.mlp,
        num_hidden_layers=wanted.layers,
        num_attention_heads=wanted.heads,
        num_key_value_heads=wanted.kv,
        head_dim=wanted.head,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=init,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=2,
        dtype="float32",
        # Attention written out: for so few tokens faster than torch's fused one, in bfloat16 by half.
        attn_implementation="eager",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return transformers.LlamaForCausalLM(config)


def build_tokenizer() -> Any:
    """One token per character, for the arms that write through ``NumberModel``."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    words = {word: i for i, word in enumerate((*SYMBOLS, *DIGITS))}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", eos_token="<end>"
    )


def last_states(backbone: Any, vectors: Tensor) -> Tensor:
    """States at the last position, shape (batch, hidden), of vectors, shape (batch, seq, hidden)."""
    found: Tensor = backbone.model(inputs_embeds=vectors, use_cache=False).last_hidden_state[:, -1]
    return found
