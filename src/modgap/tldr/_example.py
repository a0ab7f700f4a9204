"""What the data is made of: a picture, a response about it, and which of its characters are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modgap._errors import InputError
from modgap.media import Image
from modgap.scenes import Scene

PROMPT = "Describe the scene."
"""What a caption of a rendered scene answers."""

AGREEMENT = "agreement"
"""Type of a span that only follows another: "is" → "are", "a" → "an". It weighs nothing."""

UNREAD = "unread"
"""Type of a span of which nobody knows whether it is true. It weighs nothing."""

MAX_RESPONSE = 100_000
"""Longest response, in characters."""


@dataclass(frozen=True, slots=True, order=True)
class TypedSpan:
    """A piece of a response that is wrong, or that must not count.

    An empty span, ``start == end``, marks an omission: what was left out before that character makes the
    response wrong.

    Args:
        start: first character, 0-based.
        end: one past the last character.
        type: the kind of error, such as ``counting``; or ``agreement`` or ``unread``.
        weight: 0 if the piece is neither right nor wrong, else how much it counts, mostly 1.
        truth: what would be right in its place; empty if unknown.
    """

    start: int
    end: int
    type: str
    weight: float = 1.0
    truth: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A response about a picture, with a label for every character.

    Args:
        example_id: unique in its data set.
        group: examples of one group stay in one split; the four of a twin share it.
        prompt: what was asked.
        response: what is judged.
        spans: what is wrong in it, in order and apart from each other; everything else is right.
        source: how it came about: ``twins``, ``edits``, ``several``, ``natural``, or the name of a published
            set.
        split: ``train``, ``validation`` or ``test``.
        scene: the exact truth, where it is known.
        image: the picture, unless it was left out.

    Raises:
        InputError: if a span lies outside the response or overlaps another, or the response is too long.
    """

    example_id: str
    group: str
    prompt: str
    response: str
    spans: tuple[TypedSpan, ...]
    source: str
    split: str = "train"
    scene: Scene | None = None
    image: Image | None = None

    def __post_init__(self) -> None:
        if len(self.response) > MAX_RESPONSE:
            raise InputError(
                f"response of {self.example_id!r} has {len(self.response):,} characters; "
                f"give up to {MAX_RESPONSE:,}"
            )
        check_spans(self.spans, len(self.response), f"example {self.example_id!r}")

    @property
    def types(self) -> tuple[str, ...]:
        """The kinds of errors in it, each once, in alphabetical order; none if it is all right."""
        return tuple(sorted({span.type for span in self.spans if span.weight > 0}))

    @property
    def is_wrong(self) -> bool:
        """Whether any of it is wrong."""
        return any(span.weight > 0 for span in self.spans)


def check_spans(spans: Sequence[TypedSpan], length: int, where: str) -> None:
    """Refuse spans that are not in order inside a text.

    Raises:
        InputError: naming the span and what is accepted.
    """
    end = 0
    for span in spans:
        if not end <= span.start <= span.end <= length:
            raise InputError(
                f"{where}: span {span.start} to {span.end} is not accepted after {end} in {length} "
                "characters; give spans in order, apart from each other and inside the text"
            )
        if not 0 <= span.weight < float("inf"):
            raise InputError(f"{where}: weight {span.weight} of a span is not accepted; give 0 or more")
        end = span.end
