"""Two detectors compared caption by caption, on scores whose order is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from modgap._errors import InputError
from modgap.tldr import Example, Item, TokenScores, TypedSpan
from modgap.tldr._responses import best_accuracy, compare_responses, response_scores
from modgap.tldr._scores import Remembering


class Fake:
    """Scores the words of "wrong 0.7 0.2": what is written."""

    name = "fake"

    def __init__(self, turned: bool = False) -> None:
        self.asked = 0
        self._turned = turned

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        self.asked += len(items)
        found = []
        for item in items:
            values = np.array([float(word) for word in item.caption.split()])
            starts = np.cumsum([0, *(len(word) + 1 for word in item.caption.split())])[:-1]
            offsets = np.stack([starts, starts + 3], axis=1)
            found.append(TokenScores(offsets, 1 - values if self._turned else values))
        return found


def examples(n: int, seed: int) -> list[Example]:
    """Groups of two; in half of them the wrong caption has one high score, in the others several middling."""
    rng = np.random.default_rng(seed)
    found = []
    for group in range(n):
        type_ = ("one", "several")[group % 2]
        for wrong in (True, False):
            high = [0.9] if type_ == "one" else [0.6, 0.6, 0.6]
            low = rng.choice([0.1, 0.2, 0.3], size=3)
            values = [*low[: 3 - len(high)], *high] if wrong else [*low[:2], 0.7 if group % 3 == 0 else 0.1]
            text = " ".join(f"{x:.1f}" for x in values)
            spans = (TypedSpan(len(text) - 3, len(text), type_),) if wrong else ()
            found.append(Example(f"{group}-{wrong}", f"{group}", "", text, spans, "own"))
    return found


def test_rules_of_captions_are_what_they_say() -> None:
    (one,) = Fake().score([Item(None, "0.5 0.8 0.2 0.1")])
    assert response_scores([one], "worst") == [0.8]
    assert response_scores([one], "last") == [0.1]
    any_wrong = 1 - np.exp(-response_scores([one], "any")[0])
    assert any_wrong == pytest.approx(1 - 0.5 * 0.2 * 0.8 * 0.9)
    logits = [np.log(p / (1 - p)) for p in (0.8, 0.5, 0.2)]
    assert response_scores([one], "three")[0] == pytest.approx(np.mean(logits))


def test_a_threshold_of_captions_is_right_most_often() -> None:
    bad, wrong = np.array([0.1, 0.4, 0.3, 0.9, 0.3]), np.array([False, True, False, True, True])
    cut = best_accuracy(bad, wrong)
    assert 0.1 < cut < 0.4
    assert ((bad > cut) == wrong).mean() == 0.8


def test_the_better_detector_gains_on_every_type_and_its_rule_is_chosen_elsewhere() -> None:
    found = compare_responses(Fake(), Fake(turned=True), examples(60, 0), examples(40, 1))
    # One clean caption of three has a token of 0.7, above the three of 0.6 of wrong ones.
    assert found.rule == "any"
    assert found.tuned["any"] > found.tuned["worst"]
    assert [row.type for row in found.rows] == ["one", "several", "all"]
    assert [row.accuracy.n for row in found.rows] == [60, 60, 120]
    for row in found.rows:
        assert row.gain.low > 0
        assert row.area_gain.low > 0
        assert row.accuracy.baseline == 0.5
        assert row.gain.value == pytest.approx(row.accuracy.value - row.other_accuracy.value)
    same = compare_responses(Fake(), Fake(), examples(60, 0), examples(40, 1)).rows[-1]
    assert (same.gain.value, same.gain.low, same.gain.high) == (0, 0, 0)


def test_what_cannot_be_compared_is_said() -> None:
    clean = [e for e in examples(4, 0) if not e.is_wrong]
    with pytest.raises(InputError, match="4 captions to tune on, 0 of them wrong: give some of both"):
        compare_responses(Fake(), Fake(), examples(4, 0), clean)


def test_a_caption_is_scored_once_however_often_it_is_asked() -> None:
    fake = Fake()
    remembering = Remembering(fake)
    items = [Item(None, "0.1 0.2"), Item(None, "0.3 0.4"), Item(None, "0.1 0.2")]
    first = remembering.score(items)
    assert [one.bad.tolist() for one in remembering.score(items[::-1])] == [
        one.bad.tolist() for one in first[::-1]
    ]
    assert fake.asked == 2
