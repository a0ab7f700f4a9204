"""A trained detector as a folder that PEFT can load too.

    save_detector(folder, head, config, adapter)
    detector = load_trained(folder)

It holds the low-rank change (``adapter_config.json``, ``adapter_model.safetensors``; none for a probe on a
frozen model), the linear head (``head.safetensors``), a card, and ``detector.json``: what the detector was
trained on, how it reads, and its calibration. The prompt belongs to it: with another it would be another.
A model whose weights are not those it was trained on is refused.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import torch
from torch import nn

from modgap._errors import FileError, ModelError
from modgap.models import bundled
from modgap.models.local._fingerprint import _files_hash
from modgap.models.local._load import LoadOptions, Pretrained, first_line, load_pretrained

from ._detector import DetectorConfig, TldrDetector
from ._reading import READS

DETECTOR, HEAD, ADAPTER = "detector.json", "head.safetensors", "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
BUNDLED, SIBLING = "bundled", "sibling"
BASES = {BUNDLED: bundled.FOLDER, SIBLING: bundled.FOLDER / SIBLING}
"""The models that ship, stored in half precision and always run in float32; a detector of each ships too."""
SHIPPED = {
    name: bundled.FOLDER.parent / f"detector_{name.replace('-', '_')}"
    for name in (BUNDLED, SIBLING, f"{BUNDLED}-causal", f"{SIBLING}-causal")
}
"""The detectors that ship, with the eyes of the bundled model and with those of its sibling, which was taught
every skill on pictures. The causal ones judge captions as they are written, the others finished ones."""


def shipped_or(spec: str) -> Path:
    """The folder of a detector that ships, or the folder of that name."""
    return SHIPPED.get(spec) or Path(spec).expanduser()


def weights_hash(pretrained: Pretrained) -> str:
    """Hash of the weights of a model, the same wherever they lie."""
    return _files_hash(pretrained.folder.glob("*.safetensors"))


def base_folder(base: str) -> str:
    """What to load for a base as written in ``detector.json``."""
    return str(BASES.get(base, base))


def dtype_of(base: str) -> Literal["float32", "auto"]:
    """What a base is loaded in."""
    return "float32" if base in BASES else "auto"


def save_detector(
    folder: Path, head: nn.Linear, config: DetectorConfig, adapter: Any, card: str = ""
) -> None:
    """Write a detector.

    Args:
        folder: where to; made if it is not there.
        head: its head.
        config: what is written as ``detector.json``.
        adapter: the PEFT wrapper of the low-rank change, or ``None``.
        card: the README.

    Raises:
        FileError: if the folder cannot be written.
    """
    from safetensors.torch import save_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if adapter is not None:
            adapter.save_pretrained(str(folder), save_embedding_layers=False)
            # It would say where the model lay on the machine that trained.
            written = msgspec.json.decode((folder / ADAPTER).read_bytes())
            written["base_model_name_or_path"] = config.base
            (folder / ADAPTER).write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=1))
        tensors = {name: value.detach().cpu().contiguous() for name, value in head.state_dict().items()}
        save_file(tensors, folder / HEAD)
        (folder / "README.md").write_text(card, encoding="utf-8")
        (folder / DETECTOR).write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=1) + b"\n")
    except OSError as error:
        raise FileError(
            f"{folder}: cannot be written ({error}); free space or choose another folder"
        ) from error


def read_config(folder: Path) -> DetectorConfig:
    """What a detector folder says of itself.

    Raises:
        FileError: if it is not a detector folder.
    """
    try:
        config = msgspec.json.decode((folder / DETECTOR).read_bytes(), type=DetectorConfig)
    except FileNotFoundError as error:
        raise FileError(
            f"{folder}: not a detector, {DETECTOR} is missing; "
            "expected a folder that 'modgap tldr train' wrote"
        ) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError, OSError) as error:
        raise FileError(
            f"{folder / DETECTOR}: {first_line(error)}; make or get the detector again"
        ) from error
    if config.version != 1:
        raise FileError(
            f"{folder}: a detector of format {config.version}, and this modgap reads format 1; update modgap"
        )
    if config.way not in READS:
        raise FileError(
            f"{folder}: a detector that reads {config.reads!r}, and this modgap knows "
            f"{' and '.join(READS)}; update modgap"
        )
    return config


def load_trained(
    folder: Path,
    *,
    model: str | None = None,
    batch_tokens: int | None = None,
    device: str | None = None,
    name: str | None = None,
) -> TldrDetector:
    """Load a trained detector with its model.

    Args:
        folder: as written by ``modgap tldr train``; untrusted.
        model: where its model is; by default as the folder says.
        batch_tokens: see :class:`TldrDetector`.
        device: ``cpu``, ``cuda`` …; by default CUDA if there is one.
        name: for tables; by default that of the folder.

    Raises:
        FileError: if the folder is no detector, or damaged.
        ModelError: if the model is not the one the detector was trained on.
    """
    config = read_config(folder)
    adapter = str(folder) if (folder / ADAPTER).is_file() else None
    base = base_folder(model or config.base)
    options = LoadOptions(adapter=adapter, dtype=dtype_of(model or config.base), device=device)
    pretrained = load_pretrained(base, options)
    if weights_hash(pretrained) != config.weights:
        raise ModelError(
            f"{folder}: trained on other weights of {config.base!r} than those of {base}; give the model it "
            "was trained on, or train it again"
        )
    if adapter is not None and pretrained.model.dtype == torch.float32:
        _merge(pretrained)
    head = _read_head(folder, pretrained)
    pretrained = replace(pretrained, name=f"{config.base}+{folder.name}")
    return TldrDetector(pretrained, head, config, name=name or folder.name, batch_tokens=batch_tokens)


def _merge(pretrained: Pretrained) -> None:
    """Add the low-rank change to the weights that it changes: a quarter faster, the same up to rounding.

    In half precision rounding would be too much.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    for module in pretrained.model.modules():
        if isinstance(module, BaseTunerLayer):
            module.merge()


def _read_head(folder: Path, pretrained: Pretrained) -> nn.Linear:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    width = pretrained.model.config.get_text_config().hidden_size
    head = nn.Linear(width, 1)
    try:
        head.load_state_dict(load_file(folder / HEAD))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise FileError(
            f"{folder / HEAD}: not a head for a model of width {width} ({first_line(error)}); "
            "make or get the detector again"
        ) from error
    return head.to(pretrained.device).requires_grad_(False)
