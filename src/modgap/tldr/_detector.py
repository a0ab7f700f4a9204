"""A trained detector: what scores captions with a model, its low-rank change, and a head.

    detector = load_detector("runs/detector")                # the model it was trained on is found by itself
    scores = detector.score([Item(image, "Two red circles.")])

It is kept as a folder; see ``_detector_files.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import torch
from torch import nn

from modgap.models.local import BATCH_TOKENS
from modgap.models.local._load import Pretrained
from modgap.models.local._prompt import Prompt

from ._example import PROMPT
from ._network import DetectorNetwork
from ._reading import CAUSAL, Encoded, Reader, Shown, decoder_states
from ._scores import Item, TokenScores

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor
    from transformers import Cache

READ_AT = ", at the judged token; logit of right"
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
        reads: how, beginning with ``causal`` or ``bidirectional``; written out so that it is never mixed with
            another way.
        validation: figures on validation data, by name.
        training: settings of the training.
        version: of this format.
    """

    base: str
    weights: str
    revision: str = ""
    prompt: str | None = PROMPT
    objective: str = "token"
    reads: str = f"{CAUSAL}{READ_AT}"
    calibration: Calibration = Calibration()
    validation: dict[str, float | int | None] = {}
    training: dict[str, Any] = {}
    version: int = 1

    @property
    def way(self) -> str:
        """``causal`` or ``bidirectional``."""
        return self.reads.removesuffix(READ_AT)


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
        batch_tokens: most tokens of captions, and of prompts, in a batch, padding included; by default that
            of the device.
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
        self._network = DetectorNetwork(pretrained, head, reads=config.way)
        self._reader = Reader(pretrained)
        default = BATCH_TOKENS.get(pretrained.device.type, BATCH_TOKENS["other"])
        self._tokens = batch_tokens or default
        self._prompt_tokens = 0  # of the longest prompt so far, its picture included

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
            prompt = self._reader.prompt(self.shown(item))
            jobs.append(_Job(index, prompt, self._reader.encode(prompt, item.caption)))
        for batch in self._batches(jobs):
            flat = [job for group in batch for job in group]
            for job, bad in zip(flat, self._bad(batch), strict=True):
                found[job.index] = TokenScores(job.encoded.offsets, bad)
        return [scores for scores in found if scores is not None]

    def shown(self, item: Item) -> Item:
        """An item with the prompt that the detector shows."""
        return item if self.config.prompt is None else replace(item, prompt=self.config.prompt)

    @torch.inference_mode()
    def go_on(self, cache: Cache, length: int, ids: list[int]) -> Float[np.ndarray, " tokens"]:
        """Probability that each of some tokens is wrong, which follow what was read before.

        Args:
            cache: keys and values of ``length`` tokens; it grows.
            length: of what was read.
            ids: tokens that follow.
        """
        device = self.pretrained.device
        states = decoder_states(
            self.pretrained,
            {
                "input_ids": torch.tensor([ids], device=device),
                "attention_mask": torch.ones(1, length + len(ids), dtype=torch.long, device=device),
                "position_ids": torch.arange(length, length + len(ids), device=device)[None],
                "past_key_values": cache,
                "use_cache": True,
            },
        )
        return self._probability(self.head(states.float())[0, :, 0])

    def _batches(self, jobs: Sequence[_Job]) -> Iterator[list[list[_Job]]]:
        """Groups of jobs with one prompt each; the longest first, with and without pictures apart.

        How many positions a prompt with its picture takes is known after the first, which goes alone.
        """
        by_prompt: dict[Prompt, list[_Job]] = {}
        for job in jobs:
            by_prompt.setdefault(job.prompt, []).append(job)
        groups = []
        for members in by_prompt.values():
            groups += self._cut(sorted(members, key=lambda job: len(job.encoded.ids)))
        groups.sort(key=lambda g: (len(g[0].prompt.images), len(g[-1].encoded.ids)), reverse=True)
        batch: list[list[_Job]] = []
        width = count = 0
        for group in groups:
            if batch and (
                len(batch[0][0].prompt.images) != len(group[0].prompt.images)
                or (count + len(group)) * width > self._tokens
                or (len(batch) + 1) * (self._prompt_tokens or self._tokens) > self._tokens
            ):
                yield batch
                batch, count = [], 0
            width = width if batch else len(group[-1].encoded.ids)  # the longest comes first
            batch.append(group)
            count += len(group)
        if batch:
            yield batch

    def _cut(self, members: Sequence[_Job]) -> list[list[_Job]]:
        """Jobs of one prompt, shortest first, in groups that fit a batch."""
        groups: list[list[_Job]] = [[]]
        for job in members:
            size = len(groups[-1])
            if size and (size == CAPTIONS or (size + 1) * len(job.encoded.ids) > self._tokens):
                groups.append([])
            groups[-1].append(job)
        return groups

    @torch.inference_mode()
    def _bad(self, batch: list[list[_Job]]) -> list[Float[np.ndarray, " tokens"]]:
        shown = [Shown(group[0].prompt, tuple(job.encoded.ids for job in group)) for group in batch]
        inputs = self._reader.batch(shown)
        self._prompt_tokens = max(self._prompt_tokens, inputs["prompts"]["input_ids"].shape[1])
        bad = self._probability(self._network(**inputs)["logits"])
        lengths = inputs["real"].sum(dim=1).tolist()
        return [row[:length] for row, length in zip(bad, lengths, strict=True)]

    def _probability(self, logits: Float[Tensor, "*shape"]) -> Float[np.ndarray, "*shape"]:
        calibration = self.config.calibration
        bad = torch.sigmoid(calibration.shift - calibration.scale * logits.double())
        return np.asarray(bad.cpu().numpy())
