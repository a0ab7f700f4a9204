"""Twins, data sets and their blind score: whoever sees only the text is at chance."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict

import numpy as np
import pytest

from modgap._errors import InputError
from modgap.scenes import decode_picture, read_caption
from modgap.tldr import AGREEMENT, DataConfig, Example, Tally, TypedSpan, blind_score, build, make_examples
from modgap.tldr._blind import auroc, average_precision
from modgap.tldr._edit import is_true
from modgap.tldr._splits import split_of
from modgap.tldr.perturb import names

TWINS = tuple(make_examples(DataConfig(n=320, pixels=0)))


def groups(examples=TWINS) -> dict[str, list[Example]]:
    found = defaultdict(list)
    for example in examples:
        found[example.group].append(example)
    return found


# Twins.


def test_each_caption_and_each_picture_is_once_right_and_once_wrong() -> None:
    assert len(groups()) == 80
    for four in groups().values():
        assert len(four) == 4
        assert Counter((e.response, e.is_wrong) for e in four).most_common(1)[0][1] == 1
        assert Counter((e.scene, e.is_wrong) for e in four).most_common(1)[0][1] == 1
        assert len({e.response for e in four}) == len({e.scene for e in four}) == 2
        assert len({e.split for e in four}) == 1


def test_all_four_are_labelled_exactly() -> None:
    for e in TWINS:
        assert e.scene is not None
        reading = read_caption(e.response, e.scene)
        assert reading.unread == ()
        assert is_true(reading) != e.is_wrong
        wrong = [(s.start, s.end) for s in e.spans if s.weight > 0]
        for word in reading.words:
            assert word.holds != any(a <= word.start and word.end <= b for a, b in wrong)


def test_the_truth_beside_a_span_repairs_the_caption() -> None:
    for four in groups().values():
        of_scene = {e.scene: e.response for e in four if not e.is_wrong}
        for e in four:
            text = e.response
            for span in reversed(e.spans):
                text = text[: span.start] + span.truth + text[span.end :]
            assert text == of_scene[e.scene]


def test_types_have_equal_numbers_and_do_not_mix() -> None:
    types = Counter(e.types for e in TWINS if e.is_wrong)
    assert types == {(name,): 20 for name in names()}
    assert {s.type for e in TWINS for s in e.spans if s.weight == 0} == {AGREEMENT}


def test_negations_are_as_often_right_as_wrong() -> None:
    """In captions that were edited, "no" says nothing: each caption is also true of a picture."""
    right = Counter(e.is_wrong for e in TWINS if " no " in f" {e.response.lower()}")
    assert right[True] == right[False] > 0


def test_captions_have_different_lengths() -> None:
    lengths = [len(e.response.split()) for e in TWINS]
    assert min(lengths) < 15 and max(lengths) > 60


def test_a_group_is_fixed_by_seed_and_number() -> None:
    some = tuple(make_examples(DataConfig(n=40, pixels=0)))
    assert some == TWINS[:40]
    assert tuple(make_examples(DataConfig(n=40, seed=1, pixels=0))) != some


def test_types_spread_over_splits() -> None:
    """Types take turns, and so would splits that follow the number of a group."""
    types = names()
    found = {(types[i % len(types)], split_of(f"twins-0-{i:06d}")) for i in range(800)}
    assert len(found) == 3 * len(types)
    counts = Counter(split_of(f"x{i}") for i in range(5000))
    assert 0.78 < counts["train"] / 5000 < 0.82


def test_pictures_show_the_scenes() -> None:
    four = list(make_examples(DataConfig(n=4, pixels=224, types=("attribute",), level="plain")))
    assert len({e.image.sha256 for e in four if e.image}) == len({id(e.image) for e in four}) == 2
    for e in (four[0], four[2]):
        assert e.image is not None and e.scene is not None
        assert decode_picture(e.image.to_pil()) == e.scene


def test_edits_are_one_picture_with_a_true_and_an_edited_caption() -> None:
    pairs = groups(list(make_examples(DataConfig(n=64, design="edits", pixels=0))))
    assert len(pairs) == 32
    for right, wrong in pairs.values():
        assert right.scene == wrong.scene and not right.is_wrong and wrong.is_wrong
        assert right.scene is not None and is_true(read_caption(right.response, right.scene))


def test_yields_are_counted() -> None:
    tally = Tally()
    list(make_examples(DataConfig(n=40, types=("binding", "text"), pixels=0), tally))
    assert tally.found == {"binding": 5, "text": 5}
    assert 0 < tally.yield_of("binding") <= 1 and tally.yield_of("spatial") == 0


def test_a_type_that_does_not_apply_is_left_out_or_refused() -> None:
    examples = list(make_examples(DataConfig(n=48, level="plain", pixels=0)))
    assert {t for e in examples for t in e.types} == set(names()) - {"text", "small"}
    message = r"type 'text' did not apply to any of 300 scenes of level 'plain'; leave it out, or take"
    with pytest.raises(InputError, match=message):
        list(make_examples(DataConfig(n=8, level="plain", types=("text",), pixels=0)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 0}, "n 0 and seed 0 are not accepted; give n ≥ 1 and seed ≥ 0"),
        ({"pixels": 8}, "pixels 8 is not accepted; give 32 to 2048, or 0 for no pictures"),
        ({"design": "twin"}, "design 'twin' is not one of twins, edits, several; did you mean 'twins'"),
        ({"level": "hardest"}, "level 'hardest' is not one of plain, easy, medium, hard"),
        ({"types": ("count",)}, "perturbation type 'count' is not one of .* did you mean 'counting'"),
    ],
)
def test_bad_settings_are_refused(settings, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DataConfig(**settings)


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([(3, 2)], "example 'x': span 3 to 2 is not accepted after 0 in 5 characters"),
        ([(0, 2), (1, 3)], "span 1 to 3 is not accepted after 2 in 5 characters; give spans in order"),
        ([(4, 6)], "span 4 to 6 is not accepted"),
    ],
)
def test_spans_lie_inside_the_response_in_order(spans, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Example("x", "x", "", "hello", tuple(TypedSpan(a, b, "text") for a, b in spans), "twins")
    with pytest.raises(InputError, match="weight nan of a span is not accepted"):
        Example("x", "x", "", "hello", (TypedSpan(0, 1, "text", float("nan")),), "twins")
    with pytest.raises(InputError, match=r"has 100,001 characters; give up to 100,000"):
        Example("x", "x", "", "a" * 100_001, (), "twins")


# The blind score.


def test_twins_keep_a_text_only_classifier_at_chance() -> None:
    score = blind_score(TWINS)
    assert score["all"].auroc == 0.5  # exactly: every text has the same score twice, once right, once wrong
    assert set(score) == {"all", *names()}
    assert score["all"].responses == len(TWINS)
    assert all(own.auroc == own.choice == 0.5 for own in score.values())


def leaking(n: int = 400) -> list[Example]:
    """Wrong responses say "not", others do not; each is about another picture."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(n):
        words = [("sun", "moon", "bird")[k] for k in rng.integers(0, 3, 6)]
        wrong = bool(rng.integers(0, 2))
        text = " ".join([*words[:3], "not" if wrong else "so", *words[3:]])
        start = len(" ".join(words[:3])) + 1
        spans = (TypedSpan(start, start + 3, "counterfactual", 1.0, "so"),) if wrong else ()
        found.append(Example(f"{i}", f"{i}", "", text, spans, "edits"))
    return found


def test_a_word_that_gives_errors_away_is_found() -> None:
    score = blind_score(leaking())["all"]
    assert min(score.auroc, score.choice, score.ap) > 0.99 and score.prevalence < 0.15


def test_without_a_leak_the_score_is_chance() -> None:
    same = [dataclasses.replace(e, response="a sun and a moon and a bird", spans=()) for e in leaking()]
    wrong = TypedSpan(2, 5, "object")
    examples = [dataclasses.replace(e, spans=(wrong,)) if i % 2 else e for i, e in enumerate(same)]
    score = blind_score(examples)["all"]
    assert abs(score.auroc - 0.5) < 4 * score.auroc_error


def test_scores_of_one_kind_or_of_nothing_are_not_numbers() -> None:
    clean = [Example("a", "a", "", "a sun", (), "natural")]
    score = blind_score(clean)["all"]
    assert np.isnan(score.auroc) and np.isnan(score.ap) and np.isnan(score.choice) and score.prevalence == 0
    assert np.isnan(blind_score([])["all"].prevalence)


def test_auroc_and_average_precision_by_hand() -> None:
    positive = np.array([True, False, True, False])
    scores = np.array([3.0, 2.0, 1.0, 0.0])
    assert auroc(positive, scores) == 0.75  # of four pairs, three are in order
    assert average_precision(positive, scores) == pytest.approx((1 + 2 / 3) / 2)
    tied = np.zeros(4)
    assert auroc(positive, tied) == 0.5 and average_precision(positive, tied) == 0.5


def test_metrics_agree_with_their_definitions() -> None:
    """Area: pairs in order. Average precision: precision at each threshold, by the recall it adds."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        positive = rng.random(30) < 0.3
        positive[:2] = True, False
        scores = rng.integers(0, 12, 30).astype(float)
        pairs = [np.sign(a - b) / 2 + 0.5 for a in scores[positive] for b in scores[~positive]]
        assert auroc(positive, scores) == pytest.approx(np.mean(pairs))
        expected, before = 0.0, 0.0
        for threshold in sorted(set(scores), reverse=True):
            above = scores >= threshold
            recall = positive[above].sum() / positive.sum()
            expected += (recall - before) * positive[above].mean()
            before = recall
        assert average_precision(positive, scores) == pytest.approx(expected)


def test_building_fails_when_the_text_gives_errors_away(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("modgap.tldr._build.make_examples", lambda config, tally: iter(leaking()))
    message = r"away: AUROC 1\.000 for responses and choice 1\.000 between wrong and right words, above 0\.6"
    with pytest.raises(InputError, match=message):
        build(tmp_path / "data", DataConfig())
    assert not (tmp_path / "data").exists()
    build(tmp_path / "data", DataConfig(), max_blind=1)


# Several.


def test_of_several_the_first_is_true_and_the_more_changes_the_more_is_wrong() -> None:
    config = DataConfig(n=160, design="several", level="plain", pixels=0)
    made = list(make_examples(config))
    assert made[:8] == list(make_examples(dataclasses.replace(config, n=8)))
    assert len(made) == 160
    wrong = np.zeros(4)
    for four in groups(made).values():
        assert len({e.scene for e in four}) == len({e.split for e in four}) == 1
        wrong += [sum(span.weight > 0 for span in e.spans) for e in four]
        for e in four:
            assert e.scene is not None
            false = {(w.start, w.end) for w in read_caption(e.response, e.scene).words if not w.holds}
            assert false == {(s.start, s.end) for s in e.spans if s.weight > 0}
    assert wrong[0] == 0
    assert list(wrong) == sorted(wrong) and wrong[1] > 40
