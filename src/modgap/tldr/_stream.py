"""Scores while a caption is being written: a word is judged as soon as it is complete.

    stream = Stream(detector, Item(image, ""))
    for piece in pieces_of_text:
        for word in stream.push(piece):      # words that became complete, with their scores
            if word.bad > threshold:
                stream.back_to(word.start)   # forget it and what came after; the writer tries again
    rest = stream.end()

The detector reads causally, so the scores are those of the finished caption, up to rounding. Picture and
prompt are read once, and every token once: what was read is kept as keys and values. A word is complete when
white space follows it; until then its tokens may still change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import DynamicCache

from modgap._errors import InputError, ModelError
from modgap.models.local._prompt import common_length
from modgap.models.local._score import why_not

from ._detector import TldrDetector
from ._reading import CAUSAL, Reader, decoder_states
from ._scores import Item, TokenScores, Word, words

if TYPE_CHECKING:
    from jaxtyping import Float


class Stream:
    """The scores of one caption that grows.

    Args:
        detector: a trained one.
        item: picture and prompt; its caption is what has been written so far, mostly nothing.

    Raises:
        InputError: if the detector reads bidirectionally, which takes finished captions.
        ModelError: if what the model has read cannot be kept; such a family scores finished captions only.
    """

    def __init__(self, detector: TldrDetector, item: Item) -> None:
        if detector.config.way != CAUSAL:
            raise InputError(
                f"{detector.name} reads {detector.config.way}ly, so it judges finished captions only; for a "
                "caption that is being written take a causal detector, such as sibling-causal"
            )
        self._detector = detector
        pretrained = detector.pretrained
        self._reader = Reader(pretrained)
        self._prompt = self._reader.prompt(detector.shown(item))
        read = self._reader.read([self._prompt])
        if reason := why_not(pretrained, read):
            raise ModelError(f"{pretrained.name}: nothing it reads can be kept for a stream ({reason})")
        self._cache = DynamicCache(config=pretrained.model.config.get_text_config())
        inputs = pretrained.inputs(read)
        self._length = int(inputs["attention_mask"].sum())
        with torch.inference_mode():
            decoder_states(pretrained, {**inputs, "past_key_values": self._cache, "use_cache": True})
        self._text = ""
        self._ids: list[int] = []
        self._bad: Float[np.ndarray, " tokens"] = np.zeros(0)
        self._told = 0  # characters whose words have been returned
        self.read_tokens = 0
        """Tokens of the caption that were read, those read again after :meth:`back_to` included."""
        if item.caption:
            self.push(item.caption)

    @property
    def text(self) -> str:
        """What has been written."""
        return self._text

    def push(self, piece: str) -> list[Word]:
        """Go on with some characters.

        Args:
            piece: any text; it may end inside a word.

        Returns:
            The words that are complete now and were not before, in order.

        Raises:
            InputError: if the caption becomes longer than the model reads.
        """
        self._text += piece
        whole = len(self._text.rstrip())
        if whole == len(self._text):  # the last word may go on
            whole = max((i for i, c in enumerate(self._text) if c.isspace()), default=0)
        return self._judge(len(self._text[:whole].rstrip()))

    def end(self) -> list[Word]:
        """The caption is finished: the words that were not complete yet."""
        return self._judge(len(self._text))

    def back_to(self, start: int) -> None:
        """Forget what was written from a character on; the writer goes on from there.

        Args:
            start: 0-based, in the text so far.

        Raises:
            InputError: if it is not in the text.
        """
        if not 0 <= start <= len(self._text):
            raise InputError(f"character {start} is not in a text of {len(self._text)} characters")
        self._text = self._text[:start]
        self._told = min(self._told, start)

    def _judge(self, until: int) -> list[Word]:
        text = self._text[:until]
        if until <= self._told or not text.strip():
            return []
        encoded = self._reader.encode(self._prompt, text)
        self._reader.check_length(self._length, len(encoded.ids))
        same = common_length(self._ids, encoded.ids)
        if same < len(self._ids):
            self._cache.crop(same - len(self._ids))  # a negative number: how many tokens to remove
        new = encoded.ids[same:]
        if new:
            bad = self._detector.go_on(self._cache, self._length + same, new)
            self._bad = np.concatenate([self._bad[:same], bad])
            self.read_tokens += len(new)
        self._ids = encoded.ids
        found = words(TokenScores(encoded.offsets, self._bad[: len(encoded.ids)]), text)
        fresh = [word for word in found if word.start >= self._told]
        self._told = until
        return fresh
