"""Taking a band of number frequencies out of the states of a model.

    band = band_of(n, shortest=2, longest=10.4)                    # components k of those periods
    filter = BandFilter(model.get_output_embeddings().weight[number_ids], band)
    handle = model.model.layers[3].mlp.register_forward_hook(filter.hook)
    ...                                                            # is the model still right?
    handle.remove()

A state h gives the numbers the logits W h. The filter moves h by as little as possible such that these
logits have no component left in the band: h minus its projection on the rows of B F W, where F is the Fourier
basis over the numbers and B keeps the band (Zhou et al., 2024, section 4). Taking out *any* band removes
directions, so compare with ``random_band``, a control of the same size, before saying that a band matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modgap._errors import InputError

from ._torch import torch
from .spectrum import fourier_basis

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def band_of(n: int, *, shortest: float = 2.0, longest: float | None = None) -> tuple[int, ...]:
    """Components of n numbers whose periods lie within bounds, as k = n/period.

    Args:
        n: how many numbers.
        shortest: shortest period, inclusive, in numbers; there are none below 2.
        longest: longest period, inclusive; None for no bound.

    Raises:
        InputError: no component lies within the bounds.
    """
    found = tuple(k for k in range(1, n // 2 + 1) if shortest <= n / k <= (longest or n))
    if not found:
        raise InputError(f"no component of {n} numbers has a period from {shortest} to {longest or n}")
    return found


def random_band(n: int, band: Sequence[int], rng: np.random.Generator) -> tuple[int, ...]:
    """As many components as a band has, drawn from all others: the control of a band.

    Args:
        n: how many numbers.
        band: components to leave out.
        rng: where chance comes from.

    Raises:
        InputError: there are not that many others.
    """
    others = sorted(set(range(1, n // 2 + 1)) - set(band))
    if len(others) < len(set(band)):
        raise InputError(
            f"the band has {len(set(band))} of {n // 2} components: a control of the same size needs as many "
            "others, so give a smaller band"
        )
    return tuple(sorted(int(k) for k in rng.choice(others, len(set(band)), replace=False)))


class BandFilter:
    """Removes a band of number frequencies from states.

    Args:
        unembedding: shape (numbers, width), the row of each number from 0 up in the output embeddings.
        band: components to remove, k from 1 to numbers/2.
        positions: which positions of a sequence are filtered; ``slice(-1, None)`` for the last alone.

    Raises:
        InputError: a component that does not exist, or a band that would remove all directions.
    """

    def __init__(
        self,
        unembedding: Float[Tensor, "numbers width"],
        band: Sequence[int],
        *,
        positions: slice = slice(None),
    ) -> None:
        rows = unembedding.detach().float().cpu().numpy().astype(np.float64)
        n = len(rows)
        wrong = [k for k in band if not 1 <= k <= n // 2]
        if wrong or not band:
            raise InputError(f"{n} numbers have the components 1 to {n // 2}: {wrong or 'none'} given")
        at = sorted({i for k in band for i in ((2 * k - 1,) if 2 * k == n else (2 * k - 1, 2 * k))})
        _, sizes, directions = np.linalg.svd(fourier_basis(n)[at] @ rows, full_matrices=False)
        kept = directions[sizes > sizes[0] * 1e-10] if sizes[0] > 0 else directions[:0]
        if len(kept) >= rows.shape[1]:
            raise InputError(
                f"the band spans all {rows.shape[1]} directions of a state, and nothing would be left: "
                "give fewer components"
            )
        self.band = tuple(sorted(set(band)))
        self.positions = positions
        self._directions = torch.from_numpy(kept)

    @property
    def rank(self) -> int:
        """How many directions are removed."""
        return len(self._directions)

    def __call__(self, states: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """States without the band, in their own type."""
        with torch.autocast(states.device.type, enabled=False):
            directions = self._directions.to(states.device, torch.float32)
            wide = states.float()
            filtered: Tensor = (wide - (wide @ directions.T) @ directions).to(states.dtype)
        return filtered

    def hook(self, module: Any, inputs: Any, output: Any) -> Any:
        """For ``register_forward_hook``: filters the output, or the first part of it."""
        states = output[0] if isinstance(output, tuple) else output
        filtered = states.clone()
        filtered[..., self.positions, :] = self(states[..., self.positions, :])
        return (filtered, *output[1:]) if isinstance(output, tuple) else filtered
