"""Whether words and pictures share directions: measures in closed form, and a model read end to end."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modgap._errors import InputError, UnknownName
from modgap.models import load_model
from modgap.models.local._model import LocalModel
from modgap.scenes import Scene, SceneObject
from modgap.steering import readiness, text_model
from modgap.steering._alignment import PERMUTATIONS, best_under_orders, mutual_neighbours, orders_of
from modgap.steering._readiness import BlockReadiness, _value, _verdict
from modgap.steering._words import word_states


def test_neighbours_of_the_same_and_of_unrelated_states() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=(200, 16))
    turned = one @ np.linalg.qr(rng.normal(size=(16, 16)))[0] * 3 + 5
    assert mutual_neighbours(one, turned, 10) > 0.9
    assert mutual_neighbours(one, rng.normal(size=(200, 9)), 10) == pytest.approx(10 / 199, abs=0.03)


def test_orders() -> None:
    few = orders_of(4, 0)
    assert len(few) == math.factorial(4)
    assert few[0].tolist() == [0, 1, 2, 3]
    many = orders_of(8, 0)
    assert many.shape == (PERMUTATIONS, 8)
    assert many[0].tolist() == list(range(8))
    assert all(sorted(order) == list(range(8)) for order in many[:5].tolist())
    tables = np.stack([np.eye(3), 2 * np.eye(3)[[1, 2, 0]]])  # the second block favours another naming
    best = dict(
        zip(map(tuple, orders_of(3, 0).tolist()), best_under_orders(tables, orders_of(3, 0)), strict=True)
    )
    assert best[0, 1, 2] == 3
    assert best[1, 2, 0] == 6


@pytest.mark.parametrize(
    ("block", "values", "p", "says"),
    [
        ((1.0, 0.3, 0.3, 0.3), 4, (0.9, 0.9), "cannot be read from pictures"),
        ((0.3, 1.0, 0.3, 0.3), 4, (0.9, 0.9), "cannot be told apart in the backbone"),
        ((1.0, 1.0, 0.3, 0.3), 4, (0.01, 0.5), "expect nothing of it there"),
        ((1.0, 1.0, 0.3, 0.9), 4, (0.01, 0.01), "steering can do something"),
        ((1.0, 1.0, 0.3, 0.9), 3, (1 / 6, 1 / 6), "too few namings"),
    ],
)
def test_verdicts(
    block: tuple[float, float, float, float], values: int, p: tuple[float, float], says: str
) -> None:
    assert says in _verdict("color", [BlockReadiness(*block, 0.0)], values, 0, 0.3, *p)


def test_sides() -> None:
    def side(x: int, y: int) -> str:
        return _value(Scene((SceneObject("star", "red", "small", "solid", x, y),)), "side")

    assert [side(17, 50), side(83, 50), side(50, 17), side(50, 83)] == ["left", "right", "above", "below"]
    assert side(50, 50) == side(17, 17) == ""


def test_words_are_read_where_they_stand() -> None:
    backbone = text_model("bundled")
    found = word_states(backbone, ("red", "blue", "xylophone"), texts=20, seed=0)
    assert found.words == ("red", "blue")
    assert found.states.shape[1] == len(found.word) == len(found.text)
    assert found.means().shape == (2, 8, 128)
    with pytest.raises(InputError, match="two are needed"):
        word_states(backbone, ("red", "xylophone"), texts=20, seed=0)


def test_a_model() -> None:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    found = readiness(model, "bundled", ("color",), n=80, texts=80, seed=1)
    (color,) = found.families
    assert len(color.blocks) == len(found.neighbours) == 8
    assert max(block.text for block in color.blocks) > 0.95
    assert max(block.image for block in color.blocks) > 0.8
    assert max(block.image_shuffled for block in color.blocks) < 0.5
    assert color.p_transfer < 0.05
    assert color.ready
    assert max(found.neighbours) > 2 * found.neighbours_chance
    assert found.as_json()["families"][0]["family"] == "color"
    with pytest.raises(InputError, match="at least 40"):
        readiness(model, "bundled", n=10)
    with pytest.raises(UnknownName, match="family"):
        readiness(model, "bundled", ("colour",))
