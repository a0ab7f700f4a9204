"""Numbers as single tokens whose result is read from products of the slots of both operands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError

from ._arms import Answers, Arm, Batch, encode_operands, line_of, symbols_of, values_of
from ._backbone import SYMBOLS, build_backbone, last_states
from ._draws import Integers
from ._slots import slots_of
from ._torch import torch
from .codec import Codec
from .products import SlotProducts
from .tasks import Rows, Task

if TYPE_CHECKING:
    from torch import Tensor


class ProductsArm(Arm):
    """A transformer reads what is asked, :class:`SlotProducts` the numbers.

    The transformer has the same vector for every number: a state that has seen the numbers is one more input
    by which rows are learned by heart (docs/fone.md). So it can name the operation, and nothing else.

    Args:
        task: what it is for, with two operands.
        size: one of ``SIZES``.
        seed: of its parameters.
        init: see ``build_arm``.

    Raises:
        InputError: a task of another number of operands.
    """

    symbols: Tensor

    def __init__(self, task: Task, size: str, seed: int, init: float) -> None:
        super().__init__()
        if task.operands != 2:
            raise InputError(
                f"arm 'fone-products' multiplies two operands and {task.name!r} has {task.operands}: "
                "give another arm"
            )
        self.task = task
        self.codec = Codec(*task.places, features="both", extras=("sign",) if task.signed else ())
        self.backbone = build_backbone(size, len(SYMBOLS), seed, init)
        hidden = int(self.backbone.config.hidden_size)
        self.number = torch.nn.Parameter(init * torch.randn(hidden))
        self.products = SlotProducts(self.codec, hidden, convolve=task.symbol == "*")
        self.register_buffer("symbols", symbols_of(task), persistent=False)

    def batch(self, rows: Rows) -> Batch:
        """See ``Arm``."""
        features = encode_operands(self.codec, self.task, rows)
        labels = slots_of(self.codec).labels(self.task.texts(rows.answers)).astype(np.int64)
        return {
            "features": torch.from_numpy(features.reshape(*rows.operands.shape, -1)),
            "labels": torch.from_numpy(labels),
        }

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy over places, and flags."""
        digits, flags = self._logits(batch)
        labels = batch["labels"]
        places = digits.shape[1]
        functional = torch.nn.functional
        losses = functional.cross_entropy(digits.transpose(1, 2), labels[:, :places], reduction="none")
        of_flags = functional.binary_cross_entropy_with_logits(
            flags, labels[:, places:].float(), reduction="none"
        )
        return torch.cat([losses, of_flags], dim=1).mean()

    def right(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """See ``Arm``."""
        return np.asarray((self._labels(batch) == batch["labels"]).all(dim=1).cpu().numpy())

    def answers(self, batch: Batch) -> Answers:
        """See ``Arm``."""
        values = values_of(slots_of(self.codec), self._labels(batch).cpu().numpy())
        return Answers(values, np.ones(len(values), dtype=np.bool_))

    def tokens(self, values: Integers) -> int:
        """See ``Arm``."""
        return len(values)

    def _logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        features = batch["features"]
        line = line_of(self.backbone, self.number.expand(1, 2, -1), self.symbols)
        states = last_states(self.backbone, line).expand(len(features), -1)
        digits, flags = self.products(features[:, 0], features[:, 1], states)
        return digits.float(), flags.float()

    def _labels(self, batch: Batch) -> Tensor:
        digits, flags = self._logits(batch)
        return torch.cat([digits.argmax(dim=2), (flags > 0).long()], dim=1)
