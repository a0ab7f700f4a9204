"""Maps of modules show what a module writes, and filters take it away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from modgap._errors import InputError, ModelError
from modgap.fone import Codec, attach, fourier_basis, measure_modules
from modgap.fone._modules import blocks_of, number_rows, number_rows_of_head
from modgap.fone._plot import plot_modules

NUMBERS, WIDTH = 40, 64


def save_adder(folder: Path, k: int) -> Path:
    """A model whose attention in the second block writes component k only, and whose MLPs write nothing.

    The rows of the numbers are orthonormal, so a state that is a mix of them by a wave gives that wave.
    """
    words = {word: i for i, word in enumerate(["<unk>", *map(str, range(NUMBERS)), "+", "="])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(pattern="+", behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pattern=mark, behavior="isolated") for mark in "+="]
    )
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        tie_word_embeddings=False,
        dtype="float32",
    )
    rng = torch.Generator().manual_seed(0)
    model = LlamaForCausalLM(config)
    orthonormal = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=rng))[0]
    wave = torch.from_numpy(fourier_basis(NUMBERS)[2 * k - 1 : 2 * k + 1]).float()  # sine and cosine
    with torch.no_grad():
        gain = torch.rand(WIDTH, generator=rng) + 0.5
        model.model.norm.weight.copy_(gain)
        # The gain is part of what turns a state into logits; divided out here, so that rows stay orthonormal.
        model.lm_head.weight[1 : 1 + NUMBERS] = orthonormal[:NUMBERS] / gain
        for layer in model.model.layers:
            layer.mlp.down_proj.weight.zero_()
        model.model.layers[0].self_attn.o_proj.weight.zero_()
        mixed = wave.T @ torch.randn(2, WIDTH, generator=rng)  # (numbers, width)
        model.model.layers[1].self_attn.o_proj.weight.copy_(orthonormal[:NUMBERS].T @ mixed)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(folder)
    return folder


def test_a_map_shows_the_component_that_a_module_writes(tmp_path: Path) -> None:
    folder = save_adder(tmp_path / "adder", k=8)
    found = measure_modules(str(folder), np.random.default_rng(0), prompts=12)
    assert found.numbers == NUMBERS
    assert found.attention.shape == found.mlp.shape == (2, NUMBERS // 2)
    assert found.attention[1].argmax() == 7  # k = 8, period 5
    assert found.attention[1, 7] > 0.1
    assert np.delete(found.attention[1], 7).max() < 1e-5
    assert np.abs(found.attention[0]).max() == np.abs(found.mlp).max() == 0
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["effects"][0]["band"] == "none"
    plot_modules(found, tmp_path / "map.png", "adder")
    with PIL.Image.open(tmp_path / "map.png") as picture:
        assert picture.width == 1080


def test_bands_are_compared_with_random_ones_of_their_size(tmp_path: Path) -> None:
    found = measure_modules(str(save_adder(tmp_path / "adder", k=8)), np.random.default_rng(0), prompts=12)
    assert [(e.band, e.where, e.components) for e in found.effects] == [
        ("none", "both", 0),
        *(("long", where, 3) for where in ("attention", "mlp", "both")),
        *(("short", where, 17) for where in ("attention", "mlp", "both")),
        *(("decimal", where, 5) for where in ("attention", "mlp", "both")),
    ]
    for effect in found.effects:
        # There are not 17 components beside the 17 short ones.
        assert (effect.control is None) == (effect.band in ("none", "short"))
    # Without what attention writes, every prompt that ends alike gets the same answer.
    by_name = {(e.band, e.where): e for e in found.effects}
    assert by_name["decimal", "mlp"].accuracy == found.effects[0].accuracy
    again = measure_modules(str(tmp_path / "adder"), np.random.default_rng(0), prompts=12)
    assert again.as_json() == found.as_json()


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_rows_give_the_logits_of_numbers_up_to_a_factor(family: str) -> None:
    """The last norm divides by the size of the state and nothing else that is left out."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if family == "llama":
            model: Any = LlamaForCausalLM(
                LlamaConfig(vocab_size=50, hidden_size=32, intermediate_size=32, num_hidden_layers=1)
            )
            norm = model.model.norm
        else:
            model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=32, n_layer=1, n_head=4))
            norm = model.transformer.ln_f
        with torch.no_grad():
            norm.weight.uniform_(0.5, 1.5)
        states = torch.randn(5, 32)
    with torch.no_grad():
        logits = model.get_output_embeddings()(norm(states))[:, 10:50]
    expected = states @ number_rows(model, list(range(10, 50))).T
    size = states - states.mean(dim=1, keepdim=True) if family == "gpt2" else states
    torch.testing.assert_close(
        logits * size.norm(dim=1, keepdim=True) / 32**0.5, expected, atol=1e-3, rtol=1e-3
    )


@pytest.mark.parametrize("read", ["slice", "linear"])
def test_rows_of_a_head_give_the_sum_of_the_logits_of_digits(
    make_llama: Any, tokenizer: Any, read: Any
) -> None:
    model = attach(make_llama(len(tokenizer)), tokenizer, codec=Codec(3, extras=()), read=read)
    assert model.head is not None
    with torch.no_grad():
        model.head.norm.weight.uniform_(0.5, 1.5)
        assert model.head.log_scale is not None
        model.head.log_scale.uniform_(-1, 1)
        if model.head.map is not None:
            model.head.map.bias.zero_()  # biases do not depend on the state, and are left out
        norm = model.base.model.norm
        norm.weight.uniform_(0.5, 1.5)
        states = torch.randn(6, 32)
        normed = norm(states)
        found = model.head(normed).ten_way
    digits = torch.arange(1000)[:, None] // torch.tensor([1, 10, 100]) % 10
    logits = sum(found[:, place, digits[:, place]] for place in range(3))
    rows = number_rows_of_head(model.inner, model.head, 1000)
    ours = states @ rows.T
    # Equal up to a factor: the two sizes that are divided by.
    for i in range(6):
        torch.testing.assert_close(ours[i] / ours[i].norm(), logits[i] / logits[i].norm(), atol=1e-4, rtol=0)


def test_a_number_model_is_asked_too(make_llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    model = attach(make_llama(len(tokenizer)), tokenizer, codec=Codec(2))
    model.save_pretrained(tmp_path / "numbers")
    found = measure_modules(str(tmp_path / "numbers"), np.random.default_rng(0), prompts=8)
    assert (found.numbers, found.prompts) == (100, 8)
    assert found.attention.shape == (2, 50)
    assert found.effects[0].band == "none"


@pytest.mark.parametrize("build", ["llama", "gpt2"])
def test_modules_are_found_in_both_families(make_llama: Any, make_gpt2: Any, build: str) -> None:
    model = (make_llama if build == "llama" else make_gpt2)(50)
    blocks = blocks_of(model)
    assert len(blocks) == 2
    layers = model.model.layers if build == "llama" else model.transformer.h
    assert [b.mlp for b in blocks] == [layer.mlp for layer in layers]


def test_mistakes_are_named(make_llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    folder = str(save_adder(tmp_path / "adder", k=3))
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"template '\{a\}=' has no \{a\} and \{b\}: give one such as"):
        measure_modules(folder, rng, template="{a}=")
    with pytest.raises(InputError, match="0 prompts asked for: give 1 or more"):
        measure_modules(folder, rng, prompts=0)
    with pytest.raises(InputError, match="30 numbers asked for: a map needs 40 at least"):
        measure_modules(folder, rng, most=30)
    model = make_llama(len(tokenizer))
    model.save_pretrained(tmp_path / "digits")
    tokenizer.save_pretrained(tmp_path / "digits")
    with pytest.raises(
        InputError, match="digits: a map of modules needs the numbers 0 to 39 as single tokens"
    ):
        measure_modules(str(tmp_path / "digits"), rng)
    added = attach(model, tokenizer, mode="add", codec=Codec(3))
    added.save_pretrained(tmp_path / "added")
    with pytest.raises(InputError, match="a map of modules needs a number head of a fixed codec"):
        measure_modules(str(tmp_path / "added"), rng)
    del model.model.layers
    with pytest.raises(ModelError, match="LlamaForCausalLM: its 2 blocks with an attention and an MLP each"):
        blocks_of(model)
