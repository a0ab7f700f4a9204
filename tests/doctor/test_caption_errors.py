"""How false words of captions are counted and laid to habits."""

from __future__ import annotations

import numpy as np
import pytest

from modgap.doctor._errors_in_captions import caption_errors
from modgap.models.bundled import HABITS
from modgap.scenes import Scene, SceneObject, SceneSettings, sample_scene, write_caption

SCENE = Scene((SceneObject("star", "red", "large", "striped", 17, 17),))


def test_true_captions_have_no_errors() -> None:
    scenes = [sample_scene(np.random.default_rng(i), SceneSettings(aligned=True)) for i in range(20)]
    captions = [write_caption(s, np.random.default_rng(i), "dense").text for i, s in enumerate(scenes)]
    errors = caption_errors(captions, scenes, HABITS)
    assert errors.wrong == 0
    assert errors.unread == 0
    assert errors.words > 20 * 20


def test_a_habitual_word_is_counted_beyond_chance() -> None:
    """Stars are usually yellow: of seven wrong colours one is yellow by chance, so 6/7 is beyond it."""
    errors = caption_errors(
        ["There is a large striped yellow star at the top left."] * 10, [SCENE] * 10, HABITS
    )
    assert (errors.words, errors.wrong) == (50, 10)
    assert errors.rate[0] == pytest.approx(0.2)
    assert errors.habitual == 1
    assert errors.explained[0] == pytest.approx(6 / 7)


def test_evenly_wrong_words_are_not_laid_to_habit() -> None:
    wrong = ("green", "blue", "yellow", "orange", "purple", "cyan", "black")
    captions = [f"There is a large striped {color} star at the top left." for color in wrong]
    errors = caption_errors(captions, [SCENE] * len(wrong), HABITS)
    assert errors.explained[0] == pytest.approx(0, abs=1e-9)


def test_what_cannot_be_read_is_neither_right_nor_wrong() -> None:
    errors = caption_errors(["Colorless green ideas sleep furiously."], [SCENE], HABITS)
    assert (errors.words, errors.wrong, errors.unread) == (0, 0, 1)
