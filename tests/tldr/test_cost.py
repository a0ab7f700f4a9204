"""Costs from a configuration, against counts of real models and what a real pass keeps and does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import PaliGemmaConfig

from modgap._errors import InputError, ModelError
from modgap.media import Image
from modgap.models import bundled
from modgap.models.local._load import LoadOptions, load_pretrained
from modgap.scenes import draw_scene, write_caption
from modgap.tasks.scenes import LEVELS, sample_world
from modgap.tldr import Example
from modgap.tldr._cost import TOKENS_PER_WORD, Workload, estimate
from modgap.tldr._network import DetectorNetwork, LoraSettings, add_lora, new_head
from modgap.tldr._reading import Reader
from modgap.tldr._steps import Collator
from modgap.tldr._train_config import TrainConfig

DOCCI = Workload(pictures=9647, captions=9, words=136)


@pytest.fixture(scope="module")
def paligemma(tmp_path_factory: pytest.TempPathFactory) -> str:
    config = PaliGemmaConfig()
    config.vision_config.image_size = 448
    folder = tmp_path_factory.mktemp("paligemma")
    config.save_pretrained(folder)
    return str(folder)


def test_a_3b_model_has_its_published_size(paligemma: str) -> None:
    published = TrainConfig(lora=LoraSettings(512, 128.0), bf16=True)
    cost = estimate(paligemma, DOCCI, published)
    assert cost.image_tokens == 1024  # 448 × 448, table 9 of the TLDR paper
    assert cost.parameters["vision"] == pytest.approx(400e6, rel=0.05)  # SigLIP so400m
    assert cost.parameters["decoder"] == pytest.approx(1.98e9, rel=0.01)  # Gemma 2B without its embedding
    assert cost.trained == pytest.approx(628e6, rel=0.01)  # rank 512 on all linear layers of 18 blocks
    assert cost.gigabytes["weights"] == pytest.approx(2 * 2.92, rel=0.02)
    assert cost.steps == -(-9647 * 9 // 64)


def test_less_is_trained_for_less(paligemma: str) -> None:
    full = estimate(paligemma, DOCCI, TrainConfig(bf16=True))
    probe = estimate(paligemma, DOCCI, TrainConfig(bf16=True, lora=LoraSettings(parts=())))
    assert probe.trained == 2049
    assert probe.gigabytes["saved"] == 0
    assert probe.operations < 0.6 * full.operations
    half = estimate(paligemma, DOCCI, TrainConfig(bf16=True, steps=full.steps // 2))
    assert half.operations == pytest.approx(full.operations / 2, rel=0.01)
    assert full.hours(300) == pytest.approx(full.operations / 300e12 / 3600)


def test_the_estimate_is_near_what_a_pass_keeps_and_does() -> None:
    """The bundled model: numbers kept for the way back, and operations as torch counts them."""
    pretrained = load_pretrained(str(bundled.FOLDER), LoadOptions(dtype="float32", device="cpu"))
    rng = np.random.default_rng(0)
    step = []
    for picture in range(2):
        scene = sample_world(rng, LEVELS["plain"])
        image = Image.from_pil(draw_scene(scene))
        texts = [write_caption(scene, rng, "dense").text for _ in range(4)]
        step.append(
            [
                Example(f"{i}", f"{picture}", "Describe.", t, (), "own", image=image)
                for i, t in enumerate(texts)
            ]
        )
    batch = Collator(Reader(pretrained))([step])
    add_lora(pretrained, LoraSettings(rank=16))
    network = DetectorNetwork(pretrained, new_head(pretrained, 0.02)).train()
    kept: dict[int, int] = {}
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        place = tensor.untyped_storage().data_ptr()
        if place not in weights:
            kept[place] = tensor.untyped_storage().nbytes()
        return tensor

    counter = FlopCounterMode(display=False)
    with counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(**batch)["loss"].backward()
    width, prompt = batch["ids"].shape[1], batch["prompts"]["input_ids"].shape[1]
    work = Workload(2, 4, width / TOKENS_PER_WORD, prompt - 16)
    cost = estimate("bundled", work, TrainConfig(captions=8))
    assert 0.5 < cost.gigabytes["saved"] * 1e9 / sum(kept.values()) < 1.5
    assert 0.7 < cost.operations / counter.get_total_flops() < 1.4


def test_what_cannot_be_costed_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be above 0"):
        Workload(0, 1, 1)
    (tmp_path / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(ModelError, match=r"no model can be built of its config\.json"):
        estimate(str(tmp_path), DOCCI, TrainConfig())
