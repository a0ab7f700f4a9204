"""A caption that is judged while its model writes it: a flagged word is taken back and written otherwise.

    for event in write(load_detector("runs/detector"), model, Item(image, ""), threshold=0.5):
        ...                                # words with their scores, words taken back, at last the caption

The model writes greedily. When the detector flags a word that was just completed, writer and detector go back
to its beginning, and the next likeliest first token of a word is tried; after ``TRIES`` of them, or when no
other is likely, the word with the lowest score stays. Nothing after a wrong word is written in vain, and
what follows is written after the word that stayed. Section 11.8 of our notes on TLDR asks for this; the paper
only corrects finished captions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from transformers import DynamicCache

from modgap._errors import InputError, ModelError
from modgap.models.local._score import why_not

from ._detector import TldrDetector
from ._reading import Reader
from ._scores import Item
from ._stream import Stream

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from modgap.models.local._model import LocalModel

TRIES = 3
"""Other words that are tried in place of one (our choice: time)."""
SHARE = 0.05
"""Least probability of another first token, the likeliest forbidden (our choice)."""
LEAST = 0.01
"""The same with nothing forbidden, so that a sure writer is not made to write what no sentence has there."""
MOST_TOKENS = 220
_LIKELIEST = 24  # first tokens that are remembered at each place; few of them begin a word of the same kind


@dataclass(frozen=True)
class Event:
    """Something that happened while a caption was written.

    Args:
        kind: ``word``, it was completed and stays; ``back``, it was completed and taken back; ``end``, the
            caption is finished.
        start: first character of the word, 0-based; 0 at the end.
        text: the word; at the end the caption.
        bad: score of the word; at the end the highest of all words.
        flagged: whether that is above the threshold.
    """

    kind: str
    start: int
    text: str
    bad: float
    flagged: bool


class Writer:
    """Greedy writing with a way back.

    Args:
        model: that writes.
        item: picture and prompt; what its caption says is not written again.

    Raises:
        ModelError: if what the model has read cannot be kept.
    """

    def __init__(self, model: LocalModel, item: Item) -> None:
        self._pretrained = pretrained = model.pretrained
        reader = Reader(pretrained)
        read = reader.read([reader.prompt(item)])
        if reason := why_not(pretrained, read):
            raise ModelError(f"{pretrained.name}: it cannot go back while it writes ({reason})")
        inputs = pretrained.inputs(read)
        self._prompt = int(inputs["attention_mask"].sum())
        self._window = pretrained.window
        self._cache = DynamicCache(config=pretrained.model.config.get_text_config())
        self.ids: list[int] = []
        """Tokens of the caption."""
        self._ends = [0]  # characters of the caption after so many tokens
        self._likeliest: list[tuple[list[int], list[float]]] = []
        self.text = ""
        self.written_tokens = 0
        """Those taken back included."""
        self._see(inputs)

    def step(self) -> bool:
        """Write the likeliest next token; ``False`` if that ends the caption."""
        token = self._likeliest[-1][0][0]
        full = self._window is not None and self._prompt + len(self.ids) + 1 >= self._window
        if token in self._pretrained.end_ids or full:
            return False
        self._append(token)
        return True

    def place_of(self, start: int) -> int:
        """The token that holds or begins a character, 0-based."""
        return next(i for i, end in enumerate(self._ends[1:]) if end > start)

    def others(self, place: int) -> list[int]:
        """Tokens that may stand at a place instead of the likeliest, in order; none if none is likely.

        They begin a word if that does.
        """
        tokens, shares = self._likeliest[place]
        spaced, rest = self._begins(tokens[0]), 1 - shares[0]
        return [
            token
            for token, share in zip(tokens[1:], shares[1:], strict=True)
            if share >= max(SHARE * rest, LEAST)
            and token not in self._pretrained.end_ids
            and spaced is not None
            and self._begins(token) is spaced
        ]

    def back_to(self, place: int, token: int) -> int:
        """Write another token at a place; returns the characters before it."""
        before = self._ends[place]
        self._cache.crop(place - len(self.ids))  # a negative number: how many tokens to remove
        del self.ids[place:], self._ends[place + 1 :], self._likeliest[place + 1 :]
        self._append(token)
        return before

    def _begins(self, token: int) -> bool | None:
        """Whether a token begins with white space, then a letter or digit; ``None`` if neither does."""
        text = self._pretrained.tokenizer.decode([*self.ids[:1], token])
        text = text[len(self._pretrained.tokenizer.decode(self.ids[:1])) :]
        return None if not text.strip()[:1].isalnum() else text[:1].isspace()

    def _append(self, token: int) -> None:
        self.ids.append(token)
        self.written_tokens += 1
        self.text = self._pretrained.tokenizer.decode(self.ids, skip_special_tokens=True).lstrip()
        self._ends.append(len(self.text.rstrip("\ufffd")))  # half a character is not written yet
        self.text = self.text[: self._ends[-1]]
        device = self._pretrained.device
        length = self._prompt + len(self.ids)
        self._see(
            {
                "input_ids": torch.tensor([[token]], device=device),
                "attention_mask": torch.ones(1, length, dtype=torch.long, device=device),
                "position_ids": torch.tensor([[length - 1]], device=device),
            }
        )

    @torch.inference_mode()
    def _see(self, inputs: dict[str, Tensor]) -> None:
        only = {"logits_to_keep": 1} if "logits_to_keep" in self._pretrained.forward_names else {}
        done = self._pretrained.model(**inputs, past_key_values=self._cache, use_cache=True, **only)
        shares: Float[Tensor, " vocab"] = done.logits[0, -1].float().softmax(dim=0)
        top = shares.topk(min(_LIKELIEST, len(shares)))
        self._likeliest.append((top.indices.tolist(), top.values.tolist()))


def write(
    detector: TldrDetector,
    model: LocalModel,
    item: Item,
    *,
    threshold: float,
    tries: int = TRIES,
    most_tokens: int = MOST_TOKENS,
) -> Iterator[Event]:
    """Write a caption under the eyes of a detector.

    Args:
        detector: a trained one; its model need not be the one that writes.
        model: that writes.
        item: picture and prompt; without a caption.
        threshold: words with a higher score are taken back.
        tries: other words that are tried in place of one; 0 only judges.
        most_tokens: of the caption.

    Yields:
        Events as they happen; the last is the caption.

    Raises:
        InputError: if a number is not accepted.
        ModelError: if one of the two models cannot go back.
    """
    if tries < 0 or most_tokens < 1:
        raise InputError(f"tries {tries} and most_tokens {most_tokens}: give 0 or more, and 1 or more")
    stream, writer = Stream(detector, item), Writer(model, item)
    tried: dict[int, list[tuple[float, int]]] = {}  # place → scores and first tokens of what stood there
    settled: set[int] = set()
    highest = 0.0
    going = True
    while going:
        going = len(writer.ids) < most_tokens and writer.step()
        for word in stream.push(writer.text[len(stream.text) :]) if going else stream.end():
            shown, place = writer.text[word.start : word.end], writer.place_of(word.start)
            if word.bad > threshold and place not in settled and tries:
                yield Event("back", word.start, shown, word.bad, True)
                attempts = tried.setdefault(place, [])
                attempts.append((word.bad, writer.ids[place]))
                left = [t for t in writer.others(place) if t not in {token for _, token in attempts}]
                if not left or len(attempts) > tries:
                    settled.add(place)
                    left = [min(attempts)[1]]
                stream.back_to(writer.back_to(place, left[0]))
                going = True
                break
            highest = max(highest, word.bad)
            yield Event("word", word.start, shown, word.bad, word.bad > threshold)
    yield Event("end", 0, stream.text, highest, highest > threshold)
