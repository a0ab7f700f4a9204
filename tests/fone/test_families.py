"""Any causal model of transformers: families that differ in positions, scaling, norms and attention."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig

from modgap.fone import Codec, attach

CODEC = Codec(3, 1)
TEXTS = ["the answer of 12 is -34", "7"]

_SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.2,
    "max_position_embeddings": 64,
}
_KV = {**_SIZES, "num_key_value_heads": 2, "head_dim": 8}
FAMILIES: dict[str, dict[str, Any]] = {
    "qwen2": _KV,
    "qwen3": _KV,
    "mistral": {**_KV, "sliding_window": 4},
    "gemma": _KV,  # embeddings are scaled on their way in
    "gemma2": {**_KV, "sliding_window": 4, "query_pre_attn_scalar": 8},
    "gemma3_text": {**_KV, "sliding_window": 4, "query_pre_attn_scalar": 8},
    "cohere": _KV,  # logits are scaled
    "phi": _KV,
    "olmo2": _KV,
    "gpt_neox": _SIZES,
    "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.2},  # no position ids
    "opt": {  # the embeddings are narrower than the states
        **{k: v for k, v in _SIZES.items() if k not in ("intermediate_size", "initializer_range")},
        "ffn_dim": 64,
        "word_embed_proj_dim": 16,
        "init_std": 0.2,
    },
}


def build(family: str, vocabulary: int) -> Any:
    config = transformers.AutoConfig.for_model(
        family,
        vocab_size=vocabulary,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        dtype="float32",
        **FAMILIES[family],
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return transformers.AutoModelForCausalLM.from_config(config).float().eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_added_numbers_change_nothing_at_first(family: str, tokenizer: Any) -> None:
    base = build(family, len(tokenizer))
    model = attach(base, tokenizer, mode="add", codec=CODEC)
    batch = model.encode_text(TEXTS, padding_side="left")
    with torch.no_grad():
        expected = base(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        assert torch.equal(model(**batch).logits, expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_are_written_and_learned(family: str, tokenizer: Any) -> None:
    model = attach(build(family, len(tokenizer)), tokenizer, codec=CODEC)
    with torch.no_grad():
        model.mark_out += 2 * torch.randn(model.mark_out.shape, generator=torch.Generator().manual_seed(0))
    together = model.generate(TEXTS, max_new_tokens=6)
    for text, written in zip(TEXTS, together, strict=True):
        assert model.generate([text], max_new_tokens=6)[0].ids == written.ids
        assert model.generate([text], max_new_tokens=6, use_cache=False)[0].ids == written.ids
    loss = model(**model.encode_text(TEXTS)).loss
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None for p in model.number_parameters())


def build_idefics3(vocabulary: int) -> Any:
    """A tiny multimodal model."""
    config = transformers.Idefics3Config(
        text_config=transformers.LlamaConfig(vocab_size=vocabulary, **_KV, dtype="float32"),
        vision_config=Idefics3VisionConfig(
            hidden_size=24,
            intermediate_size=48,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=16,
            patch_size=8,
        ),
        image_token_id=200,  # a byte that the texts do not have
        scale_factor=2,
        pad_token_id=0,
        dtype="float32",
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return transformers.Idefics3ForConditionalGeneration(config).eval()


def test_the_text_side_of_a_multimodal_model_takes_numbers(tokenizer: Any) -> None:
    base = build_idefics3(len(tokenizer))
    added = attach(base, tokenizer, mode="add", codec=CODEC)
    batch = added.encode_text(TEXTS)
    with torch.no_grad():
        expected = base(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        assert torch.equal(added(**batch).logits, expected)
    model = attach(base, tokenizer, codec=CODEC)
    model(**model.encode_text(TEXTS)).loss.backward()
    assert base.model.text_model.layers[0].self_attn.q_proj.weight.grad is not None
    together = model.generate(TEXTS, max_new_tokens=6)
    assert together[1].ids == model.generate(TEXTS[1:], max_new_tokens=6)[0].ids


def test_a_multimodal_model_still_sees_pictures(tokenizer: Any) -> None:
    base = build_idefics3(len(tokenizer))
    model = attach(base, tokenizer, mode="add", codec=CODEC)
    batch = model.encode_text(["the answer of 12 is -34"])
    batch["input_ids"][0, 0] = base.config.image_token_id
    pictures = [torch.randn(1, 1, 3, 16, 16, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    with torch.no_grad():
        found = []
        for picture in pictures:
            expected = base(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], pixel_values=picture
            ).logits
            found.append(model(**batch, base_inputs={"pixel_values": picture}).logits)
            assert torch.equal(found[-1], expected)
    assert not torch.equal(found[0], found[1])
