"""Detectors that need no training: every file of the folder, on every family that has offsets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from tests.models.local.families import build

from modgap._errors import InputError, ModelError, UnknownName
from modgap.media import Image
from modgap.models import local
from modgap.models.local._model import LocalModel
from modgap.scenes import Scene, SceneObject, draw_scene
from modgap.tldr import Example, TypedSpan, detectors, load_detector, words
from modgap.tldr._detector_files import SHIPPED
from modgap.tldr._reading import Reader
from modgap.tldr._scores import Item
from modgap.tldr.detectors._read import likelihoods
from modgap.tldr.detectors.probe import Probe

# PaliGemma's processor makes an array of a tensor in a way numpy is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
CAPTIONS = ("Look at the left scene.", "The answer is right, and above.", "Options are below é.")


def picture(color: int) -> Image:
    pixels = np.random.default_rng(color).integers(0, 255, (48, 48, 3), dtype=np.uint8)
    return Image.from_pil(PIL.Image.fromarray(pixels))


def items() -> list[Item]:
    return [Item(picture(i), caption) for i in (0, 1) for caption in CAPTIONS]


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LocalModel]:
    return cache(lambda name: local.load(str(build(name, tmp_path_factory.mktemp(name))), dtype="float32"))


@pytest.mark.parametrize("kind", ["idefics3", "paligemma", "mllama"])
def test_every_detector_scores_every_caption_of_every_family_as_if_it_were_alone(
    family: Callable[[str], LocalModel], kind: str
) -> None:
    model = family(kind)
    for name in detectors.names():
        if name == "probe":
            continue
        if kind == "mllama" and name == "attention":
            with pytest.raises(ModelError, match=r"take no places in the text.*'contrast'"):
                detectors.load(name, model)
            continue
        detector = detectors.load(name, model)
        assert detector.name == name
        together = detector.score(items())
        for item, scores in zip(items(), together, strict=True):
            (alone,) = detector.score([item])
            assert np.array_equal(scores.offsets, alone.offsets)
            np.testing.assert_allclose(scores.bad, alone.bad, atol=2e-4)
            assert scores.offsets[-1, 1] == len(item.caption)


def test_likelihoods_are_those_of_one_forward_pass_over_prompt_and_caption(
    family: Callable[[str], LocalModel],
) -> None:
    model = family("idefics3")
    item = items()[0]
    (found,) = likelihoods(model, [item])
    reader = Reader(model.pretrained)
    prompt = reader.prompt(item)
    read = model.pretrained.processor(
        text=[f"{prompt.text} {item.caption}"], images=[[item.image.to_pil()]] if item.image else None,
        return_tensors="pt",
    )  # fmt: skip
    with torch.inference_mode():
        logits = model.pretrained.model(**model.pretrained.inputs(read)).logits[0].double()
    ids = read["input_ids"][0]
    logs = logits.log_softmax(dim=-1)
    n = len(found.log_p)
    expected = logs[-n - 1 : -1].gather(1, ids[-n:, None])[:, 0].numpy()
    np.testing.assert_allclose(found.log_p, expected, atol=1e-4)
    entropy = -(logs.exp() * logs).sum(dim=1)[-n - 1 : -1].numpy()
    np.testing.assert_allclose(found.entropy, entropy, atol=1e-4)


def test_a_grey_picture_has_no_contrast_with_a_blank_one(family: Callable[[str], LocalModel]) -> None:
    model = family("idefics3")
    grey = Image.from_pil(PIL.Image.new("RGB", (48, 48), (128, 128, 128)))
    (scores,) = detectors.load("contrast", model).score([Item(grey, CAPTIONS[0])])
    np.testing.assert_allclose(scores.bad, 0, atol=1e-5)
    (scores,) = detectors.load("contrast", model).score([items()[0]])
    assert np.abs(scores.bad).max() > 0.1


@pytest.mark.parametrize("name", ["contrast", "omitted", "attention"])
def test_a_caption_without_a_picture_is_refused_by_those_that_compare(
    family: Callable[[str], LocalModel], name: str
) -> None:
    detector = detectors.load(name, family("idefics3"))
    with pytest.raises(InputError, match=f"detector '{name}' compares with the picture.*has none"):
        detector.score([replace(items()[0], image=None)])


def test_attention_leaves_the_model_as_it_was(family: Callable[[str], LocalModel]) -> None:
    model = family("idefics3")
    config = model.pretrained.model.config.get_text_config()
    before = config._attn_implementation
    (scores,) = detectors.load("attention", model).score(items()[:1])
    assert config._attn_implementation == before
    assert (scores.bad <= 0).all() and (scores.bad >= -1).all()


def test_a_probe_finds_the_word_that_is_always_wrong(family: Callable[[str], LocalModel]) -> None:
    model = family("idefics3")
    probe = detectors.load("probe", model)
    assert isinstance(probe, Probe)
    with pytest.raises(InputError, match="learned nothing yet; call fit"):
        probe.score(items())
    text = "the scene left"
    examples = [
        Example(f"{i}", f"{i}", "Describe the scene.", text, (TypedSpan(10, 14, "spatial"),), "own",
                image=picture(i))
        for i in range(10)
    ]  # fmt: skip
    assert probe.fit(examples) in (0, 1)
    (scores,) = probe.score([Item(picture(99), text)])
    inside = scores.offsets[:, 1] > 10
    assert scores.bad[inside].min() > 0.8 and scores.bad[~inside].max() < 0.2
    with pytest.raises(InputError, match="have not both right and wrong words"):
        probe.fit([replace(example, spans=()) for example in examples])


def test_an_unknown_name_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="detector 'contrst' is not one of attention, contrast"):
        detectors.load("contrst", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_the_detectors_that_ship_look_at_the_picture(name: str) -> None:
    scene = Scene((SceneObject("triangle", "red", "large", "solid", 50, 50),))
    items = [
        Item(Image.from_pil(draw_scene(scene)), f"There is a large solid red {shape} at the center.")
        for shape in ("triangle", "circle")
    ]
    scores = load_detector(name).score(items)
    right, wrong = (
        max(word.bad for word in words(one, item.caption)) for one, item in zip(scores, items, strict=True)
    )
    assert wrong > right + 0.1
