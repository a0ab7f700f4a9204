"""Conditional steering: who is changed, who is not, and what the gate has to do with a rank-one update."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from modgap._errors import InputError, UnknownName
from modgap.models import Query, load_model
from modgap.models.local._anatomy import at_block
from modgap.models.local._model import LocalModel
from modgap.steering import Change, Gate, fit_gate, replay, steering
from modgap.steering._study import problems_of
from modgap.steering._sweep import query_of


@pytest.fixture(scope="module")
def bundled() -> LocalModel:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    return model


def queries(task: str, n: int) -> list[Query]:
    return [query_of(problem, "image") for problem in problems_of((task,), n, 0, level="plain")]


@pytest.fixture(scope="module")
def gate(bundled: LocalModel) -> Gate:
    made, held_out = fit_gate(bundled, queries("count", 12), queries("relation", 12), block=2)
    assert held_out == 1
    return made


def scores(model: LocalModel, asked: list[Query], *changes: Change) -> np.ndarray:
    replies = dict((model.with_changes(changes) if changes else model).reply(asked))
    return np.array([replies[i].option_scores for i in range(len(asked))])


def test_only_the_prompts_it_is_for_are_changed(bundled: LocalModel, gate: Gate) -> None:
    asked = [q for pair in zip(queries("count", 4), queries("relation", 4), strict=True) for q in pair]
    direction = torch.randn(128, generator=torch.Generator().manual_seed(0))
    change = Change(direction, 2, 1.0, "both")
    plain, steered = scores(bundled, asked), scores(bundled, asked, change)
    gated = scores(bundled, asked, replace(change, gate=gate))
    assert np.allclose(gated[0::2], steered[0::2], atol=1e-4)  # how many …
    assert np.allclose(gated[1::2], plain[1::2], atol=1e-4)  # where …
    assert np.abs(steered - plain).max() > 0.1
    reverse = scores(bundled, asked, replace(change, gate=replace(gate, above=False)))
    assert np.allclose(reverse[0::2], plain[0::2], atol=1e-4)
    assert bundled._share
    other = bundled.with_changes([replace(change, gate=gate)]).fingerprint()["steering"]
    assert other != bundled.with_changes([change]).fingerprint()["steering"]


def test_a_sweep_with_gates(bundled: LocalModel, gate: Gate) -> None:
    """The same log-probabilities as one by one, with gates of either sign and without."""
    asked = [*queries("count", 2), *queries("relation", 2)]
    direction = torch.randn(128, generator=torch.Generator().manual_seed(0))
    plain = Change(direction, 4, 2.0, "question")
    changes = [plain, replace(plain, gate=gate), replace(plain, gate=replace(gate, above=False, pool="last"))]
    found = replay(bundled, asked, changes)
    for change, own in zip(changes, found.changed, strict=True):
        assert np.allclose(own, scores(bundled, asked, change), atol=1e-4)
    assert np.array_equal(found.changed[1, 2:], found.base[2:])
    assert not np.allclose(found.changed[1, :2], found.base[:2])


def test_the_decision_holds_while_a_reply_is_written(bundled: LocalModel, gate: Gate) -> None:
    writer = load_model("bundled", answer="generate")
    assert isinstance(writer, LocalModel)
    asked = [queries("count", 1)[0], queries("relation", 1)[0]]
    direction = 40 * torch.randn(128, generator=torch.Generator().manual_seed(0))
    change = Change(direction, 3, 1.0, "text", "decode", gate=gate)
    texts = [dict(m.reply(asked)) for m in (writer, writer.with_changes([change]))]
    assert texts[0][0].text != texts[1][0].text
    assert texts[0][1].text == texts[1][1].text


def test_a_gate_that_is_the_identity_is_a_rank_one_update(bundled: LocalModel) -> None:
    """h + (c·h) α v = (I + α v cᵀ) h, at every position: a linear map of what the block gives.

    The limits: a threshold in place of the identity makes it no linear map any more, and an adapter on a
    matrix inside the block reads something else than the block gives.
    """
    rng = torch.Generator().manual_seed(0)
    condition, vector = torch.randn(2, 128, generator=rng)
    condition = condition / condition.norm()
    alpha, parts = 0.5, bundled.pretrained.anatomy
    read = bundled._writer.read([bundled._writer.write(queries("count", 1)[0].parts)])
    inputs = bundled.pretrained.inputs(read)
    update = torch.eye(128) + alpha * torch.outer(vector, condition)
    assert torch.linalg.matrix_rank(update - torch.eye(128)) == 1
    seen: list[torch.Tensor] = []

    def last(states: torch.Tensor) -> torch.Tensor:
        seen.append(states)
        out = states.clone()
        out[:, -1] = states[:, -1] @ update.T
        return out

    def only_last(kinds: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        mask = torch.zeros_like(ids, dtype=torch.bool)
        mask[:, -1] = True
        return mask

    with torch.no_grad():
        with at_block(parts.blocks[3], last):
            linear = bundled.pretrained.model(**inputs).logits
        strength = alpha * float(seen[0][0, -1] @ condition)
        with steering(bundled, Change(vector, 3, strength, only_last)):
            added = bundled.pretrained.model(**inputs).logits
    assert (linear - added).abs().max() < 1e-4
    gate = Gate(condition, 3, 0.0, pool="last")
    kinds = torch.full((2, 1), 2)
    states = torch.stack([condition, -condition])[:, None]
    assert gate.opens(states, kinds).tolist() == [True, False]
    doubled = gate.opens(2 * states, kinds)  # a linear gate would open twice as wide
    assert doubled.tolist() == [True, False]


def test_what_a_gate_cannot_be(bundled: LocalModel, gate: Gate) -> None:
    vector = torch.ones(128)
    with pytest.raises(InputError, match="must not come later"):
        Change(vector, 1, 1.0, gate=gate)
    with pytest.raises(UnknownName, match="pool"):
        replace(gate, pool="max")
    with pytest.raises(InputError, match="not finite"):
        replace(gate, threshold=float("nan"))
    narrow = Change(vector, 2, 1.0, gate=replace(gate, condition=torch.ones(5)))
    with pytest.raises(InputError, match="width 5"), steering(bundled, narrow):
        pass
    with pytest.raises(InputError, match="at least 4"):
        fit_gate(bundled, queries("count", 2), queries("relation", 4), block=2)
    with pytest.raises(InputError, match="block 9"):
        fit_gate(bundled, queries("count", 4), queries("relation", 4), block=9)
