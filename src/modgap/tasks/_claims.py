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

from ._fold import fold
from ._problem import Answer
from ._readers import ABSTAIN, Read
from ._statements import MAX_STATEMENT, SENTENCE_END, explicit_statements, first_line, phrased_statements

LONGEST = 1000
"""Characters of a sentence that are read, half from each end."""

_SHORT_REPLY = 60  # words; a longer reply is not searched for hints as a whole
_TOGETHER = 12  # last sentences that are read as one, where no single one says enough
_MOST_SENTENCES = 400  # read at each end of a reply

_LABEL = (
    r"(?:in )?conclusions?|completed (?:sentence|text|statement)|(?:the )?(?:final |overall |correct "
    r"|expected |most likely )?"
    r"(?:result|verdict|outcome|decision|classification|determination|prediction|assessment|evaluation"
    r"|judge?ment)"
    r"|winner|bottom line|short(?:er)? (?:answer|version)|in short|in summary|summary|tl;?dr|final|choice"
    r"|best guess|my guess|overall"
)
_CLAUSE_END = re.compile(SENTENCE_END.pattern + r"|;\s+")
_OPENER = re.compile(
    r"\s*(?:sure|certainly|of course|absolutely|okay|ok|alright|great question)[!,.]\s+"
    r"|\s*(?:(?:here(?:'s| is)|let(?:'s| me| us)|(?:i|we)(?:'ll| will| need to))\b"
    r"|looking at [^\n]{1,60}?,? (?:i'll|let's"
    r"|let me|we'll)\b)[^\n:]{0,120}"
    r"(?::|\b(?:step by step|analy\w+|carefully|systematically|closely|in detail)\.)[ ]*\n\s*(?=\S)",
    re.I,
)
_CLOSER = re.compile(
    r"\W{0,4}(?:i hope (?:this|that)|hope (?:this|that)|(?:please )?let me know|feel free|(?:would"
    r"|do) you (?:like|want)"
    r"|if you(?:'d like| have| need| want| would like)|is there anything|(?:please )?note\b"
    r"|disclaimer|confidence\b)",
    re.I,
)
_SUPERSEDED = re.compile(
    r"^\W{0,4}(?:at first\b|initially\b|i (?:(?:first|initially|originally) )+|i (?:thought"
    r"|assumed)\b)[^.;\n]{0,200}\b(?:but|however"
    r"|yet)\b",
    re.I,
)
_CONCEDES = re.compile(r"^\W{0,4}(?:although|though|even though|while|whereas|despite|in spite of)\b", re.I)
_MAIN = re.compile(r"^[^,]{0,300}(?:,|$)\s*")
_HEADING = re.compile(
    r"^\W{0,4}(?:\d{1,2}[.)] )?(?:even|odd|neither|convex|concave)(?: functions?"
    r"| symmetry)?\W{0,2}:(?! ?\W{0,2}(?:yes|no|not"
    r"|true|false|satisf)\w*\b)(?= ?\S)",
    re.I,
)
_ITEM = re.compile(r"\W*\d{1,2}[.)]")
_ECHO = re.compile(r"^\W{0,4}(?:options|choices|question|query) ?:(?:(?!\banswer\b).)*", re.I | re.M)
_ANSWERED = re.compile(
    r"\b(?P<verb>is|are) (?P<subject>it|f|f\(x\)|the \w+|they|there|these (?:two )?graphs"
    r"|the two graphs|g and h)"
    r" (?P<rest>[^?\n]{2,60})\?[^\w\n]{0,6}(?P<answer>yes|no)\b[,.]?",
    re.I,
)
_PIVOT = re.compile(
    r"\b(?:wait|hold on|actually|correction|scratch that|on second thought|let me (?:correct|revise)"
    r"|i made a mistake"
    r"|i was wrong|sorry)\b",
    re.I,
)
_CONCLUDES = re.compile(
    r"^\W{0,4}(?:therefore|thus|hence|so|consequently|accordingly|in conclusion|to conclude|in summary"
    r"|overall"
    r"|in short|ultimately|finally|as a result|this (?:means|shows|implies|proves|confirms|indicates"
    r"|suggests)"
    r"|we (?:can )?(?:conclude|see|find)|it follows|which means|based on|given th|since|because|from th)\b"
    r"|\b(?:therefore|thus|hence|consequently|we (?:can )?conclude|so)\b",
    re.I,
)
_SUPPOSES = re.compile(
    r"^\W{0,4}(?:(?:task|problem|possible answers|answer format|instructions?) ?:"
    r"|(?:even|odd|neither|convex|concave) ?: (?:f\b|if|neither|when|the)|(?:\w+[.)] )?(?:if"
    r"|otherwise|when|whenever|suppose|supposing|unless|in case|once|had|were)\b(?! we )"
    r"|assum(?:e|ing)\b(?! (?:best|optimal|perfect|correct|accurate|normal|standard|reasonable|competent))"
    r"|(?:an?|any|every|each|all) (?:even|odd|convex|concave|function|graph|curve|draw(?!,| by| due"
    r"| because| since|\W*$| is (?:the"
    r"|most|likely))|breakpoint)\w*\b"
    r"|(?:provide|state|show|give|identify|compute|explain|analy[sz]e|conclude with|present"
    r"|determine|decide|find|count|choose|select)\b(?! that)"
    r"|(?:at first (?:glance|sight)|initially|i (?:(?:first|initially|originally|had|also) )*(?:thought"
    r"|assumed|was going)|one might (?:think|say|expect)|it (?:may|might|could) (?:seem|look|appear))\b"
    r"(?![^.;\n]{0,200}\b(?:but|however|yet)\b)"
    r"|to be (?:an? )?(?:isomorphic|connected|even|odd|convex|concave)\b"
    r"|an? (?:elementary substance|compound|element|solid|liquid|gas"
    r"|(?:\w+ )?replacement reaction) (?:is|has|contains"
    r"|consists|keeps|takes)\b"
    r"|i (?:also |first |initially )?considered\b|(?:recall|remember|by definition,? an?"
    r"|definitions?)\b|(?:to|let's|let us|we need to|we must|i need to"
    r"|i will|i'll"
    r"|we will|we'll|i can(?! see)|i'd|your task|the task|the goal|the question) "
    r"(?:is to |can )?(?:determine|check|decide|see|test|analy[sz]e|figure|verify|find|identify|evaluate"
    r"|compare|asks)\w*\b)",
    re.I,
)
ASKS = re.compile(
    r"\bi(?:'d| would| will|'ll|'m missing| am missing)? (?:need|require|want|like)(?:s"
    r"|ed)?\b(?: \w+){0,6}? (?:more|clarif\w+|"
    r"confirm\w*|details?|precis\w+|information|exact|clear\w*|crucial|know)\b"
    r"|\b(?:whose|which side's|who's) (?:turn|move)\b|\bwho is to move\b|\bwhich side (?:is )?to move\b"
    r"|\b(?:please|could you|can you|kindly)(?: please)? (?:\w+ ){0,2}?(?:confirm|tell|share|provide"
    r"|paste|post|upload"
    r"|send|specify|clarify|describe|list|indicate|give|attach|re-?upload)\b"
    r"|\bif you (?:can |could )?(?:provide|share|confirm|tell|give|paste|specify)\b"
    r"|\bonce (?:you|i have|i know)\b"
    r"|\bnot (?:fully|completely|entirely|absolutely|100 ?%) (?:certain|sure|confident|clear)\b"
    r"|\bnot confident\b|\b(?:can't|cannot) be (?:\w+ )?(?:certain|sure|definitive)\b"
    r"|\b(?:which|what) (?:two )?(?:nodes?|vertices|function|graphs?)\b[^.\n]{0,60}\?"
    r"|\bcan(?:not|'t)(?: \w+){0,3} (?:see|view|read|determine|tell|judge|identify|analy[sz]e|solve"
    r"|compute|conclude)\b",
    re.I,
)


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
    if found.status == "unparsed" and len(short) < len(whole := _ECHO.sub("", text).strip()):
        return _read(whole, kind)  # "Note: ..." may be where it is said
    return found


def _read(text: str, kind: Kind) -> Answer:
    text = _ANSWERED.sub(_said, text)
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
        sentences = [(start, s) for start, s in sentences if not (start and _HEADING.match(s))]
        for _, sentence in reversed(sentences):
            found = claimed(sentence, kind, clearly=True)
            if found.status != "nothing":
                return _settle([found], set())
        together = "; ".join(
            s
            for _, s in sentences[-_TOGETHER:]
            if not (_SUPPOSES.match(s) or _CONCEDES.match(s)) and s[-1:] != "?"
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
    text = _ECHO.sub("", text).strip()
    for _ in range(3):
        opener = _OPENER.match(text)
        text = text[opener.end() :] if opener else text
    for _ in range(3):
        before, _, last = text.rpartition("\n")
        if not before.strip() or not _CLOSER.match(last) or ASKS.search(last):
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
    for match in _CLAUSE_END.finditer(text):
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
    if _SUPERSEDED.match(sentence):
        sentence = re.split(r"\b(?:but|however|yet)\b", sentence, maxsplit=1)[-1]
    if _CONCEDES.match(sentence):  # what stands behind the comma or the "but" is said, if anything
        sentence = _MAIN.sub("", sentence, count=1)
    if _asked(sentence) or _SUPPOSES.match(sentence):
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
    for match in list(_PIVOT.finditer(text))[-20:]:
        window = text[match.end() : match.end() + MAX_STATEMENT].split("\n\n", 1)[0]
        found = _labelled(window, kind)
        if found.value is not None:
            yield _Found(match.start(), found)


@cache
def _label(labels: str) -> re.Pattern[str]:
    """``Conclusion:`` or ``"winner":`` at the beginning of a line, a sentence or a JSON field."""
    before = r"(?:^|(?<=[.!?] )|(?<=[{,] )|(?<=[{,\"]))[\"' ]{0,3}(?:\d[.)] )?"
    after = r"[\"']?(?: \([^()\n]{0,40}\))?(?: ?[:=] ?| - | is:? |, |$)"
    return re.compile(f"{before}(?:(?P<general>{_LABEL}){labels}){after}", re.I | re.M)


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
    if opening is None and not _asked(sentences[0][1]) and not _ITEM.fullmatch(sentences[0][1]):
        opening = kind.bare(sentences[0][1])
    if opening is not None:
        found.append(_Found(0, Read(opening)))
    for number, (start, sentence) in enumerate(sentences):
        if sentence[0] in "{[\"'" or (
            start and _HEADING.match(sentence)
        ):  # a field of JSON is read as a statement
            continue
        edge = number in (0, len(sentences) - 1)
        edge = edge and not (number and found and kind.argues)
        if edge or _CONCLUDES.search(sentence):
            said = claimed(sentence, kind, clearly=True)
            if said.status == "nothing" and number == 0 and len(sentence.split()) <= 6:
                said = claimed(sentence, kind, clearly=False)
            if said.value is not None:
                found.append(_Found(start, said))
    closing = kind.bare(bottom) if "\n" in text and not _next_item(text, bottom) else None
    if closing is None and not (found and found[-1].start == sentences[-1][0]):
        last = sentences[-1][1]
        if len(last.split()) <= 25 and (kind.closes or _CONCLUDES.search(last)):
            said = claimed(last, kind, clearly=False)
            closing = said.value
    if closing is not None:
        found.append(_Found(len(text), Read(closing)))
    if _asks(sentences[:3]):
        if _asks(sentences[-4:]):
            return []  # asks at both ends: what it says between is what it would say
        texts = dict(sentences)
        return [one for one in found if _CONCLUDES.match(texts.get(one.start, ""))]
    return found


def _asks(sentences: list[tuple[int, str]]) -> bool:
    """Whether some of these sentences ask back or decline."""
    # "I am not certain, but it seems to be even" says something after all.
    parts = [re.split(r"\bbut\b", sentence)[-1] for _, sentence in sentences]
    return any(ASKS.search(part) or ABSTAIN.search(part) for part in parts)
