"""The floor and the ceiling: random and oracle."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from scipy import stats

from modgap._errors import InputError
from modgap.media import Audio, Image, Text, Video
from modgap.models import Model, Query, Reply, Sampling, load_model

OPTIONS = ("left", "right", "above", "below")
PARTS = {
    "text": (Text("The circle is left of the square."),),
    "image": (Text("Look."), Image(b"picture", "image/png")),
    "audio": (Text("Listen."), Audio(b"sound", "audio/wav")),
    "video": (Text("Watch."), Video(b"film", "video/mp4")),
}


def queries(
    count: int, modality: str = "text", options: tuple[str, ...] = OPTIONS, truth: str = "left"
) -> list[Query]:
    return [
        Query(PARTS[modality], options, problem_id=f"p{n}", representation=modality, truth=truth)
        for n in range(count)
    ]


def texts(model: Model, asked: list[Query]) -> list[str]:
    replies = dict(model.reply(asked))
    assert sorted(replies) == list(range(len(asked)))
    return [replies[index].text or "" for index in range(len(asked))]


def test_random_is_uniform_over_the_options() -> None:
    counts = Counter(texts(load_model("random"), queries(4000)))
    assert set(counts) == {f"Answer: {option}" for option in OPTIONS}
    assert stats.chisquare(list(counts.values())).pvalue > 0.001


def test_random_answers_an_open_question_with_a_whole_number() -> None:
    counts = Counter(texts(load_model("random", largest=4), queries(2000, options=())))
    assert set(counts) == {f"Answer: {number}" for number in range(5)}
    assert stats.chisquare(list(counts.values())).pvalue > 0.001


@pytest.mark.parametrize("name", ["random", "oracle"])
def test_a_draw_does_not_depend_on_the_order_or_on_the_others(name: str) -> None:
    options = {} if name == "random" else {"text_accuracy": 0.5}
    asked = queries(50)
    model = load_model(name, **options)
    straight = texts(model, asked)
    assert texts(load_model(name, **options), asked[::-1])[::-1] == straight
    assert texts(model, asked[7:9]) == straight[7:9]


@pytest.mark.parametrize("name", ["random", "oracle"])
def test_a_draw_depends_on_everything_that_names_the_sample(name: str) -> None:
    options = {} if name == "random" else {"text_accuracy": 0.5}
    asked = queries(60)
    straight = texts(load_model(name, **options), asked)
    assert texts(load_model(name, seed=1, **options), asked) != straight
    for change in (
        {"representation": "json"},
        {"strategy": "isocombination"},
        {"sample": 1},
        {"sampling": Sampling(seed=1)},
        {"problem_id": "other"},
    ):
        assert texts(load_model(name, **options), [replace(query, **change) for query in asked]) != straight


def test_a_name_that_is_not_unicode_is_fine() -> None:
    assert texts(load_model("random"), [Query(PARTS["text"], OPTIONS, problem_id="\ud83d")])


def test_the_oracle_is_right_in_every_modality() -> None:
    model = load_model("oracle")
    assert model.modalities == {"text", "image", "audio", "video"}
    for modality in PARTS:
        assert set(texts(model, queries(20, modality))) == {"Answer: left"}


def test_the_observer_has_the_accuracy_it_was_given() -> None:
    model = load_model("oracle", image_accuracy=0.8, audio_accuracy=0.3)
    assert texts(model, queries(100, "text")) == ["Answer: left"] * 100
    for modality, accuracy in (("image", 0.8), ("audio", 0.3)):
        counts = Counter(texts(model, queries(3000, modality)))
        assert stats.binomtest(counts["Answer: left"], 3000, accuracy).pvalue > 0.001
        wrong = [counts[f"Answer: {option}"] for option in OPTIONS[1:]]
        assert sum(wrong) + counts["Answer: left"] == 3000
        assert stats.chisquare(wrong).pvalue > 0.001


def test_the_observer_errs_independently_in_each_modality() -> None:
    model = load_model("oracle", text_accuracy=0.6, image_accuracy=0.6)
    pairs = Counter(
        zip(texts(model, queries(3000, "text")), texts(model, queries(3000, "image")), strict=True)
    )
    both = pairs[("Answer: left", "Answer: left")]
    assert stats.binomtest(both, 3000, 0.36).pvalue > 0.001


def test_the_observer_of_nothing_is_always_wrong() -> None:
    model = load_model("oracle", text_accuracy=0.0)
    assert "Answer: left" not in texts(model, queries(100))
    assert texts(model, queries(2, options=(), truth="3")) == ["Answer: 4"] * 2
    assert texts(model, queries(1, options=(), truth="red")) == ["Answer: not red"]


def test_the_oracle_needs_the_truth() -> None:
    ((_, reply),) = load_model("oracle").reply(queries(1, truth=""))
    assert reply == Reply(None, "the query does not say what is right; the oracle needs its truth")


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("random:x", {}, "random takes no argument, got 'x'; use: random"),
        ("oracle:x", {}, "oracle takes no argument, got 'x'; use: oracle"),
        ("random", {"largest": -1}, "largest -1 is not a whole number of at least 0"),
        ("random", {"largest": "many"}, "largest 'many' is not a whole number of at least 0"),
        ("random", {"seed": 0.5}, "seed 0.5 is not a whole number"),
        ("oracle", {"seed": "x"}, "seed 'x' is not a whole number"),
        ("oracle", {"image_accuracy": "high"}, "image_accuracy 'high' is not a fraction from 0 to 1"),
        ("oracle", {"image_accuracy": 80}, "image_accuracy 80 is not a fraction from 0 to 1"),
        ("oracle", {"text_accuracy": float("nan")}, "text_accuracy nan is not a fraction from 0 to 1"),
    ],
)
def test_arguments_are_checked(spec: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as raised:
        load_model(spec, **options)
    assert str(raised.value) == message


def test_fingerprints_hold_what_changes_the_replies() -> None:
    assert load_model("random").fingerprint() != load_model("random", seed=1).fingerprint()
    assert load_model("random").fingerprint() != load_model("random", largest=3).fingerprint()
    assert load_model("oracle").fingerprint() != load_model("oracle", video_accuracy=0.5).fingerprint()
    assert load_model("oracle").fingerprint() != load_model("oracle", seed=1).fingerprint()
