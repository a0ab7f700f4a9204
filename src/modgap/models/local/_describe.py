"""What a model is, from its configuration alone: no weights are read, so it takes a second for any size.

modgap models org/name
"""

from __future__ import annotations

from typing import Any

import torch
import transformers

from modgap._errors import ModelError

from ._anatomy import Anatomy, TokenKind
from ._load import (
    CONFIG_FILES,
    LoadOptions,
    Pretrained,
    auto_class,
    find_folder,
    first_line,
    model_type,
    quiet,
)
from ._processors import load_processor


def describe(spec: str, options: LoadOptions) -> dict[str, str]:
    """What a model folder or hub id holds, and what can be done with it.

    Args:
        spec: a folder, or a hub id ``org/name``.
        options: its revision and whether its own code may be run count.

    Returns:
        Field → words, in the order to print them.

    Raises:
        FileError, ModelError: if there is no such model, or transformers does not know its kind.
    """
    folder, revision = find_folder(spec, options, CONFIG_FILES)
    kind = model_type(folder)
    with quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(
                folder, trust_remote_code=options.trust_remote_code
            )
            with torch.device("meta"):
                model = auto_class(folder).from_config(config, trust_remote_code=options.trust_remote_code)
            processor = load_processor(folder, kind, trust_remote_code=options.trust_remote_code)
        except Exception as error:  # transformers raises many kinds for a damaged or foreign folder
            raise ModelError(
                f"{spec}: transformers {transformers.__version__} does not take it: {first_line(error)}"
            ) from error
    pretrained = Pretrained(spec, folder, revision, None, options, model, processor)
    fields = {
        "family": f"{kind}, {type(model).__name__}",
        "parameters": f"{_millions(model)}, saved in {str(config.dtype or 'float32').removeprefix('torch.')}",
        "modalities": ", ".join(m for m in ("text", "image", "audio", "video") if m in pretrained.modalities),
        "processor": f"{type(processor).__name__}{_picture_class(processor)}",
        "window": "not said" if pretrained.window is None else f"{pretrained.window:,} tokens",
    }
    try:
        parts = pretrained.anatomy
    except ModelError as error:
        return fields | {"steering": f"no: {error}", "detectors": f"no: {error}"}
    width = config.get_text_config().hidden_size
    ids = [str(token) for token, what in parts.media_ids.items() if what is TokenKind.IMAGE]
    return fields | {
        "blocks": f"{len(parts.blocks)} decoder blocks, {width} wide",
        "backbone": f"{type(parts.decoder).__name__}, {_millions(parts.decoder)}",
        "image token": ", ".join(dict.fromkeys(ids)) or "none: no position of the text holds a picture",
        "steering": _steering(parts, "image" in pretrained.modalities),
        "detectors": "yes, on the state at each token of a reply",
    }


def _steering(parts: Anatomy, sees: bool) -> str:
    if parts.cross_attention:
        blocks = ", ".join(map(str, parts.cross_attention))
        return (
            f"text positions only: pictures are read through cross-attention in blocks {blocks}, "
            "so there are no image positions"
        )
    return "image and text positions" if sees else "text positions"


def _millions(module: Any) -> str:
    count = sum(parameter.numel() for parameter in module.parameters())
    return f"{count / 1e9:.2f} B" if count >= 1e9 else f"{count / 1e6:.2f} M"


def _picture_class(processor: Any) -> str:
    made = [
        type(part).__name__
        for name in ("image_processor", "feature_extractor")
        if (part := getattr(processor, name, None)) is not None
    ]
    return f" with {', '.join(made)}" if made else ""
