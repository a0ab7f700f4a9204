"""Sparse autoencoders of block outputs: what one is, and the folders they are published in.

    load_sae("gemma-scope/layer_12/width_16k/average_l0_82")   params.npz (Gemma Scope)
    load_sae("sae")                                            cfg.json, sae_weights.safetensors (SAELens)
    load_sae("Llama3_1-8B-Base-L15R-8x")                       hyperparams.json, checkpoints/final.safetensors

Nothing in such a folder is code, and nothing is downloaded.
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from modgap._errors import FileError, InputError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

_MOST_BYTES = 2**20
_SAELENS = ("cfg.json", "sae_weights.safetensors")
_LLAMA_SCOPE = ("hyperparams.json", "checkpoints/final.safetensors")
_NAMES = ("W_enc", "b_enc", "W_dec", "b_dec")


@dataclass(frozen=True)
class SAE:
    """Features of the output of one block.

    A feature's activation is ``relu((scale · x − shift) @ encoder + encoder_bias)``, set to 0 unless it is
    above ``threshold`` and, with ``k``, among the ``k`` largest; ``shift`` is the decoder's bias or nothing.

    Args:
        encoder: float32.
        encoder_bias: of each feature.
        decoder: one direction per feature.
        decoder_bias: of the reconstruction.
        threshold: of each feature (JumpReLU); 0 without one.
        k: most features that are active at once (TopK), if that is so.
        block: 0-based block whose output it is of; ``None`` if the folder does not say.
        scale: what states are multiplied by before they are encoded, and divided by after.
        shifted: whether the decoder's bias is subtracted first.
    """

    encoder: Float[Tensor, "d_model feature"]
    encoder_bias: Float[Tensor, " feature"]
    decoder: Float[Tensor, "feature d_model"]
    decoder_bias: Float[Tensor, " d_model"]
    threshold: Float[Tensor, " feature"]
    k: int | None = None
    block: int | None = None
    scale: float = 1.0
    shifted: bool = False

    def __post_init__(self) -> None:
        shapes = [tuple(part.shape) for part in (self.encoder, self.encoder_bias, self.decoder)]
        shapes += [tuple(part.shape) for part in (self.decoder_bias, self.threshold)]
        width, features = shapes[0] if len(shapes[0]) == 2 else (0, 0)
        if shapes != [(width, features), (features,), (features, width), (width,), (features,)]:
            raise InputError(f"parts of a sparse autoencoder do not fit together: shapes {shapes}")
        if not all(bool(torch.isfinite(part).all()) for part in self._parts().values()):
            raise InputError("a sparse autoencoder has numbers that are not finite")
        if self.k is not None and not 0 < self.k <= features:
            raise InputError(f"k is {self.k}; it must be from 1 to the {features} features")
        if not 0 < self.scale < float("inf"):
            raise InputError(f"states are scaled by {self.scale}; a positive number is needed")

    def encode(self, states: Float[Tensor, "*n d_model"]) -> Float[Tensor, "*n feature"]:
        """Activations of the features, in the units of the scaled states."""
        x = states.float() * self.scale
        if self.shifted:
            x = x - self.decoder_bias
        before = x @ self.encoder + self.encoder_bias
        found = before.relu() * (before > self.threshold)
        if self.k is not None:
            top = found.topk(self.k, dim=-1)
            found = torch.zeros_like(found).scatter(-1, top.indices, top.values)
        return found

    def decode(self, features: Float[Tensor, "*n feature"]) -> Float[Tensor, "*n d_model"]:
        """States that the features stand for."""
        return (features @ self.decoder + self.decoder_bias) / self.scale

    def _parts(self) -> dict[str, Tensor]:
        return {
            **dict(
                zip(_NAMES, (self.encoder, self.encoder_bias, self.decoder, self.decoder_bias), strict=True)
            ),
            "threshold": self.threshold,
        }

    def save(self, folder: str | Path, facts: dict[str, Any]) -> Path:
        """Write a folder as SAELens reads it.

        Args:
            folder: it is made if it does not exist.
            facts: entries for ``cfg.json``, such as ``model_name``.

        Raises:
            FileError: it cannot be written.
        """
        folder = Path(folder)
        about = {
            "architecture": "topk" if self.k else "jumprelu" if bool(self.threshold.any()) else "standard",
            "d_in": self.encoder.shape[0],
            "d_sae": self.encoder.shape[1],
            "dtype": "float32",
            "apply_b_dec_to_input": self.shifted,
            "normalize_activations": "none",
            **({"k": self.k} if self.k else {}),
            "metadata": {"hook_name": f"blocks.{self.block}.hook_resid_post", **facts},
        }
        parts = self._parts()
        parts["W_enc"] = parts["W_enc"] * self.scale
        parts["W_dec"], parts["b_dec"] = parts["W_dec"] / self.scale, parts["b_dec"] / self.scale
        if about["architecture"] != "jumprelu":
            del parts["threshold"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_file({name: part.contiguous() for name, part in parts.items()}, folder / _SAELENS[1])
            (folder / _SAELENS[0]).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise FileError(f"{folder}: cannot be written ({error.strerror})") from error
        return folder


def load_sae(folder: str | Path) -> SAE:
    """Read a sparse autoencoder of one of the three layouts above.

    Args:
        folder: that holds it.

    Raises:
        FileError: no such folder, damaged, or of a kind that is not known here.
    """
    folder = Path(folder)
    try:
        if (folder / "params.npz").is_file():
            return _gemma_scope(folder)
        if (folder / _SAELENS[0]).is_file():
            return _saelens(folder)
        if (folder / _LLAMA_SCOPE[0]).is_file():
            return _llama_scope(folder)
    except OSError as error:
        raise FileError(f"{folder}: cannot be read ({error.strerror or error})") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{folder}: an entry is missing or of the wrong kind ({error})") from error
    except (ValueError, SafetensorError, zipfile.BadZipFile, EOFError, RecursionError) as error:
        raise FileError(f"{folder}: a damaged sparse autoencoder ({error})") from error
    raise FileError(
        f"{folder}: no sparse autoencoder; expected params.npz, {_SAELENS[0]} with {_SAELENS[1]}, or "
        f"{_LLAMA_SCOPE[0]} with {_LLAMA_SCOPE[1]}"
    )


def _gemma_scope(folder: Path) -> SAE:
    with (folder / "params.npz").open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        parts = {
            name: torch.from_numpy(np.asarray(file[name], np.float32)) for name in (*_NAMES, "threshold")
        }
    said = re.search(r"layer_(\d{1,3})(?!\d)", str(folder.resolve()))
    return _made(parts, parts["threshold"], block=int(said[1]) if said else None)


def _saelens(folder: Path) -> SAE:
    about = _json(folder / _SAELENS[0])
    parts = {name: part.float() for name, part in load_file(folder / _SAELENS[1]).items()}
    kind = about.get("architecture", "standard")
    if kind not in ("standard", "jumprelu", "topk"):
        raise FileError(f"{folder}: architecture {kind!r} is not one of standard, jumprelu, topk")
    if (how := about.get("normalize_activations", "none")) not in ("none", None):
        raise FileError(
            f"{folder}: normalize_activations {how!r} is not known here; fold it into the weights"
        )
    hook = about.get("hook_name") or (about.get("metadata") or {}).get("hook_name")
    k = about.get("k", (about.get("activation_fn_kwargs") or {}).get("k")) if kind == "topk" else None
    if kind == "topk" and not isinstance(k, int):
        raise FileError(f"{folder}: a topk autoencoder without an integer k")
    threshold = parts["threshold"] if kind == "jumprelu" else torch.zeros_like(parts["b_enc"])
    if about.get("rescale_acts_by_decoder_norm", False):  # activations as if each direction had length 1
        lengths = parts["W_dec"].norm(dim=1).clamp(min=1e-30)
        parts["W_enc"], parts["b_enc"] = parts["W_enc"] * lengths, parts["b_enc"] * lengths
        parts["W_dec"] = parts["W_dec"] / lengths[:, None]
    return _made(
        parts,
        threshold,
        k=k,
        block=_block(hook, folder),
        # Older files leave it out, and were trained with it.
        shifted=bool(about.get("apply_b_dec_to_input", True)),
    )


def _llama_scope(folder: Path) -> SAE:
    about = _json(folder / _LLAMA_SCOPE[0])
    parts = {name: part.float() for name, part in load_file(folder / _LLAMA_SCOPE[1]).items()}
    encoder, decoder = parts["encoder.weight"].T, parts["decoder.weight"].T
    if about.get("hook_point_in") != about.get("hook_point_out", about.get("hook_point_in")):
        raise FileError(f"{folder}: a transcoder between two places, not an autoencoder of one")
    threshold = torch.full((encoder.shape[1],), float(about.get("jump_relu_threshold", 0)))
    if about.get("sparsity_include_decoder_norm", False):
        threshold /= decoder.norm(dim=1).clamp(min=1e-30)
    norm = (about.get("dataset_average_activation_norm") or {}).get("in")
    return SAE(
        encoder,
        parts["encoder.bias"],
        decoder,
        parts["decoder.bias"],
        threshold,
        k=int(about["top_k"]) if about.get("act_fn") == "topk" else None,
        block=_block(about.get("hook_point_in"), folder),
        scale=encoder.shape[0] ** 0.5 / float(norm) if norm else 1.0,
        shifted=bool(about.get("apply_decoder_bias_to_pre_encoder", False)),
    )


def _made(parts: dict[str, Tensor], threshold: Tensor, **settings: Any) -> SAE:
    return SAE(parts["W_enc"], parts["b_enc"], parts["W_dec"], parts["b_dec"], threshold, **settings)


def _json(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    found = json.loads(content) if len(content) <= _MOST_BYTES else None
    if not isinstance(found, dict):
        raise FileError(f"{path}: not a JSON object of at most 1 MiB")
    return found


def _block(hook: object, folder: Path) -> int | None:
    """The block of a hook name; the input of a block is the output of the one before."""
    if not isinstance(hook, str):
        return None
    said = re.fullmatch(r"blocks\.(\d{1,3})\.hook_resid_(pre|post)", hook)
    if said is None or (said[2] == "pre" and said[1] == "0"):
        raise FileError(f"{folder}: it is of {hook!r}, not of the output of a block")
    return int(said[1]) - (said[2] == "pre")
