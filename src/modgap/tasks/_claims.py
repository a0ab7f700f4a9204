r"""Reading a reply by what its sentences claim, for answers that are usually given in prose.

    read_claims("The graphs differ in degree. Therefore they are not isomorphic.", ISOMORPHISM)

A kind of answer says what one piece of text claims (:class:`Kind`); this file decides which piece counts:

1. statements: ``Answer: x``, ``\boxed{x}``, "the answer is x", ``Conclusion: x``, ``"winner": "x"``, and what
   follows "wait, actually". The last one counts.
2. conclusions: the opening sentence, one that begins with "therefore" or the like, and the closing one. The
   last one that claims something counts.
3. the last sentence of the reply that clearly claims something.
4. all of a short reply, if it claims one thing.

The last two are left out for answers that an argument may name in passing, such as options.

A question, a supposition ("if it is even ...") or a definition ("a function is odd if ...") claims nothing.
A reply that asks back or declines is ``abstain`` unless it states an answer all the same. Statements and
conclusions that disagree give status ``conflicting`` with the value that counts. Nothing is moved to the
nearest accepted value. Time is linear in the length of the reply: every sentence is cut to ``LONGEST``
characters, and every pattern looks at a bounded stretch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from ._cues import (
    ANSWERED,
    ASKS,
    CLAUSE_END,
    CLOSER,
    CONCEDES,
    CONCLUDES,
    ECHO,
    HEADING,
    ITEM,
    LABEL,
    MAIN,
    OPENER,
    PIVOT,
    SUPERSEDED,
    SUPPOSES,
)
from ._fold import fold
from ._problem import Answer
from ._readers import ABSTAIN, Read
from ._statements import MAX_STATEMENT, SENTENCE_END, explicit_statements, first_line, phrased_statements

LONGEST = 1000
"""Characters of a sentence that are read, half from each end."""

_SHORT_REPLY = 60  # words; a longer reply is not searched for hints as a whole
_TOGETHER = 12  # last sentences that are read as one, where no single one says enough
_MOST_SENTENCES = 400  # read at each end of a reply


class Kind(Protocol):
    """What pieces of folded text say about one kind of answer."""

    @property
    def labels(self) -> str:
        """Further labels behind which the answer stands, as alternatives of a pattern."""

    @property
    def argues(self) -> bool:
        """Whether arguments name other answers too, so that only statements and conclusions count."""

    @property
    def closes(self) -> bool:
        """Whether the closing sentence is read loosely even where it draws no conclusion in so many words."""

    def statement(self, text: str) -> Read:
        """Read what stands after an explicit marker such as ``Answer:``."""

    def bare(self, line: str) -> str | None:
        """Read a line that is nothing but an answer."""

    def claim(self, sentence: str, *, clearly: bool) -> Read:
        """Read what a sentence claims; ``clearly`` leaves out words that may speak of something else."""


@dataclass(frozen=True)
class _Found:
    start: int
    read: Read


def read_claims(reply: str, kind: Kind) -> Answer:
    """Read one kind of answer from a reply.

    Args:
        reply: untrusted text of any length.
        kind: what is looked for.

    Returns:
        The answer; see the module for what counts.
    """
    text = fold(reply)
    short = essential(text)
    found = _read(short, kind)
    if found.status == "unparsed" and len(short) < len(whole := ECHO.sub("", text).strip()):
        return _read(whole, kind)  # "Note: ..." may be where it is said
    return found


def _read(text: str, kind: Kind) -> Answer:
    text = ANSWERED.sub(_said, text)
    if not text:
        return Answer(None, "unparsed")
    sentences = list(_sentences(text))
    statements = sorted(_statements(text, kind), key=lambda found: found.start)
    conclusions = _conclusions(text, sentences, kind)
    final = [found for found in conclusions if found.start == 0 or found.start >= sentences[-1][0]]
    values = {found.read.value for found in (*statements, *final) if found.read.value is not None}
    for level in (statements, conclusions):
        given = [found.read for found in level if found.read.status != "nothing"]
        if given:
            return _settle(given, values)
    asks = _asks(sentences[:3]) or _asks(sentences[-4:])
    if not asks and not kind.argues:
        sentences = [(start, s) for start, s in sentences if not (start and HEADING.match(s))]
        for _, sentence in reversed(sentences):
            found = claimed(sentence, kind, clearly=True)
            if found.status != "nothing":
                return _settle([found], set())
        together = "; ".join(
            s
            for _, s in sentences[-_TOGETHER:]
            if not (SUPPOSES.match(s) or CONCEDES.match(s)) and s[-1:] != "?"
        )
        found = kind.claim(together[-2 * LONGEST :], clearly=True)
        if found.value is not None:  # "... so not even. ... so not odd."
            return _settle([found], set())
        if len(text.split()) <= _SHORT_REPLY:
            hinting = sentences[-1:] if kind.closes else sentences
            hints = [claimed(sentence, kind, clearly=False) for _, sentence in hinting]
            if len({hint.value for hint in hints if hint.status != "nothing"}) == 1:
                return _settle([hint for hint in hints if hint.status != "nothing"], set())
    declines = any(ASKS.search(s) or ABSTAIN.search(s) for _, s in (*sentences[:3], *sentences[-4:]))
    return Answer(None, "abstain" if declines else "unparsed")


def essential(text: str) -> str:
    """Folded text without courtesies at its ends, and without lines that only repeat the question."""
    text = ECHO.sub("", text).strip()
    for _ in range(3):
        opener = OPENER.match(text)
        text = text[opener.end() :] if opener else text
    for _ in range(3):
        before, _, last = text.rpartition("\n")
        if not before.strip() or not CLOSER.match(last) or ASKS.search(last):
            break
        text = before.rstrip()
    return text


def _said(match: re.Match[str]) -> str:
    """ "it is not convex." for "Is it convex? No."."""
    negation = "" if match["answer"].casefold() == "yes" else "not "
    return f"{match['subject']} {match['verb'].lower()} {negation}{match['rest']}. "


def _settle(given: list[Read], values: set[str]) -> Answer:
    """The last of the given, unless it is a hedge beside a clear value before it."""
    last = given[-1]
    if last.value is None:
        return Answer(None, "abstain" if last.status == "abstain" else "unparsed")
    conflicting = len(values) > 1 or last.status == "conflicting"
    return Answer(last.value, "conflicting" if conflicting else "answer")


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    """Sentences and clauses between semicolons with their places; of many, those at both ends."""
    places: list[tuple[int, int]] = []
    start = 0
    for match in CLAUSE_END.finditer(text):
        places.append((start, match.start()))
        start = match.end()
    places.append((start, len(text)))
    if len(places) > 2 * _MOST_SENTENCES:
        places = places[:_MOST_SENTENCES] + places[-_MOST_SENTENCES:]
    for first, end in places:
        sentence = text[first:end]
        if len(sentence) > LONGEST:
            sentence = sentence[: LONGEST // 2] + " ... " + sentence[-LONGEST // 2 :]
        if any(c.isalnum() for c in sentence):
            yield first, sentence.strip()


def claimed(sentence: str, kind: Kind, *, clearly: bool) -> Read:
    """What a sentence claims, if it claims anything at all."""
    if SUPERSEDED.match(sentence):
        sentence = re.split(r"\b(?:but|however|yet)\b", sentence, maxsplit=1)[-1]
    if CONCEDES.match(sentence):  # what stands behind the comma or the "but" is said, if anything
        sentence = MAIN.sub("", sentence, count=1)
    if _asked(sentence) or SUPPOSES.match(sentence):
        return Read(None, "nothing")
    return kind.claim(sentence, clearly=clearly)


def _next_item(text: str, bottom: str) -> bool:
    """Whether the last line is the number of a list that breaks off: "3. ..." stands before it."""
    number = bottom.rstrip(".)")
    if not number.isdecimal() or len(number) > 2:
        return False
    before = str(int(number) - 1)
    return any(line.startswith((f"{before}. ", f"{before}) ")) for line in text.splitlines()[-6:-1])


def _asked(sentence: str) -> bool:
    return sentence.rstrip("\"')* ").endswith("?")


def _statements(text: str, kind: Kind) -> Iterator[_Found]:
    for statement in explicit_statements(text):
        yield _Found(statement.start, _stated(statement.text, kind))
    for statement in phrased_statements(text):
        found = _stated(statement.text, kind)
        if found.status in ("answer", "conflicting", "abstain"):
            yield _Found(statement.start, found)
    for match in list(_label(kind.labels).finditer(text))[-50:]:
        window = text[match.end() : match.end() + 2 * MAX_STATEMENT]
        if not match["general"]:  # "Connectivity:" on a line of its own may head a list
            window = first_line(window)
            if text[match.end() : match.end() + 1] == "\n" and kind.bare(window) is None:
                continue
        found = _labelled(window, kind)
        if found.value is not None:
            yield _Found(match.start(), found)
    for match in list(PIVOT.finditer(text))[-20:]:
        window = text[match.end() : match.end() + MAX_STATEMENT].split("\n\n", 1)[0]
        found = _labelled(window, kind)
        if found.value is not None:
            yield _Found(match.start(), found)


@cache
def _label(labels: str) -> re.Pattern[str]:
    """``Conclusion:`` or ``"winner":`` at the beginning of a line, a sentence or a JSON field."""
    before = r"(?:^|(?<=[.!?] )|(?<=[{,] )|(?<=[{,\"]))[\"' ]{0,3}(?:\d[.)] )?"
    after = r"[\"']?(?: \([^()\n]{0,40}\))?(?: ?[:=] ?| - | is:? |, |$)"
    return re.compile(f"{before}(?:(?P<general>{LABEL}){labels}){after}", re.I | re.M)


def _stated(statement: str, kind: Kind) -> Read:
    found = kind.statement(statement)
    if found.value is None and found.status in ("nothing", "unparsed") and ABSTAIN.search(statement):
        return Read(None, "abstain")
    return found


def _labelled(window: str, kind: Kind) -> Read:
    """What the text behind a label such as ``Conclusion:`` says: its first line, or its last clear claim."""
    first = first_line(window).strip(" :\"',}")
    bare = kind.bare(first)
    if bare is not None:
        return Read(bare)
    for part in (window.strip().split("\n\n", 1)[0], window):
        reads = [claimed(sentence, kind, clearly=True) for _, sentence in _sentences(part)]
        given = [found for found in reads if found.value is not None]
        if given:
            return given[0] if kind.argues else given[-1]
    return claimed(SENTENCE_END.split(first, maxsplit=1)[0], kind, clearly=False)


def _conclusions(text: str, sentences: list[tuple[int, str]], kind: Kind) -> list[_Found]:
    """What the opening, each sentence that draws a conclusion, and the closing claim."""
    found: list[_Found] = []
    if not sentences:
        return found
    top = text.split("\n", 1)[0].strip()
    bottom = text[-MAX_STATEMENT:].rsplit("\n", 1)[-1].strip()
    opening = None if _asked(top) else kind.bare(top)
    if opening is None and not _asked(sentences[0][1]) and not ITEM.fullmatch(sentences[0][1]):
        opening = kind.bare(sentences[0][1])
    if opening is not None:
        found.append(_Found(0, Read(opening)))
    for number, (start, sentence) in enumerate(sentences):
        if sentence[0] in "{[\"'" or (
            start and HEADING.match(sentence)
        ):  # a field of JSON is read as a statement
            continue
        edge = number in (0, len(sentences) - 1)
        edge = edge and not (number and found and kind.argues)
        if edge or CONCLUDES.search(sentence):
            said = claimed(sentence, kind, clearly=True)
            if said.status == "nothing" and number == 0 and len(sentence.split()) <= 6:
                said = claimed(sentence, kind, clearly=False)
            if said.value is not None:
                found.append(_Found(start, said))
    closing = kind.bare(bottom) if "\n" in text and not _next_item(text, bottom) else None
    if closing is None and not (found and found[-1].start == sentences[-1][0]):
        last = sentences[-1][1]
        if len(last.split()) <= 25 and (kind.closes or CONCLUDES.search(last)):
            said = claimed(last, kind, clearly=False)
            closing = said.value
    if closing is not None:
        found.append(_Found(len(text), Read(closing)))
    if _asks(sentences[:3]):
        if _asks(sentences[-4:]):
            return []  # asks at both ends: what it says between is what it would say
        texts = dict(sentences)
        return [one for one in found if CONCLUDES.match(texts.get(one.start, ""))]
    return found


def _asks(sentences: list[tuple[int, str]]) -> bool:
    """Whether some of these sentences ask back or decline."""
    # "I am not certain, but it seems to be even" says something after all.
    parts = [re.split(r"\bbut\b", sentence)[-1] for _, sentence in sentences]
    return any(ASKS.search(part) or ABSTAIN.search(part) for part in parts)
