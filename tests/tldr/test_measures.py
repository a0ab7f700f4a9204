"""Measures of detectors; scikit-learn is the reference for ranks, closed forms for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from modgap._errors import InputError
from modgap.media import Image
from modgap.tldr import Example, TypedSpan
from modgap.tldr._blind import auroc, average_precision
from modgap.tldr._measures import (
    Pool,
    at_false_flags,
    best_threshold,
    calibration_of,
    draw_areas,
    pool_words,
    ranked,
)
from modgap.tldr._measures_report import control_of, evaluate_detector
from modgap.tldr._scores import Item, TokenScores
from modgap.tldr.annotate._words import words as split


def pool_of(bad: Sequence[float], wrong: Sequence[bool], group: Sequence[int] | None = None) -> Pool:
    codes = np.arange(len(bad)) if group is None else np.array(group)
    return Pool(np.array(bad, dtype=float), np.array(wrong), codes, codes, int(codes.max()) + 1)


def test_ranks_are_those_of_scikit_learn_ties_included() -> None:
    rng = np.random.default_rng(0)
    for step in (1e-6, 0.1, 0.5):
        bad = np.round(rng.random(300) / step) * step
        wrong = rng.random(300) < 0.1 + 0.3 * bad
        assert average_precision(wrong, bad) == pytest.approx(average_precision_score(wrong, bad))
        assert auroc(wrong, bad) == pytest.approx(roc_auc_score(wrong, bad))


def test_a_draw_of_groups_weighs_every_word_of_a_group_alike() -> None:
    rng = np.random.default_rng(1)
    pool = pool_of(rng.random(60), rng.random(60) < 0.3, np.repeat(np.arange(6), 10))
    drawn, seen = draw_areas(pool, np.random.default_rng(2), draws=20)
    counts = np.random.default_rng(2).multinomial(6, np.full(6, 1 / 6), size=20)
    for row, count in zip(drawn, counts, strict=True):
        weights = count[pool.group]
        assert row[0] == pytest.approx(average_precision_score(pool.wrong, pool.bad, sample_weight=weights))
        assert row[1] == pytest.approx(roc_auc_score(pool.wrong, pool.bad, sample_weight=weights))
        assert row[2] == pytest.approx(np.average(pool.wrong, weights=weights))
    assert seen[2] == pytest.approx(pool.wrong.mean())


def test_noise_has_the_prevalence_in_its_interval() -> None:
    rng = np.random.default_rng(3)
    pool = pool_of(rng.random(4000), rng.random(4000) < 0.04, np.arange(4000) // 40)
    ap, area = ranked(pool, np.random.default_rng(0))
    assert ap.baseline is not None and ap.low < ap.baseline * 1.15 and ap.value < 2 * ap.baseline
    assert area.low < 0.5 < area.high
    with pytest.raises(InputError, match="0 wrong ones: a ranking needs right and wrong"):
        ranked(pool_of([0.1, 0.2], [False, False]), rng)


def test_a_threshold_has_the_best_f1_and_lies_between_two_scores() -> None:
    pool = pool_of([0.9, 0.8, 0.4, 0.3, 0.1], [True, True, False, True, False])
    assert best_threshold(pool) == pytest.approx(0.2)  # F1 6/7 with one false flag; 4/5 above 0.4
    assert best_threshold(pool_of([2.0, 2.0], [True, True])) < 2
    with pytest.raises(InputError, match="no wrong word to choose a threshold with"):
        best_threshold(pool_of([0.5], [False]))


def test_recall_at_a_number_of_false_flags_never_exceeds_it() -> None:
    pool = pool_of([5, 4, 4, 3, 1], [True, False, True, True, False])
    assert at_false_flags(pool, 0).recall == pytest.approx(1 / 3)
    point = at_false_flags(pool, 200)  # one of five words; the tie is taken whole
    assert (point.recall, point.precision, point.threshold) == (1.0, 0.75, 3)
    assert at_false_flags(pool_of([5, 5], [True, False]), 100).threshold == np.inf


def test_calibration_is_that_of_probabilities_only() -> None:
    rng = np.random.default_rng(4)
    p = rng.random(20_000)
    wrong = rng.random(20_000) < p
    found = calibration_of(pool_of(p, wrong))
    assert found is not None and found.ece < 0.02
    assert found.brier == pytest.approx(brier_score_loss(wrong, p))
    off = calibration_of(pool_of(np.sqrt(p), wrong))
    assert off is not None and off.ece == pytest.approx(float(np.mean(np.sqrt(p) - p)), abs=0.02)
    assert calibration_of(pool_of([2.0, 0.1], [True, False])) is None


def test_words_are_pooled_by_their_worst_token_and_silent_ones_left_out() -> None:
    example = Example("a", "a", "", "Two red cats", (TypedSpan(0, 3, "x", 0.0), TypedSpan(4, 7, "y")), "own")
    scores = TokenScores(np.array([[0, 3], [3, 5], [5, 7], [7, 12]]), np.array([0.9, 0.2, 0.6, 0.1]))
    pool = pool_words([example], [scores])
    assert pool.bad.tolist() == [0.6, 0.1] and pool.wrong.tolist() == [True, False]
    assert pool_words([example], [scores], unit="token").bad.tolist() == [0.2, 0.6, 0.1]
    with pytest.raises(InputError, match="1 examples and 0 scores do not match"):
        pool_words([example], [])


class Oracle:
    """Finds the word that the picture says is wrong: its number of pixels is the word's place."""

    name = "oracle"

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        if any(item.image is None for item in items):
            raise InputError("no picture")
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> TokenScores:
        spans = np.array(split(item.caption))
        side = item.image.to_pil().size[0] if item.image else 0
        return TokenScores(spans, (np.arange(len(spans)) == side - 1).astype(float))


def examples() -> list[Example]:
    found = []
    for i in range(40):
        place = i % 4
        text = "One two. Three four."
        start, end = split(text)[place]
        picture = Image.from_pil(PIL.Image.new("RGB", (place + 1, 1)))
        found.append(Example(f"w{i}", f"{i}", "", text, (TypedSpan(start, end, f"t{place % 2}"),), "own",
                             image=picture))  # fmt: skip
        found.append(Example(f"c{i}", f"{i}", "", text, (), "own", image=Image.from_pil(
            PIL.Image.new("RGB", (9, 1)))))  # fmt: skip
    return found


def test_an_oracle_is_perfect_and_gains_from_its_own_picture_only() -> None:
    report = evaluate_detector(Oracle(), examples(), threshold=0.5)
    figures = {figure.name: figure for figure in report.figures}
    for name in ("AP of wrong words", "AP of wrong tokens", "AUROC of responses", "F1 of words",
                 "IoU of characters", "accuracy of sentences", "accuracy of responses"):  # fmt: skip
        assert figures[name].value == pytest.approx(1), name
    assert figures["AP of wrong words"].baseline == pytest.approx(1 / 8)
    assert figures["accuracy of tokens"].baseline == pytest.approx(7 / 8)
    assert figures["accuracy of sentences"].baseline == pytest.approx(3 / 4)
    assert figures["accuracy of responses"].baseline == pytest.approx(1 / 2)
    assert [one.type for one in report.types] == ["t0", "t1"]
    controls = {control.name: control for control in report.controls}
    assert set(controls) == {"swapped", "blurred"}  # it refuses captions without a picture
    assert controls["swapped"].gain.low > 0.5 and controls["blurred"].gain.value == pytest.approx(0)
    assert report.calibration is not None and report.calibration.ece == 0


def test_words_that_are_never_wrong_make_no_difference_among_those_that_err() -> None:
    made = [replace(e, response=f"Zero {e.response}", spans=tuple(
        replace(s, start=s.start + 5, end=s.end + 5) for s in e.spans)) for e in examples()]  # fmt: skip
    pool = pool_words(made, [TokenScores(np.array(split(e.response)), np.zeros(5)) for e in made])
    assert pool.wrong.mean() == pytest.approx(1 / 10)
    among = pool.that_err()
    assert among.wrong.mean() == pytest.approx(1 / 8) and among.groups == 40
    with pytest.raises(ValueError, match="no spelling"):
        pool_of([1, 0], [True, False]).that_err()


def test_a_threshold_comes_from_other_captions_or_is_given() -> None:
    report = evaluate_detector(Oracle(), examples(), tune=examples(), controls=())
    assert report.threshold == pytest.approx(0.5)
    with pytest.raises(InputError, match="give captions to choose one with, or one, not both"):
        evaluate_detector(Oracle(), examples())
    with pytest.raises(InputError, match="control 'blnd' is not one of blind, swapped, blurred"):
        evaluate_detector(Oracle(), examples(), threshold=0.5, controls=("blnd",))


def test_swapped_pictures_are_never_of_the_same_group() -> None:
    whole = examples()
    swapped = control_of(whole, "swapped")
    place = {e.group: e.image for e in whole if e.is_wrong}
    assert all(e.image != place[e.group] for e in swapped)
    with pytest.raises(InputError, match="give two groups"):
        control_of([replace(e, group="one") for e in whole], "swapped")
