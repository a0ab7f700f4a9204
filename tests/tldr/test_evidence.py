"""Evidence for flags: on a detector that is known to look at one place, and on words whose kind is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from modgap._errors import InputError
from modgap.media import Image
from modgap.scenes import draw_scene
from modgap.tldr import DataConfig, Item, TokenScores, make_examples
from modgap.tldr._detect import detect
from modgap.tldr._evidence import evidence
from modgap.tldr._evidence_measures import _about, measure_evidence
from modgap.tldr._word_kinds import alternatives, kind_of
from modgap.tldr.annotate._words import words as split

TEXT = "Two red stars are above the LEFT cross."


@pytest.mark.parametrize(
    ("word", "kind", "others"),
    [
        ("Two", "counting", ["One", "Three"]),
        ("red", "attribute", ["green", "blue"]),
        ("stars", "object", ["circles", "crosses"]),
        ("above", "spatial", ["below"]),
        ("cross", "object", ["square", "star"]),
        ("are", "", []),
    ],
)
def test_words_have_kinds_and_words_that_exclude_them(word: str, kind: str, others: list[str]) -> None:
    start = TEXT.index(word)
    assert kind_of(TEXT, start, start + len(word)) == kind
    found = alternatives(TEXT, start, start + len(word))
    assert set(others) <= set(found)
    assert word not in found
    assert bool(others) == bool(found)


def test_quoted_words_numbers_and_negations_have_kinds() -> None:
    text = 'A sign says "RED 4", and there is no dragon with 4 heads.'
    for word, kind in (
        ("RED", "text"),
        ("no", "counterfactual"),
        ("dragon", "object"),
        ("4 heads", "counting"),
    ):
        start = text.index(word)
        assert kind_of(text, start, start + len(word)) == kind
    start = text.index("RED")
    assert alternatives(text, start, start + 3) == []


class Corner:
    """Finds "blue" the more likely wrong the brighter the lower right quarter; never looks elsewhere."""

    name = "corner"

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> TokenScores:
        spans = split(item.caption)
        light = 0.5
        if item.image is not None:
            pixels = np.asarray(item.image.to_pil().convert("L"), dtype=float) / 255
            light = float(pixels[pixels.shape[0] // 2 :, pixels.shape[1] // 2 :].mean())
        bad = [0.1 + 0.8 * light if item.caption[a:b] == "blue" else 0.05 for a, b in spans]
        return TokenScores(np.array(spans), np.array(bad))


def picture() -> Image:
    pixels = np.zeros((80, 80, 3), dtype=np.uint8)
    pixels[50:70, 50:70] = 255
    return Image.from_pil(PIL.Image.fromarray(pixels))


def test_heat_lies_where_the_detector_looks_and_the_best_word_is_suggested() -> None:
    text = "It is blue, not dark."
    (found,) = evidence(Corner(), Item(picture(), text), [(6, 10)])
    assert found.heat is not None
    assert found.heat.shape == (8, 8)
    assert found.heat[:4].max() == 0 == found.heat[:, :4].max()
    peak = found.peak()
    assert peak is not None
    assert 50 / 80 < peak[0] < 70 / 80
    assert 50 / 80 < peak[1] < 70 / 80
    assert (found.type, found.suggested_score) == ("attribute", 0.05)
    assert found.suggestion in alternatives(text, 6, 10)
    (blind,) = evidence(Corner(), Item(None, text), [(6, 10)])
    assert blind.heat is None
    assert blind.score == pytest.approx(0.5)
    with pytest.raises(InputError, match="characters 10 to 11 of the caption hold no word"):
        evidence(Corner(), Item(None, text), [(10, 11)])


def test_flagged_spans_carry_their_evidence(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(picture().data)
    row = {"image": "p.png", "caption": "It is blue."}
    (tmp_path / "captions.jsonl").write_text(json.dumps(row) + "\n")
    (found,) = detect(Corner(), tmp_path / "captions.jsonl", 0.1, explain=True)
    (span,) = found["spans"]
    assert (span["start"], span["type"], len(span["heat"])) == (6, "attribute", 8)
    assert span["suggested_score"] == 0.05
    (found,) = detect(Corner(), tmp_path / "captions.jsonl", 0.1, explain=True, heat=tmp_path / "heat")
    drawn = np.asarray(PIL.Image.open(tmp_path / "heat" / found["spans"][0]["heat_image"]), dtype=int)
    assert drawn.shape == (80, 80, 3)
    red = drawn[..., 0] - drawn[..., 2]
    assert red[:30].max() == 0 == red[:, :30].max()
    assert red[50:70, 50:70].min() > 50


class Eyes:
    """Looks at exactly one object, and at the truth of a word: what evidence would be at its best."""

    name = "eyes"

    def __init__(self, truth: str, x: int, y: int) -> None:
        self._truth, self._x, self._y = truth, x, y

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        found = []
        for item in items:
            spans = split(item.caption)
            bad = np.array([0.1 if item.caption[a:b] == self._truth else 0.9 for a, b in spans])
            if item.image is not None:
                size = item.image.to_pil().size[0]
                pixels = np.asarray(item.image.to_pil().convert("RGB"), dtype=float)
                x, y = self._x * size // 100, self._y * size // 100
                bad *= 0.5 + pixels[y - 4 : y + 4, x - 4 : x + 4].mean() / 1000
            found.append(TokenScores(np.array(spans), bad))
        return found


def test_evidence_that_looks_at_the_object_points_at_it() -> None:
    config = DataConfig(n=12, level="plain", pixels=0, types=("attribute",))
    hits = []
    for example in make_examples(config):
        if not example.is_wrong or example.scene is None:
            continue
        shown = replace(example, image=Image.from_pil(draw_scene(example.scene, pixels=112)))
        (span,) = [span for span in example.spans if span.weight > 0]
        (index,) = _about(example.response, example.scene, span)
        obj = example.scene.objects[index]
        assert span.truth in (obj.color, obj.size, obj.fill)
        figures = {f.name: f for f in measure_evidence(Eyes(span.truth, obj.x, obj.y), [shown])}
        assert figures["kind of error"].value == 1
        assert figures["suggestion"].value == 1
        assert 0 < (figures["pointing"].baseline or 0) < 0.5
        hits.append(figures["pointing"].value)
        assert figures["which object"].value == figures["pointing"].value
    assert hits == [1.0] * len(hits) != []
    with pytest.raises(InputError, match="no caption has an error, a scene and a picture"):
        measure_evidence(Corner(), [])
