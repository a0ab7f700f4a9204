"""Many changes of one model on the same questions, without reading anything twice.

A sweep asks every question once for each block, strength and vector. Here a batch of questions is read once
as it is; for a change at block ``b`` only the blocks after ``b`` are run again (``_reading.py``), strengths
and vectors of the block together as one batch. Questions about one picture stand side by side, and pictures
are encoded once. The options are scored from that single pass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from modgap._errors import InputError
from modgap.models import Query
from modgap.models.local._batches import grouped, take
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change

from ._condition import decisions
from ._reading import Patch, Reading

if TYPE_CHECKING:
    from jaxtyping import Float

TOKENS = {"cpu": 2048, "other": 65_536}
"""Most positions of a pass, by device, which bounds the memory (our choice: on a CPU what fits its caches;
`benchmarks/steering_sweep.py`)."""


@dataclass(frozen=True)
class Replayed:
    """Log-probabilities of every option, as the model is and under each change.

    Args:
        base: one row per question, padded with ``-inf`` where there are fewer options.
        changed: the same for each change.
    """

    base: Float[np.ndarray, "question option"]
    changed: Float[np.ndarray, "change question option"]


@torch.inference_mode()
def replay(
    model: LocalModel,
    queries: Sequence[Query],
    changes: Sequence[Change | Patch],
    *,
    tokens: int | None = None,
    listener: Callable[[int], None] | None = None,
) -> Replayed:
    """Score the options of every question under every change, one change at a time.

    Args:
        model: read as it is; a vector of its own is not added.
        queries: each with options.
        changes: vectors, of the phase ``prefill`` or ``both`` (nothing is written here, so there is nothing
            to decode), with or without a gate, and patches.
        tokens: most positions of a pass; by default ``TOKENS`` of the device.
        listener: is told how many questions are done.

    Raises:
        InputError: a question without options or too long for the model, a change of the phase ``decode``, or
            positions that a question does not have.
    """
    if any(isinstance(change, Change) and change.phase == "decode" for change in changes):
        raise InputError("a sweep scores options, which are read and not written: use phase 'prefill'")
    jobs = [model._job(index, query) for index, query in enumerate(queries)]
    if any(job.continuation is None for job in jobs):
        raise InputError("a sweep needs questions with options, and a model that scores them")
    for job, ids in zip(jobs, model._writer.tokenize([j.prompt.text for j in jobs]), strict=True):
        job.raw.extend(ids)
    device = model.pretrained.device.type
    tokens = tokens or TOKENS.get(device, TOKENS["other"])
    most = max((len(query.options) for query in queries), default=0)
    base = np.full((len(jobs), most), -np.inf)
    changed = np.full((len(changes), len(jobs), most), -np.inf)
    groups, done = deque(grouped(jobs, share=True)), 0
    while groups:
        # One group first: it tells how many positions a picture takes.
        some = take(groups, rows=len(jobs), tokens=tokens, tokens_per_image=model._tokens_per_image)
        reading = Reading(model, some)
        at = [job.index for group in some for job in group.jobs]
        base[at] = reading.scores(reading.final, most)[0]
        for numbers, states in reading.replays(changes, tokens):
            changed[np.ix_(numbers, at)] = reading.scores(states, most)
        done += len(at)
        if listener is not None:
            listener(done)
    # A gate opens for a whole question or not at all.
    opened = decisions(model, queries, [c.gate if isinstance(c, Change) else None for c in changes])
    return Replayed(base, np.where(opened[..., None], changed, base))
