"""A steering vector as a LoRA adapter (PEFT), which servers load without a hook.

    everywhere   a bias on the block's ``down_proj``: the same step at every position, read or written
    image, text  rank 1: the step times a linear function of what ``down_proj`` reads, fitted by least squares
                 to be 1 at these positions and 0 elsewhere

Neither is a hook. A bias is exact only where nothing stands between ``down_proj`` and the output of the block
(Gemma 2 and 3 put a norm there), and rank 1 only as far as the kind of a position can be read linearly. So
the saved adapter is loaded again and its states are compared with those of the hook on pictures that the fit
did not see; what is further off than the tolerance is deleted and refused.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from modgap._errors import InputError, MissingExtra, ModelError, UnknownName
from modgap.models import Query, bundled, local
from modgap.models.local._anatomy import TokenKind, at_block
from modgap.models.local._load import quiet
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, mask_of, steering
from modgap.models.local._vector import SteeringVector

from ._study import problems_of
from ._sweep import query_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

Where = Literal["everywhere", "image", "text"]
WHERE = ("everywhere", "image", "text")
TOLERANCE = {"everywhere": 1e-3, "image": 0.1, "text": 0.1}
"""Largest error that is accepted, of the step and of its effect on the logits (our choice)."""
_RIDGE = 1e-3
_FIT, _TEST = 48, 16


@dataclass(frozen=True)
class Exported:
    """A saved adapter and how far it is from the hook, on pictures that the fit did not see.

    Args:
        folder: of the adapter.
        error: root mean square of the difference of the block's output from the hook's, a share of the step.
        logits_error: length of the difference of the last logits, as a share of what the hook changes.
    """

    folder: Path
    error: float
    logits_error: float


def export_adapter(
    spec: str,
    vector: SteeringVector,
    block: int,
    strength: float,
    folder: str | Path,
    *,
    where: Where = "everywhere",
    tolerance: float | None = None,
    seed: int = 0,
) -> Exported:
    """Write an adapter, load it again and compare it with the hook.

    Args:
        spec: ``bundled``, model folder or hub id.
        vector: of the model.
        block: whose output is changed, 0-based.
        strength: multiple of the direction.
        folder: of the adapter; it must not exist.
        where: which positions.
        tolerance: largest error that is accepted, a share; by default ``TOLERANCE``.
        seed: of the pictures.

    Raises:
        UnknownName: no such kind of position.
        InputError: the folder exists, or a vector or block that does not fit.
        ModelError: the adapter is too far from the hook, or the block has no ``down_proj``.
        MissingExtra: peft is not installed.
    """
    try:
        import peft
    except ImportError as error:
        raise MissingExtra("adapters", "train") from error
    folder = Path(folder)
    if where not in WHERE:
        raise UnknownName("place", where, WHERE)
    if folder.exists():
        raise InputError(f"{folder} exists; give a new folder")
    spec = str(bundled.FOLDER) if spec == "bundled" else spec
    model = local.load(spec, dtype="float32")
    parts = model.pretrained.anatomy
    if not 0 <= block < min(len(parts.blocks), len(vector.directions)):
        raise InputError(f"block {block} does not exist in the model, or not in the vector")
    positions: Any = _everywhere if where == "everywhere" else where
    change = Change(vector.directions[block], block, strength, positions, phase="both")
    queries = [
        query_of(problem, "image")
        for problem in problems_of(("attribute",), _FIT + _TEST, seed, level="plain")
    ]
    fit, test = queries[:_FIT], queries[_FIT:]
    plain = _read(model, test, block)
    with steering(model, change):
        hooked = _read(model, test, block)
    name = _down_proj(model, block)
    condition = None if where == "everywhere" else _condition(_read(model, fit, block), positions)
    model.close()

    fresh = local.load(spec, dtype="float32").pretrained.model
    config = peft.LoraConfig(
        r=1, lora_alpha=1, lora_dropout=0.0, target_modules=[name], lora_bias=where == "everywhere"
    )
    with _quietly():
        made = peft.get_peft_model(fresh, config)
    layer = fresh.get_submodule(name)
    step = vector.directions[block] * strength
    with torch.no_grad():
        layer.lora_A["default"].weight.copy_(torch.zeros(1) if condition is None else condition[None])
        layer.lora_B["default"].weight.copy_(torch.zeros(1) if condition is None else step[:, None])
        if condition is None:
            layer.lora_B["default"].bias.copy_(step)
    with _quietly():
        made.save_pretrained(folder)

    with _quietly():
        adapted = _read(local.load(spec, dtype="float32", adapter=str(folder)), test, block)
    real = adapted.kinds != TokenKind.PADDING
    off = (adapted.states - hooked.states)[real].norm(dim=-1).square().mean().sqrt() / step.norm()
    effect = (hooked.logits - plain.logits).norm()
    found = Exported(folder, float(off), float((adapted.logits - hooked.logits).norm() / effect))
    most = TOLERANCE[where] if tolerance is None else tolerance
    if not max(found.error, found.logits_error) <= most:
        shutil.rmtree(folder)
        raise ModelError(
            f"an adapter for block {block}, {where}, is off from the hook by {100 * found.error:.2g} % of "
            f"the step and {100 * found.logits_error:.2g} % of its effect on the logits, and "
            f"{100 * most:g} % is accepted: use the hook (measure --vector), or another block"
        )
    return found


@dataclass(frozen=True)
class _Read:
    """What a model makes of some questions, row by row with padding on the left."""

    kinds: Int[Tensor, "row seq"]
    ids: Int[Tensor, "row seq"]
    states: Float[Tensor, "row seq d_model"]
    within: Float[Tensor, "row seq d_inner"]
    logits: Float[Tensor, "row vocab"]


@torch.inference_mode()
def _read(model: LocalModel, queries: list[Query], block: int) -> _Read:
    pretrained = model.pretrained
    read = model._writer.read([model._writer.write(query.parts) for query in queries])
    states: list[Tensor] = []
    within: list[Tensor] = []
    down = pretrained.model.get_submodule(_down_proj(model, block))

    def keep(given: Tensor) -> None:
        states.append(given.float().cpu())

    with ExitStack() as stack:
        stack.enter_context(at_block(pretrained.anatomy.blocks[block], keep))
        handle = down.register_forward_pre_hook(lambda _, args: within.append(args[0].float().cpu()))
        stack.callback(handle.remove)
        logits = pretrained.model(**pretrained.inputs(read), use_cache=False).logits[:, -1]
    kinds = pretrained.anatomy.token_map(read)
    return _Read(kinds.cpu(), read["input_ids"].cpu(), states[0], within[0], logits.float().cpu())


def _down_proj(model: LocalModel, block: int) -> str:
    """Name of the last matrix of a block's MLP, in the whole model."""
    wanted = model.pretrained.anatomy.blocks[block]
    inside = [
        name
        for name, module in model.pretrained.model.named_modules()
        if name.endswith("down_proj") and any(module is part for part in wanted.modules())
    ]
    if len(inside) != 1:
        raise ModelError(
            f"block {block} has {len(inside)} modules called down_proj, and one is needed for an adapter"
        )
    return str(inside[0])


def _condition(read: _Read, positions: Any) -> Float[Tensor, " d_inner"]:
    """Least squares for the indicator of the positions; both kinds weigh the same."""
    real = read.kinds != TokenKind.PADDING
    x = read.within[real].double()
    wanted = mask_of(positions, read.kinds, read.ids)[real].double()
    weight = torch.where(wanted > 0, 1 / wanted.sum().clamp(min=1), 1 / (1 - wanted).sum().clamp(min=1))
    gram = x.T @ (x * weight[:, None])
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    found: Tensor = torch.linalg.solve(gram, x.T @ (wanted * weight)).float()
    return found


@contextmanager
def _quietly() -> Iterator[None]:
    """PEFT warns that such a bias cannot be merged, and takes it for an incomplete matrix."""
    with quiet(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`lora_bias=True` was passed")
        warnings.filterwarnings("ignore", r"Adapter .* LoRA tensor\(s\) have invalid shape")
        yield


def _everywhere(kinds: Int[Tensor, "batch seq"], ids: Int[Tensor, "batch seq"]) -> Bool[Tensor, "batch seq"]:
    return kinds != TokenKind.PADDING
