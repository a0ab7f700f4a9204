"""Phrases name one object, and no longer than they must."""

from __future__ import annotations

from modgap.scenes import Scene, SceneObject
from modgap.tasks.scenes._phrases import a, phrase_of, phrase_without, plural

RED_CIRCLE = SceneObject("circle", "red", "small", "solid", 20, 20)
OTHERS = {
    "color": SceneObject("circle", "blue", "small", "solid", 50, 20),
    "size": SceneObject("circle", "red", "large", "solid", 80, 20),
    "fill": SceneObject("circle", "red", "small", "striped", 20, 50),
    "twin": SceneObject("circle", "red", "small", "solid", 50, 50),
}


def scene(*others: str, perspective: bool = False) -> Scene:
    return Scene((RED_CIRCLE, *(OTHERS[name] for name in others)), perspective=perspective)


def test_color_and_shape_come_first() -> None:
    assert phrase_of(scene("color"), 0) == "red circle"


def test_size_or_fill_is_added_where_it_tells_apart() -> None:
    assert phrase_of(scene("size"), 0) == "small red circle"
    assert phrase_of(scene("fill"), 0) == "solid red circle"
    assert phrase_of(scene("size", "fill"), 0) == "small solid red circle"


def test_twins_have_no_phrase() -> None:
    assert phrase_of(scene("twin"), 0) is None


def test_size_is_not_said_in_perspective() -> None:
    assert phrase_of(scene("size", perspective=True), 0) is None
    assert phrase_of(scene("fill", perspective=True), 0) == "solid red circle"


def test_what_is_asked_is_not_said() -> None:
    assert phrase_without(scene(), 0, "color") == "circle"
    assert phrase_without(scene("color"), 0, "color") is None
    assert phrase_without(scene("color"), 0, "shape") == "red object"
    assert phrase_without(scene("size"), 0, "shape") == "small red object"
    assert phrase_without(scene("fill"), 0, "size") == "solid red circle"


def test_english() -> None:
    assert [plural(noun) for noun in ("cross", "star", "object")] == ["crosses", "stars", "objects"]
    assert [a(phrase) for phrase in ("orange star", "red star")] == ["an orange star", "a red star"]
