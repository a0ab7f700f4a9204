"""Processors, without what needs torchvision.

Several families' processors hold a video processor, which cannot be made without torchvision, so that not
even a picture could be shown. Films reach a model as pictures here, so the processor is loaded without it:
the family's own class, its own placeholders, its own picture processor in the PIL version.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import transformers
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES, processor_class_from_name

_NAMED_IN = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")


def load_processor(folder: Path, kind: str, *, trust_remote_code: bool) -> Any:
    """The processor of a model folder.

    Args:
        folder: of the model.
        kind: model type, as ``config.json`` has it.
        trust_remote_code: whether code in the folder may be run.
    """
    name = next(filter(None, (_named(folder / file) for file in _NAMED_IN)), None)
    found = processor_class_from_name(name or PROCESSOR_MAPPING_NAMES.get(kind) or "")
    if found is None or trust_remote_code:
        return transformers.AutoProcessor.from_pretrained(
            folder, backend="pil", trust_remote_code=trust_remote_code
        )
    return without_video(found).from_pretrained(folder, backend="pil")


def without_video(kind: type[Any]) -> type[Any]:
    """The same class of processor, made of everything but a video processor."""
    if "video_processor" not in kind.get_attributes():
        return kind

    class PicturesOnly(kind):  # type: ignore[misc]
        # One family's chat template asks how a film would be sampled, whether or not there is one.
        video_processor = SimpleNamespace(num_frames=0, fps=0)

        @classmethod
        def get_attributes(cls) -> list[str]:
            return [name for name in super().get_attributes() if name != "video_processor"]

        @classmethod
        def from_args_and_dict(cls, args: Any, processor_dict: dict[str, Any], **settings: Any) -> Any:
            return super().from_args_and_dict(args, processor_dict, **settings | {"video_processor": None})

    # What is saved names the class it came from.
    PicturesOnly.__name__ = kind.__name__
    PicturesOnly.__qualname__ = kind.__qualname__
    PicturesOnly.__module__ = kind.__module__
    return PicturesOnly


def _named(path: Path) -> str | None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    name = config.get("processor_class") if isinstance(config, dict) else None
    return name if isinstance(name, str) else None
