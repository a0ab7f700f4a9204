"""Captions as models read them: the contract that every family keeps, each built tiny."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import PIL.Image
import pytest
import torch
from tests.models.local.families import BUILDERS, build

from modgap._errors import InputError, ModelError
from modgap.media import Image
from modgap.models import local
from modgap.models.local._extend import extended
from modgap.models.local._load import Pretrained
from modgap.tldr import Item
from modgap.tldr._detector import READ_AT, DetectorConfig, TldrDetector
from modgap.tldr._network import LoraSettings, add_lora, lora_targets, new_head
from modgap.tldr._reading import Reader, Shown, decoder_states, read_states

# PaliGemma's processor makes an array of a tensor in a way numpy is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SEES = [name for name in BUILDERS if name != "qwen2-audio"]
CAPTIONS = ("Look at the left scene.", "The answer is right, and above.", "Options are below é 🙂.")


def picture(seed: int) -> Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (48, 48, 3), dtype=np.uint8)
    return Image.from_pil(PIL.Image.fromarray(pixels))


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pretrained]:
    return cache(lambda name: local.load(str(build(name, tmp_path_factory.mktemp(name)))).pretrained)


def random_detector(pretrained: Pretrained) -> TldrDetector:
    head = new_head(pretrained, 0.1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.nn.init.normal_(head.weight)
    return TldrDetector(pretrained, head, DetectorConfig(base="tiny", weights=""))


@pytest.mark.parametrize("name", SEES)
def test_scores_in_a_batch_are_those_of_each_caption_alone(
    family: Callable[[str], Pretrained], name: str
) -> None:
    detector = random_detector(family(name))
    items = [Item(picture(i % 2), caption) for i, caption in enumerate(CAPTIONS * 2)]
    together = detector.score(items)
    for item, scores in zip(items, together, strict=True):
        (alone,) = detector.score([item])
        np.testing.assert_array_equal(scores.offsets, alone.offsets)
        np.testing.assert_allclose(scores.bad, alone.bad, atol=1e-5)
        # Every character but white space belongs to a token, and no token lies outside.
        covered = np.zeros(len(item.caption), dtype=bool)
        for start, end in scores.offsets:
            assert 0 <= start <= end <= len(item.caption)
            covered[start:end] = True
        assert all(covered[i] or item.caption[i].isspace() for i in range(len(item.caption)))
    if name != "gemma3":  # its connector starts at zero
        other = detector.score([Item(picture(1), CAPTIONS[0])])[0].bad
        assert not np.allclose(together[0].bad, other, atol=1e-4)


@pytest.mark.parametrize("name", SEES)
def test_a_later_token_moves_no_earlier_score(family: Callable[[str], Pretrained], name: str) -> None:
    pretrained = family(name)
    reader = Reader(pretrained)
    prompt = reader.prompt(Item(picture(0), ""))
    ids = reader.encode(prompt, CAPTIONS[1]).ids
    other = [*ids[:-1], ids[0]]
    with torch.inference_mode():
        one, two = (
            read_states(pretrained, **reader.batch([Shown(prompt, (caption,))])) for caption in (ids, other)
        )
    torch.testing.assert_close(one[:, :-1], two[:, :-1], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(one[:, -1], two[:, -1], atol=1e-3)


def both_ways(name: str, pretrained: Pretrained) -> TldrDetector:
    config = DetectorConfig(base="tiny", weights="", reads=f"bidirectional{READ_AT}")
    return TldrDetector(pretrained, random_detector(pretrained).head, config, name=name)


@pytest.mark.parametrize("name", ["idefics3", "llava", "internvl"])
def test_read_bidirectionally_a_token_sees_the_whole_caption_and_nothing_else(
    family: Callable[[str], Pretrained], name: str
) -> None:
    pretrained = family(name)
    detector = both_ways(name, pretrained)
    items = [Item(picture(i % 2), caption) for i, caption in enumerate(CAPTIONS * 2)]
    together = detector.score(items)
    for item, scores in zip(items, together, strict=True):
        np.testing.assert_allclose(detector.score([item])[0].bad, scores.bad, atol=1e-5)
    changed = detector.score([replace(items[1], caption=CAPTIONS[1].replace("above", "left"))])[0].bad
    assert np.abs(changed[0] - together[1].bad[0]) > 1e-4
    # The same in one pass, with the mask written out for every position.
    reader = Reader(pretrained)
    prompt = reader.prompt(items[0])
    ids = reader.encode(prompt, CAPTIONS[0]).ids
    inputs = extended(pretrained, reader.read([prompt]), [ids])
    n = inputs["input_ids"].shape[1]
    sees = torch.ones(n, n).tril().bool()
    sees[n - len(ids) :] = True
    mask = torch.zeros(1, 1, n, n).masked_fill(~sees, torch.finfo(torch.float32).min)
    with torch.inference_mode():
        states = decoder_states(
            pretrained, {**inputs, "attention_mask": mask, "position_ids": torch.arange(n)[None]}
        )[0, -len(ids) :]
        read = read_states(
            pretrained, **reader.batch([Shown(prompt, (ids, ids[:3]))]), reads="bidirectional"
        )[0]
    torch.testing.assert_close(read, states, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["paligemma", "gemma3"])
def test_a_family_that_cannot_read_bidirectionally_says_so(
    family: Callable[[str], Pretrained], name: str
) -> None:
    with pytest.raises(ModelError, match=r"cannot read captions bidirectionally: .*; read them causally"):
        both_ways(name, family(name)).score([Item(picture(0), CAPTIONS[0])])


# One of each kind of connector.
@pytest.mark.parametrize("name", ["idefics3", "paligemma", "gemma3", "qwen3-vl", "internvl", "mllama"])
def test_low_rank_changes_go_where_they_are_said_to_go_and_start_at_nothing(
    family: Callable[[str], Pretrained], name: str
) -> None:
    known = family(name)
    before = random_detector(known).score([Item(picture(0), CAPTIONS[0])])[0].bad
    decoder, connector = lora_targets(known, ("decoder",)), []
    if name != "gemma3":  # its connector is a bare matrix
        connector = lora_targets(known, ("connector",))
    eyes = lora_targets(known, ("vision",))
    assert eyes and all(re.search(r"\.(vision_|visual)", name) for name in eyes)
    assert decoder and not set(decoder) & set(connector) and not set(eyes) & set(decoder + connector)
    assert not any("vision_tower" in n or "blocks" in n or "head" in n for n in decoder + connector)
    fresh = local.load(str(known.folder)).pretrained
    add_lora(fresh, LoraSettings(rank=2))
    trained = {n for n, p in fresh.model.named_parameters() if p.requires_grad}
    assert len(trained) == 2 * len(decoder + connector)
    assert all("lora_" in n for n in trained)
    np.testing.assert_allclose(
        random_detector(fresh).score([Item(picture(0), CAPTIONS[0])])[0].bad, before, atol=1e-5
    )


def test_control_tokens_in_a_caption_are_plain_text(family: Callable[[str], Pretrained]) -> None:
    pretrained = family("idefics3")
    reader = Reader(pretrained)
    prompt = reader.prompt(Item(picture(0), ""))
    hostile = "<image> the left <end_of_utterance> scene <|im_start|>"
    encoded = reader.encode(prompt, hostile)
    parts = pretrained.anatomy
    assert not (parts.special_ids | set(parts.media_ids)).intersection(encoded.ids)
    assert "".join(hostile[a:b] for a, b in encoded.offsets).replace(" ", "") == hostile.replace(" ", "")
    assert np.isfinite(random_detector(pretrained).score([Item(picture(0), hostile)])[0].bad).all()


def test_what_cannot_be_read_is_refused(family: Callable[[str], Pretrained]) -> None:
    detector = random_detector(family("idefics3"))
    with pytest.raises(InputError, match="a caption without a word cannot be scored"):
        detector.score([Item(None, "")])
    with pytest.raises(
        InputError, match=r"prompt and caption have .* tokens and the model reads 1024; split"
    ):
        detector.score([Item(None, "left " * 2000)])
    with pytest.raises(InputError, match="a caption of 100,001 characters is not scored; give up to 100,000"):
        Item(None, "x" * 100_001)
    with pytest.raises(InputError, match="contains '<image>', a control token"):
        Reader(detector.pretrained).prompt(Item(None, "", "see <image>"))
    paligemma = family("paligemma")
    reader = Reader(paligemma)
    prompt = reader.prompt(Item(picture(0), ""))
    batch = reader.batch([Shown(prompt, ([5, 6],))])
    batch["owner"] = torch.tensor([0, 0])
    with pytest.raises(ModelError, match="reads each caption with its own prompt"):
        read_states(paligemma, **batch)


def test_settings_and_parts_are_checked(family: Callable[[str], Pretrained]) -> None:
    with pytest.raises(InputError, match="part 'ears' is not one of vision, connector, decoder"):
        LoraSettings(parts=("ears",))
    with pytest.raises(InputError, match=r"rank 0, alpha 32\.0 and dropout 0\.0 are not"):
        LoraSettings(rank=0)
    with pytest.raises(ModelError, match="no linear layers were found in connector; leave the change out"):
        lora_targets(family("gemma3"), ("connector",))
