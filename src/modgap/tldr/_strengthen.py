"""A detector's low-rank change, scaled by τ, given back to the model: weights = base + τ · change.

    update = load_update(pretrained, Path("detector"))
    with scaled(pretrained, update, {"connector": 0.1, "decoder": 0.25}):
        ...                                     # the model answers with the changed weights
    save_strengthened(...)                      # a plain model folder

Section 6 of the TLDR paper: τ = 0 is the model, τ = 1 the detector's backbone, and a little of it may help.
It is interpolation of weights (WiSE-FT). The head for words is the model's own. Any PEFT folder of LoRA on
the same model works, so controls are made in the same way: random numbers with the same norm in every matrix
(:func:`random_update`), the adapter of a detector trained on shuffled labels, or of plain fine-tuning.

``τ`` is per group: ``vision``, ``connector``, ``decoder``, and the thirds of the decoder's blocks ``early``,
``middle``, ``late``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from modgap._errors import FileError, InputError, MissingExtra, ModelError
from modgap.models.local._load import Pretrained, first_line, quiet

from ._files import check_empty

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

GROUPS = ("vision", "connector", "decoder", "early", "middle", "late")
_FILES = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True)
class Update:
    """A change of weights.

    Args:
        name: of the folder it is from, or what it is.
        deltas: name of the weight → what is added to it at τ = 1.
        groups: name of the weight → the groups it is in.
    """

    name: str
    deltas: Mapping[str, Float[Tensor, "out in"]]
    groups: Mapping[str, tuple[str, ...]]

    @property
    def norm(self) -> float:
        """Of all changes together."""
        return float(torch.stack([d.double().norm() for d in self.deltas.values()]).norm())

    def applied(self, pretrained: Pretrained, taus: Mapping[str, float]) -> AbstractContextManager[None]:
        """:func:`scaled` by this change."""
        return scaled(pretrained, self, taus)


def load_update(pretrained: Pretrained, folder: Path) -> Update:
    """The change in a PEFT folder, for a model without it.

    Args:
        pretrained: the model that was adapted; left as it is.
        folder: with ``adapter_config.json`` and ``adapter_model.safetensors``; untrusted.

    Raises:
        FileError: if it is no such folder.
        ModelError: if it does not fit the model, is not LoRA, or changes whole modules.
        MissingExtra: if peft is not installed.
    """
    try:
        import peft
        from peft.tuners.lora import LoraLayer
    except ImportError as error:
        raise MissingExtra("adapters", "train") from error
    for name in _FILES:
        if not (folder / name).is_file():
            raise FileError(f"{folder}: not an adapter, {name} is missing; give a folder that PEFT wrote")
    try:
        with quiet():
            config = peft.PeftConfig.from_pretrained(str(folder))
            if not isinstance(config, peft.LoraConfig) or config.use_dora or config.modules_to_save:
                raise ModelError(
                    f"{folder}: the change is not linear in its strength; LoRA is, without DoRA and "
                    "without whole modules"
                )
            wrapped = peft.PeftModel.from_pretrained(pretrained.model, str(folder), is_trainable=False)
            deltas = {
                f"{_plain(name)}.weight": layer.get_delta_weight("default").detach().clone()
                for name, layer in wrapped.named_modules()
                if isinstance(layer, LoraLayer)
            }
            wrapped.unload()
    except ModelError:
        raise
    except Exception as error:  # peft raises many kinds for an adapter of another model
        raise ModelError(f"{folder}: the adapter does not fit the model: {first_line(error)}") from error
    known = dict(pretrained.model.named_parameters())
    if not deltas or not deltas.keys() <= known.keys():
        raise ModelError(f"{folder}: its layers are not those of the model; give the model it was trained on")
    return Update(folder.name, deltas, {name: _groups_of(pretrained, name) for name in deltas})


def _plain(name: str) -> str:
    return name.removeprefix("base_model.model.")


def _groups_of(pretrained: Pretrained, name: str) -> tuple[str, ...]:
    blocks = pretrained.anatomy.blocks
    own = {id(p): i for i, block in enumerate(blocks) for p in block.parameters()}
    block = own.get(id(dict(pretrained.model.named_parameters())[name]))
    if block is None:
        return ("vision",) if "vision" in name or ".visual." in name else ("connector",)
    return ("decoder", GROUPS[3 + min(2, 3 * block // len(blocks))])


def random_update(update: Update, seed: int) -> Update:
    """Random numbers with the norm of each change: what any change of that size does."""
    rng = torch.Generator().manual_seed(seed)
    deltas = {}
    for name, delta in update.deltas.items():
        noise = torch.randn(delta.shape, generator=rng).to(delta)
        deltas[name] = noise * (delta.norm() / noise.norm())
    return Update("random", deltas, update.groups)


def shares(taus: Mapping[str, float]) -> dict[str, float]:
    """Check strengths by group.

    Args:
        taus: group → τ; ``all`` is for every change. Of several that hold a weight the narrowest counts.

    Raises:
        InputError: if a group is another, or τ is not from −1 to 2.
    """
    for name, tau in taus.items():
        if name not in (*GROUPS, "all"):
            raise InputError(f"group {name!r} is not one of all, {', '.join(GROUPS)}")
        if not -1 <= tau <= 2:
            raise InputError(f"τ {tau} is not accepted; 0 is the model, 1 the detector; give −1 to 2")
    return dict(taus)


@contextmanager
def scaled(pretrained: Pretrained, update: Update, taus: Mapping[str, float]) -> Iterator[None]:
    """The model with its change at these strengths, while the context lasts; then exactly as it was.

    Raises:
        InputError: as for :func:`shares`.
    """
    wanted = shares(taus)
    weights = dict(pretrained.model.named_parameters())
    before = {name: weights[name].detach().clone() for name in update.deltas}
    try:
        with torch.no_grad():
            for name, delta in update.deltas.items():
                tau = tau_of(wanted, update.groups[name])
                if tau:
                    weights[name] += (tau * delta).to(weights[name])
        yield
    finally:
        with torch.no_grad():
            for name, value in before.items():
                weights[name].copy_(value)


def tau_of(taus: Mapping[str, float], groups: tuple[str, ...]) -> float:
    """The strength of a weight in these groups: that of the narrowest group that has one, else 0."""
    for group in (*reversed(groups), "all"):
        if group in taus:
            return taus[group]
    return 0.0


def save_strengthened(
    pretrained: Pretrained, update: Update, taus: Mapping[str, float], folder: Path, card: str
) -> None:
    """Write the changed model as a plain folder that ``AutoModelForImageTextToText`` loads.

    Args:
        pretrained: the model; left as it is.
        update: its change.
        taus: strengths by group.
        folder: where to; must not be there or be empty.
        card: the README.

    Raises:
        FileError: if there is something in the folder, or it cannot be written.
    """
    check_empty(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with scaled(pretrained, update, taus), quiet():
            pretrained.model.save_pretrained(folder, safe_serialization=True)
        for file in pretrained.folder.iterdir():
            if (
                file.is_file()
                and file.suffix in (".json", ".jinja", ".model", ".txt")
                and not _of_weights(file)
            ):
                shutil.copy(file, folder / file.name)
        (folder / "README.md").write_text(card, encoding="utf-8")
    except OSError as error:
        raise FileError(f"{folder}: cannot be written ({error}); choose another folder") from error


def _of_weights(file: Path) -> bool:
    return file.name.endswith(".index.json") or file.name in ("config.json", "generation_config.json")
