"""Scores while a caption is written, against those of the finished caption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from tests.models.local.families import build

from modgap._errors import InputError, ModelError
from modgap.media import Image, Text
from modgap.models import Query, Sampling, local
from modgap.models.local._model import LocalModel
from modgap.tldr import Item, Word, words
from modgap.tldr._detector import READ_AT, DetectorConfig, TldrDetector
from modgap.tldr._network import new_head
from modgap.tldr._stream import Stream
from modgap.tldr._write import Event, write

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


def test_a_detector_that_reads_finished_captions_is_refused(detector: TldrDetector) -> None:
    config = DetectorConfig(base="tiny", weights="", reads=f"bidirectional{READ_AT}")
    with pytest.raises(InputError, match=r"both reads bidirectionally, .* take a causal detector"):
        Stream(TldrDetector(detector.pretrained, detector.head, config, name="both"), Item(PICTURE, ""))


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


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return local.load(str(build("idefics3", tmp_path_factory.mktemp("writer") / "idefics3")))


def written(detector: TldrDetector, writer: LocalModel, threshold: float, tries: int = 3) -> list[Event]:
    return list(write(detector, writer, Item(PICTURE, ""), threshold=threshold, tries=tries, most_tokens=24))


def test_what_is_not_flagged_is_written_as_ever(detector: TldrDetector, writer: LocalModel) -> None:
    query = Query((PICTURE, Text(f"\n\n{Item(PICTURE, '').prompt}")), sampling=Sampling(max_tokens=24))
    ((_, reply),) = writer.reply([query])
    events = written(detector, writer, 1.0)
    assert events[-1].text.strip() == reply.text
    assert {event.kind for event in events} == {"word", "end"}


def test_a_flagged_word_is_taken_back_and_the_rest_is_judged_as_it_stands(
    detector: TldrDetector, writer: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SHARE", "LEAST"):  # random weights find nothing likely
        monkeypatch.setattr(f"modgap.tldr._write.{name}", 0.0)
    plain = [event for event in written(detector, writer, 1.0) if event.kind == "word"]
    threshold = float(np.median([event.bad for event in plain]))
    events = written(detector, writer, threshold)
    caption = events[-1].text
    back = [event for event in events if event.kind == "back"]
    assert back and all(event.bad > threshold for event in back)
    assert caption != written(detector, writer, 1.0)[-1].text
    stays = [event for event in events if event.kind == "word"]
    expected = whole(detector, caption)
    assert [(e.start, e.text) for e in stays] == [(w.start, caption[w.start : w.end]) for w in expected]
    assert np.allclose([e.bad for e in stays], [w.bad for w in expected], atol=1e-5)
    most = max(sum(one.start == event.start for one in back) for event in back)
    assert most <= 4  # the first and three others
    judged = written(detector, writer, threshold, tries=0)
    assert judged[-1].text == written(detector, writer, 1.0)[-1].text
    assert any(event.flagged for event in judged[:-1])
