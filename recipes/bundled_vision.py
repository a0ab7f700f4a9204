"""Stage A of the bundled model: the vision encoder learns what is where, with no words.

Stands in for the pretrained encoder that real models start from. Every patch predicts the shape, colour,
size and fill of the object that covers its centre (or that has its own centre in the patch), and where that
object's centre is; the heads are then dropped.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from modgap.scenes import COLORS, FILLS, SHAPES, SIZES, Scene, radius_of

ATTRIBUTES = {"shape": SHAPES, "color": COLORS, "size": SIZES, "fill": FILLS}


def patch_targets(scene: Scene, patches: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of a picture's patches.

    Returns:
        (patches², 4) int64, index of shape, colour, size and fill, or the number of values for "nothing";
        (patches², 2) float32, offset from the patch centre to the object's centre, in patches.
    """
    labels = np.tile(np.array([len(v) for v in ATTRIBUTES.values()]), (patches * patches, 1))
    offsets = np.zeros((patches * patches, 2), np.float32)
    grid = (np.arange(patches) + 0.5) / patches
    px, py = np.meshgrid(grid, grid)
    ordered = sorted(scene.objects, key=lambda o: -o.depth) if scene.perspective else scene.objects
    for thing in ordered:  # nearer ones last, so that they overwrite
        x, y, radius = (thing.x + 0.5) / 100, (thing.y + 0.5) / 100, radius_of(thing, scene)
        covered = ((px - x) ** 2 + (py - y) ** 2 <= radius**2).ravel()
        covered[min(int(y * patches), patches - 1) * patches + min(int(x * patches), patches - 1)] = True
        labels[covered] = [values.index(getattr(thing, name)) for name, values in ATTRIBUTES.items()]
        offsets[covered, 0] = (x - px.ravel()[covered]) * patches
        offsets[covered, 1] = (y - py.ravel()[covered]) * patches
    return labels, offsets


class PatchHeads(nn.Module):
    """One linear layer from a patch state to the four attributes and the offset."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sizes = [len(values) + 1 for values in ATTRIBUTES.values()]
        self.linear = nn.Linear(width, sum(self.sizes) + 2)

    def forward(self, states: Tensor, labels: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Loss, and accuracy per attribute on patches that show an object."""
        *logits, shift = self.linear(states).split([*self.sizes, 2], dim=-1)
        shown = labels[..., 0] != len(SHAPES)
        loss = functional.smooth_l1_loss(shift[shown].float(), offsets[shown])
        right = []
        for column, scores in enumerate(logits):
            flat = scores.reshape(-1, scores.shape[-1]).float()
            loss = loss + functional.cross_entropy(flat, labels[..., column].reshape(-1))
            right.append((scores.argmax(-1) == labels[..., column])[shown].float().mean())
        return loss, torch.stack(right)
