"""Pictures are reproducible, show every fact of a scene, and stay readable when small."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import subprocess
import sys

import numpy as np
import pytest

from modgap._errors import InputError
from modgap.scenes import (
    BACKGROUND_SHAPES,
    BACKGROUNDS,
    COLORS,
    FILLS,
    SHAPES,
    STYLES,
    WORDS,
    BackgroundObject,
    Scene,
    SceneObject,
    SceneSettings,
    draw_scene,
    plate_box_of,
    sample_scene,
)

STAR = SceneObject("star", "green", "large", "striped", 40, 60)


def test_the_same_arguments_give_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib, numpy as np\n"
        "from modgap.scenes import SceneSettings, draw_scene, sample_scene\n"
        "scene = sample_scene(np.random.default_rng(5), SceneSettings(6, 8, perspective=True, plates=3))\n"
        "picture = draw_scene(scene, style='shadow', background='noise', noise_seed=9)\n"
        "print(hashlib.sha256(picture.tobytes()).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    rng = np.random.default_rng(5)
    scene = sample_scene(rng, SceneSettings(6, 8, perspective=True, plates=3))
    for _ in range(2):
        here = draw_scene(scene, style="shadow", background="noise", noise_seed=9)
        assert hashlib.sha256(here.tobytes()).hexdigest() == there
        here.paste((1, 2, 3), (0, 0, 50, 50))  # a caller may draw on a picture without harm to the next


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("pixels", [32, 64, 225])
def test_every_style_and_background_at_any_resolution(style: str, background: str, pixels: int) -> None:
    for perspective in (False, True):
        scene = Scene((STAR,), perspective=perspective)
        picture = draw_scene(scene, pixels=pixels, style=style, background=background)
        assert picture.mode == "RGB" and picture.size == (pixels, pixels)
        empty = draw_scene(
            Scene((), perspective=perspective), pixels=pixels, style=style, background=background
        )
        assert np.any(np.asarray(picture) != np.asarray(empty))


def test_the_largest_picture() -> None:
    picture = draw_scene(
        Scene((STAR, SceneObject("circle", "red", "small", "solid", 80, 20, 0, "fox"))), pixels=2048
    )
    assert picture.size == (2048, 2048)


def test_styles_and_backgrounds_differ() -> None:
    drawn = {
        (s, b): draw_scene(Scene((STAR,)), style=s, background=b).tobytes()
        for s in STYLES
        for b in BACKGROUNDS
    }
    assert len(set(drawn.values())) == len(STYLES) * len(BACKGROUNDS)


@pytest.mark.parametrize("pixels", [64, 224])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("perspective", [False, True])
def test_every_look_gives_another_picture(pixels: int, style: str, perspective: bool) -> None:
    size, depth = "small", 9 * perspective  # the smallest an object can be
    cut = slice(pixels // 2 - pixels // 8, pixels // 2 + pixels // 8)
    looks = list(itertools.product(SHAPES, COLORS, FILLS))
    drawn = []
    for shape, color, fill in looks:
        scene = Scene((SceneObject(shape, color, size, fill, 50, 50, depth),), perspective=perspective)
        picture = draw_scene(scene, pixels=pixels, style=style, background="gray")
        drawn.append(np.asarray(picture)[cut, cut].astype(int).ravel())
    for i, look in enumerate(looks[:-1]):
        difference = np.abs(np.stack(drawn[i + 1 :]) - drawn[i]).sum(axis=1)
        closest = int(difference.argmin())
        # Our choice: as much as half a pixel of a picture of 64 turning from black to white.
        assert difference[closest] > 0.5 * 765 * (pixels / 64) ** 2, (
            f"{look} looks like {looks[i + 1 + closest]}"
        )


def test_words_are_told_apart_even_in_small_pictures() -> None:
    drawn = {}
    for word in WORDS:
        scene = Scene((SceneObject("circle", "red", "medium", "solid", 50, 40, 0, word),))
        drawn[word] = np.asarray(draw_scene(scene, pixels=64)).astype(int).ravel()
    for a, b in itertools.combinations(WORDS, 2):
        assert np.abs(drawn[a] - drawn[b]).sum() > 2 * 765, f"{a} and {b} differ by less than two pixels"


@pytest.mark.parametrize("word", ["fox", "lion", "mwmw", "gypj"])
def test_letters_are_at_least_six_pixels_high_and_wide_cells_fit_the_plate(word: str) -> None:
    scene = Scene((SceneObject("circle", "cyan", "medium", "solid", 50, 40, 0, word),))
    left, top, right, bottom = (round(v * 224) for v in plate_box_of(scene.objects[0], scene) or ())
    ink = (
        np.asarray(draw_scene(scene)).astype(int)[top + 2 : bottom - 2, left + 2 : right - 2].max(axis=2) < 90
    )
    rows, columns = ink.any(axis=1).nonzero()[0], ink.any(axis=0).nonzero()[0]
    assert rows[-1] - rows[0] + 1 >= 6
    assert (right - left) / len(word) >= 6 and columns[-1] - columns[0] + 1 >= 6 * len(word) - 6
    assert ink.sum() >= 12 * len(word)


def test_grains_change_with_the_seed_on_noise_only() -> None:
    scene = Scene((STAR,))
    grains = {draw_scene(scene, background="noise", noise_seed=seed).tobytes() for seed in range(64)}
    assert len(grains) == 64
    assert draw_scene(scene, background="sky", noise_seed=1) == draw_scene(
        scene, background="sky", noise_seed=2
    )


@pytest.mark.parametrize("shape", BACKGROUND_SHAPES)
def test_background_objects_are_drawn_behind(shape: str) -> None:
    free, hidden = BackgroundObject(shape, 80, 10), BackgroundObject(shape, 40, 60)
    assert draw_scene(Scene((STAR,), (free,))) != draw_scene(Scene((STAR,)))
    square = dataclasses.replace(STAR, shape="square", fill="solid")
    assert draw_scene(Scene((square,), (hidden,))) == draw_scene(Scene((square,)))


def test_the_order_in_the_scene_does_not_matter_with_perspective() -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        scene = sample_scene(rng, SceneSettings(5, 8, perspective=True))
        assert draw_scene(scene) == draw_scene(dataclasses.replace(scene, objects=scene.objects[::-1]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pixels": 31}, "pixels 31 is not accepted; give 32 to 2048"),
        ({"pixels": 2049}, "pixels 2049 is not accepted; give 32 to 2048"),
        ({"style": "flatt"}, "style 'flatt' is not one of flat, contour, shadow; did you mean 'flat'?"),
        ({"background": "blue"}, "background 'blue' is not one of white, cream, gray, sky, paper, noise"),
        ({"noise_seed": -1}, "noise_seed -1 is not accepted; give 0 or more"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        draw_scene(Scene((STAR,)), **arguments)  # type: ignore[arg-type]
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": "blob"}, "shape 'blob' is not one of circle"),
        ({"color": "pink"}, "color 'pink' is not one of red"),
        ({"size": "huge"}, "size 'huge' is not one of small, medium, large"),
        ({"fill": "dotted"}, "fill 'dotted' is not one of solid"),
        ({"x": 100}, "position 100, 60 of the star is not accepted; give whole percents from 0 to 99"),
        ({"y": 1.5}, "position 40, 1.5 of the star is not accepted; give whole percents from 0 to 99"),
        ({"depth": 10}, "depth 10 of the star is not accepted; give 0 (nearest) to 9"),
        ({"depth": 3}, "depth 3 of the star needs a scene with perspective; give 0"),
        ({"word": "Fox"}, "word 'Fox' does not fit a plate; give 2 to 4 letters from a to z"),
        ({"word": "foxes"}, "word 'foxes' does not fit a plate"),
    ],
)
def test_scenes_that_mean_nothing_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        draw_scene(Scene((dataclasses.replace(STAR, **change),)))  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_an_unknown_background_object_is_refused() -> None:
    with pytest.raises(InputError, match="background object 'tree' is not one of sun, moon, cloud, bird"):
        draw_scene(Scene((), (BackgroundObject("tree", 1, 1),)))
