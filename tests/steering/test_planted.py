"""A direction that decides the answer is found: the right block and the right direction, on every seed.

The bundled model is disturbed: one block adds noise that makes it guess, unless a hidden direction stands in
the states it reads. The text model writes that direction at the anchor words of a concept, from one block on.
Nothing else ties the two, so a vector that repairs the answers must be the hidden direction at that block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from modgap.models import load_model
from modgap.models.bundled import FOLDER
from modgap.models.local._model import LocalModel
from modgap.steering import cells_of, extract, find, load_concept, random_like, sweep
from modgap.steering._study import problems_of
from modgap.steering._text_states import TextModel

PLANTED = 35.0
"""Length of what the text model writes, three to four times the concept's own mean difference, which stays in
the vector and keeps the cosine below 1."""
ENOUGH = 300.0
"""So much of the direction, summed over the positions of a row, silences the noise."""


class Changed(nn.Module):
    """A block with something done to what it gives."""

    def __init__(
        self, block: nn.Module, change: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    ) -> None:
        super().__init__()
        self.block, self.change = block, change

    def forward(self, hidden_states: torch.Tensor, **named: Any) -> torch.Tensor:
        return self.change(hidden_states, self.block(hidden_states, **named))


def planted_text(at: int, direction: torch.Tensor, anchors: set[str]) -> TextModel:
    place = FOLDER / "text_backbone"
    tokenizer = AutoTokenizer.from_pretrained(place)
    inner = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32).eval().model
    words = torch.tensor(sorted({tokenizer(f" {word}").input_ids[-1] for word in anchors}))
    here: list[torch.Tensor] = [torch.zeros(0)]

    def write(given: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        return out + PLANTED * here[0][..., None] * direction

    def run(ids: torch.Tensor, mask: torch.Tensor) -> Any:
        here[0] = torch.isin(ids, words)
        return inner(input_ids=ids, attention_mask=mask, use_cache=False)

    inner.layers[at] = Changed(inner.layers[at], write)
    return TextModel("planted", tuple(inner.layers), tokenizer, run)


def disturbed(at: int, direction: torch.Tensor, noise: torch.Tensor) -> LocalModel:
    model = load_model("bundled")
    assert isinstance(model, LocalModel)

    def disturb(given: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        found = (given @ direction).sum(dim=1) / ENOUGH
        return out + (1 - found.clamp(0, 1))[:, None, None] * noise

    layers = model.pretrained.model.model.text_model.layers
    layers[at + 1] = Changed(layers[at + 1], disturb)
    return model


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_direction_is_found(seed: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    direction, noise = torch.randn(2, 128, generator=rng)
    direction = direction / direction.norm()
    at = int(torch.randint(1, 6, (), generator=rng))
    concept = load_concept("spatial")
    vector = extract(planted_text(at, direction, {anchor for anchor, _ in concept.sentences}), concept)
    model = disturbed(at, direction, 12 * noise)
    grid: dict[str, Any] = {"blocks": range(8), "strengths": (1.0,), "positions": ("image",)}
    cells = cells_of([vector], **grid)
    randoms = [random_like(vector, seed + 1), random_like(vector, seed + 2)]
    cells += cells_of(randoms, control=True, names=("random 1", "random 2"), **grid)
    result = sweep(model, problems_of(("relation",), 24, seed, level="plain"), cells)
    (found,) = find(result, seed=seed)
    assert found.chosen is not None
    block = found.chosen[0]
    cosine = float(torch.cosine_similarity(vector.directions[block], direction, dim=0))
    assert abs(block - at) <= 1
    assert cosine >= 0.9
    assert found.beyond_points > 20
    assert found.p < 0.05
