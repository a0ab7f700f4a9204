"""Control vectors for llama.cpp and repeng: to a GGUF file and back.

llama.cpp adds ``direction.N`` to the output of block ``N`` (counted from 0), at every position, whether read
or written, and accepts no ``direction.0``: the first block cannot be steered there. So a vector with a
direction for block 0 is refused unless the blocks to write are named, and pictures alone cannot be steered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from modgap._errors import FileError, InputError, MissingExtra
from modgap.models.local._vector import SteeringVector

ARCHITECTURE = "controlvector"
_MOST_BLOCKS = 4096


def write_gguf(
    vector: SteeringVector,
    path: str | Path,
    *,
    model_hint: str,
    strength: float = 1.0,
    blocks: Sequence[int] | None = None,
) -> float:
    """Write a control vector, read it back, and compare.

    Args:
        vector: what is written.
        path: of the file.
        model_hint: architecture that llama.cpp knows the model by, such as ``llama``.
        strength: directions are multiplied by it; llama.cpp scales once more.
        blocks: those to write, 1 or more; by default all that have a direction.

    Returns:
        Largest difference of a number that was read back; 0 if nothing was lost.

    Raises:
        InputError: block 0, a block that the vector does not have, or none at all.
        MissingExtra: the package ``gguf`` is not installed.
        FileError: it cannot be written.
    """
    gguf = _gguf()
    lengths = vector.directions.norm(dim=1)
    chosen = list(lengths.nonzero()[:, 0].tolist() if blocks is None else dict.fromkeys(blocks))
    if 0 in chosen:
        raise InputError(
            "llama.cpp cannot steer block 0, and this vector has a direction there: name the blocks to "
            "write, such as --blocks 1,2,3"
        )
    if wrong := [block for block in chosen if not 0 < block < len(lengths)]:
        raise InputError(f"block {wrong[0]} does not exist: the vector has blocks 0 to {len(lengths) - 1}")
    if not chosen:
        raise InputError("the vector has no direction to write")
    steps = (vector.directions * strength).numpy()
    try:
        writer = gguf.GGUFWriter(str(path), ARCHITECTURE)
        writer.add_string(f"{ARCHITECTURE}.model_hint", model_hint)
        writer.add_uint32(f"{ARCHITECTURE}.layer_count", len(lengths))
        for block in sorted(chosen):
            writer.add_tensor(f"direction.{block}", steps[block])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror})") from error
    again = read_gguf(path).directions.numpy()
    return float(np.abs(again[chosen] - steps[chosen]).max())


def read_gguf(path: str | Path) -> SteeringVector:
    """Read a control vector, such as repeng or llama.cpp write.

    Args:
        path: of the file.

    Returns:
        One direction for each block; 0 where the file has none.

    Raises:
        MissingExtra: the package ``gguf`` is not installed.
        FileError: it is not a control vector.
    """
    gguf, path = _gguf(), Path(path)
    try:
        file = gguf.GGUFReader(str(path))
        kind = file.get_field("general.architecture").contents()
        count = file.get_field(f"{ARCHITECTURE}.layer_count")
        blocks = int(count.contents()) if count is not None else 0
        found = {
            int(named[1]): np.array(tensor.data, dtype=np.float32).ravel()
            for tensor in file.tensors
            if (named := re.fullmatch(r"direction\.(\d{1,4})", tensor.name)) and tensor.tensor_type == 0
        }
        hint = file.get_field(f"{ARCHITECTURE}.model_hint")
        about = str(hint.contents()) if hint is not None else ""
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # the reader of the package raises whatever a damaged file leads it to
        raise FileError(f"{path}: not a GGUF file, or damaged ({type(error).__name__}: {error})") from error
    widths = {direction.size for direction in found.values()}
    if kind != ARCHITECTURE or len(widths) != 1 or not 0 <= blocks <= _MOST_BLOCKS or 0 in found:
        raise FileError(
            f"{path}: no control vector; expected the architecture {ARCHITECTURE!r} and float32 tensors "
            "direction.1, direction.2 … of one width"
        )
    directions = torch.zeros(max(blocks, max(found) + 1), widths.pop())
    for block, direction in found.items():
        directions[block] = torch.from_numpy(direction)
    try:
        return SteeringVector(path.stem, "gguf", directions, {"model": about, "file": path.name})
    except InputError as error:
        raise FileError(f"{path}: {error}") from error


def _gguf() -> Any:
    try:
        import gguf
    except ImportError as error:
        raise MissingExtra("control vectors in GGUF files", "gguf") from error
    return gguf
