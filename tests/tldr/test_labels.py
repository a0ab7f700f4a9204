"""Labels of tokens: overlap with spans, omissions, weights; against a rule per character, on a tokenizer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgap._errors import InputError
from modgap.tldr import TypedSpan, token_labels


def labels(offsets, *spans):
    found, weights = token_labels(offsets, spans)
    assert found.dtype == np.int64 and weights.dtype == np.float32
    return found.tolist(), weights.tolist()


def test_a_token_that_shares_a_character_is_wrong() -> None:
    #  "A re|d| star" with "red" wrong; the token " star" only touches it
    offsets = [(0, 1), (1, 4), (4, 5), (5, 10)]
    assert labels(offsets, TypedSpan(2, 5, "attribute", 2.0)) == ([1, 0, 0, 1], [1, 2, 2, 1])


def test_weight_0_is_neither_right_nor_wrong_but_gives_way_to_what_is_wrong() -> None:
    offsets = [(0, 2), (2, 5)]
    assert labels(offsets, TypedSpan(0, 2, "agreement", 0.0)) == ([1, 1], [0, 1])
    assert labels(offsets, TypedSpan(0, 3, "agreement", 0.0), TypedSpan(3, 5, "counting")) == (
        [1, 0],
        [0, 1],
    )


def test_an_omission_marks_the_token_of_the_next_character_or_the_last() -> None:
    offsets = [(0, 2), (2, 5), (5, 9), (0, 0)]
    assert labels(offsets, TypedSpan(5, 5, "counterfactual")) == ([1, 1, 0, 1], [1, 1, 1, 0])
    assert labels(offsets, TypedSpan(6, 6, "counterfactual"))[0] == [1, 1, 0, 1]
    assert labels(offsets, TypedSpan(9, 9, "counterfactual"))[0] == [1, 1, 0, 1]
    assert labels([(0, 0)], TypedSpan(0, 0, "counterfactual")) == ([1], [0])


def test_padding_weighs_nothing_and_no_tokens_are_fine() -> None:
    assert labels([(0, 0), (0, 3), (3, 3)]) == ([1, 1, 1], [0, 1, 0])
    assert labels([]) == ([], [])
    assert labels(np.zeros((0, 2), dtype=np.int64), TypedSpan(0, 1, "text")) == ([], [])


def test_several_tokens_of_one_character() -> None:
    # A byte-level tokenizer makes three tokens of one emoji, all with its offsets.
    assert labels([(0, 1), (0, 1), (0, 1), (1, 3)], TypedSpan(0, 1, "text"))[0] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([1, 2, 3], r"offsets of shape \(3,\) and type int64 are not accepted; give a start and an end"),
        ([(0.5, 1.0)], r"type float64 are not accepted"),
        ([(2, 1)], "offsets with a start below 0 or after their end are not accepted"),
        ([(-1, 1)], "offsets with a start below 0"),
    ],
)
def test_bad_offsets_are_refused(offsets, message: str) -> None:
    with pytest.raises(InputError, match=message):
        token_labels(offsets, ())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_it_agrees_with_a_rule_per_character(data) -> None:
    n = data.draw(st.integers(1, 25))
    cuts = sorted(data.draw(st.sets(st.integers(0, n), max_size=8)) | {0, n})
    offsets = list(itertools.pairwise(cuts))
    ends = sorted(data.draw(st.sets(st.integers(0, n), min_size=2, max_size=6)))
    spans = [
        TypedSpan(a, b, "text", float(data.draw(st.sampled_from([0, 1, 3]))))
        for a, b in zip(ends[::2], ends[1::2], strict=False)
    ]
    found, weights = token_labels(offsets, spans)
    of = [0.0] * n
    silent = [False] * n
    for span in spans:
        for i in range(span.start, span.end):
            of[i] = span.weight
            silent[i] = span.weight == 0
    for (a, b), label, weight in zip(offsets, found, weights, strict=True):
        worst = max(of[a:b])
        assert label == (worst == 0)
        assert weight == (worst or float(not any(silent[a:b])))


def test_a_real_tokenizer_unicode_and_markdown() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    text = "**Zwei** naïve cats 🐈‍⬛ sit on\n\n- a *blue* möbel."
    tokenizer.train_from_iterator([text], trainer)
    encoded = tokenizer.encode(text)
    for word in ("naïve", "🐈‍⬛", "blue", "möbel"):
        start = text.index(word)
        found, _ = token_labels(encoded.offsets, [TypedSpan(start, start + len(word), "attribute")])
        marked = {
            i for (a, b), label in zip(encoded.offsets, found, strict=True) if not label for i in range(a, b)
        }
        assert marked >= set(range(start, start + len(word)))
        assert not any(text[i].isalnum() for i in marked - set(range(start, start + len(word))))
