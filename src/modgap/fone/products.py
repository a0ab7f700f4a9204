"""Products of the slots of two numbers, and a scan over places that carries: an interaction for arithmetic.

    layer = SlotProducts(Codec(7, 0, "both", extras=()), width=128)
    ten_way, flags = layer(features_of_a, features_of_b, states)     # (rows, 7, 10) and (rows, 0)

A product of waves is a wave of the sum: cos α cos β and sin α sin β of the same place give cos(α + β). So the
*pointwise* part multiplies learned mixtures of the pairs of both numbers place by place, with the same
weights at every place. A digit of a product is a sum over all pairs of places that meet in it, so the
*convolution* multiplies learned functions of single digits and adds up i + j = k; sines of mixtures of these
sums, with learned frequencies, are what a remainder can be read from. What is left are carries: a GRU reads
the places from the finest up, with the same weights at each, and gives ten logits per place. The state of the
model, which has seen the operation, is one more input at every place.

Nothing of this is published; it is this package's answer to what a number as one token lacks, as the review
of BitTokens (arXiv 2510.06824) says: any product has to read nearly all components of both numbers. It builds
in that places are alike, in which order carries go and which places meet; what digits do when they meet, and
carrying itself, are learned.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modgap._errors import InputError

from ._slots import slots_of
from ._torch import torch
from .codec import Codec

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

_ALL_HARMONICS = 5
"""Waves of a tenth turn and its multiples: with the constant, any function of a digit."""


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
        pairs = (codec.features == "both") + (_ALL_HARMONICS if convolve else 1)
        self.left = linear(2 * pairs + 1, channels, bias=False)
        self.right = linear(2 * pairs + 1, channels, bias=False)
        for layer in (self.left, self.right):
            torch.nn.init.normal_(layer.weight, std=0.3)
        mixed = channels
        if convolve:
            self.waves = linear(channels, 2 * hidden)
            torch.nn.init.normal_(self.waves.weight, std=channels**-0.5)
            torch.nn.init.uniform_(self.waves.bias, -math.pi, math.pi)
            mixed += 2 * hidden
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
            states: shape (rows, width), of the position that the result follows.
        """
        left_places, left_others = self._split(left)
        right_places, right_others = self._split(right)
        a, b = self.left(left_places), self.right(right_places)
        if self.convolve:
            met = self._convolved(a, b)
            met = torch.cat([met, torch.sin(self.waves(met))], dim=-1)
        else:
            met = a * b
        others = torch.cat([left_others, right_others], dim=-1)[:, None].expand(-1, met.shape[1], -1)
        mixed = self.mix(torch.cat([met, others], dim=-1)) + self.state(states)[:, None]
        found, last = self.scan(torch.nn.functional.silu(mixed))
        flags = last[0][:, :0] if self.flags is None else self.flags(last[0])
        return self.digits(found), flags

    def _split(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What belongs to places, shape (rows, places, entries), and what does not, shape (rows, others)."""
        columns, places = self.codec.columns, self.codec.places
        parts = [features.new_ones(len(features), places, 1)]
        for name in self._own:
            pair = features[:, columns[name]].reshape(-1, places, 2)
            parts.append(pair)
            if name == "digits" and self.convolve:
                wave = base = torch.view_as_complex(pair.contiguous())
                for _ in range(_ALL_HARMONICS - 1):
                    wave = wave * base
                    parts.append(torch.view_as_real(wave))
        others = [features[:, at] for name, at in columns.items() if name not in self._own]
        return torch.cat(parts, dim=-1), torch.cat([features[:, :0], *others], dim=-1)

    def _convolved(self, a: Tensor, b: Tensor) -> Tensor:
        """Sums over places i + j = k, from place 0 of the result up; shape as that of one number."""
        size = 2 * a.shape[1]
        found = torch.fft.irfft(torch.fft.rfft(a, size, dim=1) * torch.fft.rfft(b, size, dim=1), size, dim=1)
        first = self.codec.decimal_places  # place i of a number is 10**(i - first)
        return torch.as_tensor(found[:, first : first + a.shape[1]])
