"""The plain English of the bundled model's text stage."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

import itertools

from bundled_english import english, vocabulary


def test_a_seed_fixes_the_sentences() -> None:
    first, second = (np.random.default_rng(3) for _ in range(2))
    assert [english(first) for _ in range(50)] == [english(second) for _ in range(50)]


def test_sentences_are_sentences() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2000):
        sentence = english(rng)
        words = sentence.lower().split()
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert 4 <= len(words) <= 16
        for article, noun in itertools.pairwise(words):
            if article in ("a", "an"):
                assert (noun[0] in "aeiou") == (article == "an"), sentence


def test_every_word_is_used() -> None:
    rng = np.random.default_rng(1)
    text = " ".join(english(rng) for _ in range(60_000)).lower()
    seen = set(text.replace(".", "").replace(",", "").split())
    unused = {word for word in vocabulary() if not {word, word + "s", word + "es"} & seen}
    assert unused == {"front", "back", "both"}  # in the vocabulary only, so that they are one piece
