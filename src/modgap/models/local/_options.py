"""Options as token paths: which tokens are fixed, which are scored, and how the scores add up.

The reply is made to begin with the answer prefix, and the score of an option is the log-probability of its
tokens after it: the natural logarithm, summed over tokens, with no correction for length.

The prompt and the whole continuation (`` Answer: left``) are tokenised as one string, so the spaces fall
where the tokenizer puts them, whether it is a byte-level BPE or SentencePiece. The prompt's own tokens stay
as they are, as they would in generation.

When one option is the beginning of another (``1`` and ``12`` in a tokenizer of digits), the shorter one
could never lose; then the end of the reply counts as one more token of every option.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modgap._errors import InputError

from ._prompt import PromptWriter, common_length

END = -1
"""Stands for any token that ends a reply, as the last target of an option."""


@dataclass(frozen=True)
class Continuation:
    """What follows a prompt when its options are scored.

    Args:
        forced: token ids that come first for every option: the answer prefix.
        targets: token ids that are scored, per option; the last may be ``END``.
        rows: the different token paths that must be read to score every target but the first, each read
            after ``forced``; a path that begins another is not listed.
        row_of: per option, the row its targets lie on; -1 if it has only one target.
    """

    forced: tuple[int, ...]
    targets: tuple[tuple[int, ...], ...]
    rows: tuple[tuple[int, ...], ...]
    row_of: tuple[int, ...]

    @property
    def longest(self) -> int:
        """Tokens after the prompt, at most."""
        return len(self.forced) + max(map(len, self.targets))


def continuation(base: Sequence[int], full: Sequence[Sequence[int]]) -> Continuation:
    """Split tokenised continuations into what is fixed and what is scored.

    Args:
        base: ids of the answer prefix alone.
        full: ids of the answer prefix with each option.

    Raises:
        InputError: if an option adds no token.
    """
    split = min(common_length(base, ids) for ids in full)
    targets = [tuple(ids[split:]) for ids in full]
    if not all(targets):
        raise InputError("an option is empty; every option must be a text")
    if any(len(a) < len(b) and b[: len(a)] == a for a in targets for b in targets):
        targets = [(*target, END) for target in targets]
    paths = sorted({target[:-1] for target in targets if len(target) > 1}, key=len, reverse=True)
    rows: list[tuple[int, ...]] = []
    for path in paths:
        if not any(row[: len(path)] == path for row in rows):
            rows.append(path)
    row_of = tuple(
        next((i for i, row in enumerate(rows) if row[: len(t) - 1] == t[:-1]), -1) if len(t) > 1 else -1
        for t in targets
    )
    return Continuation(tuple(full[0][:split]), tuple(targets), tuple(rows), row_of)


class OptionTokens:
    """Makes continuations, remembering them: a run asks the same few sets of options again and again."""

    def __init__(self, writer: PromptWriter) -> None:
        self._writer = writer
        self._known: dict[tuple[str, str, tuple[str, ...]], Continuation] = {}

    def of(self, prompt: str, answer_prefix: str, options: tuple[str, ...]) -> Continuation:
        """Continuation of a prompt.

        Args:
            prompt: the prompt as text.
            answer_prefix: see ``Query.answer_prefix``.
            options: at least one.

        Raises:
            InputError: if a text has a control token, or an option is empty.
        """
        for text in (answer_prefix, *options):
            self._writer.refuse_control(text)
        tail = self._writer.tail(prompt)
        key = (tail, answer_prefix, options)
        if key not in self._known:
            self._known[key] = self._make(tail, answer_prefix, options)
        return self._known[key]

    def _make(self, tail: str, answer_prefix: str, options: tuple[str, ...]) -> Continuation:
        opening = _joined(tail, answer_prefix)
        texts = [opening, *(opening + _joined(opening or tail, option) for option in options)]
        before, *ids = self._writer.tokenize([tail, *(tail + text for text in texts)])
        if all(row[: len(before)] == before for row in ids):
            base, *full = (row[len(before) :] for row in ids)
        else:
            # The tokenizer would merge across the end of the prompt; a model that has read the prompt
            # cannot take its last token back.
            base, *full = self._writer.tokenize(texts)
        return continuation(base, full)


def _joined(before: str, text: str) -> str:
    """``text`` with a space in front of it, unless ``before`` ends with white space or nothing comes."""
    return text if not text or not before or before[-1].isspace() else f" {text}"
