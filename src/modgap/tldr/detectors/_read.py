"""Captions read in batches, for detectors that need no training: states, and what the model would have said.

Captions about one picture, or without any, are read after one reading of their prompt; see ``_reading.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from modgap._errors import InputError
from modgap.media import Image
from modgap.models.local._anatomy import at_block
from modgap.tldr._reading import Encoded, Reader, Shown, read_states
from modgap.tldr._scores import Item

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from modgap.models.local._load import Pretrained
    from modgap.models.local._model import LocalModel

BATCH_TOKENS = 8192
"""Most tokens of captions in a batch, padding included (our choice: memory of the logits of a small
vocabulary on a CPU; a batch of one caption may exceed it)."""
MOST_CELLS = 50_000_000
"""Most logits that are held at once."""


@dataclass(frozen=True)
class Likelihood:
    """What a model makes of the tokens of one caption.

    Args:
        offsets: start and end of each token in the caption, in characters.
        log_p: log-probability of each token after all before it, natural logarithm.
        entropy: of the distribution it was drawn from, in nats.
    """

    offsets: Int[np.ndarray, "tokens 2"]
    log_p: Float[np.ndarray, " tokens"]
    entropy: Float[np.ndarray, " tokens"]


def likelihoods(model: LocalModel, items: Sequence[Item]) -> list[Likelihood]:
    """Likelihood of every caption.

    Args:
        model: any local model whose tokenizer gives offsets.
        items: captions; a picture of ``None`` leaves it out of the prompt.

    Returns:
        One for each item, in order.

    Raises:
        InputError: if a caption cannot be read, see :class:`modgap.tldr._reading.Reader`.
    """
    pretrained = model.pretrained
    found: list[Likelihood | None] = [None] * len(items)
    for indices, encoded, batch in batches(pretrained, items):
        with torch.inference_mode():
            before = _states_before(pretrained, batch)
            log_p, entropy = _log_p(pretrained, before, batch["ids"])
        for row, (index, one) in enumerate(zip(indices, encoded, strict=True)):
            length = len(one.ids)
            found[index] = Likelihood(one.offsets, log_p[row, :length], entropy[row, :length])
    return [one for one in found if one is not None]


def states_at(
    pretrained: Pretrained, batch: dict[str, object], blocks: Sequence[int]
) -> list[Float[Tensor, "captions tokens d_model"]]:
    """What decoder blocks give at the tokens of a batch of captions, read once.

    Args:
        pretrained: the model.
        batch: of :func:`batches`.
        blocks: 0-based.
    """
    seen: dict[int, Tensor] = {}
    with ExitStack() as stack:
        for block in blocks:
            keep = partial(seen.__setitem__, block)
            stack.enter_context(at_block(pretrained.anatomy.blocks[block], keep))
        width = read_states(pretrained, **batch).shape[1]  # type: ignore[arg-type]
    return [seen[block][:, -width:] for block in blocks]


def batches(
    pretrained: Pretrained, items: Sequence[Item]
) -> Iterator[tuple[list[int], list[Encoded], dict[str, object]]]:
    """Batches of captions: which items they are, their token ids, and the tensors of ``Reader.batch``."""
    reader = Reader(pretrained)
    prompts: dict[tuple[Image | None, str], list[int]] = {}
    for index, item in enumerate(items):
        prompts.setdefault((item.image, item.prompt), []).append(index)
    for has_picture in (True, False):
        pending: list[tuple[Item, list[tuple[int, Encoded]]]] = []
        for (image, _), indices in prompts.items():
            if (image is not None) is not has_picture:
                continue
            first = items[indices[0]]
            prompt = reader.prompt(first)
            read = [(i, reader.encode(prompt, items[i].caption)) for i in indices]
            read.sort(key=lambda pair: len(pair[1].ids))
            most = max(1, BATCH_TOKENS // len(read[-1][1].ids))
            pending += [(first, read[start : start + most]) for start in range(0, len(read), most)]
        pending.sort(key=lambda entry: -len(entry[1][-1][1].ids))
        while pending:
            width = len(pending[0][1][-1][1].ids)
            count, taken = 0, 0
            while taken < len(pending) and (
                taken == 0 or (count + len(pending[taken][1])) * width <= BATCH_TOKENS
            ):
                count += len(pending[taken][1])
                taken += 1
            now, pending = pending[:taken], pending[taken:]
            shown = [Shown(reader.prompt(item), tuple(e.ids for _, e in read)) for item, read in now]
            pairs = [pair for _, read in now for pair in read]
            yield [i for i, _ in pairs], [e for _, e in pairs], reader.batch(shown)


def check_pictures(name: str, items: Sequence[Item]) -> None:
    """Refuse captions without a picture.

    Raises:
        InputError: if there is one.
    """
    if any(item.image is None for item in items):
        raise InputError(f"detector {name!r} compares with the picture, and a caption has none; give one")


def _states_before(pretrained: Pretrained, batch: dict[str, object]) -> Tensor:
    """The states from which each token of a caption is predicted: those one place earlier."""
    found: list[Tensor] = []
    decoder = pretrained.anatomy.decoder

    def keep(module: object, args: object, output: object) -> None:
        states = output[0] if isinstance(output, tuple) else output.last_hidden_state  # type: ignore[attr-defined]
        found.append(states)

    handle = decoder.register_forward_hook(keep)
    try:
        last = read_states(pretrained, **batch)  # type: ignore[arg-type]
    finally:
        handle.remove()
    width = last.shape[1]
    if len(found) == 2:  # prompts were read on their own, padded on the left
        first = found[0][:, -1:][batch["owner"].to(last.device)]  # type: ignore[attr-defined]
    else:
        first = found[0][:, -width - 1 : -width]
    return torch.cat([first, last[:, :-1]], dim=1)


def _log_p(
    pretrained: Pretrained, before: Tensor, ids: object
) -> tuple[Float[np.ndarray, "captions tokens"], Float[np.ndarray, "captions tokens"]]:
    parts = pretrained.anatomy
    wanted = torch.as_tensor(ids).to(before.device)
    log_p, entropy = [], []
    vocabulary = pretrained.model.get_output_embeddings().weight.shape[0]
    rows = max(1, MOST_CELLS // (vocabulary * before.shape[1]))
    for states, tokens in zip(torch.split(before, rows), torch.split(wanted, rows), strict=True):
        logits = parts.logits(states)
        logs = logits.log_softmax(dim=-1)
        log_p.append(logs.gather(-1, tokens[..., None])[..., 0])
        entropy.append(-(logs.exp() * logs).nan_to_num().sum(dim=-1))
    as_array = [torch.cat(part).double().cpu().numpy() for part in (log_p, entropy)]
    return as_array[0], as_array[1]
