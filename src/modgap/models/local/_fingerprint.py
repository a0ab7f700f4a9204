"""What identifies a local model: a hash over everything that changes its replies.

Two folders with the same files have the same fingerprint wherever they are; one changed byte of the weights
changes it. Weight files are hashed once and remembered by path, time of change and size, the large ones in
``$XDG_CACHE_HOME/modgap/hashes.json`` across runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from modgap.models._query import JSON, AnswerMode

from ._load import Pretrained
from ._prompt import PROMPT_VERSION
from ._steer import Change

LARGE = 256 * 2**20
"""Files of at least this many bytes are remembered across runs: they take 0.2 s or more (our choice)."""

_known: dict[str, str] = {}


def fingerprint(
    pretrained: Pretrained, answer: AnswerMode, changes: Sequence[Change] = ()
) -> dict[str, JSON]:
    """Everything that changes a reply.

    Args:
        pretrained: the model.
        answer: how it answers.
        changes: steering vectors that are added.

    Returns:
        Field → value; hashes are SHA-256 in hexadecimal.
    """
    folder, model, processor = pretrained.folder, pretrained.model, pretrained.processor
    options = pretrained.options
    adapter = pretrained.adapter
    return {
        "kind": "local",
        "weights": _files_hash(folder.glob("*.safetensors")),
        "config": _text_hash(_without_place(model.config.to_dict())),
        "generation": _text_hash(_without_place(model.generation_config.to_dict())),
        "revision": pretrained.revision,
        "adapter": None
        if adapter is None
        else _files_hash(adapter / name for name in ("adapter_config.json", "adapter_model.safetensors")),
        "dtype": str(model.dtype).removeprefix("torch."),
        "load_in_4bit": options.load_in_4bit,
        "device": pretrained.device.type,
        "attention": str(model.config._attn_implementation),
        "processor": _processor_hash(processor),
        "tokenizer": _tokenizer_hash(pretrained),
        "chat_template": _text_hash(getattr(processor, "chat_template", None)),
        "own_code": _files_hash(folder.glob("*.py")) if options.trust_remote_code else None,
        "answer_mode": answer,
        "steering": [_change(change) for change in changes] or None,
        "prompt_version": PROMPT_VERSION,
        "torch": str(torch.__version__),
        "transformers": transformers.__version__,
    }


def _change(change: Change) -> JSON:
    gate = change.gate
    gated: dict[str, JSON] = {}  # what is not gated keeps the fingerprint it always had
    if gate is not None:
        about = {name: getattr(gate, name) for name in ("block", "threshold", "above", "pool")}
        gated["gate"] = {"condition": _tensor_hash(gate.condition), **about}
    return {
        **gated,
        "direction": _tensor_hash(change.direction),
        "block": change.block,
        "strength": torch.as_tensor(change.strength).tolist(),
        "positions": str(change.positions),
        "phase": change.phase,
        "unit": change.unit,
    }


def _tensor_hash(values: torch.Tensor) -> str:
    return hashlib.sha256(values.to("cpu", torch.float32).contiguous().numpy().tobytes()).hexdigest()


def _processor_hash(processor: Any) -> str:
    parts = {"image": "image_processor", "audio": "feature_extractor"}
    found: dict[str, object] = {"class": type(processor).__name__}
    for part, attribute in parts.items():
        if (made := getattr(processor, attribute, None)) is not None:
            found[f"{part}_class"] = type(made).__name__
            found[f"{part}_settings"] = _without_place(made.to_dict())
    apart = (*parts.values(), "chat_template")
    others = {key: value for key, value in processor.to_dict().items() if key not in apart}
    return _text_hash(found | {"other": _without_place(others)})


def _tokenizer_hash(pretrained: Pretrained) -> str:
    backend = getattr(pretrained.tokenizer, "backend_tokenizer", None)
    if backend is not None:
        return hashlib.sha256(backend.to_str().encode()).hexdigest()
    return _files_hash(
        path
        for name in ("tokenizer*", "*.model", "vocab*", "merges*")
        for path in pretrained.folder.glob(name)
    )


def _without_place(config: dict[str, object]) -> dict[str, object]:
    """A configuration without what only says where it was read from, or which version wrote it."""
    return {
        key: _without_place(value) if isinstance(value, dict) else value
        for key, value in config.items()
        if key not in ("_name_or_path", "name_or_path", "transformers_version")
    }


def _text_hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _files_hash(paths: Iterable[Path]) -> str:
    """Hash over names and contents, in order of name."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        whole.update(f"{path.name} {_file_hash(path)}\n".encode())
    return whole.hexdigest()


def _file_hash(path: Path) -> str:
    real = path.resolve()
    state = real.stat()
    key = f"{real}|{state.st_mtime_ns}|{state.st_size}"
    large = state.st_size >= LARGE
    if key not in _known and large:
        _known.update(_remembered())
    if key not in _known:
        with real.open("rb") as opened:
            _known[key] = hashlib.file_digest(opened, "sha256").hexdigest()
        if large:
            _remember(key, _known[key])
    return _known[key]


def _store() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "modgap" / "hashes.json"


def _remembered() -> dict[str, str]:
    try:
        stored = json.loads(_store().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in stored.items()} if isinstance(stored, dict) else {}


def _remember(key: str, value: str) -> None:
    # Only a shortcut: a cache folder that cannot be written costs time at the next start, nothing else.
    with contextlib.suppress(OSError):
        store = _store()
        store.parent.mkdir(parents=True, exist_ok=True)
        entries = {**_remembered(), key: value}
        with tempfile.NamedTemporaryFile("w", dir=store.parent, delete=False, encoding="utf-8") as new:
            json.dump(entries, new)
        Path(new.name).replace(store)
