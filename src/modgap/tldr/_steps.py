"""From labelled captions to the steps of a training: pictures with their captions, as tensors with labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from modgap._errors import InputError

from ._example import Example
from ._labels import token_labels
from ._reading import Reader, Shown
from ._scores import Item

PER_PICTURE = 16
"""Most captions of a picture in one step (our choice: a step then has several pictures)."""
_PRIOR_EXAMPLES = 400


def prior_of(reader: Reader, examples: Sequence[Example]) -> float:
    """Fraction of the tokens that are wrong, in some examples drawn from all; above 0, at most 0.5.

    Raises:
        InputError: if none is wrong.
    """
    wrong = total = 1e-9
    # Drawn, not every so many: data sets have groups of equal size, whose first caption is the true one.
    for index in np.random.default_rng(0).permutation(len(examples))[:_PRIOR_EXAMPLES]:
        example = examples[index]
        encoded = reader.encode(reader.prompt(Item(None, "", example.prompt)), example.response)
        labels, weights = token_labels(encoded.offsets, example.spans)
        wrong, total = wrong + weights[labels == 0].sum(), total + weights.sum()
    if wrong < 1:
        raise InputError("no error was found in the training examples; a detector needs some to learn from")
    return float(min(wrong / total, 0.5))


class Steps(Dataset[list[list[Example]]]):
    """Each item is one step: pictures with their captions, of about the same length."""

    def __init__(self, examples: Sequence[Example], captions: int, seed: int) -> None:
        by_picture: dict[Any, list[Example]] = {}
        for example in examples:
            by_picture.setdefault((example.image, example.prompt), []).append(example)
        rows = [
            members[i : i + PER_PICTURE]
            for members in by_picture.values()
            for i in range(0, len(members), PER_PICTURE)
        ]
        rng = np.random.default_rng(seed)
        rows = [rows[i] for i in rng.permutation(len(rows))]
        # With and without a picture apart: a processor takes the one or the other.
        rows.sort(key=lambda row: (row[0].image is None, max(len(e.response) for e in row)))
        self._steps: list[list[list[Example]]] = [[]]
        for row in rows:
            last = self._steps[-1]
            mixed = last and (last[0][0].image is None) != (row[0].image is None)
            if last and (mixed or sum(map(len, last)) + len(row) > captions):
                self._steps.append([])
            self._steps[-1].append(row)

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> list[list[Example]]:
        return self._steps[index]

    def seen(self, steps: int) -> int:
        """Captions that so many steps read, about."""
        return round(sum(len(row) for step in self._steps for row in step) * steps / len(self._steps))


class Collator:
    """From the examples of a step to tensors."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __call__(self, steps: list[list[list[Example]]]) -> dict[str, Any]:
        shown, labelled = [], []
        for row in (row for step in steps for row in step):
            prompt = self._reader.prompt(Item(row[0].image, "", row[0].prompt))
            encoded = [self._reader.encode(prompt, example.response) for example in row]
            shown.append(Shown(prompt, tuple(one.ids for one in encoded)))
            labelled += [
                token_labels(one.offsets, example.spans) for one, example in zip(encoded, row, strict=True)
            ]
        batch = self._reader.batch(shown)
        labels = torch.zeros(batch["ids"].shape)
        weights = torch.zeros(batch["ids"].shape)
        for row_number, (of_labels, of_weights) in enumerate(labelled):
            labels[row_number, : len(of_labels)] = torch.from_numpy(of_labels).float()
            weights[row_number, : len(of_weights)] = torch.from_numpy(of_weights)
        return batch | {"labels": labels, "weights": weights}
