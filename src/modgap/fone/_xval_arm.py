"""Numbers as single tokens: one vector times the value (xVal), linear on the way in and on the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ._arms import Answers, Arm, Batch, keep_length, line_of, symbols_of
from ._backbone import SYMBOLS, build_backbone, last_states
from ._draws import Integers
from ._torch import torch
from .tasks import Rows, Task

if TYPE_CHECKING:
    from torch import Tensor


class XvalArm(Arm):
    """A vector times the value, and a head that gives the value back; both linear in it, both trained."""

    symbols: Tensor

    def __init__(self, task: Task, size: str, seed: int, init: float) -> None:
        super().__init__()
        self.task = task
        self.backbone = build_backbone(size, len(SYMBOLS), seed, init)
        hidden = int(self.backbone.config.hidden_size)
        self.number = torch.nn.Parameter(torch.empty(hidden))
        keep_length(self.number)
        self.head = torch.nn.Linear(hidden, 1)
        self.unit = max(task.most, task.largest) / 5  # values go from -5 to 5
        self.register_buffer("symbols", symbols_of(task), persistent=False)

    def batch(self, rows: Rows) -> Batch:
        """See ``Arm``."""
        return {
            "operands": torch.from_numpy((rows.operands / self.unit).astype(np.float32)),
            "wanted": torch.from_numpy((rows.answers / self.unit).astype(np.float32)),
            "answers": rows.answers,
        }

    def loss(self, batch: Batch) -> Tensor:
        """Mean square error of the scaled value."""
        return torch.nn.functional.mse_loss(self._value(batch), batch["wanted"])

    def right(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """See ``Arm``."""
        return np.asarray(self.answers(batch).values == batch["answers"])

    def answers(self, batch: Batch) -> Answers:
        """The nearest number of the task's scale."""
        found = self._value(batch).double().cpu().numpy() * self.unit
        parsed = np.isfinite(found)
        limit = 2.0**62
        return Answers(np.rint(np.where(parsed, found, 0).clip(-limit, limit)).astype(np.int64), parsed)

    def tokens(self, values: Integers) -> int:
        """See ``Arm``."""
        return len(values)

    def _value(self, batch: Batch) -> Tensor:
        vectors = batch["operands"][:, :, None] * self.number
        found: Tensor = self.head(last_states(self.backbone, line_of(self.backbone, vectors, self.symbols)))
        return found[:, 0].float()
