"""A decoder's own forward pass, run in part: on other rows and columns, without its first blocks, with little
of its last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from torch import Tensor


def repeated(name: str, value: Any, times: int, height: int) -> Any:
    """An input of the decoder for a batch that is repeated."""
    if isinstance(value, dict):
        return {key: repeated(name, entry, times, height) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(repeated(name, entry, times, height) for entry in value)
    if not isinstance(value, torch.Tensor) or times == 1 or value.ndim == 0 or name == "cache_position":
        return value
    if name == "position_ids" and value.ndim == 3:  # one set for time, height and width of a picture
        return value.repeat(1, times, 1)
    if len(value) == 1 and height > 1:
        return value
    return value.repeat(times, *[1] * (value.ndim - 1))


def cut(name: str, value: Any, rows: int, columns: tuple[int, int], shape: tuple[int, int]) -> Any:
    """An input of the decoder for the first rows and some columns of a batch of some shape."""
    if isinstance(value, dict):
        return {key: cut(name, entry, rows, columns, shape) for key, entry in value.items()}
    if not isinstance(value, torch.Tensor) or (name == "attention_mask" and value.ndim == 2):
        return value
    start, stop = columns
    if name == "attention_mask":  # (row, 1, query, key)
        return value[:rows, :, start:stop, :stop]
    if name == "inputs_embeds":
        return value[:rows, start:stop]
    if value.ndim and value.shape[-1] == shape[1]:
        return value[:rows, start:stop] if value.shape == shape else value[..., start:stop]
    return value


@contextmanager
def skipping(
    blocks: Sequence[torch.nn.Module], tuples: Sequence[bool], block: int, states: Tensor
) -> Iterator[None]:
    """Let the decoder pass by all blocks up to ``block``, which gives ``states``."""

    def passing(is_tuple: bool, given: Tensor | None) -> Any:
        def forward(hidden_states: Tensor, *args: Any, **named: Any) -> Any:
            out = hidden_states if given is None else given
            return (out,) if is_tuple else out

        return forward

    with ExitStack() as stack:
        for number, module in enumerate(blocks[: block + 1]):
            forward = passing(tuples[number], states if number == block else None)
            stack.enter_context(_with_forward(module, forward))
        yield


@contextmanager
def only_from(block: torch.nn.Module, first: int) -> Iterator[None]:
    """Let a block give zeros before a column, at less cost: keys and values are all that it computes there.

    Its parts are found by the names that the families share; a block with others does all its work.
    """
    attention = getattr(block, "self_attn", None)
    parts = (getattr(block, "mlp", None), *(getattr(attention, name, None) for name in ("q_proj", "o_proj")))

    def shortened(whole: Any, states: Tensor) -> Any:
        given = whole(states[:, first:])
        if not isinstance(given, torch.Tensor):  # a mixture of experts gives its routing too
            return whole(states)
        return torch.nn.functional.pad(given, (0, 0, first, 0))

    def attending(whole: Any, *args: Any, **named: Any) -> Any:
        with _FewQueries(first):
            return whole(*args, **named)

    with ExitStack() as stack:
        if first > 0:
            for module in filter(None, parts):
                stack.enter_context(_with_forward(module, partial(shortened, module.forward)))
            if attention is not None:
                stack.enter_context(_with_forward(attention, partial(attending, attention.forward)))
        yield


class _FewQueries(TorchFunctionMode):
    """Attention of the queries from a column on; zeros before."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self._first = first

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        mask = named.get("attn_mask")
        if func is not torch.nn.functional.scaled_dot_product_attention or mask is None or len(args) != 3:
            return func(*args, **named)
        query, *others = args
        named = {**named, "attn_mask": mask[..., self._first :, :]}
        given = func(query[..., self._first :, :], *others, **named)
        return torch.nn.functional.pad(given, (0, 0, self._first, 0))


@contextmanager
def _with_forward(module: torch.nn.Module, forward: Any) -> Iterator[None]:
    """A module with another forward; accelerate and nnsight give modules their own, which comes back."""
    own = vars(module).get("forward")
    module.forward = forward
    try:
        yield
    finally:
        del module.forward
        if own is not None:
            module.forward = own
