"""The sentences of captions, recognised in any text.

    sentence = read_sentence("There is a small solid red star at the top.", 0, 43)
    sentence.role, [claim.value for claim in sentence.claims]

The patterns are made from the forms with which captions are written; what fits no form is not guessed at.
Capitals, the amount of blank space, "a" or "an", and whether verb and noun agree with a number are ignored,
since none of them changes what is stated. An adjective may be missing, but size, fill and colour stand in
this order. Time grows with the length of the text only: no part of a pattern matches one text in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ._facts import POSITIONS, FactKind
from ._phrases import (
    ABSENCE_FORMS,
    BACKGROUND_FORMS,
    BESIDE_FORMS,
    COUNT_FORMS,
    EXTREME_FORM,
    FARTHER_FORM,
    INTRODUCTION_FORMS,
    NEARER_FORM,
    NUMBERS,
    OVER_FORMS,
    PLACED_FORMS,
    PLATE_FORMS,
    TOTAL_FORMS,
    WORD_FORMS,
    plural,
)
from ._scene import BACKGROUND_SHAPES, COLORS, FILLS, RELATIONS, SHAPES, SIZES

Role = Literal["scene", "introduction", "its", "names"]
"""Whom a sentence is about: the whole scene; an object that it introduces; an object just introduced, by
"its"; or one or two objects that it calls by name, with "the"."""


class Claim(NamedTuple):
    """Some words of a text and what they state.

    Args:
        start: first character, 0-based.
        end: one past the last character.
        kind: the kind of fact.
        value: what is stated, as in a fact.
        of: for a count, the description of what is counted.
    """

    start: int
    end: int
    kind: FactKind
    value: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence.

    Args:
        role: whom it is about.
        names: the words of each object that is introduced or named, the subject first.
        claims: what else is stated, in no particular order.
    """

    role: Role
    names: tuple[tuple[Claim, ...], ...]
    claims: tuple[Claim, ...]


_SENTENCE = re.compile(r"[^.\s][^.]*\.?|\.+")
_WORD = re.compile(r"[a-z]+", re.ASCII | re.IGNORECASE)
_MOST_KINDS = len(BACKGROUND_SHAPES)

_ATTRIBUTES: dict[str, FactKind] = {
    **dict.fromkeys(SIZES, "size"),
    **dict.fromkeys(FILLS, "fill"),
    **dict.fromkeys(COLORS, "color"),
    **dict.fromkeys(SHAPES, "shape"),
}
_SINGULAR = {plural(noun): noun for noun in (*SHAPES, *BACKGROUND_SHAPES, "object", "plate")}
_SLOT_KINDS: dict[str, FactKind] = {
    "position": "position",
    "relation": "relation",
    "depth": "depth",
    "word": "word",
    "plate": "existence",
}


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(word.replace(" ", r"\s+") for word in words) + ")"


def _nouns(nouns: Iterable[str]) -> str:
    return _any(form for noun in nouns for form in (plural(noun), noun))


_ADJECTIVES = "".join(rf"(?:{_any(words)}\s+)?" for words in (SIZES, FILLS, COLORS))
_INTRODUCED = rf"an?\s+{_ADJECTIVES}{_any(SHAPES)}"
_NAMED = rf"the\s+{_ADJECTIVES}{_any(SHAPES)}"
_DESCRIPTION = rf"(?:{_ADJECTIVES}{_nouns((*SHAPES, 'object'))}|{_nouns((*BACKGROUND_SHAPES, 'plate'))})"
_COUNTED = rf"(?P<number>{_any(NUMBERS)}|\d{{1,3}})\s+(?P<counted>{_DESCRIPTION})"
_NOTHING = rf"(?P<none>no\s+{_DESCRIPTION})"
_KIND = rf"an?\s+{_any(BACKGROUND_SHAPES)}"

# What may fill the slots of the forms; words on plates are free, so that a wrong one is read as well.
_SLOTS = {
    "position": _any(POSITIONS),
    "relation": _any(RELATIONS),
    "plate": "plate",
    "word": "[a-z]{1,12}",
    "there": r"there\s+(?:is|are)",
    "verb": "(?:is|are)",
    "things": rf"(?:{_COUNTED}|{_NOTHING})",
    "nothing": _NOTHING,
    "kinds": rf"{_KIND}(?:,\s+{_KIND}){{0,{_MOST_KINDS}}}(?:\s+and\s+{_KIND})?",
    "subject": _NAMED,
    "object": _NAMED,
}


def _patterns(role: Role, forms: Iterable[str], **slots: str) -> Iterator[tuple[Role, re.Pattern[str]]]:
    groups = {name: f"(?P<{name}>{slot})" for name, slot in (_SLOTS | slots).items()}
    for form in forms:
        literal = form.replace(".", r"\.").replace(" ", r"\s+")
        yield role, re.compile(literal.format(**groups), re.ASCII | re.IGNORECASE)


_PATTERNS = (
    *_patterns("introduction", (*PLACED_FORMS, *INTRODUCTION_FORMS), thing=_INTRODUCED),
    *_patterns("its", PLATE_FORMS),
    *_patterns("names", (*BESIDE_FORMS, *OVER_FORMS)),
    *_patterns("scene", (*COUNT_FORMS, *TOTAL_FORMS, *ABSENCE_FORMS, *BACKGROUND_FORMS)),
    *_patterns("names", (NEARER_FORM, FARTHER_FORM), depth="(?:nearer|farther)"),
    *_patterns("names", (EXTREME_FORM,), thing=_NAMED, depth="(?:nearest|farthest)"),
    *_patterns("names", WORD_FORMS, thing=_NAMED),
)


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence without the blank space around it; the last may lack its period."""
    for match in _SENTENCE.finditer(text):
        yield match.start(), match.start() + len(match.group().rstrip())


def read_sentence(text: str, start: int, end: int) -> ReadSentence | None:
    """Read one sentence.

    Args:
        text: untrusted.
        start: first character of the sentence, 0-based.
        end: one past its last character.

    Returns:
        What it states, or ``None`` if it fits no form.
    """
    for role, pattern in _PATTERNS:
        match = pattern.fullmatch(text, start, end)
        if match is not None:
            names = tuple(
                _noun_phrase(match, group) for group in _filled(match, "thing", "subject", "object")
            )
            return ReadSentence(role, names, tuple(_claims(match)))
    return None


def _filled(match: re.Match[str], *groups: str) -> list[str]:
    """Those of the groups that the pattern has and that matched."""
    found = match.groupdict()
    return [group for group in groups if found.get(group) is not None]


def _words(match: re.Match[str], group: str) -> Iterator[tuple[int, int, str]]:
    for word in _WORD.finditer(match.string, *match.span(group)):
        yield word.start(), word.end(), word.group().lower()


def _noun_phrase(match: re.Match[str], group: str) -> tuple[Claim, ...]:
    found = _words(match, group)
    return tuple(
        Claim(start, end, _ATTRIBUTES[word], word) for start, end, word in found if word in _ATTRIBUTES
    )


def _claims(match: re.Match[str]) -> Iterator[Claim]:
    for group in _filled(match, *_SLOT_KINDS):
        yield Claim(*match.span(group), _SLOT_KINDS[group], " ".join(match[group].lower().split()))
    if _filled(match, "number"):
        yield from _count(match)
    if _filled(match, "none"):
        # The article and the thing are one statement: that it is not there.
        yield Claim(*match.span("none"), "absence", _description(list(_words(match, "none"))[1:]))
    if _filled(match, "kinds"):
        for start, end, word in _words(match, "kinds"):
            if word in BACKGROUND_SHAPES:
                yield Claim(start, end, "existence", word)


def _count(match: re.Match[str]) -> Iterator[Claim]:
    said = match["number"].lower()
    number = NUMBERS.index(said) if said in NUMBERS else int(said)
    words = list(_words(match, "counted"))
    description = _description(words)
    if number == 0:
        yield Claim(match.start("number"), match.end("counted"), "absence", description)
        return
    yield Claim(*match.span("number"), "count", str(number), description)
    for start, end, _ in words:
        yield Claim(start, end, "existence", description)


def _description(words: list[tuple[int, int, str]]) -> str:
    return " ".join(_SINGULAR.get(word, word) for _, _, word in words)
