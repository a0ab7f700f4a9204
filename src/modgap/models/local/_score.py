"""Options scored in one reading of the prompt, with what prompts have in common read once.

A batch is read in up to three steps, each continuing from the key-value cache of the one before:

    1. the beginning that all questions of a group share (instruction, picture or text), one row per group;
    2. what is left of each prompt, and the answer prefix, one row per question;
    3. the tokens of options that are more than one token long, one row per option.

Every step pads on the left, so a row of the cache has holes; the attention mask covers them and positions
are given explicitly, so each token sees exactly what it would see alone. That holds only where a token's
state depends on nothing after it. :func:`why_not` names the models where it does not; they are scored in
``_forced.py``, which asks ``generate`` and so works for every family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from ._load import Pretrained
from ._options import END, Continuation
from ._prompt import common_length

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

Scores = tuple[float, ...]


@dataclass(frozen=True)
class Contexts:
    """The questions of one group as token ids.

    Args:
        ids: per question, the prompt and the answer prefix.
        continuations: per question.
    """

    ids: tuple[list[int], ...]
    continuations: tuple[Continuation, ...]

    def shared(self) -> int:
        """Tokens that are read once; at least one is left for each question."""
        first, *others = self.ids
        return min([len(first) - 1, *(min(common_length(first, ids), len(ids) - 1) for ids in others)])


def why_not(pretrained: Pretrained, read: Any) -> str | None:
    """Why prompts of this model cannot share their beginning, or ``None`` if they can.

    Args:
        pretrained: the model.
        read: the processor's output for any prompt.
    """
    if pretrained.model.config.is_encoder_decoder:
        return "the model has an encoder"
    shape = read["input_ids"].shape
    for name, value in read.items():
        per_token = getattr(value, "shape", ())[:2] == shape and not name.startswith(("pixel_", "image_"))
        if per_token and name not in ("input_ids", "attention_mask"):
            return f"the model takes {name} for each token, so its attention may not be causal"
    if "position_ids" not in pretrained.forward_names:
        return "the model does not take position_ids"
    layers = DynamicCache(config=pretrained.model.config.get_text_config()).layers
    if any(type(layer) is not DynamicLayer for layer in layers):
        return "the model's cache does not keep every token"
    return None


@torch.inference_mode()
def score_shared(pretrained: Pretrained, groups: Sequence[Contexts], read: Any) -> list[list[Scores]]:
    """Log-probability of every option.

    Args:
        pretrained: a model for which :func:`why_not` is ``None``.
        groups: of one or more questions.
        read: the processor's output for one prompt of each group, in order; its pictures are used.

    Returns:
        Per group and question, one number per option: natural logarithm, summed over tokens.
    """
    reader = _Reader(pretrained)
    # When every question is alone there is no second step.
    alone = all(len(group.ids) == 1 for group in groups)
    shared = [len(group.ids[0]) if alone else group.shared() for group in groups]
    pictures = {
        name: value
        for name, value in pretrained.inputs(read).items()
        if name in pretrained.forward_names and name not in ("input_ids", "attention_mask")
    }
    logits = reader.read([group.ids[0][:n] for group, n in zip(groups, shared, strict=True)], 1, pictures)
    questions = [(g, ids) for g, group in enumerate(groups) for ids in group.ids]
    if not alone:
        reader.select([g for g, _ in questions])
        logits = reader.read([ids[shared[g] :] for g, ids in questions], 1)

    continuations = [one for group in groups for one in group.continuations]
    first = [(q, 0, target[0]) for q, one in enumerate(continuations) for target in one.targets]
    values = log_probabilities(logits, first, pretrained.end_ids)

    owners = [q for q, one in enumerate(continuations) for _ in one.rows]
    if owners:
        paths = [path for one in continuations for path in one.rows]
        longest = max(map(len, paths))
        reader.select(owners)
        logits = reader.read(paths, longest)
        offset = 0
        later: list[tuple[int, int, int]] = []
        owner: list[int] = []
        option = 0
        for one in continuations:
            for target, row in zip(one.targets, one.row_of, strict=True):
                # Rows are padded on the left: the path's last token is the last column.
                start = longest - len(paths[offset + row]) if row >= 0 else 0
                later += [(offset + row, start + t, token) for t, token in enumerate(target[1:])]
                owner += [option] * (len(target) - 1)
                option += 1
            offset += len(one.rows)
        for at, value in zip(owner, log_probabilities(logits, later, pretrained.end_ids), strict=True):
            values[at] += value

    scores = iter(values)
    return [[tuple(next(scores) for _ in one.targets) for one in group.continuations] for group in groups]


class _Reader:
    """Reads rows of tokens into the model, each continuing its row of the cache."""

    def __init__(self, pretrained: Pretrained) -> None:
        self._pretrained = pretrained
        self._cache = DynamicCache(config=pretrained.model.config.get_text_config())
        self._mask: Int[Tensor, "batch seen"] | None = None

    def select(self, rows: list[int]) -> None:
        """Replace the rows by those listed, which may repeat."""
        assert self._mask is not None
        if rows == list(range(len(self._mask))):
            return
        indices = torch.tensor(rows, device=self._pretrained.device)
        self._cache.batch_select_indices(indices)
        self._mask = self._mask[indices]

    def read(
        self, rows: Sequence[Sequence[int]], keep: int, pictures: dict[str, Any] | None = None
    ) -> Float[Tensor, "batch keep vocab"]:
        """Read one more stretch of each row.

        Args:
            rows: token ids, of any length; padded on the left here.
            keep: of how many columns at the end the logits are wanted.
            pictures: inputs that belong to image tokens in ``rows``.

        Returns:
            Logits, shape (batch, keep, vocab), in the model's dtype.
        """
        model, device = self._pretrained.model, self._pretrained.device
        width = max(map(len, rows))
        pad = self._pretrained.tokenizer.pad_token_id or 0
        ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)
        new = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
        seen = 0 if self._mask is None else self._mask.sum(dim=1, keepdim=True)
        positions = (seen + new.cumsum(dim=1) - 1).clamp(min=0)
        self._mask = new if self._mask is None else torch.cat([self._mask, new], dim=1)
        only = {"logits_to_keep": keep} if "logits_to_keep" in self._pretrained.forward_names else {}
        output = model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            **only,
            **(pictures or {}),
        )
        logits: Tensor = output.logits[:, -keep:]
        return logits


def log_probabilities(
    logits: Float[Tensor, "batch keep vocab"], wanted: Sequence[tuple[int, int, int]], end_ids: Sequence[int]
) -> list[float]:
    """Log-probabilities of single tokens, computed in float32.

    Args:
        logits: shape (batch, keep, vocab), any floating dtype.
        wanted: (row, column, token id); the id ``END`` stands for any of ``end_ids``.
        end_ids: token ids that end a reply.

    Returns:
        Natural logarithms, in the order of ``wanted``.
    """
    logits = logits.float()
    totals = logits.logsumexp(dim=-1)
    rows, columns, tokens = (
        torch.tensor(column, device=logits.device) for column in zip(*wanted, strict=True)
    )
    values = logits[rows, columns, tokens.clamp(min=0)]
    ending = tokens == END
    if bool(ending.any()):
        ends = logits[..., list(end_ids)].logsumexp(dim=-1)
        values = torch.where(ending, ends[rows, columns], values)
    result: list[float] = (values - totals[rows, columns]).tolist()
    return result
