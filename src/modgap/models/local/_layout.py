"""Questions with their options laid out for one forward pass, with nothing cached and nothing read twice.

Sweeps and trainings need the whole pass at once: every state of every block, or a gradient. For scoring alone
``_score.py`` is faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from modgap._errors import InputError

from ._batches import Group
from ._extend import extended
from ._generate import forced_rows
from ._options import END
from ._prompt import common_length
from ._score import Row, why_not

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from ._anatomy import Anatomy
    from ._model import LocalModel


@dataclass(frozen=True)
class Laid:
    """A batch as tensors.

    Args:
        inputs: of the model.
        real: 0 where there is padding.
        wanted: (row, column, token, question, option): the token is predicted in that column.
        questions: number of them, in the order of the groups.
        causal: whether no state depends on a later token, so that questions of a group share a row.
        shared: columns at the beginning that hold the same text in every row; padding comes after them.
    """

    inputs: dict[str, Any]
    real: Int[Tensor, "row seq"]
    wanted: Int[Tensor, "wanted 5"]
    questions: int
    causal: bool
    shared: int = 0


def lay_out(model: LocalModel, groups: Sequence[Group]) -> Laid:
    """The questions of some groups, in order, for one pass.

    Args:
        model: the model.
        groups: whose jobs have options; all with the same number of pictures.

    Raises:
        InputError: a question is too long for the model.
    """
    read, heads = model._read_heads(list(groups))
    if why_not(model.pretrained, read) is None:
        return _side_by_side(model, list(groups), read, heads)
    return _one_by_one(model, list(groups))


def _side_by_side(model: LocalModel, groups: list[Group], read: Any, heads: list[list[int]]) -> Laid:
    """One row per group: what its questions begin with, then the questions, masked from each other."""
    pretrained = model.pretrained
    errors, _, contexts = model._contexts(groups, heads)
    if errors:
        raise InputError(str(errors[0][1].error))
    device = pretrained.device
    laid = [Row(one, one.trunk()) for one in contexts]
    rows = [one.ids[0][: one.trunk()] + list(row.tokens) for one, row in zip(contexts, laid, strict=True)]
    shared = _shared(pretrained.anatomy, rows, min(one.trunk() for one in contexts))
    width = max(map(len, rows))
    sees = np.zeros((len(rows), width, width), dtype=bool)
    wanted, asked = [], 0
    for number, (one, row, ids) in enumerate(zip(contexts, laid, rows, strict=True)):
        trunk, pad = one.trunk(), width - len(ids)
        own = np.zeros((len(ids), len(ids)), dtype=bool)
        own[:trunk, :trunk] = np.tri(trunk, dtype=bool)
        own[trunk:, :trunk] = True
        own[trunk:, trunk:] = row.sees()
        at = np.r_[:shared, shared + pad : width]
        sees[number][np.ix_(at, at)] = own
        wanted += [(number, pad + trunk - 1, token, asked + q, o) for q, o, token in row.at_trunk]
        wanted += [(number, width - back, token, asked + q, o) for q, o, back, token in row.wanted()]
        asked += len(one.ids)
    dtype = pretrained.model.dtype
    seen = torch.from_numpy(sees).to(device)[:, None]
    pictures = {
        name: value
        for name, value in pretrained.inputs(read).items()
        if name in pretrained.forward_names and name not in ("input_ids", "attention_mask")
    }
    positions = [[*range(one.trunk()), *row.positions] for one, row in zip(contexts, laid, strict=True)]
    inputs = {
        **pictures,
        "input_ids": _padded(rows, pretrained.anatomy.pad_id, shared, device),
        "attention_mask": torch.zeros(seen.shape, dtype=dtype, device=device).masked_fill_(
            ~seen, torch.finfo(dtype).min
        ),
        "position_ids": _padded(positions, 0, shared, device),
    }
    real = _padded([[1] * len(row) for row in rows], 0, shared, device)
    return Laid(inputs, real, torch.tensor(wanted, device=device), asked, True, shared)


def _shared(parts: Anatomy, rows: list[list[int]], trunk: int) -> int:
    """How many tokens all rows begin with, before the last of any trunk and the first picture."""
    first = rows[0]
    same = min([trunk - 1, *(common_length(first, row) for row in rows)])
    return next((i for i, token in enumerate(first[:same]) if token in parts.media_ids), same)


def _padded(
    rows: Sequence[Sequence[int]], pad: int, at: int, device: torch.device
) -> Int[Tensor, "batch new"]:
    """Rows as one tensor, padded after ``at`` columns."""
    width = max(map(len, rows))
    return torch.tensor([[*row[:at], *[pad] * (width - len(row)), *row[at:]] for row in rows], device=device)


def _one_by_one(model: LocalModel, groups: list[Group]) -> Laid:
    """One row for each token path of each question, read with the model's own masks."""
    pretrained = model.pretrained
    jobs = [job for group in groups for job in group.jobs]
    paths = forced_rows([job.continuation for job in jobs if job.continuation is not None])
    read = model._writer.read([jobs[path.question].prompt for path in paths])
    inputs = extended(pretrained, read, [path.path for path in paths])
    prompt = read["input_ids"].shape[1]
    wanted = [
        (row, prompt - 1 + step, token, path.question, option)
        for row, path in enumerate(paths)
        for step, token, option in path.wanted
    ]
    wanted_ = torch.tensor(wanted, device=pretrained.device)
    return Laid(inputs, inputs["attention_mask"], wanted_, len(jobs), False)


def option_scores(
    parts: Anatomy,
    laid: Laid,
    final: Float[Tensor, "time row seq d_model"],
    most: int,
    end_ids: Sequence[int],
) -> Float[Tensor, "time question option"]:
    """Log-probabilities of the options, from last states of a pass or of several over the same questions.

    Args:
        parts: of the model.
        laid: the questions.
        final: last states; columns at the beginning may be missing.
        most: width of the result; what a question has fewer of is ``-inf``.
        end_ids: tokens that end a reply.

    Returns:
        float32, with a gradient if ``final`` has one.
    """
    row, column, token, question, option = laid.wanted.unbind(dim=1)
    times, rows, seq, width = final.shape
    column = column - (laid.real.shape[1] - seq)
    places, back = torch.unique(row * seq + column, return_inverse=True)
    logits = parts.logits(final.reshape(times, rows * seq, width)[:, places])
    values = logits[:, back, token.clamp(min=0)]
    if bool((token == END).any()):
        ends = logits[..., list(end_ids)].logsumexp(dim=-1)[:, back]
        values = torch.where(token == END, ends, values)
    values = values - logits.logsumexp(dim=-1)[:, back]
    found = torch.zeros(times, laid.questions * most, dtype=values.dtype, device=values.device)
    found = found.index_add(1, question * most + option, values)
    known = torch.zeros(laid.questions * most, dtype=torch.bool, device=values.device)
    known[question * most + option] = True
    return found.masked_fill(~known, -torch.inf).view(times, laid.questions, most)
