"""The data of the recipe of the detector: captions that differ from their picture, labelled; none leaks."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")
sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

import tldr_detector as recipe

from modgap.scenes import read_caption, write_caption
from modgap.tldr._blind import blind_score


def test_a_caption_is_wrong_where_its_scene_differs_and_nowhere_else() -> None:
    examples = list(recipe.about_pictures(40))
    assert len(examples) == 40 * len(recipe.CHANGES)
    assert len({example.example_id for example in examples}) == len(examples)
    unchanged = [example for example in examples if example.example_id.endswith("-0")]
    assert not any(example.is_wrong for example in unchanged)
    changed = [example for example in examples if example.example_id.endswith(f"-{recipe.CHANGES[-1]}")]
    assert np.mean([example.is_wrong for example in changed]) > 0.9
    assert all(example.image is not None and example.image.to_pil().size == (64, 64) for example in examples)


def test_what_is_told_agrees_with_itself() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        scene = recipe.differing(recipe.world_scene(rng), rng, 4)
        reading = read_caption(write_caption(scene, rng, "dense", in_order=True).text, scene)
        assert all(word.holds for word in reading.words)
        assert not reading.unread


def test_text_alone_says_little() -> None:
    score = blind_score(list(recipe.about_pictures(100)))["all"]
    assert score.auroc < 0.6 + 2 * score.auroc_error


def test_validation_captions_are_long_and_from_other_scenes() -> None:
    examples = list(recipe.twins(16, 16))
    held_out = [example for example in examples if example.split == "validation"]
    assert held_out
    assert all(len(example.response.split()) >= 40 for example in held_out)
    seen = {example.group for example in examples if example.split == "train"}
    assert not seen & {example.group for example in held_out}
