"""Captions are true, and every word that states something is tied to what it states.

Truth is judged by ``fact_holds``, which looks at the scene graph only and is tested by itself.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import numpy as np
import pytest

from modgap._errors import UnknownName
from modgap.scenes import (
    COLORS,
    FACT_KINDS,
    Caption,
    Fact,
    Scene,
    SceneObject,
    SceneSettings,
    count_matching,
    fact_holds,
    sample_scene,
    write_caption,
)
from modgap.scenes._captions import DENSE_WORDS, FUNCTION_WORDS

LENGTHS = ("short", "dense")
NUMBERS = {
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
}
SETTINGS = (
    SceneSettings(1, 8, plates=3, background_objects=3),
    SceneSettings(1, 8, perspective=True, plates=3, background_objects=3),
    SceneSettings(6, 8, shapes=("star", "circle"), colors=("red", "blue"), sizes=("small",)),  # many twins
)


def captions(length: str, n: int = 120) -> list[tuple[Scene, Caption]]:
    rng = np.random.default_rng(31)
    found = []
    for i in range(n):
        scene = sample_scene(rng, SETTINGS[i % len(SETTINGS)])
        found.append((scene, write_caption(scene, rng, length)))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("length", LENGTHS)
def test_every_fact_of_a_caption_holds(length: str) -> None:
    for scene, caption in captions(length):
        assert caption.spans
        for span in caption.spans:
            assert fact_holds(scene, span.fact), (caption.text, span)


@pytest.mark.parametrize("length", LENGTHS)
def test_spans_are_in_order_and_all_words_outside_state_nothing(length: str) -> None:
    for _, caption in captions(length):
        rest, end = [], 0
        for span in caption.spans:
            assert end <= span.start < span.end <= len(caption.text)
            rest.append(caption.text[end : span.start])
            end = span.end
        rest.append(caption.text[end:])
        assert set(re.findall(r"\w+", "|".join(rest).lower())) <= FUNCTION_WORDS, caption.text


@pytest.mark.parametrize("length", LENGTHS)
def test_the_words_of_a_span_are_those_of_its_fact(length: str) -> None:
    for _, caption in captions(length):
        for span in caption.spans:
            said, fact = caption.text[span.start : span.end].lower(), span.fact
            if fact.kind == "count":
                assert NUMBERS[said] == fact.value
            elif fact.kind == "absence":
                assert said == f"no {fact.value}"
            elif fact.kind == "existence":
                singular = said.removesuffix("es") if said.endswith("sses") else said.removesuffix("s")
                assert said in fact.value.split() or singular in fact.value.split()
            else:
                assert said == fact.value


@pytest.mark.parametrize("length", LENGTHS)
def test_the_objects_of_relations_are_named_by_what_fits_no_other(length: str) -> None:
    named = 0
    for scene, caption in captions(length):
        for sentence in re.finditer(r"[^.]+\.", caption.text):
            spans = [s for s in caption.spans if sentence.start() <= s.start < sentence.end()]
            for fact in (s.fact for s in spans if s.fact.kind in ("relation", "depth", "word")):
                for index in (fact.subject, fact.object):
                    words = [
                        s.fact.value
                        for s in spans
                        if s.fact.subject == index and s.fact.kind in ("size", "fill", "color", "shape")
                    ]
                    if index is not None and words:
                        assert count_matching(scene, " ".join(words)) == 1, sentence.group()
                        named += 1
    assert named > 30


def test_short_captions_have_one_or_two_sentences() -> None:
    counts = Counter(caption.text.count(".") for _, caption in captions("short"))
    assert set(counts) == {1, 2}


def test_dense_captions_are_long_and_state_every_attribute_of_every_object() -> None:
    for scene, caption in captions("dense"):
        assert len(caption.text.split()) >= DENSE_WORDS
        stated = {span.fact for span in caption.spans}
        for i, obj in enumerate(scene.objects):
            for kind in ("color", "shape", "size", "fill"):
                assert Fact(kind, getattr(obj, kind), i) in stated
            assert not obj.word or Fact("word", obj.word, i) in stated
        kinds = {fact.kind for fact in stated}
        assert {"count", "absence", "existence"} <= kinds


def test_all_kinds_of_facts_occur() -> None:
    for length in LENGTHS:
        kinds = {span.fact.kind for _, caption in captions(length) for span in caption.spans}
        assert kinds >= set(FACT_KINDS) - ({"absence", "depth"} if length == "short" else set())


def test_captions_vary_and_are_fixed_by_the_seed() -> None:
    scene = sample_scene(np.random.default_rng(1), SceneSettings(4, 4, plates=1))
    texts = [write_caption(scene, np.random.default_rng(seed), "dense").text for seed in range(20)]
    assert len(set(texts)) == 20
    assert texts == [write_caption(scene, np.random.default_rng(seed), "dense").text for seed in range(20)]


def test_sentences_read_as_english() -> None:
    for _, caption in (*captions("short"), *captions("dense")):
        text = caption.text
        assert "  " not in text and " ," not in text and text.endswith((".", '".'))
        assert all(sentence[0].isupper() for sentence in re.split(r"(?<=\.) ", text))
        assert not re.search(
            r"\ba [aeiou]|\ban [^aeiou]|\bone \w+s\b(?<!cross)|crosss|\b(two|three) \w+ (star|circle)\b", text
        )


@pytest.mark.parametrize("length", LENGTHS)
def test_an_empty_scene_and_a_scene_of_twins_have_captions_too(length: str) -> None:
    twins = Scene(tuple(SceneObject("star", "red", "small", "solid", x, 50, 0, "fox") for x in (15, 50, 85)))
    for scene in (
        Scene(()),
        Scene((), perspective=True),
        twins,
        dataclasses.replace(twins, perspective=True),
    ):
        for seed in range(10):
            caption = write_caption(scene, np.random.default_rng(seed), length)  # type: ignore[arg-type]
            assert all(fact_holds(scene, span.fact) for span in caption.spans)
            assert length == "short" or len(caption.text.split()) >= DENSE_WORDS


def test_a_changed_attribute_makes_its_fact_false() -> None:
    for scene, caption in captions("dense", 30):
        for span in caption.spans:
            if span.fact.kind == "color":
                other = COLORS[(COLORS.index(span.fact.value) + 1) % len(COLORS)]
                assert not fact_holds(scene, dataclasses.replace(span.fact, value=other))


def test_an_unknown_length_is_refused() -> None:
    with pytest.raises(UnknownName, match="length 'long' is not one of short, dense"):
        write_caption(Scene(()), np.random.default_rng(0), "long")  # type: ignore[arg-type]
