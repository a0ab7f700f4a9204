"""Numbers in running text, with their exact places.

``find_numbers("from -3.5 to 1,234 kg")`` gives two spans. The text is cut into chunks that could be one thing
(``2024-05-01``, ``Room-505b``, ``1,234.56``); each is then a number, a list or range of numbers, or something
that is left alone. Every step is a single pass, so the time grows with the length of the text and nothing
else.

A minus sign belongs to a number when nothing that could be a left operand stands before it: ``5-3`` is 5 and
3, ``5 -3`` and ``(-3`` have -3. A plus sign stays text, as do percent and currency signs, units, and the
point at the end of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modgap._errors import InputError

from ._parse import DEFAULT_POLICY, check_range, read_unsigned
from ._policy import MINUS, Grammar, Policy, grammar_of
from .number import Number

_DIGIT_RUN = re.compile("[0-9]+")
_HAS_DIGIT = re.compile("[0-9]")
_GROUP = re.compile("0[0-9]")
_PARTS = {
    "fraction": re.compile("[^/]+"),
    "ratio": re.compile("[^:]+"),
    "time": re.compile("[^:]+"),
    "date": re.compile("[^-−/.]+"),
    "code": re.compile("[^-−/]+"),
}
# After one of these, white space or nothing, a minus sign or leading point belongs to the number.
_BEFORE_SIGN = frozenset("([{<>=+*/×·÷^,;:|&!?~$€£¥₹\"'“‘«≈≤≥±\\（「『【")
_OPERAND_END = frozenset("0123456789)]}")


@dataclass(frozen=True, slots=True)
class NumberSpan:
    """A number in a text.

    Args:
        start: offset of its first character (its minus sign, if it has one), 0-based.
        end: offset after its last character.
        number: the exact number; ``text[start:end]`` is how it is written there.
    """

    start: int
    end: int
    number: Number


@dataclass(frozen=True, slots=True)
class SplitText:
    """A text taken apart at its numbers.

    Args:
        pieces: the text between the numbers; one more than there are numbers, empty ones included.
        numbers: the numbers, in order.
        surfaces: how each is written in the text.
    """

    pieces: tuple[str, ...]
    numbers: tuple[Number, ...]
    surfaces: tuple[str, ...]

    def join(self, words: Sequence[str] | None = None) -> str:
        """The text again, with other words in place of its numbers if given.

        Args:
            words: one per number; None for the surfaces, which gives the original text exactly.

        Raises:
            InputError: not one word per number.
        """
        words = self.surfaces if words is None else words
        if len(words) != len(self.surfaces):
            raise InputError(
                f"{len(words)} words given for a text of {len(self.surfaces)} numbers: give one for each"
            )
        parts = [self.pieces[0]]
        for word, piece in zip(words, self.pieces[1:], strict=True):
            parts += (word, piece)
        return "".join(parts)

    def masked(self, mark: str) -> str:
        """The text with ``mark`` in place of each number."""
        return self.join([mark] * len(self.surfaces))


def find_numbers(text: str, policy: Policy = DEFAULT_POLICY) -> list[NumberSpan]:
    """Finds the numbers in a text.

    Args:
        text: any text.
        policy: how numbers are written and what else to take; see :class:`Policy`.

    Returns:
        Spans in order, without overlap. Time is linear in the length of the text.

    Raises:
        InputError: a number is out of the policy's range and its ``overflow`` is ``"raise"``.
    """
    grammar = grammar_of(policy)
    return [
        span
        for chunk in grammar.chunk.finditer(text)
        if _HAS_DIGIT.search(text, chunk.start(), chunk.end())
        for span in _in_chunk(text, chunk.start(), chunk.end(), policy, grammar)
    ]


def split_text(text: str, policy: Policy = DEFAULT_POLICY) -> SplitText:
    """Takes a text apart at its numbers; ``split_text(text).join() == text``.

    Raises:
        InputError: as for ``find_numbers``.
    """
    spans = find_numbers(text, policy)
    starts = [span.start for span in spans] + [len(text)]
    ends = [0] + [span.end for span in spans]
    return SplitText(
        pieces=tuple(text[end:start] for end, start in zip(ends, starts, strict=True)),
        numbers=tuple(span.number for span in spans),
        surfaces=tuple(text[span.start : span.end] for span in spans),
    )


def _in_chunk(text: str, start: int, end: int, policy: Policy, grammar: Grammar) -> Iterator[NumberSpan]:
    """Numbers of one chunk: as a whole, else of the parts of a list such as ``1.5,2.5``.

    ``1,0000`` and ``1,000,00`` are no lists but numbers in wrong groups, and are left alone.
    """
    body = text[start:end]
    if grammar.number.fullmatch(body) or _kind(body, grammar) or not grammar.listing.search(body):
        yield from _in_piece(text, start, end, policy, grammar)
        return
    marks = list(grammar.listing.finditer(text, start, end))
    if any(mark.group() in policy.group_marks and _GROUP.match(text, mark.end()) for mark in marks):
        return
    at = start
    for mark in marks:
        yield from _in_piece(text, at, mark.start(), policy, grammar)
        at = mark.end()
    yield from _in_piece(text, at, end, policy, grammar)


def _in_piece(text: str, start: int, end: int, policy: Policy, grammar: Grammar) -> Iterator[NumberSpan]:
    """Numbers of a piece that has no list marks left."""
    body = text[start:end]
    if grammar.number.fullmatch(body):
        yield from _signed(text, start, end, policy)
        return
    unit = _unit_length(body, policy)
    if unit and grammar.number.fullmatch(body[:-unit]):
        yield from _signed(text, start, end - unit, policy)
        return
    kind = _kind(body, grammar)
    left, sign, right = _partition_range(body)
    if kind is None and sign and grammar.number.fullmatch(left) and grammar.number.fullmatch(right):
        yield from _signed(text, start, start + len(left), policy)
        yield from _spans(text, start + len(left) + 1, end, policy)
        return
    kind = kind or "identifier"
    if kind not in policy.split:
        return
    for part in _PARTS.get(kind, _DIGIT_RUN).finditer(text, start, end):
        if part.start() == start and kind == "fraction":
            yield from _signed(text, start, part.end(), policy)
        else:
            yield from _spans(text, part.start(), part.end(), policy)


def _kind(body: str, grammar: Grammar) -> str | None:
    """The kind of thing, other than a plain identifier, that a body is."""
    return next((kind for kind, pattern in grammar.kinds if pattern.fullmatch(body)), None)


def _unit_length(body: str, policy: Policy) -> int:
    """Length of the unit at the end, 0 for none."""
    at = len(body)
    longest = max(map(len, policy.units), default=0)
    while at > 0 and len(body) - at <= longest and not "0" <= body[at - 1] <= "9":
        at -= 1
    return len(body) - at if body[at:] in policy.units else 0


def _partition_range(body: str) -> tuple[str, str, str]:
    """``10-20`` as ``10``, ``-``, ``20``; the sign is empty unless there is exactly one."""
    signs = [i for i, c in enumerate(body) if c in MINUS and i and body[i - 1] not in "eE"]
    if len(signs) != 1:
        return body, "", ""
    return body[: signs[0]], body[signs[0]], body[signs[0] + 1 :]


def _signed(text: str, start: int, end: int, policy: Policy) -> Iterator[NumberSpan]:
    """The number at these offsets with the leading point and minus sign before it that belong to it."""
    mark = policy.decimal_mark
    if start and text[start - 1] == mark and mark not in text[start:end]:
        before = start - 1
        if _is_minus(text, before - 1) or _opens(text, before - 1):
            start = before
    negative = _is_minus(text, start - 1)
    yield from _spans(text, start, end, policy, negative)


def _opens(text: str, at: int) -> bool:
    """Whether what stands at this offset leaves room for a sign or leading point after it."""
    return at < 0 or text[at].isspace() or text[at] in _BEFORE_SIGN


def _is_minus(text: str, at: int) -> bool:
    """Whether the character at this offset is the sign of the number after it, not an operator."""
    if at < 0 or text[at] not in MINUS:
        return False
    if at and text[at - 1] in MINUS:  # 5--3: an operator, then a sign
        return at > 1 and text[at - 2] in _OPERAND_END
    return _opens(text, at - 1)


def _spans(text: str, start: int, end: int, policy: Policy, negative: bool = False) -> Iterator[NumberSpan]:
    """The span of one number, none if it is out of range and the policy leaves those."""
    body = text[start:end]
    if body.startswith(policy.decimal_mark):
        body = "0" + body
    try:
        number = read_unsigned(body, negative, policy)
        if number is None:
            return
        check_range(number, policy)
    except InputError:
        if policy.overflow == "raise":
            raise
        return
    yield NumberSpan(start - negative, end, number)
