"""Products of the slots of two numbers, and a scan over places that carries: an interaction for arithmetic.

    layer = SlotProducts(Codec(7, 0, "both", extras=()), width=128)
    ten_way, flags = layer(features_of_a, features_of_b, states)     # (rows, 7, 10) and (rows, 0)

A product of waves is a wave of the sum: cos α cos β and sin α sin β of the same place give cos(α + β). So for
sums and differences, learned mixtures of the pairs of both numbers are multiplied place by place, with the
same weights at every place.

A digit of a product is a sum over all pairs of places that meet in it. With ``convolve``, the digits of both
numbers are convolved, t_k = Σ d_i e_j over i + j = k, and s_k = (t_k + s_{k-1}) / 10 is then the phase, in
turns, of the product itself modulo 10**(k + 1): its features as this package would encode it. Nothing of that
is learned. (With learned functions of the digits and sines of learned frequencies instead, the same training
got the lowest digits and not the others.)

What is left to learn is to read digits off phases, and to carry: a GRU reads the places from the finest up,
with the same weights at each, and gives ten logits per place. A state of the model is one more input at every
place, to name the operation; one that has seen the numbers lets few rows be learned by heart (docs/fone.md).

Nothing of this is published; it is this package's answer to what a number as one token lacks, as the review
of BitTokens (arXiv 2510.06824) says: a product operator has to read nearly all components, convolve and
carry. It builds in that places are alike, the order in which carries go, and which places meet.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modgap._errors import InputError

from ._phases import digit_points
from ._slots import slots_of
from ._torch import torch
from .codec import Codec

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

_HARMONICS = 5
"""Of a phase of a product: a digit is a step function of the phase, which one wave alone does not resolve."""


class SlotProducts(torch.nn.Module):
    """Logits of the digits of a result, from the features of two numbers.

    Args:
        codec: of both numbers and of the result; fixed, with digit angles.
        width: of the state of the model.
        convolve: whether places of both numbers meet as in a product; otherwise only equal places do.
        channels: products per place.
        hidden: width of the scan.

    Raises:
        InputError: a codec without digit angles, or a floating one.
    """

    def __init__(
        self, codec: Codec, width: int, *, convolve: bool = False, channels: int = 32, hidden: int = 64
    ) -> None:
        super().__init__()
        if codec.features == "continuous" or codec.exponent_places or codec.periods is not None:
            raise InputError(
                "products of slots need the digits of fixed places: give a codec with features='digits' or "
                "'both', without periods and exponent_places"
            )
        self.codec = codec
        self.convolve = convolve
        self.slots = slots_of(codec)
        linear = torch.nn.Linear
        mixed = 2 * _HARMONICS
        if not convolve:
            entries = 1 + 2 * len(self._own)
            self.left = linear(entries, channels, bias=False)
            self.right = linear(entries, channels, bias=False)
            for layer in (self.left, self.right):
                torch.nn.init.normal_(layer.weight, std=0.3)
            mixed = channels
        others = codec.width - sum(codec.columns[name].stop - codec.columns[name].start for name in self._own)
        self.mix = linear(mixed + 2 * others, hidden)
        self.state = linear(width, hidden, bias=False)
        self.scan = torch.nn.GRU(hidden, hidden, batch_first=True)
        self.digits = linear(hidden, 10)
        self.flags = linear(hidden, len(self.slots.flags)) if self.slots.flags else None
        torch.nn.init.normal_(self.state.weight, std=0.02)

    @property
    def _own(self) -> tuple[str, ...]:
        """Columns that have one pair per place."""
        return tuple(name for name in ("phases", "digits") if name in self.codec.columns)

    def forward(
        self,
        left: Float[Tensor, "rows columns"],
        right: Float[Tensor, "rows columns"],
        states: Float[Tensor, "rows width"],
    ) -> tuple[Float[Tensor, "rows places ten"], Float[Tensor, "rows flags"]]:
        """Logits of digits, finest place first, and of the flags of the codec.

        Args:
            left, right: features of both numbers from ``codec.encode``, shape (rows, codec.width), float32.
            states: shape (rows, width), of a position that has read what is asked, best without the numbers.
        """
        left_places, left_others = self._split(left)
        right_places, right_others = self._split(right)
        if self.convolve:
            turns = self._phases(left, right)[..., None] * torch.arange(1, _HARMONICS + 1, device=left.device)
            met = torch.cat([turns.mul(2 * math.pi).cos(), turns.mul(2 * math.pi).sin()], dim=-1).float()
        else:
            met = self.left(left_places) * self.right(right_places)
        others = torch.cat([left_others, right_others], dim=-1)[:, None].expand(-1, met.shape[1], -1)
        mixed = self.mix(torch.cat([met, others], dim=-1)) + self.state(states)[:, None]
        found, last = self.scan(torch.nn.functional.silu(mixed))
        flags = last[0][:, :0] if self.flags is None else self.flags(last[0])
        return self.digits(found), flags

    def _split(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What belongs to places, shape (rows, places, entries), and what does not, shape (rows, others)."""
        columns, places = self.codec.columns, self.codec.places
        own = [features[:, columns[name]].reshape(-1, places, 2) for name in self._own]
        one = features.new_ones(len(features), places, 1)
        others = [features[:, at] for name, at in columns.items() if name not in self._own]
        return torch.cat([one, *own], dim=-1), torch.cat([features[:, :0], *others], dim=-1)

    def _phases(self, left: Tensor, right: Tensor) -> Tensor:
        """Phases of the product, in turns from 0 to below 1; shape (rows, places), float64."""
        a, b = self._values(left), self._values(right)
        places, first = self.codec.places, self.codec.decimal_places  # place i of a number is 10**(i - first)
        met = a.new_zeros(len(a), 2 * places)
        for i in range(places):
            met[:, i : i + places] += a[:, i : i + 1] * b
        turns, found = met[:, 0] * 0, []
        for k in range(first + places):
            turns = (met[:, k] + turns) / 10
            found.append(turns)
        return torch.stack(found[first:], dim=1) % 1

    def _values(self, features: Tensor) -> Tensor:
        """The digits, shape (rows, places), float64."""
        pairs = features[:, self.codec.columns["digits"]].reshape(-1, self.codec.places, 2)
        points = torch.as_tensor(digit_points(), dtype=features.dtype, device=features.device)
        return (pairs @ points.T).argmax(dim=-1).double()
