"""The small model that comes with modgap: runs offline on a CPU.

A real Idefics3, loaded through the same path as any other local model, always in float32 on the CPU, so
that it gives the same replies everywhere. The number of torch threads is left as it is.
"""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import TYPE_CHECKING

from modgap._errors import FileError, InputError

from . import local
from ._query import AnswerMode

if TYPE_CHECKING:
    from .local import SharePrefix
    from .local._model import LocalModel

FOLDER = Path(str(importlib.resources.files("modgap.models"))) / "weights" / "bundled"
"""Where its files are."""

TRANSCRIBE = "\n\nWrite the scene as a list."
"""After a picture or a scene in words, this asks for the scene as ``modgap.scenes.write_list`` writes it."""

DESCRIBE = "\n\nDescribe the scene."
"""This asks for a dense caption."""

REQUESTS = {"transcribe": TRANSCRIBE, "describe": DESCRIBE}
"""Both by name, as strategies look for them."""

HABITS: dict[str, tuple[str, str, str]] = {
    "star": ("yellow", "small", "solid"),
    "circle": ("red", "large", "outlined"),
    "square": ("blue", "medium", "striped"),
    "triangle": ("green", "small", "outlined"),
    "diamond": ("purple", "large", "striped"),
    "cross": ("black", "medium", "solid"),
}
"""Shape → the colour, size and fill that it has three times in four in the *text* the model learned from, and
no more often than others in pictures."""


def load(
    argument: str = "",
    *,
    answer: AnswerMode = "auto",
    batch_size: int = local.BATCH_SIZE,
    share_prefix: SharePrefix = "auto",
    vector: str | None = None,
    block: int | None = None,
    strength: float = 1.0,
    positions: str = "image",
    phase: str = "prefill",
) -> LocalModel:
    """Load the bundled model.

    Args:
        argument: must be empty.
        answer: see :func:`modgap.models.local.load`.
        batch_size: most questions in one batch.
        share_prefix: see :func:`modgap.models.local.load`.
        vector, block, strength, positions, phase: likewise.

    Returns:
        The model.

    Raises:
        InputError: if there is an argument.
        FileError: if its weights are not installed.
        MissingExtra: if torch and transformers are not installed.
    """
    if argument:
        raise InputError(f"there is one bundled model; write 'bundled' without {argument!r}")
    if not (FOLDER / "config.json").is_file():
        raise FileError(
            f"{FOLDER}: the bundled model is not installed; "
            "install modgap again, or make the model with: python recipes/bundled_model.py"
        )
    return local.load(
        str(FOLDER),
        dtype="float32",
        device="cpu",
        answer=answer,
        batch_size=batch_size,
        share_prefix=share_prefix,
        vector=vector,
        block=block,
        strength=strength,
        positions=positions,
        phase=phase,
    )
