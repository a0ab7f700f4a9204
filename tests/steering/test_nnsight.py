"""Steering against nnsight on every family, where nnsight is installed (``pip install nnsight``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from modgap.media import Image, Text
from modgap.models import local
from modgap.models.local._steer import Change, mask_of, steering

from .tiny_families import families

nnsight = pytest.importorskip("nnsight")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SEES = [name for name in families.BUILDERS if name != "qwen2-audio"]


@pytest.mark.parametrize("name", SEES)
def test_the_same_as_nnsight(name: str, tmp_path: Path) -> None:
    model = local.load(str(families.build(name, tmp_path / name)))
    network = model.pretrained.model
    pixels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    parts = [Image.from_pil(PIL.Image.fromarray(pixels)), Text(" left, right")]
    read = model._writer.read([model._writer.write(parts)])
    inputs = model.pretrained.inputs(read)
    width = int(network.config.get_text_config().hidden_size)
    step = torch.randn(width, generator=torch.Generator().manual_seed(0))
    block = model.pretrained.anatomy.blocks[1]
    path = next(known for known, module in network.named_modules() if module is block)
    wrapped = nnsight.NNsight(network)
    envoy = wrapped
    for part in path.split("."):
        envoy = envoy[int(part)] if part.isdigit() else getattr(envoy, part)
    for positions in ("text",) if name == "mllama" else ("image", "text", "both"):
        change = Change(step, 1, 0.7, positions)  # type: ignore[arg-type]
        mask = mask_of(positions, model.pretrained.anatomy.token_map(read), inputs["input_ids"])  # type: ignore[arg-type]
        added = mask[..., None] * (0.7 * step)
        with torch.no_grad():
            with wrapped.trace(**inputs):
                envoy.output[:] += added
                expected = wrapped.output.logits.save()
            with steering(model, change):
                found = network(**inputs).logits
            plain = network(**inputs).logits
        assert (found - expected).abs().max() <= 1e-6
        assert (found - plain).abs().max() > 1e-3
