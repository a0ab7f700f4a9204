"""Reading whole numbers in a short statement, digits or words."""

from __future__ import annotations

import re

# fmt: off
WORDS: tuple[str, ...] = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)
# fmt: on
_VALUE = {word: str(value) for value, word in enumerate(WORDS)}

# "1,234" only with groups of three; a dot followed by a digit makes it another number.
NUMBER = (
    r"(?:(?<![\w.,])[-+]?\d{1,3}(?:,\d{3})+(?![\w]|[.,]\d)|(?<![\w.])[-+]?\d+(?:\.\d+)?(?!\w|\.\d)"
    rf"|(?<![\w-])(?:minus |negative )?(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})(?![\w-]))"
)
"""Pattern of a number in digits or in words, without groups; to be used with ``re.I``."""

_NUMBER = re.compile(NUMBER, re.I)
_PRONOUN_BEFORE = re.compile(
    r"(?:\b(?:the|this|that|which|each|every|no|any|other|another|last|first)\b[\w ]{0,20}) ?$", re.I
)
_ENDS_WITH = re.compile(
    r"(?:\bis|\bare|\bequals?|\bequal to|\bto be|\btotal(?: of)?|=|:|->)\s*(?:only |exactly |just |about )?$",
    re.I,
)
_LIST = re.compile(r"[,;]|\b(?:and|or)\b", re.I)
_BREAK = re.compile(
    r"(?: [a-z]+){0,3}\s*(?:$|[;:(.!\n]|,(?! *(?:\d|and\b|or\b|plus\b|but\b))|-(?=\s)"
    r"|\b(?:because|since|as|at|with|where|in total|altogether)\b)",
    re.I,
)
_LEAD = re.compile(
    r"\W{0,3}(?:there (?:is|are) )?(?:about|approximately|around|exactly|only|just|roughly|a total of)?\s*",
    re.I,
)


def normal(text: str) -> str:
    """Canonical decimal text of what :data:`NUMBER` matches; "no" is 0 and "a single" is 1."""
    text = text.casefold()
    negative = text.startswith(("-", "minus ", "negative "))
    for prefix in ("minus ", "negative ", "-", "+"):
        text = text.removeprefix(prefix)
    text = _VALUE.get(text, text)
    text = {"no": "0", "single": "1", "once": "1", "twice": "2", "a single": "1"}.get(text, text)
    text = "".join(text.split()).replace(",", "")
    if "." in text:
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0")
        text = f"{whole}.{fraction}" if fraction else whole
    whole, dot, fraction = text.partition(".")
    text = (whole.lstrip("0") or "0") + dot + fraction
    return f"-{text}" if negative and text != "0" else text


def _is_pronoun(statement: str, start: int, word: str) -> bool:
    """Whether ``one`` stands for a thing ("the red one") and not for a number."""
    return (
        word.casefold() == "one" and _PRONOUN_BEFORE.search(statement[max(0, start - 40) : start]) is not None
    )


def _numbers(statement: str) -> list[tuple[int, int, str]]:
    return [
        (m.start(), m.end(), normal(m.group()))
        for m in _NUMBER.finditer(statement)
        if not _is_pronoun(statement, m.start(), m.group())
    ]


def read_number(statement: str) -> tuple[str | None, bool]:
    """The one number that a short statement gives.

    A statement that ends "... is 5" gives 5, one that begins "3 (2 red, 1 blue)" gives 3, one with an
    equation gives what follows the last equals sign, and otherwise all its numbers must be the same.

    Args:
        statement: plain text, at most a few hundred characters.

    Returns:
        (canonical decimal text or ``None``, whether there were several that disagree).
    """
    found = _numbers(statement)
    if len({value for _, _, value in found}) > 1:
        start, end, value = found[0]
        lead = _LEAD.match(statement)
        if lead and lead.end() == start and _BREAK.match(statement, end):
            return value, False
        before, equals, after = statement.rpartition("=")
        if equals and not _LIST.search(before):
            found = _numbers(after) or found
    if not found:
        return None, False
    if len({value for _, _, value in found}) == 1:
        return found[0][2], False
    start, end, value = found[-1]
    if _ENDS_WITH.search(statement[:start]) and not statement[end:].strip(" .!*)]\"'"):
        return value, False
    return None, True
