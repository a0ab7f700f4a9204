"""The number head: from the state of a model to a number, all digits at once.

    head = NumberHead(codec, width=256)
    logits = head(states)                                   # states (numbers, 256)
    loss = head.loss(logits, torch.from_numpy(head.slots.labels(["12.5", "-3"])))
    logits.numbers()                                        # ["12.5", "-3"]

As published, a layer norm is followed by reading two entries of the state per digit, whose products with the
ten points (cos 2πd/10, sin 2πd/10) are the logits, and the loss is the mean cross-entropy of the digits.
Sign, lengths and power of ten, for which the published head has no place, are read in the same way.

**The published loss does not go to zero.** The layer norm gives the state the length √width, which S digits
share; with pairs of length r = √(width/S) no cross-entropy is below ln Σ exp(r (cos 36°k − 1)): 0.601 for
width 256 and ten digits. ``temperature="learned"`` multiplies the logits of every slot by a factor of its
own, which takes the floor away and gives probabilities that mean something; ``None`` is the published head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from modgap._errors import InputError, UnknownName

from ._logits import NumberLogits
from ._phases import digit_points
from ._slots import NO_NUMBER, slots_of
from ._torch import torch
from .codec import Codec

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

Read = Literal["slice", "linear"]
READS: tuple[str, ...] = get_args(Read)

_EPSILON = 1e-5  # of the published layer norm


class NumberHead(torch.nn.Module):
    """Reads a number off a state.

    Args:
        codec: whose numbers are read.
        width: of the state.
        read: ``"slice"``, the first entries of the state are the pairs, as published; ``"linear"``, a learned
            map finds them, for models whose last state also serves other ends.
        temperature: ``None`` as published, ``"learned"`` for a learned factor per slot, or a fixed one that
            the logits are divided by.

    Raises:
        InputError: the state is too narrow for ``"slice"``, or a temperature that is not positive.
    """

    def __init__(
        self,
        codec: Codec,
        width: int,
        *,
        read: Read = "slice",
        temperature: float | Literal["learned"] | None = None,
    ) -> None:
        super().__init__()
        if read not in READS:
            raise UnknownName("read", read, READS)
        self.codec = codec
        self.width = width
        self.slots = slots_of(codec)
        needed = 2 * self.slots.tens + len(self.slots.flags)
        if read == "slice" and needed > width:
            raise InputError(
                f"{self.slots.count} slots need {needed} entries and the state has {width}: "
                "use read='linear', fewer places or fewer extras"
            )
        self.norm = torch.nn.LayerNorm(width, eps=_EPSILON)
        self.map = torch.nn.Linear(width, needed) if read == "linear" else None
        self.log_scale: torch.nn.Parameter | None = None
        self._scale = 1.0
        if temperature == "learned":
            self.log_scale = torch.nn.Parameter(torch.zeros(self.slots.count))
        elif isinstance(temperature, str) or (temperature is not None and not temperature > 0):
            raise InputError(
                f"temperature {temperature!r} is not one of None, 'learned' and a positive number"
            )
        elif temperature is not None:
            self._scale = 1.0 / temperature

    def forward(self, states: Float[Tensor, "*rows width"]) -> NumberLogits:
        """Logits of all slots.

        Args:
            states: shape (..., width), any float type; what follows is computed in float32.

        Returns:
            Ten-way logits of shape (..., tens, 10) and flags of shape (..., flags), float32.
        """
        tens = self.slots.tens
        functional = torch.nn.functional
        with torch.autocast(states.device.type, enabled=False):
            norm = self.norm
            found = functional.layer_norm(
                states.float(), (self.width,), norm.weight.float(), norm.bias.float(), norm.eps
            )
            if self.map is not None:
                found = functional.linear(found, self.map.weight.float(), self.map.bias.float())
            pairs = found[..., : 2 * tens].reshape(*states.shape[:-1], tens, 2)
            flags = found[..., 2 * tens : 2 * tens + len(self.slots.flags)]
            # Made here and not kept as a buffer: a buffer is rounded when the model is.
            points = torch.as_tensor(digit_points(), dtype=torch.float32, device=states.device)
            ten_way = pairs @ points.T
            if self.log_scale is not None:
                scale = self.log_scale.float().exp()
                ten_way = ten_way * scale[:tens, None]
                flags = flags * scale[tens:]
        return NumberLogits(self.slots, ten_way * self._scale, flags * self._scale)

    def loss(
        self,
        logits: NumberLogits,
        labels: Int[Tensor, "*rows slots"],
        *,
        slot_weights: Float[Tensor, " slots"] | None = None,
        label_smoothing: float = 0.0,
    ) -> Float[Tensor, ""]:
        """Mean cross-entropy over slots and numbers, in nats.

        Args:
            logits: of this head.
            labels: shape (..., slots), integers from ``slots.labels``; rows of ``NO_NUMBER`` are left out.
            slot_weights: shape (slots,), not negative; a weighted mean over slots in place of the plain one.
            label_smoothing: 0 to below 1, the share of the label that is spread over all choices of a slot.

        Returns:
            A scalar; zero, but with a gradient, if no row has a number.

        Raises:
            InputError: labels or weights of another codec, or a smoothing out of range.
        """
        count = self.slots.count
        if labels.shape[-1] != count or labels.shape[:-1] != logits.flags.shape[:-1]:
            raise InputError(
                f"labels have shape {tuple(labels.shape)} and the logits are of "
                f"{tuple(logits.flags.shape[:-1])} rows with {count} slots: make them with slots.labels"
            )
        if slot_weights is not None and slot_weights.shape != (count,):
            raise InputError(
                f"slot_weights have shape {tuple(slot_weights.shape)}: give one for each of {count} slots"
            )
        if not 0 <= label_smoothing < 1:
            raise InputError(f"label_smoothing {label_smoothing} is not from 0 to below 1")
        tens = self.slots.tens
        rows = labels.reshape(-1, count).long()
        present = rows[:, 0] != NO_NUMBER
        if not present.any():
            return 0 * (logits.ten_way.sum() + logits.flags.sum())
        ten_way = logits.ten_way.reshape(len(rows), tens, 10)[present]
        flags = logits.flags.reshape(len(rows), count - tens)[present]
        rows = rows[present]
        losses = torch.nn.functional.cross_entropy(
            ten_way.transpose(1, 2), rows[:, :tens], reduction="none", label_smoothing=label_smoothing
        )
        wanted = rows[:, tens:].float() * (1 - label_smoothing) + label_smoothing / 2
        of_flags = torch.nn.functional.binary_cross_entropy_with_logits(flags, wanted, reduction="none")
        losses = torch.cat([losses, of_flags], dim=1).mean(dim=0)
        if slot_weights is None:
            return losses.mean()
        weights = slot_weights.to(losses)
        return (losses * weights).sum() / weights.sum()
