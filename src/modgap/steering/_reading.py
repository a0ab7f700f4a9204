"""One batch of questions as a model reads it, and again from some block on under changes.

For a change at block ``b`` the blocks after ``b`` are run from the kept states with the change added. What
does not depend on the change, or is the same in every row, is not read again:

    the beginning   what stands before the first changed position comes from the first reading's cache
    shared text     changed text that all rows begin with, the instruction say, is read for one row, and
                    its keys and values serve all
    the last block  gives queries and its multilayer perceptron only from the first position on that
                    predicts an option

The first two need a causal model.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from modgap._errors import InputError
from modgap.models.local._batches import Group
from modgap.models.local._layout import lay_out, option_scores
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, MaskMaker, Positions, added, mask_of

from ._partial import cut, only_from, repeated, skipping

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, Float
    from torch import Tensor


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


class Reading:
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
        self._asked = int(self.laid.wanted[:, 1].min())
        """The first column that predicts an option."""
        self._shared = self._alike()
        start = self._asked if self._causal else 0
        self.final = self._run(1, len(self.outputs) - 1, self.outputs[-1][:, start:], start)

    def _alike(self) -> int:
        """Columns at the beginning whose states are the same in every row; made so to the last bit."""
        known = {"inputs_embeds", "attention_mask", "position_ids", "cache_position"}
        given = {name for name, value in self._call.items() if isinstance(value, torch.Tensor)}
        if len(self.ids) == 1 or not given <= known:
            return 0
        for states in self.outputs:
            states[:, : self.laid.shared] = states[:1, : self.laid.shared]
        return self.laid.shared

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
            found = [(self._first(mask, block), i, mask) for i, mask in self._masks(changes, block)]
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

    def _first(self, mask: Bool[Tensor, "row seq"], block: int) -> int:
        """The first column that needs to be read again."""
        if not self._causal:
            return 0
        if block == len(self.outputs) - 1:  # nothing looks back any more
            return self._asked
        return min(int(mask.any(dim=0).int().argmax()), self._asked)

    def _run(self, times: int, block: int, states: Tensor, first: int) -> Float[Tensor, "row seq d_model"]:
        """From the output of a block, columns from ``first`` on, to the last state."""
        rows, width = self.ids.shape
        cache = self._beginning(first, times, rows, block) if first else None
        alike = states.view(times, rows, *states.shape[1:])[:, :, : max(0, self._shared - first)]
        if alike.shape[2] and bool((alike == alike[:, :1]).all()):
            one = self._beginning(first, times, 1, block)
            self._pass(times, 1, block, alike[:, 0], (first, self._shared), one)
            states, first = states[:, self._shared - first :], self._shared
            cache = self._beginning(first, times, rows, block, one)
        return self._pass(times, rows, block, states, (first, width), cache)

    def _pass(
        self,
        times: int,
        rows: int,
        block: int,
        states: Float[Tensor, "row seq d_model"],
        columns: tuple[int, int],
        cache: DynamicCache | None,
    ) -> Float[Tensor, "row seq d_model"]:
        """Columns of the first rows, repeated, through the decoder's own forward pass."""
        call = self._call
        if cache is not None:
            call = {name: cut(name, value, rows, columns, self.ids.shape) for name, value in call.items()}
        call = {name: repeated(name, value, times, rows) for name, value in call.items()}
        with ExitStack() as stack:
            stack.enter_context(skipping(self.parts.blocks, self._tuples, block, states))
            if block < len(self.outputs) - 1:
                start, stop = columns
                stack.enter_context(only_from(self.parts.blocks[-1], min(self._asked, stop - 1) - start))
            output = self.parts.decoder(**call, past_key_values=cache, use_cache=cache is not None)
        final: Tensor = output.last_hidden_state
        return final

    def _beginning(
        self, length: int, times: int, rows: int, block: int, changed: DynamicCache | None = None
    ) -> DynamicCache:
        """Keys and values of the first columns, for a batch that is repeated and read after ``block``.

        Args:
            length: columns.
            times, rows: of the batch.
            block: up to which nothing is read.
            changed: keys and values of one row for each time, to take in the place of the first reading's.
        """
        assert self._cache is not None
        new = copy.copy(self._cache)
        new.layers = []
        for number, layer in enumerate(self._cache.layers):
            part = copy.copy(layer)
            part.keys, part.values = layer.keys[:rows, :, :length], layer.values[:rows, :, :length]
            if number > block and changed is not None:
                own = changed.layers[number]
                part.keys, part.values = (x.repeat_interleave(rows, 0) for x in (own.keys, own.values))
            elif number > block and times > 1:
                part.keys, part.values = (x.repeat(times, 1, 1, 1) for x in (part.keys, part.values))
            new.layers.append(part)
        return new

    def scores(
        self, final: Float[Tensor, "row seq d_model"], most: int
    ) -> Float[np.ndarray, "time question option"]:
        """Log-probabilities of the options from last states, one set for each time the batch was repeated."""
        times = len(final) // len(self.ids)
        states = final.view(times, len(self.ids), *final.shape[1:])
        found = option_scores(self.parts, self.laid, states, most, self.end_ids)
        return found.double().cpu().numpy()
