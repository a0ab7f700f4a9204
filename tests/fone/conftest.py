"""Tiny language models and tokenizers, built in code: no download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

# 12, 123 and 34 become single tokens; other numbers stay in pieces.
CORPUS = ["the answer is 12 and 123 kg, 34 of 12 or 123; -34."] * 50
Build = Callable[..., Any]


def build_tokenizer(kind: str = "bytes") -> PreTrainedTokenizerFast:
    """A byte-level tokenizer like GPT-2's, or one with marks for spaces like Llama 2's."""
    if kind == "bytes":
        tokenizer = Tokenizer(models.BPE(unk_token=None))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        tokenizer.decoder = decoders.Sequence(
            [
                decoders.Replace("▁", " "),
                decoders.ByteFallback(),
                decoders.Fuse(),
                decoders.Strip(" ", 1, 0),
            ]
        )
        alphabet = list("▁abcdefghijklmnopqrstuvwxyz0123456789.,;-+=()[]NUM")
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<pad>", "<s>", "</s>", "<unk>"],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def build_llama(
    vocabulary: int, *, seed: int = 0, width: int = 32, layers: int = 2, tied: bool = False
) -> Any:
    """A random Llama in float32."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        # Large enough that different prompts give clearly different logits in an untrained model.
        initializer_range=0.2,
        tie_word_embeddings=tied,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        dtype="float32",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config).eval()


def build_gpt2(vocabulary: int, *, seed: int = 0) -> Any:
    """A random GPT-2: learned positions, tied embeddings, dropout."""
    config = GPT2Config(
        vocab_size=vocabulary,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=128,
        initializer_range=0.2,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        dtype="float32",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """The byte-level tokenizer. Tests do not change it."""
    return build_tokenizer()


@pytest.fixture(scope="session")
def space_tokenizer() -> PreTrainedTokenizerFast:
    """The one with marks for spaces."""
    return build_tokenizer("spaces")


@pytest.fixture(scope="session")
def make_llama() -> Build:
    """Makes a tiny Llama with so many tokens."""
    return build_llama


@pytest.fixture(scope="session")
def make_gpt2() -> Build:
    """Makes a tiny GPT-2 with so many tokens."""
    return build_gpt2


@pytest.fixture(params=["llama", "gpt2"])
def make_model(request: pytest.FixtureRequest) -> Build:
    """Makes a tiny model, of either family."""
    return build_llama if request.param == "llama" else build_gpt2
