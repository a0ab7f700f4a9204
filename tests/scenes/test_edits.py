"""A changed scene can be drawn, read back from its picture, and differs in what was asked for only."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from modgap._errors import InputError
from modgap.scenes import (
    POSITIONS,
    BackgroundObject,
    Scene,
    SceneObject,
    SceneSettings,
    decode_picture,
    draw_scene,
    position_of,
    relation_of,
    sample_scene,
)
from modgap.scenes._draws import Draws
from modgap.scenes._edits import (
    add_background,
    add_object,
    change_background,
    change_object,
    in_reading_order,
    is_drawable,
    move_object,
    remove_background,
    swap_depths,
    swap_places,
)

SETTINGS = {
    "flat": SceneSettings(2, 8, plates=3, background_objects=4),
    "deep": SceneSettings(2, 8, perspective=True, plates=3, background_objects=4),
    "aligned": SceneSettings(2, 5, aligned=True, plates=2),
    "aligned deep": SceneSettings(2, 5, aligned=True, perspective=True, plates=2),
}
every_kind = pytest.mark.parametrize("name", SETTINGS)
LOOK = {"shape": "star", "color": "red", "size": "small", "fill": "solid"}


def scenes(name: str, n: int = 40) -> list[Scene]:
    rng = np.random.default_rng(3)
    return [sample_scene(rng, SETTINGS[name]) for _ in range(n)]


def draws() -> Draws:
    return Draws(np.random.default_rng(0))


@every_kind
def test_sampled_scenes_are_drawable_and_in_reading_order(name: str) -> None:
    for scene in scenes(name, 100):
        assert is_drawable(scene)
        assert in_reading_order(scene) == scene


@every_kind
def test_an_object_gets_other_values_and_the_rest_stays(name: str) -> None:
    changed = 0
    for scene in scenes(name):
        for values in ({"color": "cyan"}, {"size": "large"}, {"shape": "cross"}, {"fill": "striped"}):
            found = change_object(scene, 1, **values)
            if found is None:
                continue
            changed += 1
            assert is_drawable(found)
            (key, value), *_ = values.items()
            assert getattr(found.objects[1], key) == value
            assert position_of(found.objects[1]) == position_of(scene.objects[1]) or scene.perspective
            kept = dataclasses.replace(found.objects[1], **{key: getattr(scene.objects[1], key)})
            assert dataclasses.replace(kept, x=0, y=0) == dataclasses.replace(scene.objects[1], x=0, y=0)
            assert found.objects[0] == scene.objects[0] and found.objects[2:] == scene.objects[2:]
    assert changed > 130


@every_kind
def test_two_objects_change_places_or_depths(name: str) -> None:
    swapped = 0
    for scene in scenes(name):
        a, b = scene.objects[:2]
        sideways = swap_places(scene, 0, 1)
        if sideways is not None and relation_of(a, b) in ("left", "right"):
            swapped += 1
            c, d = sideways.objects[:2]
            assert {relation_of(a, b), relation_of(c, d)} <= {"left", "right", None}
            assert relation_of(c, d) != relation_of(a, b)
        if scene.perspective and (deeper := swap_depths(scene, 0, 1)) is not None:
            swapped += 1
            assert [o.depth for o in deeper.objects[:2]] == [b.depth, a.depth]
    assert swapped > 5


@every_kind
def test_an_object_moves_to_another_ninth_or_not_at_all(name: str) -> None:
    one, moved = draws(), 0
    for scene in scenes(name):
        for position in POSITIONS:
            found = move_object(scene, 0, position, one)
            if found is not None:
                moved += 1
                assert position_of(found.objects[0]) == position
    assert moved > 40


@every_kind
def test_something_is_added_where_there_is_room(name: str) -> None:
    one, added = draws(), 0
    for scene in scenes(name):
        found = add_object(scene, one, LOOK)
        if found is not None:
            added += 1
            assert is_drawable(found) and found.objects[:-1] == scene.objects
            assert {key: getattr(found.objects[-1], key) for key in LOOK} == LOOK
        sky = add_background(scene, "moon", one)
        if sky is not None:
            assert is_drawable(sky) and sky.background_objects[-1].shape == "moon"
    assert added > 20


def test_nothing_is_added_where_there_is_no_room() -> None:
    full = Scene(
        tuple(SceneObject("star", "red", "small", "solid", x, y) for y in (17, 50, 83) for x in (17, 50, 83))
    )
    assert is_drawable(full)
    assert add_object(full, draws(), LOOK) is None
    deep = Scene(
        tuple(SceneObject("star", "red", "small", "solid", 50, 50, depth) for depth in range(10)),
        perspective=True,
    )
    assert add_object(deep, draws(), LOOK) is None


def test_small_things_are_turned_and_taken_away() -> None:
    scene = Scene((), (BackgroundObject("sun", 10, 8), BackgroundObject("bird", 60, 8)))
    assert [thing.shape for thing in change_background(scene, "sun", "moon").background_objects] == [
        "moon",
        "bird",
    ]
    assert remove_background(scene, "sun") == Scene((), scene.background_objects[1:])


def test_what_overlaps_or_leaves_its_place_is_not_drawable() -> None:
    star = SceneObject("star", "red", "large", "solid", 17, 17)
    assert is_drawable(Scene((star,)))
    assert not is_drawable(Scene((star, star)))
    assert not is_drawable(Scene((dataclasses.replace(star, x=33),)))
    assert not is_drawable(Scene((star,), (BackgroundObject("sun", 17, 17),)))
    assert not is_drawable(Scene((), (BackgroundObject("sun", 17, 17), BackgroundObject("moon", 18, 17))))
    assert not is_drawable(Scene((star,), perspective=True))  # it does not stand on the ground
    with pytest.raises(InputError, match="shape 'cube' is not one of"):
        is_drawable(Scene((dataclasses.replace(star, shape="cube"),)))


@pytest.mark.parametrize("name", ["flat", "deep"])
def test_a_changed_scene_is_read_back_from_its_picture(name: str) -> None:
    (scene,) = scenes(name, 1)
    found = change_object(scene, 0, color="black", fill="solid")
    assert found is not None and found != scene
    found = in_reading_order(found)
    assert decode_picture(draw_scene(found), perspective=found.perspective) == found
