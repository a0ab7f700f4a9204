"""Guided re-decoding: what a local model writes where a word is forbidden."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from ._example import Example
from ._reading import read_states
from ._scores import Item
from .detectors._read import batches, likelihoods

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from modgap.models.local._model import LocalModel

WORDS = 3
"""Words that are tried in place of one (our choice: time)."""
SHARE = 0.05
"""Least probability of a new word, the old one forbidden (our choice)."""
LEAST = 0.01
"""Probability that each of the next ``_FOLLOWING`` tokens must have after a new word, so that a word is not
replaced by one that breaks the sentence (our choice)."""
_FOLLOWING = 3
_MOST_TOKENS = 4
_END = re.compile(r"[.!?]")
_BEGINS = re.compile(r"\s+\w")
_GOES_ON = re.compile(r"\w")


class Redecoder:
    """Writes a word again.

    Args:
        model: that writes; it need not be the one that wrote the caption.
        words: tried in place of each.
    """

    def __init__(self, model: LocalModel, words: int = WORDS) -> None:
        self._model = model
        self._pretrained = model.pretrained
        self._words = words
        tokenizer = self._pretrained.tokenizer
        size = self._pretrained.model.get_output_embeddings().weight.shape[0]
        texts = tokenizer.batch_decode([[i] for i in range(min(size, len(tokenizer)))])
        special = self._pretrained.anatomy.special_ids | self._pretrained.anatomy.media_ids.keys()
        self._begins = torch.tensor(
            [i < len(texts) and i not in special and _BEGINS.match(texts[i]) is not None for i in range(size)]
        )
        self._texts = texts
        self._special = special

    def __call__(self, examples: Sequence[Example], targets: Sequence[tuple[int, int]]) -> list[list[str]]:
        """Captions with the target replaced by each of the likeliest other words that fit the sentence.

        Args:
            examples: captions with pictures.
            targets: start and end of a word in each; not at the beginning of the caption.
        """
        heads = [e.response[:a].rstrip() for e, (a, _) in zip(examples, targets, strict=True)]
        old = [e.response[a:b] for e, (a, b) in zip(examples, targets, strict=True)]
        logits = self._after(examples, heads).masked_fill(~self._begins, -torch.inf)
        for row, word in enumerate(old):
            logits[row, self._tokens_of(word)] = -torch.inf
        likeliest = logits.softmax(dim=1).topk(min(self._words, int(self._begins.sum())), dim=1)
        tokens = [
            [token for token, share in zip(*row, strict=True) if share >= SHARE]
            for row in zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
        ]
        owner = [row for row, found in enumerate(tokens) for _ in found]
        written = [self._texts[token].strip() for found in tokens for token in found]
        if not owner:
            return [[] for _ in examples]
        for _ in range(_MOST_TOKENS - 1):
            heads_now = [f"{heads[row]} {word}" for row, word in zip(owner, written, strict=True)]
            following = self._after([examples[row] for row in owner], heads_now).argmax(dim=1).tolist()
            more = [
                self._texts[token] if token not in self._special and token < len(self._texts) else ""
                for token in following
            ]
            more = [text if _GOES_ON.match(text) else "" for text in more]
            if not any(more):
                break
            written = [word + text for word, text in zip(written, more, strict=True)]
        found: list[list[str]] = [[] for _ in examples]
        fits = self._fits([examples[row] for row in owner], [targets[row] for row in owner], written)
        for row, word, fit in zip(owner, written, fits, strict=True):
            start, end = targets[row]
            if fit and word.lower() != old[row].lower():
                text = examples[row].response
                found[row].append(text[:start] + word + text[end:])
        return found

    def _fits(
        self, examples: Sequence[Example], targets: Sequence[tuple[int, int]], new: Sequence[str]
    ) -> list[bool]:
        """Whether the writer could go on after each new word as the sentence does."""
        items = []
        for example, (start, end), word in zip(examples, targets, new, strict=True):
            text = example.response
            stop = _END.search(text, end)
            rest = text[end : stop.end() if stop else len(text)]
            items.append(Item(example.image, text[:start] + word + rest, example.prompt))
        fits = []
        for one, (start, _), word in zip(likelihoods(self._model, items), targets, new, strict=True):
            # Tokens begin with the space before a word.
            following = one.log_p[one.offsets[:, 0] >= start + len(word)][:_FOLLOWING]
            fits.append(bool((following >= math.log(LEAST)).all()))
        return fits

    def _tokens_of(self, word: str) -> list[int]:
        """First tokens of the word in any case, after a space."""
        tokenizer = self._pretrained.tokenizer
        forms = {word, word.lower(), word.capitalize()}
        read = [tokenizer(f" {form}", add_special_tokens=False)["input_ids"] for form in sorted(forms)]
        return [ids[0] for ids in read if ids]

    def _after(self, examples: Sequence[Example], heads: Sequence[str]) -> Float[Tensor, "captions vocab"]:
        """Logits of what follows the beginning of each caption."""
        items = [Item(e.image, head, e.prompt) for e, head in zip(examples, heads, strict=True)]
        parts = self._pretrained.anatomy
        rows: list[Tensor] = [torch.empty(0)] * len(items)
        for indices, encoded, batch in batches(self._pretrained, items):
            with torch.inference_mode():
                states = read_states(self._pretrained, **batch)  # type: ignore[arg-type]
                last = torch.stack([states[i, len(e.ids) - 1] for i, e in enumerate(encoded)])
                logits = parts.logits(last).cpu()
            for index, row in zip(indices, logits, strict=True):
                rows[index] = row
        return torch.stack(rows).clone()
