"""Many changes of one model on the same questions, without reading anything twice.

A sweep asks every question once for each block, strength and vector. Here a batch of questions is read once
as it is; the output of every block is kept. For a change at block ``b`` only the blocks after ``b`` are run
again, from the kept states with the change added, strengths and vectors of the block together as one batch;
pictures are encoded once. The options are scored from that single pass.

If nothing before the first changed position can be moved by the change (a causal model), the keys and values
of those positions are taken from the first reading too.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import DynamicCache

from modgap._errors import InputError
from modgap.models import Query
from modgap.models.local._batches import Group, grouped, take
from modgap.models.local._layout import lay_out, option_scores
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, MaskMaker, Positions, added, mask_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor

TOKENS = {"cpu": 2048, "other": 65_536}
"""Most positions of a pass, by device, which bounds the memory (our choice: on a CPU what fits its caches;
`benchmarks/steering_sweep.py`)."""


@dataclass(frozen=True)
class Patch:
    """The states of one block in the place of another's, as they are without any change.

    Args:
        source: block whose output is taken, 0-based.
        block: block whose output it takes the place of; back-patching if it is the earlier one.
        positions: as for a :class:`Change`.
    """

    source: int
    block: int
    positions: Positions | MaskMaker = "image"


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
            to decode), and patches.
        tokens: most positions of a pass; by default ``TOKENS`` of the device.
        listener: is told how many questions are done.

    Raises:
        InputError: a question without options or too long for the model, a change of the phase ``decode`` or
            with a gate, or positions that a question does not have.
    """
    if any(isinstance(change, Change) and change.phase == "decode" for change in changes):
        raise InputError("a sweep scores options, which are read and not written: use phase 'prefill'")
    if any(isinstance(change, Change) and change.gate is not None for change in changes):
        raise InputError("a sweep changes every question: sweep without the gate, and use it with steering()")
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
        reading = _Reading(model, some)
        at = [job.index for group in some for job in group.jobs]
        base[at] = reading.scores(reading.final, most)[0]
        for numbers, states in reading.replays(changes, tokens):
            changed[np.ix_(numbers, at)] = reading.scores(states, most)
        done += len(at)
        if listener is not None:
            listener(done)
    return Replayed(base, changed)


class _Reading:
    """One batch as the model reads it, with the outputs of its blocks."""

    def __init__(self, model: LocalModel, groups: Sequence[Group]) -> None:
        pretrained = model.pretrained
        self.parts = pretrained.anatomy
        self.end_ids = list(pretrained.end_ids)
        self.laid = lay_out(model, groups)
        self._causal = self.laid.causal
        self.ids = self.laid.inputs["input_ids"]
        self.kinds = self.parts.token_map({"input_ids": self.ids, "attention_mask": self.laid.real})
        self.outputs: list[Tensor] = []
        self._tuples: list[bool] = []
        self._call: dict[str, Any] = {}
        handles = [block.register_forward_hook(self._keep) for block in self.parts.blocks]
        handles.append(self.parts.decoder.register_forward_pre_hook(self._see, with_kwargs=True))
        self._cache = DynamicCache(config=pretrained.model.config.get_text_config()) if self._causal else None
        only = {"logits_to_keep": 1} if "logits_to_keep" in pretrained.forward_names else {}
        try:
            pretrained.model(**self.laid.inputs, use_cache=self._causal, past_key_values=self._cache, **only)
        finally:
            for handle in handles:
                handle.remove()
        self.final = self._run(1, len(self.outputs) - 1, self.outputs[-1], 0)

    def _keep(self, module: Any, args: Any, output: Any) -> None:
        self.outputs.append((output[0] if isinstance(output, tuple) else output).detach())
        self._tuples.append(isinstance(output, tuple))

    def _see(self, module: Any, args: Any, named: dict[str, Any]) -> None:
        if args:
            raise InputError(f"{type(module).__name__} takes inputs by position, which a sweep cannot repeat")
        self._call = {k: v for k, v in named.items() if k not in ("past_key_values", "use_cache")}

    def replays(
        self, changes: Sequence[Change | Patch], tokens: int
    ) -> Iterator[tuple[list[int], Float[Tensor, "row seq d_model"]]]:
        """Final states under the changes, as many of one block at a time as fit ``tokens``."""
        named = {change.block for change in changes}
        for block in sorted(named | {change.source for change in changes if isinstance(change, Patch)}):
            if not 0 <= block < len(self.outputs):
                raise InputError(
                    f"block {block} does not exist: there are blocks 0 to {len(self.outputs) - 1}"
                )
        for block in sorted(named):
            states = self.outputs[block]
            # Changes that begin at the same position run together.
            found = [(self._first(mask), i, mask) for i, mask in self._masks(changes, block)]
            found.sort(key=lambda entry: entry[:2])
            while found:
                first = found[0][0]
                most = max(1, tokens // (len(self.ids) * (self.ids.shape[1] - first)))
                some = [entry for entry in found[:most] if entry[0] == first]
                found = found[len(some) :]
                moved = [self._moved(changes[i], states, mask)[:, first:] for _, i, mask in some]
                yield [i for _, i, _ in some], self._run(len(some), block, torch.cat(moved), first)

    def _moved(
        self, change: Change | Patch, states: Float[Tensor, "row seq d_model"], mask: Bool[Tensor, "row seq"]
    ) -> Float[Tensor, "row seq d_model"]:
        if isinstance(change, Patch):
            return torch.where(mask[..., None], self.outputs[change.source], states)
        return added(change, states, mask)

    def _masks(
        self, changes: Sequence[Change | Patch], block: int
    ) -> Iterator[tuple[int, Bool[Tensor, "row seq"]]]:
        known: dict[object, Bool[Tensor, "row seq"]] = {}
        for number, change in enumerate(changes):
            if change.block == block:
                if change.positions not in known:
                    mask = mask_of(change.positions, self.kinds, self.ids)
                    if not bool(mask.any()):
                        raise InputError(f"positions {change.positions!r} stand nowhere in a question")
                    known[change.positions] = mask
                yield number, known[change.positions]

    def _first(self, mask: Bool[Tensor, "row seq"]) -> int:
        """The first column that any row changes, if what comes before need not be read again."""
        if not self._causal:
            return 0
        return min(int(mask.any(dim=0).int().argmax()), int(self.laid.wanted[:, 1].min()))

    def _run(self, times: int, block: int, states: Tensor, first: int) -> Float[Tensor, "row seq d_model"]:
        """From the output of a block to the last state, through the decoder's own forward pass."""
        call = {name: _repeated(name, value, times, len(self.ids)) for name, value in self._call.items()}
        cache = None
        if first:
            cache = _beginning(self._cache, first, times, block)
            call = {name: _cut(name, value, first, self.ids.shape[1]) for name, value in call.items()}
        with _skipping(self.parts.blocks, self._tuples, block, states):
            output = self.parts.decoder(**call, past_key_values=cache, use_cache=cache is not None)
        final: Tensor = output.last_hidden_state
        return final

    def scores(
        self, final: Float[Tensor, "row seq d_model"], most: int
    ) -> Float[np.ndarray, "time question option"]:
        """Log-probabilities of the options from last states, one set for each time the batch was repeated."""
        times = len(final) // len(self.ids)
        states = final.view(times, len(self.ids), *final.shape[1:])
        found = option_scores(self.parts, self.laid, states, most, self.end_ids)
        return found.double().cpu().numpy()


def _repeated(name: str, value: Any, times: int, height: int) -> Any:
    """An input of the decoder for a batch that is repeated."""
    if isinstance(value, dict):
        return {key: _repeated(name, entry, times, height) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_repeated(name, entry, times, height) for entry in value)
    if not isinstance(value, torch.Tensor) or times == 1 or value.ndim == 0 or name == "cache_position":
        return value
    if name == "position_ids" and value.ndim == 3:  # one set for time, height and width of a picture
        return value.repeat(1, times, 1)
    if len(value) == 1 and height > 1:
        return value
    return value.repeat(times, *[1] * (value.ndim - 1))


def _cut(name: str, value: Any, first: int, width: int) -> Any:
    """An input of the decoder without the columns that are in the cache."""
    if isinstance(value, dict):
        return {key: _cut(name, entry, first, width) for key, entry in value.items()}
    if not isinstance(value, torch.Tensor) or (name == "attention_mask" and value.ndim == 2):
        return value
    if name == "attention_mask":  # (row, 1, query, key)
        return value[:, :, first:]
    if name == "inputs_embeds":
        return value[:, first:]
    if value.ndim and value.shape[-1] == width:
        return value[..., first:]
    return value


def _beginning(cache: DynamicCache | None, length: int, times: int, block: int) -> DynamicCache:
    """The first positions of a cache, for a batch that is repeated and read by the blocks after ``block``."""
    assert cache is not None
    new = copy.copy(cache)
    new.layers = []
    for number, layer in enumerate(cache.layers):
        part = copy.copy(layer)
        part.keys, part.values = layer.keys[:, :, :length], layer.values[:, :, :length]
        if number > block and times > 1:
            part.keys, part.values = (x.repeat(times, 1, 1, 1) for x in (part.keys, part.values))
        new.layers.append(part)
    return new


@contextmanager
def _skipping(
    blocks: Sequence[torch.nn.Module], tuples: Sequence[bool], block: int, states: Tensor
) -> Iterator[None]:
    """Let the decoder pass by all blocks up to ``block``, which gives ``states``."""

    def passing(is_tuple: bool, given: Tensor | None) -> Any:
        def forward(hidden_states: Tensor, *args: Any, **named: Any) -> Any:
            out = hidden_states if given is None else given
            return (out,) if is_tuple else out

        return forward

    # accelerate and nnsight give modules a forward of their own, which must be there again afterwards.
    before = [vars(module).get("forward") for module in blocks[: block + 1]]
    for number, module in enumerate(blocks[: block + 1]):
        module.forward = passing(tuples[number], states if number == block else None)
    try:
        yield
    finally:
        for module, own in zip(blocks, before, strict=False):
            del module.forward
            if own is not None:
                module.forward = own
