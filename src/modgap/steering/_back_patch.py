"""Back-patching: states of a late block written into an earlier one, a rival of vectors that needs no text.

What a picture shows is sometimes worked out too late for the blocks that would use it (Biran et al. 2024, for
text that hops; here for pictures). So the states that the picture's positions have after block ``s`` are put
where those after block ``t < s`` were, and the blocks after ``t`` read them. Every pair is tried; the pair is
chosen on four fifths of the scenes and counted on the fifth, as a vector is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
from modgap.evaluate._statistics import group_codes, paired_bootstrap
from modgap.models.local._model import LocalModel
from modgap.tasks import Problem

from ._reading import Patch
from ._select import folds_of, nested
from ._sweep import Cell, sweep


@dataclass(frozen=True)
class BackPatched:
    """What back-patching gains on one task.

    Args:
        task: full name.
        n: questions.
        base: accuracy unchanged, 0 to 1.
        gain_points, interval: on scenes that took no part in the choice, in percentage points; 95 %.
        chosen: source and target most often chosen, and in how many folds; ``None`` if most often the
            unchanged model was better.
        best_points: of the best pair on all scenes, which is what searching without a held-out part shows.
    """

    task: str
    n: int
    base: float
    gain_points: float
    interval: tuple[float, float]
    chosen: tuple[int, int, int] | None
    best_points: float


def back_patch(
    model: LocalModel,
    problems: Sequence[Problem],
    *,
    blocks: Sequence[int] | None = None,
    seed: int = 0,
) -> list[BackPatched]:
    """Try every pair of a later and an earlier block at the positions of the picture.

    Args:
        model: the multimodal model.
        problems: with pictures and options.
        blocks: among which pairs are made; by default all.
        seed: of the folds and the bootstrap.

    Returns:
        One for each task, in the order of the problems.

    Raises:
        InputError: fewer than two blocks, or too few scenes to choose and count apart.
    """
    among = sorted(set(range(len(model.pretrained.anatomy.blocks)) if blocks is None else blocks))
    if len(among) < 2:
        raise InputError(
            f"blocks {among}: back-patching needs a later and an earlier block; give two or more"
        )
    pairs = [(s, t) for t in among for s in among if s > t]
    # The strength of a cell holds the source: what is searched is a grid of two axes either way.
    cells = [(Cell("back-patch", False, t, float(s), "image"), Patch(s, t, "image")) for s, t in pairs]
    result = sweep(model, problems, cells)
    found = []
    for task in dict.fromkeys(result.tasks):
        part = result.of_task(task)
        own = nested(part, range(len(pairs)), folds_of(group_codes(part.groups), seed))
        gain = own.right.astype(float) - part.base_right
        low, high = paired_bootstrap(gain, np.random.default_rng(seed), part.groups)
        (often, times), *_ = Counter(own.chosen).most_common(1)
        found.append(
            BackPatched(
                task,
                len(gain),
                float(part.base_right.mean()),
                100 * float(gain.mean()),
                (100 * low, 100 * high),
                None if often < 0 else (*pairs[often], times),
                100 * float(part.right.mean(axis=1).max() - part.base_right.mean()),
            )
        )
    return found
