"""A trained detector: a folder that PEFT can load too, and what scores captions with it.

    detector = load_detector("runs/detector")                # the model it was trained on is found by itself
    scores = detector.score([Item(image, "Two red circles.")])

The folder holds the low-rank change (``adapter_config.json``, ``adapter_model.safetensors``; none for a probe
on a frozen model), the linear head (``head.safetensors``), a card, and ``detector.json``: what the detector
was trained on, how it reads, and its calibration. The prompt belongs to it: with another it would be another.
A model whose weights are not those it was trained on is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import torch
from torch import nn

from modgap._errors import FileError, ModelError
from modgap.models import bundled
from modgap.models.local import BATCH_TOKENS
from modgap.models.local._fingerprint import _files_hash
from modgap.models.local._load import LoadOptions, Pretrained, first_line, load_pretrained
from modgap.models.local._prompt import Prompt

from ._example import PROMPT
from ._network import DetectorNetwork
from ._reading import Encoded, Reader, Shown
from ._scores import Item, TokenScores

if TYPE_CHECKING:
    from jaxtyping import Float

DETECTOR, HEAD, ADAPTER = "detector.json", "head.safetensors", "adapter_config.json"
BUNDLED = "bundled"
CAPTIONS = 64
"""Most captions of a picture in one reading (our choice: the keys and values are copied for each)."""


class Calibration(msgspec.Struct, frozen=True):
    """From the head's logit of "wrong" to a probability, and where to flag.

    Args:
        scale: multiplies the logit.
        shift: is added to it; it carries another prevalence than that of the training data.
        ece: expected calibration error with them, 0 to 1, on captions they were not fitted on.
        ece_before: without them.
        alpha: of the captions without an error at most this fraction is flagged, on average.
        threshold: probability above which a token is flagged for that; 1 flags nothing.
        clean: captions without an error, one per picture, that the threshold is from.
    """

    scale: float = 1.0
    shift: float = 0.0
    ece: float | None = None
    ece_before: float | None = None
    alpha: float | None = None
    threshold: float = 0.5
    clean: int = 0


class DetectorConfig(msgspec.Struct, frozen=True):
    """What ``detector.json`` says.

    Args:
        base: the model: ``bundled``, a folder or a hub id.
        weights: hash of its weights.
        revision: commit of a hub model, or empty.
        prompt: that every caption is shown to answer; ``None`` if it was trained on several, then it is that
            of each item.
        objective: ``token`` or ``response``.
        reads: how; there is one way, named so that it is never mixed with another.
        validation: figures on validation data, by name.
        training: settings of the training.
        version: of this format.
    """

    base: str
    weights: str
    revision: str = ""
    prompt: str | None = PROMPT
    objective: str = "token"
    reads: str = "causal, at the judged token; logit of right"
    calibration: Calibration = Calibration()
    validation: dict[str, float | int | None] = {}
    training: dict[str, Any] = {}
    version: int = 1


@dataclass(frozen=True)
class _Job:
    index: int
    prompt: Prompt
    encoded: Encoded


class TldrDetector:
    """Scores captions with a trained detector.

    Args:
        pretrained: the model, with its low-rank change.
        head: from the decoder's width to 1.
        config: how it was made.
        name: for tables.
        batch_tokens: most caption tokens of a batch, padding included; by default that of the device.
    """

    def __init__(
        self,
        pretrained: Pretrained,
        head: nn.Linear,
        config: DetectorConfig,
        *,
        name: str = "tldr",
        batch_tokens: int | None = None,
    ) -> None:
        self.name = name
        self.config = config
        self.pretrained = pretrained
        self.head = head
        self._network = DetectorNetwork(pretrained, head)
        self._reader = Reader(pretrained)
        default = BATCH_TOKENS.get(pretrained.device.type, BATCH_TOKENS["other"])
        self._tokens = batch_tokens or default

    def with_calibration(self, calibration: Calibration) -> TldrDetector:
        """The same detector with another calibration."""
        config = msgspec.structs.replace(self.config, calibration=calibration)
        return TldrDetector(self.pretrained, self.head, config, name=self.name, batch_tokens=self._tokens)

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """Probability that each token is wrong; see :class:`Detector`.

        Captions of one picture are read together, after a single reading of picture and prompt, where the
        family allows it; the scores are those of each caption alone, up to rounding.

        Raises:
            InputError: if a caption is empty or too long for the model, or the model cannot see.
            FileError: if a picture is damaged.
        """
        found: list[TokenScores | None] = [None] * len(items)
        jobs = []
        for index, item in enumerate(items):
            frozen = self.config.prompt
            prompt = self._reader.prompt(item if frozen is None else replace(item, prompt=frozen))
            jobs.append(_Job(index, prompt, self._reader.encode(prompt, item.caption)))
        for batch in self._batches(jobs):
            flat = [job for group in batch for job in group]
            for job, bad in zip(flat, self._bad(batch), strict=True):
                found[job.index] = TokenScores(job.encoded.offsets, bad)
        return [scores for scores in found if scores is not None]

    def _batches(self, jobs: Sequence[_Job]) -> Iterator[list[list[_Job]]]:
        """Groups of jobs with one prompt each; the longest first, with and without pictures apart."""
        by_prompt: dict[Prompt, list[_Job]] = {}
        for job in jobs:
            by_prompt.setdefault(job.prompt, []).append(job)
        groups = []
        for members in by_prompt.values():
            members.sort(key=lambda job: len(job.encoded.ids))
            groups += [members[i : i + CAPTIONS] for i in range(0, len(members), CAPTIONS)]
        groups.sort(key=lambda g: (len(g[0].prompt.images), len(g[-1].encoded.ids)), reverse=True)
        batch: list[list[_Job]] = []
        width = count = 0
        for group in groups:
            same = batch and len(batch[0][0].prompt.images) == len(group[0].prompt.images)
            if batch and (not same or (count + len(group)) * width > self._tokens):
                yield batch
                batch, count = [], 0
            width = max(width, len(group[-1].encoded.ids)) if batch else len(group[-1].encoded.ids)
            batch.append(group)
            count += len(group)
        if batch:
            yield batch

    @torch.inference_mode()
    def _bad(self, batch: list[list[_Job]]) -> list[Float[np.ndarray, " tokens"]]:
        shown = [Shown(group[0].prompt, tuple(job.encoded.ids for job in group)) for group in batch]
        inputs = self._reader.batch(shown)
        logits = self._network(**inputs)["logits"].double().cpu()
        calibration = self.config.calibration
        bad = torch.sigmoid(calibration.shift - calibration.scale * logits).numpy()
        lengths = inputs["real"].sum(dim=1).tolist()
        return [row[:length] for row, length in zip(bad, lengths, strict=True)]


def weights_hash(pretrained: Pretrained) -> str:
    """Hash of the weights of a model, the same wherever they lie."""
    return _files_hash(pretrained.folder.glob("*.safetensors"))


def base_folder(base: str) -> str:
    """What to load for a base as written in ``detector.json``."""
    return str(bundled.FOLDER) if base == BUNDLED else base


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
    except (msgspec.DecodeError, RecursionError, OSError) as error:
        raise FileError(
            f"{folder / DETECTOR}: {first_line(error)}; make or get the detector again"
        ) from error
    if config.version != 1:
        raise FileError(
            f"{folder}: a detector of format {config.version}, and this modgap reads format 1; update modgap"
        )
    return config


def load_trained(
    folder: Path, *, model: str | None = None, batch_tokens: int | None = None, device: str | None = None
) -> TldrDetector:
    """Load a trained detector with its model.

    Args:
        folder: as written by ``modgap tldr train``; untrusted.
        model: where its model is; by default as the folder says.
        batch_tokens: see :class:`TldrDetector`.
        device: ``cpu``, ``cuda`` …; by default CUDA if there is one.

    Raises:
        FileError: if the folder is no detector, or damaged.
        ModelError: if the model is not the one the detector was trained on.
    """
    config = read_config(folder)
    adapter = str(folder) if (folder / ADAPTER).is_file() else None
    base = base_folder(model or config.base)
    # The bundled model is stored in half precision and always run in float32.
    dtype = "float32" if (model or config.base) == BUNDLED else "auto"
    pretrained = load_pretrained(base, LoadOptions(adapter=adapter, dtype=dtype, device=device))
    if weights_hash(pretrained) != config.weights:
        raise ModelError(
            f"{folder}: trained on other weights of {config.base!r} than those of {base}; give the model it "
            "was trained on, or train it again"
        )
    pretrained = replace(pretrained, name=f"{config.base}+{folder.name}")
    return TldrDetector(
        pretrained, _read_head(folder, pretrained), config, name=folder.name, batch_tokens=batch_tokens
    )


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
