"""What any vector would do, from one reading and one backward pass: the first-order effect of a change.

    found = slopes(model, problems)
    found.gain(Change(vector.directions[3], block=3, strength=0.5))     # nats of margin, question by question

The margin of a question is the log-probability of the right option less that of the likeliest wrong one. Its
gradient at the output of every block, summed over the positions that a change would reach, gives the effect
of every vector there as a dot product. That is exact for small steps and wrong for large ones, where states
leave the region in which the model is linear: it says which cells of a grid are worth sweeping exactly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from modgap._errors import InputError
from modgap.models.local._anatomy import at_block
from modgap.models.local._batches import Group, grouped, take
from modgap.models.local._layout import lay_out, option_scores
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, mask_of
from modgap.tasks import Problem

from ._reading import Patch
from ._replay import TOKENS
from ._sweep import Cell, SweepResult, query_of

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

PLACES = ("image", "text", "both")


@dataclass(frozen=True)
class Slopes:
    """How the margin of each question answers to a small change.

    Args:
        margin: of the unchanged model, in nats.
        sums: kind of positions → gradient of the margin at the outputs of the blocks, summed over the
            positions.
    """

    margin: Float[np.ndarray, " question"]
    sums: dict[str, Float[np.ndarray, "block question d_model"]]

    def gain(self, change: Change) -> Float[np.ndarray, " question"]:
        """First-order gain of margin under a change, in nats.

        Raises:
            InputError: positions that were not summed over, a block that does not exist, or a strength that
                is not a plain multiple.
        """
        place = change.positions
        if not isinstance(place, str) or place not in self.sums:
            raise InputError(f"positions {place!r} were not read; there are {', '.join(self.sums)}")
        if change.unit != "raw" or not isinstance(change.strength, int | float) or change.gate is not None:
            raise InputError(
                "a first-order effect is of one vector times one number: use unit 'raw' and no gate"
            )
        sums = self.sums[place]
        if not 0 <= change.block < len(sums):
            raise InputError(f"block {change.block} does not exist: there are blocks 0 to {len(sums) - 1}")
        effect: np.ndarray = change.strength * (sums[change.block] @ change.direction.double().numpy())
        return effect


def slopes(
    model: LocalModel,
    problems: Sequence[Problem],
    *,
    positions: Sequence[str] = PLACES,
    representation: str = "image",
    tokens: int | None = None,
) -> Slopes:
    """Read questions once, forward and backward.

    Args:
        model: a local model that scores options.
        problems: with options; each is shown in one representation.
        positions: keys of ``POSITIONS`` to sum over.
        representation: the one that is shown.
        tokens: most positions of a pass; by default what a sweep takes.

    Raises:
        InputError: no question, or one without options or without the representation.
    """
    if not problems:
        raise InputError("no question was given")
    jobs = [model._job(index, query_of(p, representation)) for index, p in enumerate(problems)]
    for job, ids in zip(jobs, model._writer.tokenize([j.prompt.text for j in jobs]), strict=True):
        job.raw.extend(ids)
    truth = [problem.options.index(problem.answer) for problem in problems]
    most = max(len(problem.options) for problem in problems)
    tokens = tokens or TOKENS.get(model.pretrained.device.type, TOKENS["other"])
    depth = len(model.pretrained.anatomy.blocks)
    margin = np.zeros(len(jobs))
    sums: dict[str, np.ndarray] = {}
    groups = deque(grouped(jobs, share=False))  # a row for each question, or gradients would mix
    while groups:
        some = take(groups, rows=len(jobs), tokens=tokens, tokens_per_image=model._tokens_per_image)
        at = [job.index for group in some for job in group.jobs]
        margin[at], found = _read(model, some, [truth[i] for i in at], most, positions)
        for place, values in found.items():
            whole = sums.setdefault(place, np.zeros((depth, len(jobs), values.shape[2])))
            whole[:, at] = values
    return Slopes(margin, sums)


def _read(
    model: LocalModel, groups: Sequence[Group], truth: list[int], most: int, positions: Sequence[str]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    pretrained = model.pretrained
    parts = pretrained.anatomy
    laid = lay_out(model, groups)
    outputs: list[Tensor] = []
    last: list[Tensor] = []

    def keep(states: Tensor) -> Tensor | None:
        # What comes before the first block needs no gradient.
        kept = states if outputs else states.detach().requires_grad_()
        outputs.append(kept)
        return kept

    def see(module: Any, args: Any, output: Any) -> None:
        last.append(output.last_hidden_state)

    only = {"logits_to_keep": 1} if "logits_to_keep" in pretrained.forward_names else {}
    with ExitStack() as stack, torch.enable_grad():
        for block in parts.blocks:
            stack.enter_context(at_block(block, keep))
        stack.callback(parts.decoder.register_forward_hook(see).remove)
        pretrained.model(**laid.inputs, use_cache=False, **only)
        scores = option_scores(parts, laid, last[0][None], most, pretrained.end_ids)[0]
        rows = torch.arange(len(truth))
        right = scores[rows, truth]
        rival = scores.index_put((rows, torch.tensor(truth)), torch.tensor(-torch.inf)).max(dim=1).values
        gradients = torch.autograd.grad((right - rival).sum(), outputs)
    kinds = parts.token_map({"input_ids": laid.inputs["input_ids"], "attention_mask": laid.real})
    question = torch.zeros(len(kinds), dtype=torch.long)
    question[laid.wanted[:, 0].cpu()] = laid.wanted[:, 3].cpu()  # a question may have several rows
    found = {}
    for place in positions:
        mask = mask_of(place, kinds, laid.inputs["input_ids"]).to(gradients[0].device)  # type: ignore[arg-type]
        per_row = torch.stack([(g.float() * mask[..., None]).sum(dim=1) for g in gradients]).cpu()
        whole = torch.zeros(len(gradients), len(truth), per_row.shape[2])
        found[place] = whole.index_add(1, question, per_row).double().numpy()
    return (right - rival).detach().double().cpu().numpy(), found


def screen(
    found: Slopes, cells: Sequence[tuple[Cell, Change | Patch]], keep: int
) -> list[tuple[Cell, Change | Patch]]:
    """The cells of a grid that are worth an exact look.

    Args:
        found: slopes of questions that take no part in the sweep, or the choice is not a held-out one.
        cells: of the grid.
        keep: how many cells of each vector and kind of positions stay: those with the highest accuracy, then
            mean margin, that first order predicts.

    Raises:
        InputError: ``keep`` below 1.
    """
    if keep < 1:
        raise InputError(f"{keep} cells cannot be kept; give at least 1")
    ranked: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
    for number, (cell, change) in enumerate(cells):
        assert isinstance(change, Change)
        margin = found.margin + found.gain(change)
        key = (cell.vector, cell.positions)
        ranked.setdefault(key, []).append((-float((margin > 0).mean()), -float(margin.mean()), number))
    kept = sorted(number for entries in ranked.values() for *_, number in sorted(entries)[:keep])
    return [cells[number] for number in kept]


def rank_agreement(found: Slopes, result: SweepResult, cells: Sequence[tuple[Cell, Change | Patch]]) -> float:
    """Spearman's correlation, over cells, of the mean gain of margin: first order against exact.

    Args:
        found: slopes.
        result: the sweep of ``cells``; on the same questions or on others.
        cells: at least three.
    """
    predicted = [float(found.gain(change).mean()) for _, change in cells if isinstance(change, Change)]
    exact = (result.margin[: len(predicted)] - result.base_margin).mean(axis=1)
    return spearman(np.array(predicted), exact)


def spearman(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float:
    """Spearman's rank correlation; equal values share their mean rank."""
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.array([(values < one).sum() + ((values == one).sum() - 1) / 2 for one in values])
