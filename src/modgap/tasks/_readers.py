"""What one statement of a reply says, for each kind of answer.

A reader is shown a piece of folded text with a promise about it: an *explicit* statement (what stands after
"Answer:"), a *bare* line (must be nothing but an answer, or open with one), or the *inside* of a sentence
(counts only if it mentions exactly one answer and does not negate it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from ._fold import key, option_key
from ._numbers import WORDS, read_number
from ._statements import MAX_STATEMENT

_SHORT_VALUE = 3  # words; a longer explicit text that names no option is prose, not a value

ABSTAIN = re.compile(
    r"\b(?:can ?not|can't|could not|couldn't|unable to|not able to|impossible to|not possible to|no way to)\b"
    r"(?: \w+){0,2} (?:be )?(?:determine|tell|answer|say|identif|provide|help|assist|know|make out|infer"
    r"|conclude|decide|confirm|verify|give|comply|(?:see|view|access|process|open|display|read)(?: \w+){0,2}"
    r" (?:image|picture|photo|figure|diagram|attachment|file)s?\b)"
    r"|\b(?:not enough|insufficient|inadequate) (?:\w+ )?(?:information|info|data|context|detail|evidence)"
    r"|\b(?:image|picture|photo|figure|diagram|scene) (?:is|was|has)(?: not|n't)(?: been)? (?:\w+ )?"
    r"(?:provided|visible|attached|available|shown|displayed|included|there)"
    r"|\b(?:image|picture|photo|figure|diagram|graph|plot) (?:is not|isn't|is too"
    r"|not) (?:\w+ )?(?:clear|legible"
    r"|readable|sharp|detailed|blurry|small)\b"
    r"|\bno (?:image|picture|photo|figure) (?:is |was |has been )?"
    r"(?:provided|visible|attached|available|shown|included)"
    r"|\b(?:do not|don't|did not|didn't) (?:know|have (?:enough|access|the ability)"
    r"|see (?:an|any|the) (?:image|picture))"
    r"|\b(?:i am|i'm|it is|it's|is|am) (?:not (?:entirely |really |quite )?(?:sure|certain|clear)"
    r"|unclear|unsure|uncertain)"
    r"|\b(?:could you|can you|please) (?:\w+ )?(?:provide|upload|attach|share|clarify|specify|send|confirm)"
    r"|\b(?:(?:i'm|i am|we're) sorry|i apologi[sz]e)(?! for (?:the|my|any) (?:confusion"
    r"|error|mistake|oversight))|\bas an ai\b|\bi (?:must |have to )?(?:decline|refuse)\b"
    r"|^\W*(?:unknown|unclear|undetermined|indeterminate|undecidable|uncertain|unsure|not sure|n/?a"
    r"|not applicable|no answer|not (?:determined|visible|known|given|specified))\W*$",
    re.I,
)
_LETTER = re.compile(r"(?:(?:option|choice|answer)\s+)?\(?([a-z])\)?", re.I)
_LETTERED = re.compile(
    r"(?:(?:option|choice|answer)\s+)?(?:\(([a-z])\)|([a-z])[).:](?=\s)|([a-z]) -)[:.,]?\s*(.+)", re.I | re.S
)
_LETTER_INSIDE = re.compile(r"\(([A-Za-z])\)|\b(?:option|choice) ([A-Za-z])\b")
_NEGATED = re.compile(
    r"(?:\b(?:not(?! only| just)|never|neither|nor|cannot|rather than|instead of|as opposed to|without"
    r"|isn't|aren't|wasn't|doesn't|don't|can't)\b(?:(?! but\b| rather\b| instead\b)[^.,;:!?\n]){0,28}"
    r"|\b(?:no|non)[ -])$",
    re.I,
)
_NUMBER_OF_THINGS = re.compile(
    r"[^\w\n]{0,4}(?:there (?:is|are) )?(?:[-+]?[\d,]{1,60}|[a-z]{3,9})(?: [a-z]+){0,3}[^\w\n]{0,4}",
    re.I,
)
_NUMBER_FIRST = re.compile(rf"\W{{0,4}}(?:there (?:is|are) )?(?:[-+\d]|(?:{'|'.join(WORDS)})\b)", re.I)
_AFTER_LEAD = re.compile(r"\s*(?:$|[;.!\n,(]|:(?=\s)|-(?=\s)|because\b|since\b|as\b)")
_TRUE = {"yes": "true", "no": "false", "true": "yes", "false": "no"}


@dataclass(frozen=True)
class Read:
    """What a statement says: a value, or why there is none.

    ``nothing`` means that the statement is about something else; ``unparsed`` that it is about the answer
    but states no single one.
    """

    value: str | None
    status: Literal["answer", "conflicting", "abstain", "unparsed", "nothing"] = "answer"


NOTHING = Read(None, "nothing")
HEDGE = Read(None, "unparsed")
ABSTAINS = Read(None, "abstain")


class Reader(Protocol):
    """Reads one kind of answer from pieces of folded text."""

    def explicit(self, statement: str) -> Read:
        """Read what stands after an explicit marker such as ``Answer:``."""

    def bare(self, line: str) -> Read:
        """Read a line that must be nothing but an answer, or open with one."""

    def inside(self, text: str) -> Read:
        """Read a sentence that mentions exactly one answer and does not negate it."""

    def abstains(self, text: str) -> bool:
        """Whether the text declines to answer."""

    @property
    def numeric(self) -> bool:
        """Whether answers are numbers, so that any number in a sentence looks like one."""


@lru_cache(maxsize=1024)
def _mention_pattern(keys: tuple[str, ...]) -> re.Pattern[str]:
    # A letter as an option is read as a letter ("(A)", "option A"): in prose "a" is an article.
    longest_first = sorted(
        {k for k in keys if k and not (len(k) == 1 and k.isalpha())}, key=lambda k: (-len(k), k)
    )
    words = "|".join(re.escape(k) for k in longest_first)
    return re.compile(rf"(?<![\w-])(?<!\d[.,])(?:{words})(?![\w-]|[.,]\d)" if words else r"(?!)")


@dataclass(frozen=True)
class Choices:
    options: tuple[str, ...]
    keys: tuple[str, ...]
    named_letters: bool
    numeric: bool
    declining: bool

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, options: tuple[str, ...]) -> Choices:
        keys = tuple(option_key(option) for option in options)
        return cls(
            options,
            keys,
            named_letters=any(len(k) == 1 and k.isalpha() for k in keys),
            numeric=bool(options) and all(re.fullmatch(r"-?\d{1,18}", k) for k in keys),
            declining=any(ABSTAIN.search(k) for k in keys),
        )

    def abstains(self, text: str) -> bool:
        return not self.declining and ABSTAIN.search(text) is not None

    def explicit(self, statement: str) -> Read:
        return self._exact(statement) or self._lettered(statement) or self._open(statement)

    def bare(self, line: str) -> Read:
        found = self._exact(line) or self._lettered(line)
        if found:
            return found
        if self.numeric:
            return _whole_number(line)
        lead = self._lead(key(line))
        return Read(lead) if lead is not None else NOTHING

    def inside(self, text: str) -> Read:
        if self.numeric:
            number, several = read_number(text)
            if number is not None:
                return Read(self._number(number))
            if several:
                return HEDGE
        said = self._mentions(key(text))
        letters = (self._index(match[1] or match[2]) for match in _LETTER_INSIDE.finditer(text))
        said.update(index for index in letters if index is not None)
        if len(said) == 1:
            return Read(self.options[said.pop()])
        return HEDGE if said else NOTHING

    def _exact(self, statement: str) -> Read | None:
        folded = key(statement) if self.numeric else key(statement.lstrip(" -"))
        if folded in self.keys:
            return Read(self.options[self.keys.index(folded)])
        raw = statement.strip().casefold()
        if raw in self.keys:  # an option that begins with an article or is punctuation
            return Read(self.options[self.keys.index(raw)])
        squeezed = "".join(folded.split())  # "ne ither": a word split by the tokenizer
        joined = ["".join(k.split()) for k in self.keys]
        if len(squeezed) >= 4 and joined.count(squeezed) == 1:
            return Read(self.options[joined.index(squeezed)])
        other = _TRUE.get(folded)
        if other in self.keys and set(self.keys) in ({"yes", "no"}, {"true", "false"}):
            return Read(self.options[self.keys.index(other)])
        return None

    def _index(self, letter: str) -> int | None:
        """Which option a letter stands for: the option with that name, else the one at that place."""
        letter = letter.casefold()
        if self.named_letters:
            return self.keys.index(letter) if letter in self.keys else None
        place = ord(letter) - ord("a")
        return place if place < len(self.options) else None

    def _lettered(self, statement: str) -> Read | None:
        text = statement.strip().strip("\"'[]{}").strip()
        whole = _LETTER.fullmatch(text.rstrip(".:,!"))
        if whole:
            index = self._index(whole[1])
            return Read(whole[1].upper() if index is None else self.options[index])
        parts = _LETTERED.match(text)
        index = self._index(parts[1] or parts[2] or parts[3]) if parts else None
        if parts is None or index is None:
            return None
        named = self._exact(parts[4].split("\n", 1)[0])
        if named and named.value != self.options[index]:
            return Read(named.value, "conflicting")
        return Read(self.options[index])

    def _lead(self, folded: str) -> str | None:
        match = _mention_pattern(self.keys).match(folded)
        if match and _AFTER_LEAD.match(folded, match.end()):
            rest = folded[match.end() :].lstrip(" ,(")
            if not rest.startswith(("or ", "and ", "and/or ", "/")) and not self._lists(folded):
                return self.options[self.keys.index(match.group())]
        return None

    def _lists(self, folded: str) -> bool:
        """Whether the text begins by listing several options ("left, right, above ...")."""
        pattern = _mention_pattern(self.keys)
        first = pattern.match(folded)
        if not first:
            return False
        gap = re.compile(r"(?:,| or| and|/|;|\s)+").match(folded, first.end())
        second = pattern.match(folded, gap.end()) if gap else None
        return second is not None and second.group() != first.group()

    def _mentions(self, folded: str) -> set[int]:
        said: set[int] = set()
        for match in _mention_pattern(self.keys).finditer(folded):
            if (
                not _NEGATED.search(folded[max(0, match.start() - 48) : match.start()])
                or match.group() == "neither"
            ):
                said.add(self.keys.index(match.group()))
        return said

    def _number(self, number: str) -> str:
        return self.options[self.keys.index(number)] if number in self.keys else number

    def _open(self, statement: str) -> Read:
        if self.abstains(statement):
            return ABSTAINS
        if self.numeric:
            number, several = read_number(statement)
            if number is not None:
                return Read(self._number(number))
            return HEDGE if several else _short_text(statement)
        folded = key(statement)
        lead = self._lead(folded)
        if lead is not None:
            return Read(lead)
        said = self._mentions(folded)
        if len(said) == 1:
            return Read(self.options[said.pop()])
        # Several options, or only negated ones: no single answer is stated.
        if said or _mention_pattern(self.keys).search(folded):
            return HEDGE
        return _short_text(statement)


@dataclass(frozen=True)
class Integers:
    numeric: bool = True

    def abstains(self, text: str) -> bool:
        return ABSTAIN.search(text) is not None

    def explicit(self, statement: str) -> Read:
        if ABSTAIN.search(statement):
            return ABSTAINS
        number, several = read_number(statement)
        if number is not None:
            return Read(number)
        return HEDGE if several else _short_text(statement)

    def bare(self, line: str) -> Read:
        return _whole_number(line)

    def inside(self, text: str) -> Read:
        number, several = read_number(text)
        return Read(number) if number is not None else HEDGE if several else NOTHING


@dataclass(frozen=True)
class Texts:
    numeric: bool = False

    def abstains(self, text: str) -> bool:
        return ABSTAIN.search(text) is not None

    def explicit(self, statement: str) -> Read:
        return ABSTAINS if ABSTAIN.search(statement) else Read(trim(statement)[:MAX_STATEMENT])

    def bare(self, line: str) -> Read:
        return NOTHING

    def inside(self, text: str) -> Read:
        return NOTHING


def _whole_number(line: str) -> Read:
    """A line that is a number, or a number of things: "3", "**three**", "There are 3 red circles."."""
    if _NUMBER_OF_THINGS.fullmatch(line):
        number, several = read_number(line)
        if number is not None and not several and _NUMBER_FIRST.match(line):
            return Read(number)
    return NOTHING


def trim(statement: str) -> str:
    text = " ".join(statement.split()).strip("\"'`{}")
    return text.rstrip(".").strip("\"'` ")


def _short_text(statement: str) -> Read:
    """An explicit value that is no option: kept if it is short enough to be a value."""
    text = trim(statement)
    return Read(text.casefold()) if text and len(text.split()) <= _SHORT_VALUE else HEDGE
