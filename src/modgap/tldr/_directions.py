"""A detector's low-rank change as pairs of a condition and a direction, each with a strength of its own.

    found = split_directions(update)                       # the largest first
    with steered(pretrained, found[:8], [0.25] * 8):
        ...                                                # hooks; no weight is changed

A singular value decomposition of the change of each linear layer is ΔW = Σ σᵢ uᵢ vᵢᵀ: to the output of the
layer σᵢ uᵢ (the direction) is added as far as the input has vᵢ (the condition). That is conditional steering
with a linear condition, and one τ for all is one strength for all of them. The talk on TLDR gives it as the
reason why rescaling works; here it can be tried. All directions at strength τ are the model with its weights
rescaled by τ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from modgap._errors import InputError
from modgap.models.local._load import Pretrained

from ._strengthen import Update, shares, tau_of

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

_SMALLEST = 1e-5  # of the largest of a layer; below it is rounding


@dataclass(frozen=True)
class Direction:
    """What one layer adds to its output, and when.

    Args:
        layer: name of the weight.
        condition: that its input is held against, of length 1, (in,).
        direction: that is added, of length 1, (out,).
        size: how much, at strength 1 and for an input with a unit of the condition; above 0.
        groups: of the weight, as for τ.
    """

    layer: str
    condition: Float[Tensor, " in"]
    direction: Float[Tensor, " out"]
    size: float
    groups: tuple[str, ...]


def split_directions(update: Update) -> list[Direction]:
    """All pairs of a change, the largest first.

    Args:
        update: a change of linear layers.
    """
    found = []
    for layer, delta in update.deltas.items():
        left, sizes, right = torch.linalg.svd(delta.float(), full_matrices=False)
        for size, u, v in zip(sizes.tolist(), left.T, right, strict=True):
            if size > _SMALLEST * float(sizes[0]):
                found.append(Direction(layer, v.clone(), u.clone(), size, update.groups[layer]))
    return sorted(found, key=lambda one: -one.size)


@contextmanager
def steered(
    pretrained: Pretrained, directions: Sequence[Direction], strengths: Sequence[float]
) -> Iterator[None]:
    """The model with some directions added on the way, while the context lasts.

    Args:
        pretrained: the model, without the change.
        directions: of a change of it.
        strengths: one for each; 1 is that of the detector.

    Raises:
        InputError: if there are not as many strengths as directions.
    """
    if len(directions) != len(strengths):
        raise InputError(f"{len(strengths)} strengths for {len(directions)} directions: give one for each")
    by_layer: dict[str, list[tuple[Direction, float]]] = {}
    for one, strength in zip(directions, strengths, strict=True):
        if strength:
            by_layer.setdefault(one.layer.removesuffix(".weight"), []).append((one, strength))
    modules = dict(pretrained.model.named_modules())
    with ExitStack() as stack:
        for layer, pairs in by_layer.items():
            weight = modules[layer].weight
            conditions = torch.stack([one.condition for one, _ in pairs], dim=1).to(weight)  # (in, pairs)
            added = torch.stack([strength * one.size * one.direction for one, strength in pairs]).to(weight)
            handle = modules[layer].register_forward_hook(_adding(conditions, added))
            stack.callback(handle.remove)
        yield


def _adding(conditions: Tensor, added: Tensor) -> Any:
    def hook(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + args[0] @ conditions @ added

    return hook


@dataclass(frozen=True)
class Directed:
    """Some directions of a change, to be measured like the change as a whole.

    Args:
        name: for tables.
        directions: that are added.
    """

    name: str
    directions: tuple[Direction, ...]

    def applied(self, pretrained: Pretrained, taus: Mapping[str, float]) -> AbstractContextManager[None]:
        """The model with each direction at the strength of its layer."""
        wanted = shares(taus)
        return steered(pretrained, self.directions, [tau_of(wanted, one.groups) for one in self.directions])


def largest(update: Update, most: int) -> tuple[Directed, Directed]:
    """A change parted in its largest directions and all others.

    Args:
        update: a change of linear layers.
        most: how many are the largest, 1 or more and fewer than all.

    Raises:
        InputError: if there are not more.
    """
    found = split_directions(update)
    if not 1 <= most < len(found):
        raise InputError(f"{most} directions of {len(found)} is not accepted; give 1 to {len(found) - 1}")
    total = sum(one.size**2 for one in found)
    share = sum(one.size**2 for one in found[:most]) / total
    return (
        Directed(f"{most} directions ({100 * share:.0f} % of the squared norm)", tuple(found[:most])),
        Directed(f"the other {len(found) - most}", tuple(found[most:])),
    )
