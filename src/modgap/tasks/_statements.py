r"""Where a reply states its answer in so many words: after ``Answer:``, in ``\boxed{}``, in a phrase.

All functions read folded text (:func:`~modgap.tasks._fold.fold`), in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_STATEMENT = 400
"""Characters of a statement that are read."""

_DESCRIBED = r"(?:(?:final|correct|best|right|short|quick|overall)\s){0,3}"
_ASIDE = r"(?: \([^()\n]{0,40}\)| to (?:the|your|this) question)?"
_EXPLICIT = re.compile(
    rf"(?<![a-z])(?:{_DESCRIBED}(?:answer|ans)|(?:final|correct) (?:choice|option)){_ASIDE}"
    r"[\"']? ?(?::|=(?!=)|->)"
    rf"|^(?:(?:my|the) )?(?:final|correct) answer(?: -)?$|^answer(?: -)?$|^answer - "
    r"|<(?:final_)?answer>|\\f?boxed ?(?=\{)",
    re.I | re.M,
)
_PHRASE = re.compile(
    rf"\b(?:the|my|our) {_DESCRIBED}(?:answer|choice|option){_ASIDE}"
    r" (?:is|would be|must be|should be|has to be):?"
    r"|\bi(?: would| will|'d|'ll)? (?:choose|pick|select|answer|go with|went with|say):?(?= )",
    re.I,
)
_CONDITIONAL = re.compile(
    r"\b(?:if|whether|unless|suppose|assuming|when|that|because|not|until|would)\b[^.!?\n]{0,24}$", re.I
)
_SUPPOSED = re.compile(r"\W*(?:if|suppose|unless|assuming)\b", re.I)
_PLACEHOLDER = re.compile(
    r"[<\[({]*(?:option|your (?:answer|choice)|answer|value|letter|choice|\.\.\.|integer)[>\])}]*\.?",
    re.I,
)
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]?\s+|\n+")


@dataclass(frozen=True)
class Statement:
    """A stated answer as text, and where in the folded reply it begins."""

    start: int
    text: str


def explicit_statements(text: str) -> Iterator[Statement]:
    """What stands after each explicit marker, in order; at most the last 200."""
    markers = list(_EXPLICIT.finditer(text))[-200:]
    for number, match in enumerate(markers):
        limit = markers[number + 1].start() if number + 1 < len(markers) else len(text)
        if match.group().startswith("\\"):
            statement = _braced(text, match.end())
        else:
            window = text[match.end() : min(match.end() + 2 * MAX_STATEMENT, limit)]
            statement = first_line(window)
            if not statement and limit < len(text):
                continue  # "Answer: \boxed{3}": the next marker says it
        if statement and not _PLACEHOLDER.fullmatch(statement.strip()):
            yield Statement(match.start(), statement)


def phrased_statements(text: str) -> Iterator[Statement]:
    """What stands after "the answer is" and its like, in order; at most the last 50."""
    for match in list(_PHRASE.finditer(text))[-50:]:
        before = text[max(0, match.start() - 160) : match.start()]
        if _CONDITIONAL.search(before[-32:]) or _SUPPOSED.match(SENTENCE_END.split(before)[-1]):
            continue
        statement = first_line(text[match.end() : match.end() + 2 * MAX_STATEMENT])
        sentence = SENTENCE_END.split(statement, maxsplit=1)[0]
        # "The correct answer is A. ..." loses nothing: the letter's full stop is followed by a space.
        if "\\boxed" in sentence:  # read as an explicit statement
            continue
        if sentence and not sentence.endswith("?") and not _PLACEHOLDER.fullmatch(sentence.strip()):
            yield Statement(match.start(), sentence)


def first_line(window: str) -> str:
    """The rest of the line, or the next line that has text; a quoted value without its quotes."""
    for raw in window.split("\n"):
        line = re.sub(r"</?(?:final_)?answer>?.*", "", raw, flags=re.I).strip(" :_~`")
        quoted = re.match(r"\"([^\"]{1,200})\"", line) or re.match(r"'([^']{1,200})'", line)
        if quoted:
            return quoted[1]
        if line.strip("\"'[](){}<>,;. "):
            return line[:MAX_STATEMENT]
    return ""


def _braced(text: str, start: int) -> str:
    """What stands between the brace at ``start`` and its partner; the rest of the line if it has none."""
    depth = 0
    for place in range(start, min(start + MAX_STATEMENT, len(text))):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start + 1 : place].replace("{", "").replace("}", "").strip()
    return text[start + 1 : start + MAX_STATEMENT].split("\n", 1)[0].replace("{", "").strip()
