"""Facts are judged from the scene graph: each kind once true and once false, by hand."""

from __future__ import annotations

import pytest

from modgap._errors import InputError
from modgap.scenes import (
    FACT_KINDS,
    POSITIONS,
    BackgroundObject,
    Fact,
    Scene,
    SceneObject,
    fact_holds,
    position_of,
)

SCENE = Scene(
    (
        SceneObject("circle", "red", "large", "solid", 20, 30, 5),
        SceneObject("star", "blue", "small", "striped", 80, 40, 2, "fox"),
        SceneObject("star", "red", "small", "outlined", 50, 80, 0),
    ),
    (BackgroundObject("sun", 10, 8),),
    perspective=True,
)

TRUE = [
    Fact("color", "red", 0),
    Fact("shape", "star", 1),
    Fact("size", "small", 2),
    Fact("fill", "outlined", 2),
    Fact("word", "fox", 1),
    Fact("position", "top left", 0),
    Fact("position", "bottom", 2),
    Fact("relation", "left", 0, 1),
    Fact("relation", "below", 2, 0),
    Fact("depth", "nearer", 1, 0),
    Fact("depth", "farther", 0, 2),
    Fact("depth", "nearest", 2),
    Fact("depth", "farthest", 0),
    Fact("count", "3", of="object"),
    Fact("count", "2", of="star"),
    Fact("count", "2", of="red object"),
    Fact("count", "1", of="small striped blue star"),
    Fact("count", "0", of="red square"),
    Fact("count", "1", of="plate"),
    Fact("count", "1", of="sun"),
    Fact("existence", "red star"),
    Fact("existence", "sun"),
    Fact("absence", "blue circle"),
    Fact("absence", "moon"),
]
FALSE = [
    Fact("color", "blue", 0),
    Fact("shape", "circle", 1),
    Fact("size", "large", 2),
    Fact("fill", "solid", 2),
    Fact("word", "ox", 1),
    Fact("word", "fox", 0),
    Fact("position", "left", 0),
    Fact("relation", "right", 0, 1),
    Fact("relation", "above", 0, 1),
    Fact("depth", "farther", 1, 0),
    Fact("depth", "nearest", 1),
    Fact("count", "2", of="object"),
    Fact("count", "1", of="star"),
    Fact("existence", "blue circle"),
    Fact("existence", "cloud"),
    Fact("absence", "red star"),
    Fact("absence", "object"),
]


@pytest.mark.parametrize("fact", TRUE, ids=str)
def test_true_facts(fact: Fact) -> None:
    assert fact_holds(SCENE, fact)


@pytest.mark.parametrize("fact", FALSE, ids=str)
def test_false_facts(fact: Fact) -> None:
    assert not fact_holds(SCENE, fact)


def test_every_kind_is_judged() -> None:
    assert {fact.kind for fact in TRUE} == {fact.kind for fact in FALSE} == set(FACT_KINDS)


def test_no_depth_holds_without_perspective_or_between_equals() -> None:
    flat = Scene(tuple(SceneObject("star", "red", "small", "solid", x, 50) for x in (10, 90)))
    deep = Scene(flat.objects, perspective=True)
    for scene in (flat, deep):
        assert not any(
            fact_holds(scene, Fact("depth", value, 0, 1)) for value in ("nearer", "farther", "nearest")
        )


def test_the_ninths_in_reading_order() -> None:
    seen = [
        position_of(SceneObject("star", "red", "small", "solid", x, y))
        for y in (0, 50, 99)
        for x in (33, 34, 67)
    ]
    assert seen == list(POSITIONS)
    assert position_of(SceneObject("star", "red", "small", "solid", 66, 33)) == "top"


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        (Fact("colour", "red", 0), "kind of fact 'colour' is not one of color, shape"),  # type: ignore[arg-type]
        (Fact("color", "pink", 0), "color 'pink' is not one of red"),
        (Fact("color", "red"), "subject of the fact 'color' is None; give the index of one of the 3 objects"),
        (Fact("color", "red", 3), "subject of the fact 'color' is 3; give the index of one of the 3 objects"),
        (Fact("relation", "left", 0), "object of the fact 'relation' is None"),
        (Fact("relation", "north", 0, 1), "relation 'north' is not one of left, right, above, below"),
        (Fact("depth", "behind", 0, 1), "depth 'behind' is not one of nearer, farther, nearest, farthest"),
        (Fact("count", "two", of="star"), "count 'two' is not a number; give digits"),
        (Fact("count", "2", of="dog"), "noun 'dog' is not one of circle"),
        (Fact("existence", ""), "noun '' is not one of circle"),
        (Fact("existence", "red blue star"), "'blue' is no size, fill or color, or one too many"),
        (Fact("existence", "red sun"), "description 'red sun': a sun has no size, fill or color"),
    ],
)
def test_facts_that_say_nothing_are_refused(fact: Fact, message: str) -> None:
    with pytest.raises(InputError) as caught:
        fact_holds(SCENE, fact)
    assert message in str(caught.value)
