"""What every perturbation type must keep to. Types are found by listing the folder: new ones join in."""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import modgap.tldr.perturb
from modgap._errors import UnknownName
from modgap.scenes import (
    BACKGROUND_SHAPES,
    COLORS,
    FILLS,
    SHAPES,
    SIZES,
    WORDS,
    Caption,
    Fact,
    Scene,
    SceneObject,
    fact_holds,
    read_caption,
    write_caption,
)
from modgap.scenes._draws import Draws
from modgap.scenes._edits import is_drawable
from modgap.tasks.scenes import LEVELS, sample_world
from modgap.tldr import Edit, TypedSpan, apply_edit, verify_edit
from modgap.tldr._edit import Piece, is_true, names_fit_one, with_article
from modgap.tldr.perturb import load, names
from modgap.tldr.perturb.object import NEAR

FILES = sorted(path.stem for path in Path(modgap.tldr.perturb.__file__).parent.glob("[!_]*.py"))
SCENES = 60
every_type = pytest.mark.parametrize("name", FILES)


@dataclasses.dataclass(frozen=True)
class Case:
    scene: Scene
    caption: Caption
    edit: Edit
    text: str
    new: tuple[TypedSpan, ...]
    old: tuple[TypedSpan, ...]


@cache
def worlds() -> tuple[tuple[Scene, Caption], ...]:
    rng = np.random.default_rng(5)
    found = []
    for i in range(SCENES):
        dials = dataclasses.replace(LEVELS["medium"], perspective=bool(i % 2))
        scene = sample_world(rng, dials)
        found.append((scene, write_caption(scene, rng, "dense")))
    return tuple(found)


@cache
def cases(name: str) -> tuple[Case, ...]:
    """Edits that passed the check."""
    draws = Draws(np.random.default_rng(1))
    found = []
    for scene, caption in worlds():
        edit = load(name).edit(caption, scene, draws)
        if edit is not None:
            text, new, old = apply_edit(caption.text, edit, name)
            if verify_edit(text, new, scene, load(name).KINDS):
                found.append(Case(scene, caption, edit, text, new, old))
    return tuple(found)


def words(case: Case) -> list[tuple[str, str]]:
    """Old and new words of the pieces that count."""
    return [(span.truth, case.text[span.start : span.end]) for span in case.new if span.weight > 0]


def test_the_eight_types_are_there() -> None:
    eight = {"spatial", "attribute", "binding", "object", "counting", "small", "text", "counterfactual"}
    assert set(names()) == set(FILES) >= eight
    with pytest.raises(UnknownName, match="perturbation type 'color' is not one of attribute, binding"):
        load("color")


@every_type
def test_it_says_what_it_is_and_applies_often(name: str) -> None:
    assert (load(name).__doc__ or "").strip()
    assert len(cases(name)) > SCENES * 0.4


@every_type
def test_exactly_the_edited_words_are_false(name: str) -> None:
    """Held against the scene graph word by word, not by the check that let the edit pass."""
    for case in cases(name):
        reading = read_caption(case.text, case.scene)
        assert reading.unread == ()
        wrong = [(s.start, s.end) for s in case.new if s.weight > 0]
        for word in reading.words:
            inside = any(start <= word.start and word.end <= end for start, end in wrong)
            assert word.holds != inside, (case.text, word)
        assert all(any(a <= w.start and w.end <= b for w in reading.words) for a, b in wrong)


@every_type
def test_only_the_pieces_differ(name: str) -> None:
    for case in cases(name):
        back = case.text
        for new in reversed(case.new):
            back = back[: new.start] + new.truth + back[new.end :]
        assert back == case.caption.text
        for old in case.old:
            assert case.caption.text[old.start : old.end] != old.truth
        assert [(s.type, s.weight) for s in case.old] == [(s.type, s.weight) for s in case.new]
        assert {s.type for s in case.new if s.weight > 0} == {name}
        assert {s.type for s in case.new if s.weight == 0} <= {"agreement"}


@every_type
def test_no_type_leaks_into_another(name: str) -> None:
    kinds = {
        "spatial": {"position", "relation", "depth"},
        "attribute": {"color", "size", "fill"},
        "binding": {"color", "size", "fill"},
        "object": {"shape"},
        "counting": {"count"},
        "small": {"existence"},
        "text": {"word"},
        "counterfactual": {"count", "existence", "absence"},
    }
    for case in cases(name):
        reading = read_caption(case.text, case.scene)
        assert {w.fact.kind for w in reading.words if w.fact and not w.holds} <= kinds[name]


@every_type
def test_edited_captions_are_english(name: str) -> None:
    for case in cases(name):
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|\bone \w+s\b(?<!cross)|  ", case.text)
        assert not re.search(r"\bis (two|three|four)|\bare (one|no) |nearer away|farther to", case.text)


@every_type
def test_the_twin_makes_the_edit_true(name: str) -> None:
    draws = Draws(np.random.default_rng(2))
    made = 0
    for case in cases(name):
        twin = load(name).twin(case.scene, case.edit, draws)
        if twin is None:
            continue
        made += 1
        assert is_drawable(twin) and twin != case.scene
        # A count may have come out otherwise; such twins are dropped later.
        assert name in ("counting", "counterfactual", "spatial") or all(
            fact_holds(twin, fact) for fact in case.edit.facts
        )
    assert made > len(cases(name)) * 0.4


@every_type
def test_it_does_not_apply_where_there_is_nothing_to_edit(name: str) -> None:
    assert load(name).edit(Caption("", ()), Scene(()), Draws(np.random.default_rng(0))) is None


# Traps of the published pipeline.


def test_text_is_never_invented() -> None:
    for case in cases("text"):
        assert case.text.count('"') == case.caption.text.count('"') > 0
        for old, new in words(case):
            assert old != new and new in WORDS
            assert new not in {obj.word for obj in case.scene.objects}
    scene = Scene((SceneObject("star", "red", "small", "solid", 17, 17),))
    caption = write_caption(scene, np.random.default_rng(0), "dense")
    assert load("text").edit(caption, scene, Draws(np.random.default_rng(0))) is None


def test_small_objects_are_things_of_the_background() -> None:
    for case in cases("small"):
        assert all(old in BACKGROUND_SHAPES and new in BACKGROUND_SHAPES for old, new in words(case))


def test_an_attribute_never_changes_the_object() -> None:
    for case in cases("attribute"):
        ((old, new),) = words(case)
        assert any(old in values and new in values for values in (COLORS, SIZES, FILLS))


def test_near_shapes_are_preferred() -> None:
    pairs = [words(case)[0] for case in cases("object")]
    assert all(old in SHAPES and new in SHAPES for old, new in pairs)
    assert np.mean([new in NEAR[old] for old, new in pairs]) > 0.6  # 0.7 + 0.3 × 2/5 expected


def test_binding_swaps_two_words_that_are_both_there() -> None:
    for case in cases("binding"):
        (a, b), (c, d) = words(case)
        assert (a, b) == (d, c)
        subjects = {fact.subject for fact in case.edit.facts}
        assert len(subjects) == 2
        pattern = r"[a-z]+"
        assert sorted(w for w in re.findall(pattern, case.text) if w not in ("a", "an")) == sorted(
            w for w in re.findall(pattern, case.caption.text) if w not in ("a", "an")
        )


def test_counts_are_near_and_never_none() -> None:
    digits = "zero one two three four five six seven eight nine".split()  # noqa: SIM905
    for case in cases("counting"):
        ((old, new),) = words(case)
        assert abs(digits.index(old) - digits.index(new)) == 1 and new != "zero"


def test_agreement_weighs_nothing() -> None:
    seen = set()
    for name in FILES:
        for case in cases(name):
            seen |= {(s.truth, case.text[s.start : s.end]) for s in case.new if s.weight == 0}
    assert ("are", "is") in seen or ("is", "are") in seen
    assert {(" away", " to the viewer"), (" to the viewer", " away")} & seen


def test_negation_goes_both_ways_and_is_in_true_captions_too() -> None:
    new = [words(case)[0][1].split()[0] for case in cases("counterfactual")]
    assert {"no", "one"} <= set(new)
    assert all(" no " in f" {caption.text.lower()}" for _, caption in worlds())


# The checks themselves.

SCENE = Scene(
    (
        SceneObject("circle", "red", "large", "solid", 17, 17),
        SceneObject("star", "blue", "small", "striped", 83, 17),
    )
)
COLOR = frozenset({"color"})


def test_an_edit_that_is_true_by_accident_does_not_pass() -> None:
    text = "There is a small striped {} star."
    assert not verify_edit(text.format("blue"), [TypedSpan(25, 29, "attribute")], SCENE, COLOR)
    assert verify_edit(text.format("red"), [TypedSpan(25, 28, "attribute")], SCENE, COLOR)


RED = "There is a small striped red star."


@pytest.mark.parametrize(
    ("text", "spans", "kinds"),
    [
        ("There is a small solid red star.", [TypedSpan(23, 26, "a")], COLOR),  # "solid" is false as well
        (RED, [TypedSpan(25, 28, "a")], frozenset({"shape"})),  # another type
        (RED, [TypedSpan(0, 5, "a")], COLOR),  # somewhere else
        (f"{RED} Ha ha.", [TypedSpan(25, 28, "a")], COLOR),  # cannot be read
        (RED, [TypedSpan(25, 28, "a"), TypedSpan(29, 29, "a")], COLOR),  # nothing there
        (RED, [TypedSpan(17, 28, "a")], COLOR),  # "striped" is true
    ],
)
def test_what_is_not_exactly_as_labelled_does_not_pass(text, spans, kinds) -> None:
    assert not verify_edit(text, spans, SCENE, kinds)


def test_captions_that_were_not_edited_are_true() -> None:
    for scene, caption in worlds():
        assert is_true(read_caption(caption.text, scene))
        assert names_fit_one(caption.text, caption.spans, scene)


def test_names_must_fit_one_object() -> None:
    twins = Scene((*SCENE.objects, SceneObject("star", "red", "small", "solid", 17, 83)))
    for text, fits in (
        ("The star is above the circle.", False),
        ("The blue star is above the red circle.", True),
        ("There is a star.", True),  # no name
        ("The circle is left of the star.", False),
    ):
        reading = read_caption(text, twins)
        assert names_fit_one(text, reading.words, twins) == fits, text
        assert names_fit_one(text, reading.words, SCENE), text  # one star, one circle


def test_the_article_follows_and_keeps_its_capital() -> None:
    text = "An orange star is at the top."
    assert with_article(text, 3, 9, "red") == (Piece(0, 2, "A", 0.0), Piece(3, 9, "red"))
    assert with_article(text, 3, 9, "outlined") == (Piece(3, 9, "outlined"),)
    assert with_article("the orange star", 4, 10, "red") == (Piece(4, 10, "red"),)


def test_applying_an_edit_gives_both_sides() -> None:
    edit = Edit((Piece(0, 2, "A", 0.0), Piece(3, 9, "red")), (Fact("color", "red", 0),))
    text, new, old = apply_edit("An orange star.", edit, "attribute")
    assert text == "A red star."
    assert new == (TypedSpan(0, 1, "agreement", 0.0, "An"), TypedSpan(2, 5, "attribute", 1.0, "orange"))
    assert old == (TypedSpan(0, 2, "agreement", 0.0, "A"), TypedSpan(3, 9, "attribute", 1.0, "red"))
