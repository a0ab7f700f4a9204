"""Geometry agrees with the pixels of pictures, and relations with their definition."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modgap._errors import InputError
from modgap.scenes import (
    COLORS,
    SHAPES,
    SIZES,
    Scene,
    SceneObject,
    SceneSettings,
    box_of,
    distance_between,
    draw_scene,
    in_front,
    plate_box_of,
    radius_of,
    relation_of,
    relations_of,
    sample_scene,
    visible_fraction,
)


def thing(x: int, y: int, **attributes: object) -> SceneObject:
    look = {"shape": "circle", "color": "red", "size": "medium", "fill": "solid", **attributes}
    return SceneObject(x=x, y=y, **look)  # type: ignore[arg-type]


def pixels_of(scene: Scene, side: int = 800) -> np.ndarray:
    return np.asarray(draw_scene(scene, pixels=side)).astype(int)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("depth", [None, 0, 9])
def test_boxes_are_those_of_the_drawn_pixels(shape: str, size: str, depth: int | None) -> None:
    obj = thing(37, 52, shape=shape, size=size, depth=depth or 0)
    scene = Scene((obj,), perspective=depth is not None)
    empty = Scene((), perspective=depth is not None)
    changed = (np.abs(pixels_of(scene) - pixels_of(empty)).max(axis=2) > 60).nonzero()
    seen = (changed[1].min(), changed[0].min(), changed[1].max() + 1, changed[0].max() + 1)
    # A pixel of rounding on each side; corners of a star or diamond fade over a few more.
    assert np.allclose(np.array(seen) / 800, box_of(obj, scene), atol=3.5 / 800)


@pytest.mark.parametrize("size", SIZES)
def test_radius_holds_the_box_and_perspective_scales_it(size: str) -> None:
    flat = Scene((), perspective=False)
    deep = Scene((), perspective=True)
    assert radius_of(thing(50, 50, size=size), flat) == pytest.approx(
        {"small": 0.065, "medium": 0.095, "large": 0.13}[size]
    )
    for depth in range(10):
        obj = thing(50, 50, size=size, depth=depth)
        # Scale by definition: 1.30 at depth 0, less 0.05 a step.
        assert radius_of(obj, deep) == pytest.approx(radius_of(obj, flat) * (1.3 - 0.05 * depth), abs=1e-5)
        assert radius_of(obj, deep) * 64 >= 3.5
    for shape in SHAPES:
        obj = thing(50, 50, size=size, shape=shape)
        left, top, right, bottom = box_of(obj, flat)
        assert max(right - left, bottom - top) / 2 <= radius_of(obj, flat) + 1e-9
        assert (left + right) / 2 == pytest.approx(0.5) and (top + bottom) / 2 == pytest.approx(0.5)


def test_plate_box_is_that_of_the_drawn_plate() -> None:
    named = Scene((thing(50, 40, word="fox"),))
    plain = Scene((thing(50, 40),))
    changed = (np.abs(pixels_of(named) - pixels_of(plain)).max(axis=2) > 60).nonzero()
    seen = (changed[1].min(), changed[0].min(), changed[1].max() + 1, changed[0].max() + 1)
    box = plate_box_of(named.objects[0], named)
    assert box is not None and np.allclose(np.array(seen) / 800, box, atol=2 / 800)
    assert plate_box_of(plain.objects[0], plain) is None


def test_visible_fraction_is_the_share_of_pixels_left_in_the_picture() -> None:
    settings = SceneSettings(5, 8, perspective=True, fills=("solid",), plates=2)
    rng = np.random.default_rng(8)
    compared = 0
    for _ in range(20):
        scene = sample_scene(rng, settings)
        for i, obj in enumerate(scene.objects):
            if [o.color for o in scene.objects].count(obj.color) > 1:
                continue  # its pixels could not be told from those of another
            front = tuple(o for j, o in enumerate(scene.objects) if j != i and in_front(scene, j, i))
            bare = SceneObject(obj.shape, obj.color, obj.size, obj.fill, obj.x, obj.y, obj.depth)
            alone = pixels_of(Scene((bare,), perspective=True))
            shown = pixels_of(Scene((*front, bare), perspective=True))
            paint = alone[obj.y * 8, obj.x * 8]
            share = (shown == paint).all(axis=2).sum() / (alone == paint).all(axis=2).sum()
            assert visible_fraction(scene, i) == pytest.approx(share, abs=0.03)
            compared += share < 0.97
    assert compared >= 10, "too few hidden objects to compare"


def test_a_nearer_object_hides_a_farther_one_and_not_the_reverse() -> None:
    near, far = thing(50, 60, depth=1), thing(50, 56, depth=4, color="blue")
    scene = Scene((far, near), perspective=True)
    assert visible_fraction(scene, 0) < 0.5 and visible_fraction(scene, 1) == 1.0
    assert in_front(scene, 1, 0) and not in_front(scene, 0, 1)
    assert tuple(pixels_of(scene)[480, 400]) == tuple(pixels_of(Scene((near,), perspective=True))[480, 400])


def test_without_perspective_the_later_object_is_in_front() -> None:
    scene = Scene((thing(50, 50), thing(52, 50, color="blue")))
    assert in_front(scene, 1, 0)
    assert tuple(pixels_of(scene)[400, 408]) == tuple(pixels_of(Scene((scene.objects[1],)))[400, 408])


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((20, 50), (70, 50), "left"),
        ((70, 52), (20, 50), "right"),
        ((50, 20), (52, 80), "above"),
        ((50, 80), (40, 20), "below"),
        ((20, 20), (60, 60), None),
        ((20, 20), (60, 53), None),  # 40 across, 33 down: 7 apart, less than the margin of 8
        ((20, 20), (60, 52), "left"),  # 8 apart
        ((50, 50), (50, 50), None),
    ],
)
def test_relations_by_hand(a: tuple[int, int], b: tuple[int, int], expected: str | None) -> None:
    assert relation_of(thing(*a), thing(*b)) == expected


positions = st.builds(thing, st.integers(0, 99), st.integers(0, 99))


@given(positions, positions, st.integers(1, 40))
def test_relations_are_opposite_seen_from_the_other_side(a: SceneObject, b: SceneObject, margin: int) -> None:
    opposite = {"left": "right", "right": "left", "above": "below", "below": "above", None: None}
    assert relation_of(b, a, margin) == opposite[relation_of(a, b, margin)]


@given(st.lists(positions, max_size=6))
def test_all_relations_are_those_of_the_pairs(objects: list[SceneObject]) -> None:
    expected = {
        (i, j): relation
        for i, j in itertools.permutations(range(len(objects)), 2)
        if (relation := relation_of(objects[i], objects[j]))
    }
    assert relations_of(Scene(tuple(objects))) == expected


def test_a_margin_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="margin 0 is not accepted; give 1 or more percent"):
        relation_of(thing(1, 1), thing(2, 2), margin=0)


@given(positions, positions)
def test_distance_is_euclidean(a: SceneObject, b: SceneObject) -> None:
    assert distance_between(a, b) == math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2) == distance_between(b, a)


def test_every_color_of_the_world_is_drawn_in_its_own_color() -> None:
    seen = {tuple(pixels_of(Scene((thing(50, 50, color=color),)))[400, 400]) for color in COLORS}
    assert len(seen) == len(COLORS)
