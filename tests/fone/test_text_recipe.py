"""Text with numbers: both arms read the same stories, and every token of them counts once."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

RECIPE = Path(__file__).parents[2] / "recipes" / "fone_text.py"


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fone_text", RECIPE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fone_text"] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def test_both_arms_count_the_same_text_and_numbers(recipe: ModuleType) -> None:
    rng = np.random.default_rng(0)
    texts = [recipe.story(rng) for _ in range(4)]
    found = {}
    for arm in ("fone", "digits"):
        torch.manual_seed(0)
        wrapped = recipe.build(arm, "bundled/text_backbone", "cpu")
        wrapped.model.eval()
        with torch.no_grad():
            nats, loss = wrapped.measure(texts), float(wrapped.loss(texts))
        assert math.isfinite(nats.text + nats.numbers)
        found[arm] = nats
        if arm == "digits":
            # The loss is the mean over tokens, and those are all.
            _, _, mask, _ = wrapped._run(texts)
            assert loss * int(mask[:, 1:].sum()) == pytest.approx(nats.text + nats.numbers, rel=1e-4)
    assert found["fone"].number_count == found["digits"].number_count > 8
    assert found["fone"].text_tokens == found["digits"].text_tokens
    assert found["digits"].right < found["digits"].number_count


def test_stories_hold_what_they_say(recipe: ModuleType) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        numbers = [float(str(s.number)) for s in recipe.find_numbers(recipe._paid(rng))]
        assert numbers[0] * numbers[1] == pytest.approx(numbers[2])
        a, b, c = (int(str(s.number)) for s in recipe.find_numbers(recipe._left(rng)))
        assert a - b == c > 0
