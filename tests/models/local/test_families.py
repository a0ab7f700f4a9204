"""Other families, built tiny: the causal one shares its prompts, the other is right all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    GemmaConfig,
    GenerationConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)

from modgap.media import Image, Text
from modgap.models import Query, local
from modgap.models.local._model import LocalModel

SIDE = {"height": 32, "width": 32}
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
    "dtype": "float32",
}
VISION = {
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
    "initializer_range": 0.3,
}


def save(network: Any, processor: Any, folder: Path) -> Path:
    network.generation_config = GenerationConfig(eos_token_id=2, pad_token_id=0)
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def build_llava(folder: Path, tokenizer: Any, template: str) -> Path:
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SIDE)
    processor = LlavaProcessor(
        images,
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    )
    config = LlavaConfig(
        text_config=LlamaConfig(**TEXT, vocab_size=len(tokenizer), bos_token_id=None),
        vision_config=CLIPVisionConfig(**VISION),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        dtype="float32",
    )
    return save(LlavaForConditionalGeneration(config), processor, folder)


def build_paligemma(folder: Path, tokenizer: Any, template: str) -> Path:
    del template  # base models of this family have none
    tokenizer.bos_token = "<|im_start|>"
    processor = PaliGemmaProcessor(SiglipImageProcessorPil(size=SIDE, image_seq_length=16), tokenizer)
    config = PaliGemmaConfig(
        text_config=GemmaConfig(**TEXT, vocab_size=len(tokenizer), pad_token_id=0, bos_token_id=1),
        vision_config=SiglipVisionConfig(**VISION, vision_use_head=False),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        projection_dim=32,
        hidden_size=32,
        dtype="float32",
    )
    return save(PaliGemmaForConditionalGeneration(config), processor, folder)


@pytest.fixture(scope="module", params=[build_llava, build_paligemma], ids=["llava", "paligemma"])
def family(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    make_tokenizer: Callable[[], Any],
    chat_template: str,
) -> tuple[str, Path]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        folder = request.param(tmp_path_factory.mktemp("family"), make_tokenizer(), chat_template)
    return request.param.__name__.removeprefix("build_"), folder


@pytest.fixture(scope="module")
def asked(picture: Callable[[int], Image]) -> list[Query]:
    options = (("left", "right"), ("north", "south-east"), ("left", "north"))
    return [
        Query((Text("Look. "), picture(scene), Text(f"Question: what is {10**number}?")), options[number])
        for scene in range(2)
        for number in range(3)
    ]


def stepwise(model: LocalModel, query: Query) -> list[float]:
    """Scores by the definition: read the prompt, then one token of the option at a time, all alone."""
    network, tokenizer = model.pretrained.model, model.pretrained.tokenizer
    prompt = model._writer.write(query.parts)
    inputs = model.pretrained.inputs(model._writer.read([prompt]))
    scores: list[float] = []
    for option in query.options:
        opening = tokenizer(" Answer:", add_special_tokens=False)["input_ids"]
        path = tokenizer(f" Answer: {option}", add_special_tokens=False)["input_ids"]
        total = 0.0
        with torch.inference_mode():
            output = network(**inputs, use_cache=True)
            for step, token in enumerate(path):
                if step >= len(opening):
                    total += float(output.logits[0, -1].double().log_softmax(dim=-1)[token])
                mask = torch.ones(1, inputs["input_ids"].shape[1] + step + 1, dtype=torch.long)
                output = network(
                    input_ids=torch.tensor([[token]]),
                    attention_mask=mask,
                    past_key_values=output.past_key_values,
                )
        scores.append(total)
    return scores


# PaliGemma's processor makes an array of a tensor in a way numpy is about to drop.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_scores_equal_reading_token_by_token(family: tuple[str, Path], asked: list[Query]) -> None:
    name, folder = family
    model = local.load(str(folder))
    for index, reply in model.reply(asked):
        assert reply.error is None
        np.testing.assert_allclose(reply.option_scores, stepwise(model, asked[index]), rtol=1e-6, atol=2e-5)
    if name == "llava":
        assert model.notes == []
    else:
        (note,) = model.notes
        assert note == (
            "prompts are read one by one, nothing is shared: the model takes token_type_ids for each token, "
            "so its attention may not be causal"
        )


def test_a_model_that_looks_ahead_is_found_out(
    tiny: Path, asked: list[Query], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing in the inputs says so, only the numbers: here a text model whose attention is not causal.
    model, apart = local.load(str(tiny)), local.load(str(tiny), share_prefix="off")
    for one in (model, apart):
        one.pretrained.model.config.text_config.is_causal = False
    replies = dict(model.reply(asked))
    (note,) = model.notes
    assert note.startswith(
        "prompts are read one by one, nothing is shared: it would change log-probabilities by"
    )
    for index, reply in apart.reply(asked):
        np.testing.assert_allclose(replies[index].option_scores, reply.option_scores, rtol=1e-6, atol=2e-5)


def test_a_model_that_cannot_take_the_inputs_is_still_asked(tiny: Path, asked: list[Query]) -> None:
    model = local.load(str(tiny))

    def refuse(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        if kwargs["attention_mask"].ndim == 4:
            raise ValueError("only masks of two axes")

    model.pretrained.model.register_forward_pre_hook(refuse, with_kwargs=True)
    replies = dict(model.reply(asked))
    assert all(reply.error is None for reply in replies.values())
    assert model.notes == [
        "prompts are read one by one, nothing is shared: "
        "the model does not take the inputs for it (only masks of two axes)"
    ]
