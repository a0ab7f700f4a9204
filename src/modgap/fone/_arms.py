"""Ways to give numbers to a model, all on the same transformer: what the arithmetic lab compares.

==================  ==========================================================================================
``fone``            one token per number: exact phases and digit angles, sign, a learned head with temperature
``fone-products``   as ``fone``, read from products of the slots of both operands (``products.SlotProducts``)
``fone-published``  one token: continuous phases, ten places, logits from the first entries of the state
``slots``           one token: a learned vector per digit and place, added up; a ten-way head per place
``xval``            one token: a learned vector times the value, scaled to ±5; a trained head that gives the
                    value (Golkar et al., xVal, 2023)
``bits``            one token: the bits of a float (BitTokens), with exact labels
``digits``          a token per digit, the most significant first
``digits-ntl``      likewise, with the number-token loss
``digits-reversed`` a token per digit, the least significant first, in operands and answers
``digits-padded``   likewise, every number with as many digits
``subword``         a token per three digits, cut from the left, as Llama 3 does
``subword-right``   a token per three digits, cut from the right, so that places line up
``abacus``          as ``digits-reversed``, with a learned vector per place (Abacus), and input injection
``abacus-fone``     likewise, a digit being its Fourier features
==================  ==========================================================================================

The published xVal arm left its head untrained and its digit arms ended in ".0"; these do not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError, UnknownName

from ._attach import attach
from ._backbone import SIZES, SYMBOLS, build_backbone, build_tokenizer, last_states
from ._draws import Integers
from ._long import INT64_DIGITS
from ._periods import periods_of_bases
from ._slots import Slots, slots_of
from ._torch import torch
from .codec import Codec, Features
from .tasks import Rows, Task

if TYPE_CHECKING:
    from torch import Tensor

ARMS = (
    "fone", "fone-products", "fone-published", "slots", "bits", "xval", "digits", "digits-ntl",
    "digits-reversed", "digits-padded", "subword", "subword-right", "abacus", "abacus-fone",
)  # fmt: skip

Batch = Mapping[str, Any]


@dataclass(frozen=True)
class Answers:
    """What an arm answers.

    Args:
        values: shape (rows,), in units of 10**-scale of the task.
        parsed: shape (rows,), whether there is a number at all.
    """

    values: Integers
    parsed: npt.NDArray[np.bool_]


class Arm(torch.nn.Module, ABC):
    """What a way of giving numbers to a model has to offer."""

    task: Task
    backbone: Any

    @abstractmethod
    def batch(self, rows: Rows) -> Batch:
        """Rows as tensors."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Mean loss of a batch, a scalar."""

    @abstractmethod
    def right(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """Whether each greedy answer is exactly right, shape (rows,); may be cheaper than ``answers``."""

    @abstractmethod
    def answers(self, batch: Batch) -> Answers:
        """Greedy answers, without a look at the right ones."""

    @abstractmethod
    def tokens(self, values: Integers) -> int:
        """How many tokens numbers take together."""


def build_arm(
    name: str,
    task: Task,
    size: str,
    seed: int,
    init: float | None = None,
    bases: tuple[int, ...] | None = None,
) -> Arm:
    """An untrained arm.

    Args:
        name: one of ``ARMS``.
        task: what it is for.
        size: one of ``SIZES``.
        seed: of its parameters.
        init: standard deviation of those of the transformer at the start; None for ``first_std``.
        bases: of the periods of ``fone-published``, base × 10**k for each; None for ten.

    Raises:
        UnknownName: no such arm or size.
        InputError: an arm that the task is not for.
    """
    from ._bits_arm import BitsArm
    from ._products_arm import ProductsArm
    from ._token_arm import CUTS, TokenArm
    from ._xval_arm import XvalArm

    if name not in ARMS:
        raise UnknownName("arm", name, ARMS)
    if name in ("abacus", "abacus-fone") and (task.signed or task.scale):
        raise InputError(f"arm {name!r} is for whole numbers without a sign, and {task.name!r} has others")
    if name == "fone-published" and task.signed:
        raise InputError(f"the published numbers have no sign, and {task.name!r} has negative answers")
    if bases is not None and name != "fone-published":
        raise InputError(f"bases are those of the phases of arm 'fone-published', and this is {name!r}")
    if name in ("xval", "bits") and task.long:
        raise InputError(f"arm {name!r} answers floats, which do not hold the digits of {task.name!r}")
    init = first_std(name, size) if init is None else init
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if name in CUTS:
            return TokenArm(task, size, seed, init, name)
        if name == "fone-products":
            return ProductsArm(task, size, seed, init)
        if name == "bits":
            return BitsArm(task, size, seed, init)
        if name == "slots":
            return SlotsArm(task, size, seed, init)
        if name == "xval":
            return XvalArm(task, size, seed, init)
        return FoneArm(task, size, seed, init, published=name == "fone-published", bases=bases)


def first_std(name: str, size: str) -> float:
    """Standard deviation of the first parameters of an arm's transformer, if none is asked for.

    Where numbers are values it is the library's, small beside them; where they are several tokens it is one
    over the root of the width. Measured for "fone", "fone-published" and "digits-padded" (docs/fone.md).

    Raises:
        UnknownName: no such size.
    """
    from ._token_arm import CUTS

    if size not in SIZES:
        raise UnknownName("size", size, SIZES)
    return SIZES[size].hidden ** -0.5 if name in CUTS else 0.02


def parameter_counts(arm: Arm) -> dict[str, int]:
    """How many parameters an arm has: all, those of the blocks, and those of tokens and numbers."""
    total = sum(p.numel() for p in arm.parameters())
    blocks = sum(p.numel() for p in arm.backbone.model.parameters())
    blocks -= arm.backbone.get_input_embeddings().weight.numel()
    return {"total": total, "transformer": blocks, "tokens_and_numbers": total - blocks}


class FoneArm(Arm):
    """A number model, so what is trained here can be saved, asked in text and analysed as one.

    Args:
        task: what it is for.
        size: one of ``SIZES``.
        seed: of its parameters.
        init: see ``build_arm``.
        published: as published, else exact.
        bases: see ``build_arm``.
    """

    ids: Tensor

    def __init__(
        self,
        task: Task,
        size: str,
        seed: int,
        init: float,
        *,
        published: bool,
        bases: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.task = task
        tokenizer = build_tokenizer()
        base = build_backbone(size, len(tokenizer), seed, init)
        if published:
            # Over 15 digits the published phases begin again every five places.
            group = 5 if sum(task.published) > 15 else None
            periods = None if bases is None else periods_of_bases(bases, *task.published)
            codec = Codec(*task.published, periods=periods, group_places=group, extras=())
            options: dict[str, Any] = {"projection": "pad", "read": "slice", "temperature": None}
        else:
            codec = Codec(*task.places, features="both", extras=("sign",) if task.signed else ())
            options = {"read": "linear", "temperature": "learned"}
        self.numbers = attach(base, tokenizer, codec=codec, **options)
        object.__setattr__(self, "backbone", base)  # it is a part of ``numbers`` already
        self.codec = codec
        ids = [int(self.numbers.text.number_id or 0), SYMBOLS.index(task.symbol)] * task.operands
        self.register_buffer("ids", torch.tensor([*ids[:-1], SYMBOLS.index("=")]), persistent=False)

    def batch(self, rows: Rows) -> Batch:
        """See ``Arm``."""
        n, operands = rows.operands.shape
        features = np.zeros((n, 2 * operands, self.codec.width), dtype=np.float32)
        flat = encode_operands(self.codec, self.task, rows)
        features[:, 0::2] = flat.reshape(n, operands, -1)
        labels = slots_of(self.codec).labels(self.task.texts(rows.answers)).astype(np.int64)
        return {"features": torch.from_numpy(features), "labels": torch.from_numpy(labels)}

    def loss(self, batch: Batch) -> Tensor:
        """The loss of the number, and of the number token, which is always next and learned at once."""
        states = self._states(batch)
        numbers = self.numbers
        assert numbers.head is not None
        logits = numbers._with_mark(self.backbone.lm_head(states), states)
        wanted = torch.full((len(states),), int(numbers.text.number_id or 0), device=states.device)
        token_loss = torch.nn.functional.cross_entropy(logits, wanted)
        found: Tensor = token_loss + numbers.head.loss(numbers.head(states), batch["labels"])
        return found

    def right(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """See ``Arm``."""
        found = self._labels(batch) == batch["labels"]
        return np.asarray(found.all(dim=1).cpu().numpy())

    def answers(self, batch: Batch) -> Answers:
        """See ``Arm``."""
        values = values_of(slots_of(self.codec), self._labels(batch).cpu().numpy())
        return Answers(values, np.ones(len(values), dtype=np.bool_))

    def tokens(self, values: Integers) -> int:
        """See ``Arm``."""
        return len(values)

    def _states(self, batch: Batch) -> Tensor:
        features = batch["features"]
        vectors = self.numbers._embed(self.ids.expand(len(features), -1), features)
        return last_states(self.backbone, vectors)

    def _labels(self, batch: Batch) -> Tensor:
        assert self.numbers.head is not None
        found: Tensor = self.numbers.head(self._states(batch)).labels()
        return found


class SlotsArm(Arm):
    """A learned vector for every digit at every place, added up to one token; a linear head per place."""

    symbols: Tensor

    def __init__(self, task: Task, size: str, seed: int, init: float) -> None:
        super().__init__()
        self.task = task
        self.backbone = build_backbone(size, len(SYMBOLS), seed, init)
        self.slots = slots_of(Codec(*task.places, features="digits", extras=("sign",) if task.signed else ()))
        hidden = int(self.backbone.config.hidden_size)
        places = self.slots.codec.places
        self.digits = torch.nn.Embedding(10 * places, hidden)
        keep_length(self.digits.weight.T)
        self.head = torch.nn.Linear(hidden, 10 * places + len(self.slots.flags))
        self.register_buffer("symbols", symbols_of(task), persistent=False)

    def batch(self, rows: Rows) -> Batch:
        """See ``Arm``."""
        places = self.slots.codec.places
        labels = self.slots.labels(self.task.texts(rows.operands.ravel()))[:, :places].astype(np.int64)
        at = (labels + 10 * np.arange(places)).reshape(*rows.operands.shape, places)
        wanted = self.slots.labels(self.task.texts(rows.answers)).astype(np.int64)
        return {"digits": torch.from_numpy(at), "labels": torch.from_numpy(wanted)}

    def loss(self, batch: Batch) -> Tensor:
        """See ``Arm``."""
        digits, flags = self._logits(batch)
        labels = batch["labels"]
        places = digits.shape[1]
        losses = torch.nn.functional.cross_entropy(
            digits.transpose(1, 2), labels[:, :places], reduction="none"
        )
        of_flags = torch.nn.functional.binary_cross_entropy_with_logits(
            flags, labels[:, places:].float(), reduction="none"
        )
        return torch.cat([losses, of_flags], dim=1).mean()

    def right(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """See ``Arm``."""
        return np.asarray((self._labels(batch) == batch["labels"]).all(dim=1).cpu().numpy())

    def answers(self, batch: Batch) -> Answers:
        """See ``Arm``."""
        values = values_of(self.slots, self._labels(batch).cpu().numpy())
        return Answers(values, np.ones(len(values), dtype=np.bool_))

    def tokens(self, values: Integers) -> int:
        """See ``Arm``."""
        return len(values)

    def _logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        vectors = self.digits(batch["digits"]).sum(dim=2)  # (rows, operands, hidden)
        found = self.head(last_states(self.backbone, line_of(self.backbone, vectors, self.symbols))).float()
        places = self.slots.codec.places
        return found[:, : 10 * places].unflatten(1, (places, 10)), found[:, 10 * places :]

    def _labels(self, batch: Batch) -> Tensor:
        digits, flags = self._logits(batch)
        return torch.cat([digits.argmax(dim=2), (flags > 0).long()], dim=1)


def keep_length(weight: Tensor) -> None:
    """First values of a map from features to vectors, shape (hidden, ...), that keeps their length.

    Not the scale of the other parameters: with short vectors rows are learned by heart (docs/fone.md).
    """
    torch.nn.init.normal_(weight, std=len(weight) ** -0.5)


def encode_operands(codec: Codec, task: Task, rows: Rows) -> Features:
    """Features of the operands, row by row; shape (rows * operands, codec.width)."""
    numbers = rows.operands.ravel()
    if task.long:
        return codec.encode(task.texts(numbers))
    return codec.encode(numbers, scale=task.scale)


def symbols_of(task: Task) -> Tensor:
    """What stands after each operand."""
    between = [SYMBOLS.index(task.symbol)] * (task.operands - 1)
    return torch.tensor([*between, SYMBOLS.index("=")])


def line_of(backbone: Any, numbers: Tensor, symbols: Tensor) -> Tensor:
    """Vectors of numbers, shape (rows, operands, hidden), with a symbol after each."""
    marks = backbone.get_input_embeddings()(symbols).expand_as(numbers)
    return torch.stack([numbers, marks], dim=2).flatten(1, 2)


def values_of(slots: Slots, labels: npt.NDArray[np.int64]) -> Integers:
    """Integers of rows of labels, in units of the last place of the codec, which is that of the task."""
    places = slots.codec.places
    kind = np.int64 if places <= INT64_DIGITS else object
    powers = np.array([10**i for i in range(places)], dtype=kind)
    found: Integers = (labels[:, :places] * powers).sum(axis=1)
    sign = slots.flag("sign")
    return found if sign is None else np.where(labels[:, sign] > 0, -found, found)
