"""Vectors of the numbers 0, 1, 2, … in a model: embeddings of single tokens, or states of a layer.

Of a model folder or hub id only the embeddings are read, from the one file that holds them; the rest of the
model is loaded if that file cannot be told or if states of a layer are asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from modgap._errors import FileError, InputError, ModelError

from ._saved import SETTINGS, load_base
from ._torch import torch, transformers
from .spectrum import MIN_NUMBERS

if TYPE_CHECKING:
    from ._model import NumberModel

_BEFORE = ("", " ", ",")
"""What may stand before a number so that its token is a single one: nothing, a space that is part of it, or a
mark after which a tokenizer puts no space."""

_OF_PIECES = (
    "numbers are made of several tokens here, and the last of them has a period by itself, ten for single "
    "digits: what layer 0 shows as well is not the work of the model"
)

_BATCH = 64
_DIGIT = re.compile(r"[0-9]")


@dataclass(frozen=True)
class NumberVectors:
    """Vectors of the numbers from 0 up.

    Args:
        vectors: shape (numbers, width), float32; row n belongs to the number n.
        source: what they are, for people.
        note: what has to be known to read their spectrum, else empty.
    """

    vectors: npt.NDArray[np.float32]
    source: str
    note: str = ""


def single_tokens(tokenizer: Any, most: int) -> list[int]:
    """Token ids of the numbers from 0 up that are single tokens, as far as they go without a gap.

    Args:
        tokenizer: of transformers.
        most: where to stop.
    """
    best: list[int] = []
    for before in _BEFORE:
        start = tokenizer(before, add_special_tokens=False)["input_ids"] if before.strip() else []
        found: list[int] = []
        for number in range(most):
            ids = tokenizer(f"{before}{number}", add_special_tokens=False)["input_ids"]
            if len(ids) != len(start) + 1 or ids[: len(start)] != start:
                break
            # A tokenizer of whole words gives one token to a number it does not know, too: "unknown".
            token = str(tokenizer.convert_ids_to_tokens(ids[-1]))
            if not token.endswith(str(number)) or _DIGIT.search(token[: -len(str(number))]):
                break
            found.append(ids[-1])
        if len(found) > len(best):
            best = found
    return best


def number_vectors(model: str, *, layer: int | None = None, most: int = 1000) -> NumberVectors:
    """Vectors of numbers of a model.

    Args:
        model: a model folder, a folder of ``NumberModel.save_pretrained``, a hub id, ``"bundled"``
            or ``"bundled/text_backbone"``.
        layer: None for the embeddings of single tokens; 0 for what goes into the first block, 1 for the
            states after it, and so on, at the last token of each number, which works for any tokenizer. Where
            a digit is a token, that token alone has period 10: compare with layer 0.
        most: numbers are 0 to most - 1.

    Raises:
        InputError: numbers that are not single tokens, or a layer that does not exist.
        FileError, ModelError: a model that cannot be loaded.
    """
    if most < MIN_NUMBERS:
        raise InputError(f"{most} numbers asked for: a spectrum needs {MIN_NUMBERS} at least")
    folder = find_folder(model)
    name = Path(model).name or model
    if folder is not None and (folder / SETTINGS).is_file():
        if layer is not None:
            raise InputError("layers are read from a base model: give the folder 'base' of this number model")
        return _of_number_model(folder, name, most)
    source = str(folder) if folder is not None else model
    tokenizer = load_tokenizer(source)
    if layer is not None:
        states, pieces = _states(load_base(source), tokenizer, layer, most)
        return NumberVectors(states, f"layer {layer} of {name}", _OF_PIECES if pieces else "")
    ids = single_tokens(tokenizer, most)
    if len(ids) < MIN_NUMBERS:
        raise InputError(
            f"{name}: its tokenizer has single tokens for {_said(len(ids))}, and a spectrum needs 0 to "
            f"{MIN_NUMBERS - 1} at least, so its embeddings have no spectrum of numbers; the states of a "
            "layer have one: give a layer, such as 2"
        )
    rows = _stored_rows(source, ids)
    if rows is None:
        rows = load_base(source).get_input_embeddings().weight[ids].detach()
    return NumberVectors(rows.float().cpu().numpy(), f"token embeddings of {name}")


def _said(count: int) -> str:
    return f"0 to {count - 1} only" if count > 1 else "no numbers"


def find_folder(model: str) -> Path | None:
    """The folder that is meant, None for a hub id."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if model in ("bundled", "bundled/text_backbone"):
        from modgap.models.bundled import FOLDER

        return FOLDER.parent / model
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise FileError(f"{model}: no such folder; give a model folder or a hub id such as org/name")
    return None


def load_tokenizer(source: str) -> Any:
    try:
        return transformers.AutoTokenizer.from_pretrained(source)
    except Exception as error:  # any of many kinds, from a missing repository to a damaged file
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise ModelError(f"{source}: the tokenizer cannot be loaded: {reason}") from error


def _of_number_model(folder: Path, name: str, most: int) -> NumberVectors:
    from ._model import NumberModel

    model: NumberModel = NumberModel.from_pretrained(folder)
    codec = model.settings.codec
    if not codec.exponent_places and codec.integer_places < len(str(most - 1)):
        most = 10**codec.integer_places
    features = torch.from_numpy(codec.encode(np.arange(most)))
    with torch.no_grad():
        rows = model.embedding(features)
        rows = rows * model.gate.float() if model.head is None else rows + model.mark_in.float()
    return NumberVectors(rows.cpu().numpy(), f"number embeddings of {name}")


def _states(model: Any, tokenizer: Any, layer: int, most: int) -> tuple[npt.NDArray[np.float32], bool]:
    """States at the last token of each number, alone in its text, before the blocks or after one of them;
    and whether some numbers share their last token."""
    model.eval()
    blocks = int(model.config.get_text_config().num_hidden_layers)
    if not 0 <= layer <= blocks:
        raise InputError(f"layer {layer} does not exist: the model has the layers 0 to {blocks}")
    ids = [tokenizer(str(number))["input_ids"] for number in range(most)]
    out: list[npt.NDArray[np.float32]] = []
    for start in range(0, most, _BATCH):
        part = ids[start : start + _BATCH]
        # Filled up on the right: in a causal model nothing that comes later is seen.
        longest = max(map(len, part))
        batch = torch.tensor([row + [0] * (longest - len(row)) for row in part])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in part])
        with torch.no_grad():
            found = model(input_ids=batch, attention_mask=mask, output_hidden_states=True, return_dict=True)
        states = found.hidden_states[layer]
        out.append(states[torch.arange(len(part)), mask.sum(dim=1) - 1].float().numpy())
    return np.concatenate(out), len({row[-1] for row in ids}) < most


def _stored_rows(source: str, ids: Sequence[int]) -> Any:
    """Rows of the embeddings from the file that holds them; None if it cannot be told which tensor it is."""
    from safetensors import SafetensorError, safe_open

    try:
        config = transformers.AutoConfig.from_pretrained(source)
        with torch.device("meta"):
            model = getattr(transformers, (config.architectures or [""])[0])(config)
        table = model.get_input_embeddings().weight
        own = next(name for name, value in model.named_parameters() if value is table)
        index = _file(source, "model.safetensors.index.json")
        if index is not None:
            places = json.loads(Path(index).read_text(encoding="utf-8"))["weight_map"]
        else:
            with safe_open(_file(source, "model.safetensors"), framework="pt") as file:
                places = dict.fromkeys(file.keys(), "model.safetensors")
        # Names may begin differently in a file than in the model, but they end alike.
        ending = ".".join(own.split(".")[-2:])
        named = [name for name in places if f".{name}".endswith(f".{ending}")]
        if own not in named and len(named) != 1:
            return None
        name = own if own in named else named[0]
        with safe_open(_file(source, places[name]), framework="pt") as file:
            stored = file.get_slice(name)
            if list(stored.get_shape()) != list(table.shape):
                return None
            first = min(ids)
            return stored[first : max(ids) + 1][[i - first for i in ids]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration, SafetensorError):
        return None  # a shortcut: what is unusual here is loaded, and reported, the long way


def _file(source: str, name: str) -> str | None:
    """Path of a file of a folder or of the hub, None if it is not there."""
    if Path(source).is_dir():
        path = Path(source) / name
        return str(path) if path.is_file() else None
    from transformers.utils import cached_file

    try:
        found: str | None = cached_file(source, name)
    except OSError:
        return None
    return found
