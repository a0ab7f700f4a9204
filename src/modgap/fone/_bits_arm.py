"""Numbers as single tokens: the 64 bits of a float (BitTokens, arXiv 2510.06824), with exact labels.

The bits of the double nearest to the value, as plus and minus one, go in through a learned map; a linear head
gives 64 yes-or-no answers. The published tokens have the reciprocal beside it, which is left out here. All
answers of the tasks have at most 15 digits, which a double holds.
"""

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

_BITS = 64


class BitsArm(Arm):
    """See the module; for tasks within int64."""

    symbols: Tensor

    def __init__(self, task: Task, size: str, seed: int, init: float) -> None:
        super().__init__()
        self.task = task
        self.backbone = build_backbone(size, len(SYMBOLS), seed, init)
        hidden = int(self.backbone.config.hidden_size)
        self.number = torch.nn.Linear(_BITS, hidden, bias=False)
        keep_length(self.number.weight)
        self.head = torch.nn.Linear(hidden, _BITS)
        self.register_buffer("symbols", symbols_of(task), persistent=False)

    def batch(self, rows: Rows) -> Batch:
        """See ``Arm``."""
        return {
            "bits": torch.from_numpy(bits_of(rows.operands, self.task.scale)).float() * 2 - 1,
            "wanted": torch.from_numpy(bits_of(rows.answers, self.task.scale)),
            "answers": rows.answers,
        }

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy of the bits."""
        return torch.nn.functional.binary_cross_entropy_with_logits(
            self._logits(batch), batch["wanted"].float()
        )

    def right(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """See ``Arm``."""
        found = self.answers(batch)
        return np.asarray(found.parsed & (found.values == batch["answers"]))

    def answers(self, batch: Batch) -> Answers:
        """The number of the task's scale nearest to the float."""
        found = values_of_bits((self._logits(batch) > 0).cpu().numpy()) * 10.0**self.task.scale
        parsed = np.isfinite(found) & (np.abs(found) < 2.0**62)
        return Answers(np.rint(np.where(parsed, found, 0)).astype(np.int64), parsed)

    def tokens(self, values: Integers) -> int:
        """See ``Arm``."""
        return len(values)

    def _logits(self, batch: Batch) -> Tensor:
        line = line_of(self.backbone, self.number(batch["bits"]), self.symbols)
        found: Tensor = self.head(last_states(self.backbone, line))
        return found.float()


def bits_of(values: Integers, scale: int) -> npt.NDArray[np.uint8]:
    """The bits of the doubles nearest to values of 10**-scale; shape (..., 64), 0 and 1."""
    found = np.ascontiguousarray(values / 10.0**scale, dtype=">f8")
    return np.unpackbits(found.view(np.uint8).reshape(*values.shape, 8), axis=-1)


def values_of_bits(bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The inverse of ``bits_of``, before rounding; shape (rows,), whatever the bits mean."""
    return np.packbits(bits, axis=-1).view(">f8")[:, 0].astype(np.float64)
