"""Fourier features of numbers, brought to the width of a model.

    codec = Codec(7, 3)
    layer = FourierNumberEmbedding(codec, width=256)
    layer(torch.from_numpy(codec.encode(["12.5", "-3", None])))     # (3, 256); the last row is zero

Features come from the codec, on the CPU, where phases are exact; on a GPU they are data like token ids. They
stay float32 on their way through the layer whatever its parameters are stored in, and only its output is
rounded: a bfloat16 copy of a phase is harmless, a phase computed in bfloat16 is lost after three digits. No
phase, period or power of ten is a buffer, because buffers follow a model that is moved to a lower precision.

There is no bias: a row of zeros, the codec's "no number", stays zero, so text positions are left untouched
(the published code has one, which is added to every text token). See sections 1 and 8 of the facts that the
tests of this package repeat: Zhou et al., FoNE, 2026.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

from modgap._errors import InputError, UnknownName

from ._torch import torch
from .codec import Codec

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

Projection = Literal["linear", "pad"]
PROJECTIONS: tuple[str, ...] = get_args(Projection)


class FourierNumberEmbedding(torch.nn.Module):
    """Features of numbers to vectors of a model.

    Args:
        codec: what the columns of the features are.
        width: of the model, in columns.
        projection: ``"linear"`` for a learned map without bias, ``"pad"`` for zeros after the features. Both
            are published and do equally well there.
        rms: root mean square of the entries of an output row at the start, for ``"linear"``; None keeps the
            length of the features, as ``"pad"`` does. Beside a random transformer short rows are learned by
            heart, where long ones are calculated with (docs/fone.md).

    Raises:
        InputError: the features are wider than the model (``"pad"``), or rms is not positive.
    """

    def __init__(
        self, codec: Codec, width: int, *, projection: Projection = "linear", rms: float | None = None
    ) -> None:
        super().__init__()
        if projection not in PROJECTIONS:
            raise UnknownName("projection", projection, PROJECTIONS)
        if projection == "pad" and codec.width > width:
            raise InputError(
                f"the features have {codec.width} columns and the model {width}: "
                "use projection='linear', fewer places or fewer extras"
            )
        if rms is not None and not rms > 0:
            raise InputError(f"rms {rms} is not positive: give the size of entries of a row, such as 0.02")
        self.codec = codec
        self.width = width
        self.weight: torch.nn.Parameter | None = None
        if projection == "linear":
            self.weight = torch.nn.Parameter(torch.empty(width, codec.width))
            std = 1 / math.sqrt(width)
            if rms is not None:
                # Each pair has length one; of the other columns, "number" and "sign" are never zero.
                columns = codec.columns
                singles = sum(name in columns for name in ("number", "sign", "exponent_sign"))
                pairs = sum((c.stop - c.start) // 2 for c in columns.values())
                std = rms / math.sqrt(pairs + singles)
            torch.nn.init.normal_(self.weight, std=std)

    def forward(self, features: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows width"]:
        """Vectors of features.

        Args:
            features: shape (..., codec.width), float32, from ``codec.encode``; zeros for "no number".

        Returns:
            Shape (..., width), float32; the caller rounds it to the type of what it is added to.

        Raises:
            InputError: features of another codec, or features that are not float32.
        """
        if features.shape[-1] != self.codec.width:
            raise InputError(
                f"features have {features.shape[-1]} columns and this codec {self.codec.width}: "
                "encode them with the codec of the layer"
            )
        if features.dtype != torch.float32:
            raise InputError(
                f"features are {features.dtype}: keep them in torch.float32, the layer rounds its output only"
            )
        if self.weight is None:
            return torch.nn.functional.pad(features, (0, self.width - self.codec.width))
        with torch.autocast(features.device.type, enabled=False):
            return features @ self.weight.float().T

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        kind = "pad" if self.weight is None else "linear"
        return f"{self.codec.width} -> {self.width}, {kind}"
