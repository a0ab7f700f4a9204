"""What ``modgap models MODEL`` says; no weights are read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modgap._errors import FileError, ModelError
from modgap.models import local

from . import families


def test_a_family_with_image_positions(tmp_path: Path) -> None:
    folder = families.build("qwen2.5-vl", tmp_path / "model")
    (folder / "model.safetensors").unlink()
    said = local.describe(str(folder))
    assert said["family"] == "qwen2_5_vl, Qwen2_5_VLForConditionalGeneration"
    assert said["modalities"] == "text, image, video"
    assert said["processor"] == "Qwen2_5_VLProcessor with Qwen2VLImageProcessorPil"
    assert said["blocks"] == "3 decoder blocks, 32 wide"
    assert said["steering"] == "image and text positions"
    assert said["parameters"].endswith("saved in float32")


def test_cross_attention_and_hearing(tmp_path: Path) -> None:
    mllama = local.describe(str(families.build("mllama", tmp_path / "mllama")))
    assert mllama["steering"].startswith("text positions only: pictures are read through cross-attention")
    assert mllama["image token"] == "none: no position of the text holds a picture"
    audio = local.describe(str(families.build("qwen2-audio", tmp_path / "audio")))
    assert audio["modalities"] == "text, audio"
    assert audio["steering"] == "text positions"


def test_the_bundled_model_by_name() -> None:
    assert local.describe("bundled")["family"] == "idefics3, Idefics3ForConditionalGeneration"


def test_what_is_no_model(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(FileError, match="no such folder; give a model folder or a hub id"):
        local.describe(str(tmp_path / "nothing"))
    broken = Path(shutil.copytree(tiny, tmp_path / "broken"))
    (broken / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="does not take it"):
        local.describe(str(broken))
