"""What a change costs elsewhere: on tasks it was not chosen for, and in how well the model reads text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from modgap.evaluate._statistics import paired_bootstrap
from modgap.media import Text
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, steering
from modgap.tasks import load_suite

from ._sweep import SweepResult

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Harm:
    """Side effects of the cell that was best for a task.

    Args:
        task, vector, positions: what it was chosen for.
        cell: block and strength.
        n: questions of the other tasks; 0 if there are none, and the next two are ``nan``.
        other_points, interval: gain of accuracy on the other tasks together, in percentage points.
        perplexity: of written scenes, unchanged and changed; equal where only pictures are changed.
    """

    task: str
    vector: str
    positions: str
    cell: tuple[int, float]
    n: int
    other_points: float
    interval: tuple[float, float]
    perplexity: tuple[float, float]


def harm(
    model: LocalModel, result: SweepResult, task: str, number: int, change: Change, seed: int = 0
) -> Harm:
    """Side effects of one cell of a sweep.

    Args:
        model: that was swept.
        result: the sweep.
        task: for which the cell was chosen, full name.
        number: of the cell.
        change: that it stands for.
        seed: of the bootstrap.
    """
    cell = result.cells[number]
    other = np.array([t != task for t in result.tasks])
    points, interval = float("nan"), (float("nan"), float("nan"))
    if other.any():
        gain = 100 * (result.right[number, other].astype(float) - result.base_right[other])
        groups = [group for group, is_other in zip(result.groups, other, strict=True) if is_other]
        points, interval = float(gain.mean()), paired_bootstrap(gain, np.random.default_rng(seed), groups)
    texts = written_scenes()
    before, after = text_nats(model, texts), text_nats(model, texts, change)
    return Harm(
        task,
        cell.vector,
        cell.positions,
        (cell.block, cell.strength),
        int(other.sum()),
        points,
        interval,
        (float(np.exp(before)), float(np.exp(after))),
    )


def written_scenes(n: int = 40) -> list[str]:
    """Scenes told in plain sentences, text that the bundled model knows too."""
    suite = load_suite("scenes", tasks=("count",), level="plain")
    found = suite.problems(n, 77, ("story",))
    return [part.text for p in found for part in p.representations[0].parts if isinstance(part, Text)]


@torch.inference_mode()
def text_nats(model: LocalModel, texts: Sequence[str], change: Change | None = None) -> float:
    """Mean negative log-likelihood of a token of some texts, in nats; the first token of each is not counted.

    Args:
        model: read without a picture.
        texts: at least one of two tokens or more.
        change: added while they are read; one of image positions does nothing here.
    """
    pretrained = model.pretrained
    ids = [pretrained.tokenizer(f" {text}", add_special_tokens=False)["input_ids"] for text in texts]
    width = max(map(len, ids))
    pad = pretrained.anatomy.pad_id
    rows = torch.tensor([[*row, *[pad] * (width - len(row))] for row in ids], device=pretrained.device)
    real = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids], device=rows.device)

    def read() -> Float[torch.Tensor, "text token"]:
        logits = pretrained.model(input_ids=rows, attention_mask=real, use_cache=False).logits
        found: torch.Tensor = logits[:, :-1].float().log_softmax(dim=-1)
        return found.gather(2, rows[:, 1:, None])[..., 0]

    if change is None:
        values = read()
    else:
        with steering(model, change, must_reach=False):
            values = read()
    counted = real[:, 1:].bool()
    return -float(values[counted].double().mean())
