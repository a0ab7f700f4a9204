"""Pictures carry the whole scene graph: it is read back from their pixels.

The bound is that of the project: at least 99.5 percent of 500 random scenes at 224 pixels, with attributes,
positions, depths, words and background objects all exact.
"""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from modgap._errors import FileError, InputError
from modgap.scenes import (
    BACKGROUNDS,
    STYLES,
    Scene,
    SceneObject,
    SceneSettings,
    decode_picture,
    draw_scene,
    sample_scene,
)


def failures(n: int, seed: int, perspective: bool, pixels: int = 224) -> list[Scene]:
    """The scenes that are not read back exactly; styles and backgrounds take turns."""
    settings = SceneSettings(1, 8, perspective=perspective, plates=3, background_objects=3)
    rng = np.random.default_rng(seed)
    failed = []
    for i in range(n):
        scene = sample_scene(rng, settings)
        style, background = STYLES[i % 3], BACKGROUNDS[i // 3 % 6]
        picture = draw_scene(scene, pixels=pixels, style=style, background=background, noise_seed=i)
        try:
            same = decode_picture(picture, perspective=perspective) == scene
        except FileError:
            same = False
        if not same:
            failed.append(scene)
    return failed


@pytest.mark.parametrize("perspective", [False, True])
def test_thirty_scenes_are_read_back_exactly(perspective: bool) -> None:
    assert failures(30, 100, perspective) == []


@pytest.mark.slow
@pytest.mark.parametrize("perspective", [False, True])
def test_five_hundred_scenes_are_read_back(perspective: bool) -> None:
    assert len(failures(500, 200, perspective)) <= 2  # 99.5 percent


@pytest.mark.slow
@pytest.mark.parametrize("pixels", [200, 336, 448])
@pytest.mark.parametrize("perspective", [False, True])
def test_other_resolutions_are_read_back(pixels: int, perspective: bool) -> None:
    assert failures(36, 300, perspective, pixels) == []


def test_an_empty_picture_is_an_empty_scene() -> None:
    for background in BACKGROUNDS:
        assert decode_picture(draw_scene(Scene(()), background=background)) == Scene(())


def test_twins_next_to_each_other_are_two_objects() -> None:
    scene = Scene(tuple(SceneObject("square", "red", "medium", "solid", x, 50) for x in (16, 50, 83)))
    assert decode_picture(draw_scene(scene)) == scene


def test_what_is_no_object_is_not_explained_away() -> None:
    picture = draw_scene(Scene((SceneObject("circle", "red", "small", "solid", 50, 50),)))
    picture.paste(picture.getpixel((112, 112)), (10, 10, 60, 30))  # type: ignore[arg-type]
    with pytest.raises(
        FileError, match=r"pixels of one colour belong to no object; expected one by draw_scene"
    ):
        decode_picture(picture)


@pytest.mark.parametrize("size", [(224, 210), (199, 199)])
def test_pictures_of_another_form_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="cannot be decoded; give a square one of at least 200"):
        decode_picture(PIL.Image.new("RGB", size))
