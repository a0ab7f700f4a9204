"""Options scored in one reading of the prompt, with what prompts have in common read once.

The questions of a group make a tree: a trunk they share (instruction, picture or text), a branch for each
question and its answer prefix, and a twig for each option of more than one token. A batch is read in two
steps:

    1. the trunks, one row per group, into the key-value cache;
    2. everything else, again one row per group: branches and twigs stand side by side, each token with the
       position it would have alone, and a mask lets it see its trunk, its own branch and nothing else.

So the cache is never copied, nothing is read twice, and each token sees exactly what it would see alone. That
holds only where a token's state depends on nothing after it: :func:`why_not` names models where it does
not. They are scored in ``_generate.py``, which asks ``generate`` and so works for every family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from ._load import Pretrained
from ._options import END, Continuation
from ._prompt import common_length

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
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

    def trunk(self) -> int:
        """Tokens that all questions begin with; at least one is left for each."""
        first, *others = self.ids
        return min([len(first) - 1, *(min(common_length(first, ids), len(ids) - 1) for ids in others)])


def why_not(pretrained: Pretrained, read: Any) -> str | None:
    """Why prompts of this model cannot share their beginning, or ``None`` if nothing speaks against it.

    Args:
        pretrained: the model.
        read: the processor's output for any prompt.
    """
    config = pretrained.model.config
    if config.is_encoder_decoder:
        return "the model has an encoder"
    shape = read["input_ids"].shape
    for name, value in read.items():
        per_token = getattr(value, "shape", ())[:2] == shape and not name.startswith(("pixel_", "image_"))
        if per_token and name not in ("input_ids", "attention_mask"):
            return f"the model takes {name} for each token, so its attention may not be causal"
    if "position_ids" not in pretrained.forward_names:
        return "the model does not take position_ids"
    text_config = config.get_text_config()
    if text_config._attn_implementation not in ("sdpa", "eager"):
        return f"attention {text_config._attn_implementation!r} takes no mask of this kind; sdpa and eager do"
    if any(type(layer) is not DynamicLayer for layer in DynamicCache(config=text_config).layers):
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
    cache = DynamicCache(config=pretrained.model.config.get_text_config())
    # When every question is alone its whole prompt is trunk, and the first step gives the answer.
    alone = all(len(group.ids) == 1 for group in groups)
    trunks = [len(group.ids[0]) if alone else group.trunk() for group in groups]
    logits, mask = _read_trunks(
        pretrained, cache, [group.ids[0][:n] for group, n in zip(groups, trunks, strict=True)], read
    )
    rows = [Row(group, n) for group, n in zip(groups, trunks, strict=True)]
    wanted = [(g, 0, token) for g, row in enumerate(rows) for _, _, token in row.at_trunk]
    places = [(g, *place) for g, row in enumerate(rows) for *place, _ in row.at_trunk]
    values = log_probabilities(logits, wanted, pretrained.end_ids) if wanted else []
    if any(row.tokens for row in rows):
        logits = _read_branches(pretrained, cache, rows, mask)
        keep = logits.shape[1]
        # Rows are padded on the left, so columns count from the end.
        wanted = [(g, keep - back, token) for g, row in enumerate(rows) for *_, back, token in row.wanted()]
        places += [(g, *place) for g, row in enumerate(rows) for *place, _, _ in row.wanted()]
        values += log_probabilities(logits, wanted, pretrained.end_ids)
    scores = [[[0.0] * len(one.targets) for one in group.continuations] for group in groups]
    for (group, question, option), value in zip(places, values, strict=True):
        scores[group][question][option] += value
    return [[tuple(of_question) for of_question in of_group] for of_group in scores]


@dataclass
class _Segment:
    """Tokens in a line, each of which sees those before it, its parent segment, and the trunk."""

    tokens: Sequence[int]
    start: int  # position of the first token, 0-based from the beginning of the prompt
    parent: _Segment | None = None
    columns: list[int] = field(default_factory=list)


class Row:
    """Branches and twigs of one group, laid out in one row.

    Tokens whose logits are wanted come last, so that the model computes logits for few columns. Order in the
    row means nothing else: who sees whom is in the mask, who stands where in the positions.

    Args:
        group: its questions.
        trunk: how many tokens were read before.
    """

    def __init__(self, group: Contexts, trunk: int) -> None:
        self.at_trunk: list[tuple[int, int, int]] = []  # (question, option, token) to read off the trunk
        self._wanted: list[tuple[int, int, _Segment, int, int]] = []
        self._segments: list[_Segment] = []
        for question, (ids, one) in enumerate(zip(group.ids, group.continuations, strict=True)):
            branch = _Segment(ids[trunk:], trunk) if len(ids) > trunk else None
            twigs = [_Segment(path, len(ids), branch) for path in one.rows]
            self._segments += [*([branch] if branch else []), *twigs]
            for option, (target, row) in enumerate(zip(one.targets, one.row_of, strict=True)):
                if branch is None:
                    self.at_trunk.append((question, option, target[0]))
                else:
                    self._wanted.append((question, option, branch, len(branch.tokens) - 1, target[0]))
                for t, token in enumerate(target[1:]):
                    self._wanted.append((question, option, twigs[row], t, token))
        used = {(id(segment), index) for _, _, segment, index, _ in self._wanted}
        slots = [(segment, i) for segment in self._segments for i in range(len(segment.tokens))]
        slots.sort(key=lambda slot: (id(slot[0]), slot[1]) in used)  # stable: order within a segment is kept
        for column, (segment, _) in enumerate(slots):
            segment.columns.append(column)
        self.tokens = [segment.tokens[i] for segment, i in slots]
        self.positions = [segment.start + i for segment, i in slots]
        self.keep = len(used)

    def wanted(self) -> list[tuple[int, int, int, int]]:
        """(question, option, column counted back from the end, token)."""
        width = len(self.tokens)
        return [(q, o, width - segment.columns[i], token) for q, o, segment, i, token in self._wanted]

    def sees(self) -> Bool[np.ndarray, "query key"]:
        """Which token of the row sees which."""
        seen = np.zeros((len(self.tokens), len(self.tokens)), dtype=bool)
        for segment in self._segments:
            own = np.array(segment.columns)
            seen[np.ix_(own, own)] = np.tri(len(own), dtype=bool)
            if segment.parent is not None:
                seen[np.ix_(own, np.array(segment.parent.columns))] = True
        return seen


def _read_trunks(
    pretrained: Pretrained, cache: DynamicCache, trunks: Sequence[Sequence[int]], read: Any
) -> tuple[Float[Tensor, "batch 1 vocab"], Bool[Tensor, "batch seq"]]:
    """Read the trunks into the cache; returns the last logits, and which columns are not padding."""
    pictures = {
        name: value
        for name, value in pretrained.inputs(read).items()
        if name in pretrained.forward_names and name not in ("input_ids", "attention_mask")
    }
    ids = left_padded(trunks, pretrained.tokenizer.pad_token_id or 0, pretrained.device)
    real = left_padded([[1] * len(trunk) for trunk in trunks], 0, pretrained.device)
    positions = (real.cumsum(dim=1) - 1).clamp(min=0)
    return _forward(pretrained, cache, ids, positions, real, keep=1, pictures=pictures), real.bool()


def _read_branches(
    pretrained: Pretrained, cache: DynamicCache, rows: Sequence[Row], trunk: Bool[Tensor, "batch seq"]
) -> Float[Tensor, "batch keep vocab"]:
    """Read everything after the trunks; returns logits of the last columns, as many as any row wants."""
    device = pretrained.device
    width = max(len(row.tokens) for row in rows)
    seen = np.zeros((len(rows), width, width), dtype=bool)
    for row, of_row in zip(rows, seen, strict=True):
        pad = width - len(row.tokens)
        of_row[pad:, pad:] = row.sees()
    sees = torch.cat([trunk[:, None].expand(-1, width, -1), torch.from_numpy(seen).to(device)], dim=2)
    dtype = pretrained.model.dtype
    mask = torch.zeros(sees.shape, dtype=dtype, device=device).masked_fill_(~sees, torch.finfo(dtype).min)
    ids = left_padded([row.tokens for row in rows], pretrained.tokenizer.pad_token_id or 0, device)
    positions = left_padded([row.positions for row in rows], 0, device)
    return _forward(
        pretrained, cache, ids, positions, mask[:, None], keep=max(row.keep for row in rows), pictures={}
    )


def _forward(
    pretrained: Pretrained,
    cache: DynamicCache,
    ids: Int[Tensor, "batch new"],
    positions: Int[Tensor, "batch new"],
    mask: Tensor,
    *,
    keep: int,
    pictures: dict[str, Any],
) -> Float[Tensor, "batch keep vocab"]:
    """One forward pass that continues the cache; ``mask`` is (batch, all) or (batch, 1, new, all)."""
    only = {"logits_to_keep": keep} if "logits_to_keep" in pretrained.forward_names else {}
    output = pretrained.model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        **only,
        **pictures,
    )
    logits: Tensor = output.logits[:, -keep:]
    return logits


def left_padded(rows: Sequence[Sequence[int]], pad: int, device: torch.device) -> Int[Tensor, "batch new"]:
    """Rows of ids as one tensor, padded on the left."""
    width = max(map(len, rows))
    return torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)


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
    rows, columns, tokens = (torch.tensor(part, device=logits.device) for part in zip(*wanted, strict=True))
    values = logits[rows, columns, tokens.clamp(min=0)]
    ending = tokens == END
    if bool(ending.any()):
        ends = logits[..., list(end_ids)].logsumexp(dim=-1)
        values = torch.where(ending, ends[rows, columns], values)
    result: list[float] = (values - totals[rows, columns]).tolist()
    return result
