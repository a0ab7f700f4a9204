"""Replies written token by token, and options scored by making the model write them.

Both go through the model's own ``generate``, so they work for every family, whatever its attention,
positions or vision inputs look like.

Sampling has one random stream per query, derived from its seed, sample index and problem id: a reply does
not depend on what else is in the batch, and a run that was interrupted continues with the same draws. No
global random state is read or changed. ``temperature`` divides the logits, ``top_p`` keeps the most likely
tokens that together have at least that probability; temperature 0 takes the most likely token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import LogitsProcessor, LogitsProcessorList

from modgap.models._query import Query, Reply, Sampling

from ._load import Pretrained
from ._options import Continuation
from ._score import Scores, log_probabilities

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor


def stream(query: Query) -> np.random.Generator:
    """Random stream of one query: the same whenever and wherever the query is asked."""
    name = f"{query.sampling.seed}/{query.sample}/{query.problem_id}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"))


def draw(logits: Float[Tensor, " choices"], sampling: Sampling, uniform: float) -> int:
    """Draw one choice.

    Args:
        logits: unnormalised log-probabilities, shape (choices,).
        sampling: temperature above 0, and top_p.
        uniform: a number drawn uniformly from 0 to 1.

    Returns:
        Index of the choice.
    """
    probabilities = (logits.double() / sampling.temperature).softmax(dim=0)
    ordered, indices = probabilities.sort(descending=True, stable=True)
    cumulative = ordered.cumsum(dim=0)
    # A choice is kept if those before it do not yet reach top_p; the first always is.
    kept = max(1, int((cumulative - ordered < sampling.top_p).sum()))
    cumulative = cumulative[:kept]
    at = int(torch.searchsorted(cumulative, uniform * float(cumulative[-1]), right=True))
    return int(indices[min(at, kept - 1)])


@dataclass(frozen=True)
class Generated:
    """A generated reply: its text and its length in tokens, without what ends it."""

    text: str
    tokens: int


@torch.inference_mode()
def generate(pretrained: Pretrained, queries: Sequence[Query], read: Any, limit: int) -> list[Generated]:
    """Write a reply to each prompt.

    Args:
        pretrained: the model.
        queries: for their sampling.
        read: the processor's output for their prompts, in order, padded on the left.
        limit: most new tokens.

    Returns:
        Replies without special tokens and without white space at either end.
    """
    processors = LogitsProcessorList()
    if any(query.sampling.temperature > 0 for query in queries):
        processors.append(_Sampler(queries))
    inputs = pretrained.inputs(read)
    written = pretrained.model.generate(
        **inputs, max_new_tokens=limit, do_sample=False, logits_processor=processors
    )
    replies: list[Generated] = []
    for row in written[:, inputs["input_ids"].shape[1] :].tolist():
        end = next((i for i, token in enumerate(row) if token in pretrained.end_ids), len(row))
        text = pretrained.tokenizer.decode(row[:end], skip_special_tokens=True)
        replies.append(Generated(text.strip(), end))
    return replies


@dataclass(frozen=True)
class ForcedRow:
    """One path that ``generate`` is made to write after a prompt.

    Args:
        question: whose prompt it follows.
        path: token ids.
        wanted: (step, token, option): the log-probability of the token at that step counts for the option.
    """

    question: int
    path: tuple[int, ...]
    wanted: tuple[tuple[int, int, int], ...]


def forced_rows(continuations: Sequence[Continuation]) -> list[ForcedRow]:
    """The rows that score all options of each question, one or more each."""
    rows: list[ForcedRow] = []
    for question, one in enumerate(continuations):
        for number, path in enumerate(one.rows or ((),)):
            wanted = tuple(
                (len(one.forced) + step, token, option)
                for option, target in enumerate(one.targets)
                if max(one.row_of[option], 0) == number
                for step, token in enumerate(target)
            )
            rows.append(ForcedRow(question, (*one.forced, *path), wanted))
    return rows


@torch.inference_mode()
def score_forced(pretrained: Pretrained, rows: Sequence[ForcedRow], read: Any) -> list[list[float]]:
    """Log-probabilities of what is wanted, by making ``generate`` write each path.

    Args:
        pretrained: the model.
        rows: at least one.
        read: the processor's output for the prompt of each row, in order.

    Returns:
        Per row, natural logarithms in the order of its ``wanted``.
    """
    writer = _Forced(rows, pretrained.end_ids)
    pretrained.model.generate(
        **pretrained.inputs(read),
        max_new_tokens=max(len(row.path) for row in rows) + 1,
        do_sample=False,
        logits_processor=LogitsProcessorList([writer]),
    )
    return writer.values


class _Sampler(LogitsProcessor):  # type: ignore[misc]
    """Leaves each row one token: the one its query's stream draws."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self._queries = queries
        self._streams = [stream(query) for query in queries]

    def __call__(
        self, input_ids: Int[Tensor, "batch seq"], scores: Float[Tensor, "batch vocab"]
    ) -> Float[Tensor, "batch vocab"]:
        for row, (query, numbers) in enumerate(zip(self._queries, self._streams, strict=True)):
            if query.sampling.temperature > 0:
                chosen = draw(scores[row], query.sampling, numbers.random())
                scores[row] = -torch.inf
                scores[row, chosen] = 0.0
        return scores


class _Forced(LogitsProcessor):  # type: ignore[misc]
    """Makes each row follow its path, and notes the log-probabilities that are wanted on the way."""

    def __init__(self, rows: Sequence[ForcedRow], end_ids: Sequence[int]) -> None:
        self._rows = rows
        self._end_ids = end_ids
        self._step = 0
        self.values = [[0.0] * len(row.wanted) for row in rows]

    def __call__(
        self, input_ids: Int[Tensor, "batch seq"], scores: Float[Tensor, "batch vocab"]
    ) -> Float[Tensor, "batch vocab"]:
        asked = [
            (number, place, token)
            for number, row in enumerate(self._rows)
            for place, (step, token, _) in enumerate(row.wanted)
            if step == self._step
        ]
        if asked:
            picked = log_probabilities(
                scores[:, None], [(number, 0, token) for number, _, token in asked], self._end_ids
            )
            for (number, place, _), value in zip(asked, picked, strict=True):
                self.values[number][place] = value
        forced = torch.full_like(scores, -torch.inf)
        for number, row in enumerate(self._rows):
            # Past its path a row writes anything; nothing of it is wanted.
            forced[number, row.path[self._step] if self._step < len(row.path) else 0] = 0.0
        self._step += 1
        return forced


def choice(query: Query, scores: Scores, tokens: int) -> Reply:
    """The reply that names the best option, or the drawn one.

    Args:
        query: has the options.
        scores: log-probability of each, in nats.
        tokens: that were read.
    """
    values = torch.tensor(scores, dtype=torch.float64)
    if not bool(values.isfinite().any()):
        return Reply(
            text=None, error="the model gave no number for any option; its arithmetic overflowed, try float32"
        )
    if query.sampling.temperature > 0:
        best = draw(values, query.sampling, stream(query).random())
    else:
        best = int(values.argmax())
    text = f"{query.answer_prefix} {query.options[best]}".strip()
    return Reply(text, option_scores=scores, usage={"input_tokens": float(tokens)})
