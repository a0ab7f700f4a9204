"""The words of an option, so that "melting" is found in "it melts"."""

from __future__ import annotations

import re

_STOP = re.compile(r"substance|object|thing|the|an?|of|is|are|in|it|to|their|there|and|each|its|be|than")


def stems(text: str) -> set[str]:
    """The stems of the words of a casefolded text that carry meaning."""
    return {stem(word) for word in re.findall(r"[a-z0-9+]{1,40}", text) if not _STOP.fullmatch(word)}


def stem(word: str) -> str:
    """A word without its commonest endings."""
    for ending in ("ary", "ing", "ed", "es", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def alike(a: str, b: str) -> bool:
    """Whether two stems are of one word."""
    return a == b or (min(len(a), len(b)) >= 5 and (a.startswith(b) or b.startswith(a)))
