"""Side effects of a change, and strengths by what they do to the answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from modgap._errors import InputError
from modgap.models import load_model
from modgap.models.local._model import LocalModel
from modgap.steering import Change, cells_of, harm, random_like, replay, strength_within, sweep
from modgap.steering._budget import divergence
from modgap.steering._harm import text_nats, written_scenes
from modgap.steering._study import problems_of
from modgap.steering._sweep import query_of


@pytest.fixture(scope="module")
def bundled() -> LocalModel:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    return model


def direction(seed: int = 0) -> torch.Tensor:
    return torch.randn(128, generator=torch.Generator().manual_seed(seed))


def test_what_text_costs(bundled: LocalModel) -> None:
    """Sentences read together give what each gives alone, and only changes of text change it."""
    texts = ["a red circle is left of a star", "two squares"]
    alone = []
    for text in texts:
        ids = bundled.pretrained.tokenizer(f" {text}", add_special_tokens=False, return_tensors="pt")[
            "input_ids"
        ]
        with torch.no_grad():
            logits = bundled.pretrained.model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        alone += (-logits[torch.arange(len(logits)), ids[0, 1:]]).tolist()
    assert text_nats(bundled, texts) == pytest.approx(np.mean(alone), abs=1e-4)
    pictures, words = Change(direction(), 2, 2.0, "image"), Change(direction(), 2, 2.0, "text")
    assert text_nats(bundled, texts, pictures) == pytest.approx(text_nats(bundled, texts), abs=1e-6)
    known = written_scenes(4)
    assert len(set(known)) == 4
    assert text_nats(bundled, known) < 1.5  # it was taught on such
    assert text_nats(bundled, known, words) > text_nats(bundled, known) + 0.1


def test_harm_is_counted_on_the_other_tasks(bundled: LocalModel) -> None:
    from modgap.steering import SteeringVector

    vector = random_like(SteeringVector("x", "meanshift", torch.ones(8, 128) * 3), 0)
    cells = cells_of([vector], blocks=(2,), strengths=(4.0,), positions=("text",))
    result = sweep(bundled, problems_of(("count", "relation"), 8, 0, level="plain"), cells)
    found = harm(bundled, result, "scenes/count", 0, cells[0][1])
    part = result.of_task("scenes/relation")
    assert found.n == 8
    assert found.other_points == pytest.approx(100 * (part.right[0].mean() - part.base_right.mean()))
    assert found.perplexity[1] > found.perplexity[0]
    alone = harm(bundled, result.of_task("scenes/count"), "scenes/count", 0, cells[0][1])
    assert alone.n == 0


def test_a_budget_of_nats_is_kept(bundled: LocalModel) -> None:
    asked = [query_of(p, "image") for p in problems_of(("relation",), 6, 0, level="plain")]
    change = Change(direction(), 2, 0.0, "image")
    strength, moved = strength_within(bundled, asked, change, 0.1)
    assert 0 < moved <= 0.1
    found = replay(bundled, asked, [replace(change, strength=s) for s in (strength, 1.15 * strength)])
    there = divergence(found.base[None], found.changed).mean(axis=1)
    assert there[0] == pytest.approx(moved, abs=1e-5)
    assert there[1] > 0.1 > 0.5 * there[0]
    backwards, _ = strength_within(bundled, asked, change, 0.1, most=-64.0)
    assert backwards < 0
    with pytest.raises(InputError, match="above 0"):
        strength_within(bundled, asked, change, 0.0)
    with pytest.raises(InputError, match="larger budget"):
        strength_within(bundled, asked, change, 1e-12)


def test_divergence_by_hand() -> None:
    nothing = np.full((1, 2, 1), -np.inf)
    base = np.log([[[0.5, 0.5], [0.2, 0.8]]]) + 3.0  # options need not add up to 1
    changed = np.log([[[0.25, 0.75], [0.2, 0.8]]])
    base, changed = (np.concatenate([scores, nothing], axis=2) for scores in (base, changed))
    expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert divergence(base, changed)[0] == pytest.approx([expected, 0.0], abs=1e-12)
