"""The settings in which a direction has something to correct: fog with a prior, and coloured light."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

import steering_when as recipe

from modgap.media import Image


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "SIZES", {"validation": 16, "test": 24})
    recipe.drawn_of.cache_clear()


def pixels(query: object) -> np.ndarray:
    (picture,) = (part for part in query.parts if isinstance(part, Image))  # type: ignore[attr-defined]
    return np.asarray(picture.to_pil().convert("RGB")).astype(float)


def test_the_value_is_right_for_three_quarters() -> None:
    found = recipe.asked("fog", "left", "validation")
    assert all("left" in problem.options for problem in found)
    assert np.mean([problem.answer == "left" for problem in found]) == pytest.approx(0.75)
    before = pixels(recipe.query_of(found[0], "image"))
    after = pixels(recipe.shown("fog", "left", found[0]))
    assert np.abs(after - (0.2 * before + 0.8 * 255)).max() <= 0.5


def test_blue_light_takes_the_other_colours() -> None:
    problem = recipe.asked("light", "blue", "validation")[0]
    before, after = pixels(recipe.query_of(problem, "image")), pixels(recipe.shown("light", "blue", problem))
    assert np.array_equal(after[..., 2], before[..., 2])
    assert np.abs(after[..., :2] - before[..., :2] / 2).max() <= 0.5


def test_constants_find_the_prior() -> None:
    """Scores without information: the most frequent answer is the best guess."""
    problems = recipe.asked("fog", "above", "test")
    scores = np.zeros((len(problems), 4))
    fitted = recipe.constants(scores, problems, ["left", "right", "above", "below"])
    assert recipe.right(fitted(scores, problems), problems).mean() == pytest.approx(0.75)
