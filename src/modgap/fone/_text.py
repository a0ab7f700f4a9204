"""Texts with numbers as rows of token ids, features and labels.

Two ways to give a model the numbers of a text:

*replace* (published): every number is one token, ``[NUM]``, whose vector carries the value. Numbers that the
codec cannot hold stay text.

*add*: the tokens stay as they are, and the value is added at sub-tokens of the number. With positions
``"each"``, every sub-token gets the number as far as it is written there, so the last one gets the whole
number. What a position gets then depends on nothing that comes later, and is known while a number is being
written. With ``"last"`` only the last sub-token gets the number. That tells a model in training where a
number ends, which it cannot know when it writes one itself; numbers in answers therefore get nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError, ModelError

from ._find import find_numbers, split_text
from ._policy import Policy
from ._slots import NO_NUMBER, holds, slots_of
from .codec import Codec
from .number import Number

_DIGIT = re.compile("[0-9]")
_LOOK_BACK = 64  # tokens that are read again to see what a new one adds
_LONGEST = 2_100  # characters of a number that is read as it grows; the default policy takes at most 2,002


@dataclass(frozen=True)
class Row:
    """One text, token by token.

    Args:
        ids: token ids.
        numbers: the numbers that tokens carry, with the position of the token, 0-based, in order.
        start: position of the first token that is to be predicted.
    """

    ids: list[int]
    numbers: list[tuple[int, Number]]
    start: int = 0

    def then(self, other: Row) -> Row:
        """This row, then the other one, of which alone something is to be predicted."""
        cut = len(self.ids)
        return Row(self.ids + other.ids, self.numbers + [(cut + i, n) for i, n in other.numbers], cut)

    def until(self, end: int) -> Row:
        """The first ``end`` tokens."""
        return Row(self.ids[:end], [(i, n) for i, n in self.numbers if i < end], min(self.start, end))

    def values(self) -> list[Number]:
        """The numbers alone."""
        return [number for _, number in self.numbers]


class NumberText:
    """Turns texts into rows.

    Args:
        tokenizer: a fast tokenizer of transformers; for *replace* it has the token ``mark``.
        codec: features of the numbers.
        policy: what counts as a number.
        mark: the text of the number token, None for *add*.
        each: for *add*, whether every sub-token gets the number so far.
    """

    def __init__(self, tokenizer: Any, codec: Codec, policy: Policy, mark: str | None, each: bool) -> None:
        self.tokenizer = tokenizer
        self.codec = codec
        self.policy = policy
        self.mark = mark
        self.each = each
        self.number_id: int | None = None if mark is None else tokenizer.convert_tokens_to_ids(mark)
        self._slots = slots_of(codec)
        # What is out of range in a text that is not complete may still change: it is never an error.
        self._so_far = replace(policy, overflow="leave")

    def read(self, text: str, *, special: bool) -> Row:
        """One text as a row.

        Args:
            text: any text.
            special: whether the tokenizer adds its special tokens, such as the one that begins a text.

        Raises:
            InputError: the text contains the mark itself.
            ModelError: the tokenizer does not keep the mark whole.
        """
        return self._replaced(text, special) if self.mark else self._added(text, special)

    def read_pair(self, prompt: str, answer: str, *, special: bool) -> Row:
        """A prompt and its answer as one row, of which only the answer is to be predicted.

        They are read together where that leaves the tokens of the prompt and all numbers as they are alone,
        because many tokenizers put a space before whatever they read; otherwise one after the other. What is
        read for a prompt is then what is read when the model is asked.
        """
        first = self.read(prompt, special=special)
        cut = len(first.ids)
        apart = first.then(self.read(answer, special=False))
        both = self.read(prompt + answer, special=special)
        same = both.ids[:cut] == first.ids and both.values() == apart.values()
        row = replace(both, start=cut) if same else apart
        if not self.mark and not self.each:
            row = replace(row, numbers=[(i, n) for i, n in row.numbers if i < cut])
        return row

    def end(self, row: Row) -> Row:
        """A row with the token that ends a text after it.

        Raises:
            InputError: the tokenizer has none.
        """
        token = self.tokenizer.eos_token_id
        if token is None:
            raise InputError("the tokenizer has no token that ends a text: leave end=True out")
        return replace(row, ids=[*row.ids, token])

    @property
    def padding_id(self) -> int:
        """The token that fills up shorter texts; any will do, because it is masked."""
        ids = (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, 0)
        return next(token for token in ids if token is not None)

    def stack(self, rows: Sequence[Row], *, left: bool) -> dict[str, npt.NDArray[Any]]:
        """Rows of equal length, one below the other, by the names of ``NumberModel.forward``.

        Args:
            rows: at least one.
            left: whether shorter ones are filled up at the beginning.
        """
        shape = (len(rows), max(len(row.ids) for row in rows))
        ids = np.full(shape, self.padding_id, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        labels = np.full(shape, NO_NUMBER, dtype=np.int64)
        at: list[tuple[int, int]] = []
        starts: list[int] = []
        for i, row in enumerate(rows):
            first = shape[1] - len(row.ids) if left else 0
            ids[i, first : first + len(row.ids)] = row.ids
            mask[i, first : first + len(row.ids)] = 1
            labels[i, first + row.start : first + len(row.ids)] = row.ids[row.start :]
            at += [(i, first + position) for position, _ in row.numbers]
            starts += [first + row.start] * len(row.numbers)
        # All numbers of a batch at once: the codec has a cost per call that exceeds that of a number.
        numbers = [number for row in rows for number in row.values()]
        features = np.zeros((*shape, self.codec.width), dtype=np.float32)
        batch: dict[str, npt.NDArray[Any]] = {
            "input_ids": ids,
            "attention_mask": mask,
            "number_features": features,
            "labels": labels,
        }
        line, column = (np.array([pair[k] for pair in at], dtype=np.intp) for k in (0, 1))
        features[line, column] = self.codec.encode(numbers)
        if self.mark:
            found = np.full((*shape, self._slots.count), NO_NUMBER, dtype=np.int64)
            wanted = self._slots.labels(numbers)
            wanted[column < np.array(starts, dtype=np.intp)] = NO_NUMBER
            found[line, column] = wanted
            batch["number_labels"] = found
        return batch

    def added_by(self, before: Sequence[int], token: int) -> Number | None:
        """The number that a new token ends or continues, for *add*; None if there is none or not yet.

        Args:
            before: ids of the text so far.
            token: the id that is written next.
        """
        if not self.each:
            return None
        context = list(before[-_LOOK_BACK:])
        start = len(self.decode(context))
        return self._number_so_far(self.decode([*context, token]), start)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, special tokens left out, spaces as they are."""
        text: str = self.tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def decode_after(self, before: int | None, ids: Sequence[int]) -> str:
        """Text of ids that follow another one: a tokenizer may drop the space a text begins with."""
        if before is None or not ids:
            return self.decode(ids)
        start, whole = self.decode([before]), self.decode([before, *ids])
        return whole[len(start) :] if whole.startswith(start) else self.decode(ids)

    def _replaced(self, text: str, special: bool) -> Row:
        mark = str(self.mark)
        if mark in text:
            raise InputError(
                f"the text contains {mark!r}, which stands for a number: take it out, or use another mark"
            )
        split = split_text(text, self.policy)
        kept = [holds(self.codec, number) for number in split.numbers]
        words = [mark if keep else surface for keep, surface in zip(kept, split.surfaces, strict=True)]
        ids = self.tokenizer(split.join(words), add_special_tokens=special)["input_ids"]
        at = [i for i, token in enumerate(ids) if token == self.number_id]
        numbers = [number for keep, number in zip(kept, split.numbers, strict=True) if keep]
        if len(at) != len(numbers):
            raise ModelError(
                f"the tokenizer made {len(at)} of {len(numbers)} marks {mark!r} whole tokens: "
                "attach with a mark that it leaves alone"
            )
        return Row(ids, list(zip(at, numbers, strict=True)))

    def _added(self, text: str, special: bool) -> Row:
        read = self.tokenizer(text, add_special_tokens=special, return_offsets_mapping=True)
        ids, offsets = read["input_ids"], read["offset_mapping"]
        found: list[tuple[int, Number]] = []
        if self.each:
            for i, (start, end) in enumerate(offsets):
                if _DIGIT.search(text, start, end):
                    number = self._number_so_far(text[:end], start)
                    if number is not None:
                        found.append((i, number))
        else:
            ends = {span.end: span.number for span in find_numbers(text, self.policy)}
            for end, number in ends.items():
                at = [i for i, (first, last) in enumerate(offsets) if first < end <= last]
                if at and holds(self.codec, number):
                    found.append((at[-1], number))
        return Row(ids, found)

    def _number_so_far(self, text: str, start: int) -> Number | None:
        """The number that reaches beyond ``start`` in a text that may go on; None if there is none."""
        if not _DIGIT.search(text, start):
            return None
        # Only what could belong to the same thing is read again: back to white space that groups no digits.
        begin, least = start, max(start - _LONGEST, 0)
        while begin > least and not (
            text[begin - 1].isspace() and text[begin - 1] not in self.policy.group_marks
        ):
            begin -= 1
        spans = find_numbers(text[begin:], self._so_far)
        if not spans or begin + spans[-1].end <= start or not holds(self.codec, spans[-1].number):
            return None
        return spans[-1].number
