"""Scores while a caption is written, against those of the finished caption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from tests.models.local.families import build

from modgap._errors import InputError, ModelError
from modgap.media import Image
from modgap.models import local
from modgap.tldr import Item, Word, words
from modgap.tldr._detector import DetectorConfig, TldrDetector
from modgap.tldr._network import new_head
from modgap.tldr._stream import Stream

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
CAPTION = "Look at the  left scene, é 🙂 and\nanswer: right-above."
PICTURE = Image.from_pil(PIL.Image.fromarray(np.arange(48 * 48 * 3, dtype=np.uint8).reshape(48, 48, 3)))


def detector_of(folder: Path) -> TldrDetector:
    pretrained = local.load(str(folder)).pretrained
    head = new_head(pretrained, 0.1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.nn.init.normal_(head.weight)
    return TldrDetector(pretrained, head, DetectorConfig(base="tiny", weights=""))


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> TldrDetector:
    return detector_of(build("idefics3", tmp_path_factory.mktemp("stream") / "idefics3"))


def whole(detector: TldrDetector, caption: str) -> list[Word]:
    return words(detector.score([Item(PICTURE, caption)])[0], caption)


def close(found: list[Word], expected: list[Word]) -> bool:
    same = [(w.start, w.end) for w in found] == [(w.start, w.end) for w in expected]
    return same and np.allclose([w.bad for w in found], [w.bad for w in expected], atol=1e-5)


@pytest.mark.parametrize("size", [1, 3, 7, 200])
def test_pieces_of_any_size_give_the_scores_of_the_whole(detector: TldrDetector, size: int) -> None:
    stream = Stream(detector, Item(PICTURE, ""))
    found = []
    for start in range(0, len(CAPTION), size):
        found += stream.push(CAPTION[start : start + size])
    found += stream.end()
    assert close(found, whole(detector, CAPTION))
    assert stream.text == CAPTION
    assert stream.end() == []


def test_a_word_is_judged_when_white_space_follows_and_every_token_is_read_once(
    detector: TldrDetector,
) -> None:
    stream = Stream(detector, Item(PICTURE, ""))
    assert stream.push("Look at th") == whole(detector, "Look at")
    assert stream.push("e") == []
    assert [word.start for word in stream.push(" left")] == [8]
    stream.end()
    assert stream.read_tokens == len(detector.score([Item(PICTURE, "Look at the left")])[0].bad)


def test_what_is_taken_back_leaves_no_trace(detector: TldrDetector) -> None:
    stream = Stream(detector, Item(PICTURE, "Look at the right"))
    stream.end()
    stream.back_to(12)
    found = stream.push("left scene.") + stream.end()
    assert close(found, whole(detector, "Look at the left scene.")[3:])
    with pytest.raises(InputError, match="character 99 is not in a text of 23 characters"):
        stream.back_to(99)


def test_what_cannot_be_streamed_is_said(detector: TldrDetector, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tokens and the model reads 1024; split the caption"):
        Stream(detector, Item(PICTURE, "")).push("left " * 2000)
    with pytest.raises(
        ModelError, match=r"nothing it reads can be kept for a stream \(the model takes token_t"
    ):
        Stream(detector_of(build("paligemma", tmp_path / "paligemma")), Item(PICTURE, ""))
