"""A steering vector: one direction for each decoder block, and the folder it is kept in.

    vector = load_vector("runs/vectors/spatial")
    vector.directions[5]                  # what is added to what block 5 gives, at strength 1

A folder holds ``vector.safetensors`` (one tensor ``directions``), ``vector.json`` and a card. Nothing in it
is code, and every file is checked before it is used.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from modgap._errors import FileError, InputError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

Fact = str | int | float | bool | None

_TENSORS, _FACTS, _CARD = "vector.safetensors", "vector.json", "README.md"
_VERSION = 1


@dataclass(frozen=True)
class SteeringVector:
    """Directions of one concept.

    Args:
        concept: what it stands for.
        method: how it was found, such as ``meanshift``.
        directions: what is added to the output of each block at strength 1; float32, finite.
        facts: where it comes from: model, revision, sentences and whatever the method tells.
    """

    concept: str
    method: str
    directions: Float[Tensor, "block d_model"]
    facts: dict[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        d = self.directions
        if d.ndim != 2 or not d.is_floating_point() or not bool(torch.isfinite(d).all()):
            raise InputError(
                f"directions of shape {tuple(d.shape)} and type {d.dtype}: give finite numbers of shape "
                "(blocks, width)"
            )
        object.__setattr__(self, "directions", d.detach().to("cpu", torch.float32))

    def normed(self) -> SteeringVector:
        """The same directions at length 1; one of length 0 stays."""
        lengths = self.directions.norm(dim=1, keepdim=True).clamp(min=1e-30)
        return SteeringVector(self.concept, self.method, self.directions / lengths, {**self.facts})

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the directions in hexadecimal: two vectors with the same steer alike."""
        shape = f"{tuple(self.directions.shape)}".encode()
        return hashlib.sha256(shape + self.directions.contiguous().numpy().tobytes()).hexdigest()

    def save(self, folder: str | Path) -> Path:
        """Write the folder; it is made if it does not exist.

        Raises:
            FileError: it cannot be written.
        """
        folder = Path(folder)
        about = {
            "version": _VERSION,
            "concept": self.concept,
            "method": self.method,
            "blocks": self.directions.shape[0],
            "width": self.directions.shape[1],
            "added_to": "output of the block",
            "sha256": self.fingerprint,
            "facts": self.facts,
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_file({"directions": self.directions.contiguous()}, folder / _TENSORS)
            (folder / _FACTS).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
            (folder / _CARD).write_text(_card(self), encoding="utf-8")
        except OSError as error:
            raise FileError(f"{folder}: cannot be written ({error.strerror})") from error
        return folder


def load_vector(folder: str | Path) -> SteeringVector:
    """Read what :meth:`SteeringVector.save` wrote.

    Raises:
        FileError: a file is missing, damaged, or not of this version.
    """
    folder = Path(folder)
    try:
        about = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        tensors = load_file(folder / _TENSORS)
    except OSError as error:
        raise FileError(
            f"{folder}: no steering vector ({error.strerror}); give a folder that `modgap steer extract` "
            "wrote"
        ) from error
    except (ValueError, SafetensorError, RecursionError) as error:
        raise FileError(f"{folder}: a damaged steering vector ({error})") from error
    if not isinstance(about, dict) or about.get("version") != _VERSION:
        raise FileError(f"{folder / _FACTS}: no description of a steering vector of version {_VERSION}")
    facts = about.get("facts")
    if not isinstance(facts, dict) or not isinstance(tensors.get("directions"), torch.Tensor):
        raise FileError(f"{folder}: 'facts' or the tensor 'directions' is missing")
    kept = {str(key): value for key, value in facts.items() if isinstance(value, Fact)}
    try:
        vector = SteeringVector(
            str(about.get("concept")), str(about.get("method")), tensors["directions"], kept
        )
    except InputError as error:
        raise FileError(f"{folder}: {error}") from error
    if about.get("sha256") != vector.fingerprint:
        raise FileError(f"{folder}: the directions are not those that were saved (another SHA-256)")
    return vector


def _card(vector: SteeringVector) -> str:
    blocks, width = vector.directions.shape
    lines = [
        "---",
        "library_name: modgap",
        "tags: [steering-vector]",
        "---",
        "",
        f"# Steering vector: {vector.concept} ({vector.method})",
        "",
        f"{blocks} directions of width {width}, one for the output of each decoder block.",
        "",
        "```python",
        "from modgap.steering import Change, load_vector, steering",
        "",
        'with steering(model, Change(load_vector(".").directions[block], block, 1.0, "image")):',
        "    ...",
        "```",
        "",
        *(f"- {name}: {value}" for name, value in vector.facts.items()),
    ]
    return "\n".join(lines) + "\n"
