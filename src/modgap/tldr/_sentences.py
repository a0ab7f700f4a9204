"""Sentences of a text, as the published accuracy and rate of sentences cut them: at full stops."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each, in characters, 0-based, the end excluded; white space before it included."""
    return [match.span() for match in _SENTENCE.finditer(text)]
