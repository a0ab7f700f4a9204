"""Words and turns of phrase that claim an answer, with what they mean when they are negated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ._claims import Kind, claimed
from ._fold import key
from ._readers import HEDGE, NOTHING, Read
from ._statements import SENTENCE_END

_NOT = (
    r"\b(?:not(?! only| just)|lacks?|unlike(?! poles)|never|neither|nor|cannot|can't|rather than|instead of"
    r"|as opposed to|without"
    r"|unlikely"
    r"|isn't|aren't|wasn't|weren't|doesn't|don't|didn't|won't|no(?! doubt)|fails? to|ruled? out"
    r"|outweighs?|despite|in spite of|non)\b"
)
NEGATED = re.compile(
    rf"(?:{_NOT}[^\w,.;:!?\n]?(?:(?!->|=>|⇒|\b(?:but|rather|instead|so|thus|hence|therefore|because|since"
    rf"|although|though"
    r"|while|whereas|and (?:it|is|the|this|they|so|hence|thus|therefore|instead|are|we))\b)[^,.;:!?\n]){0,44}"
    r"|\bnon-?)$"
)
_ONLY_IF_BEFORE = re.compile(
    r"\b(?:if|iff|whether|unless|suppose|assuming|since|because|given that|provided|when|whenever"
    r"|in order|could be|might be|may be"
    r"|may or may not be|would be|would (?:also )?(?:make|mean|imply)|needs? to be|for \w[^,;:\n]{0,30} to be"
    r"|required to be|necessary for|sufficient for|determine|deciding?|check(?:ing)?|test(?:ing)?"
    r"|see if|statement that|claim that|assumption that|contradicts?|contradiction)\b[^,;:\n]{0,60}$"
    r"|^\W*(?:for \w[^,;:\n]{0,40} )?to be (?:\w+ ){0,2}$"
)
_ONLY_IF_AFTER = re.compile(
    r"[^.;,\n]{0,24}?\b(?:if|iff|whenever|only if|only when|unless|provided that)\b|\s+nowhere\b"
)
_DENIED_AFTER = re.compile(
    r"(?: functions?| symmetry| graphs?)?\W{0,3}[:=]\W{0,2}(?:no|false|fails?|not satisfied)\b"
)
_TURNS = re.compile(
    r"\b(?:so|therefore|thus|hence|consequently|making|makes|but|however|rather|instead|which means|meaning"
    r"|this means|implies|implying|conclude|and is|yet|although|though)\b|->|⇒|=>|⟹|∴"
)
_ITEM = re.compile(r"^[a-e][).:]\s+(?=\w)")
_ASIDE = re.compile(r" \([^()]{0,60}\)")
_ANOTHER = re.compile(r"\s*(?:or|and/or|/|and|,)\s+(?:an? )?")


_WHOLE = re.compile(r"\bf\(x\) ?= ?[^,;:]{0,100}$")


def _blank(match: re.Match[str]) -> str:
    """Underscores for a masked stretch, unless it ends the formula of the whole function."""
    if _WHOLE.search(match.string[max(0, match.start() - 120) : match.start()]):
        return match.group()
    return "_" * len(match.group())


@dataclass(frozen=True)
class Term:
    """A way to claim an answer.

    Args:
        pattern: of casefolded text; every repetition in it is bounded. A group ``k`` marks the word itself,
            where what stands before it belongs to the pattern.
        said: the value that it claims; an empty one says that no single value holds ("both even and odd").
        denied: the value that its negation claims; ``!x`` only excludes x, ``None`` claims nothing.
        clear: whether it can be about nothing but the answer.
        rank: of several claims in a sentence those of the highest rank count.
        negatable: whether a "not" before it turns it round; otherwise the pattern has its own.
    """

    pattern: re.Pattern[str]
    said: str | None
    denied: str | None = None
    clear: bool = True
    rank: int = 1
    negatable: bool = True


@dataclass(frozen=True)
class Terms(Kind):
    """A kind of answer that is one of a few words.

    Args:
        words: spelling of a bare answer → value, casefolded.
        terms: ways to claim one in a sentence.
        labels: see :class:`Kind`.
        frame: pattern of what may stand around a bare answer; ``%s`` is the word.
        masks: stretches of a sentence that are about something else; they are blanked out.
        excluded: values whose exclusion, all together, leaves one: (excluded, left).
    """

    words: Mapping[str, str]
    terms: Sequence[Term]
    labels: str = ""
    argues: bool = False
    closes: bool = False
    frame: str = "%s"
    masks: re.Pattern[str] = field(default_factory=lambda: re.compile(r"(?!)"))
    excluded: tuple[frozenset[str], str] | None = None

    def bare(self, line: str) -> str | None:
        folded = _ITEM.sub("", key(line))
        if folded in self.words:
            return self.words[folded]
        squeezed = "".join(folded.split())
        if len(squeezed) > 3 and squeezed in self.words:  # "ne ither": a word split by the tokenizer
            return self.words[squeezed]
        if len(folded) > 120:
            return None
        match = self._framed.fullmatch(folded)
        return self.words[match["word"]] if match else None

    @cached_property
    def _any_word(self) -> str:
        return "|".join(sorted(map(re.escape, self.words), key=len, reverse=True))

    @cached_property
    def _framed(self) -> re.Pattern[str]:
        return re.compile(self.frame % rf"(?P<word>{self._any_word})")

    @cached_property
    def _lists(self) -> re.Pattern[str]:
        """All that there is to choose from: "even/odd/neither"."""
        return re.compile(rf"(?:{self._any_word})(?:(?: ?/ ?|, ?(?:or )?| or |\|)(?:{self._any_word}))+")

    def statement(self, text: str) -> Read:
        first = text.split("\n", 1)[0]
        bare = self.bare(first)
        if bare is not None:
            return Read(bare)
        listed = self._lists.fullmatch(key(first))
        if listed and len({self.words[word] for word in re.findall(self._any_word, listed.group())}) > 1:
            return HEDGE
        lead = self._lead(first)
        if lead is not None:
            return lead
        for sentence in SENTENCE_END.split(text):
            for clearly in (True, False):
                found = claimed(sentence, self, clearly=clearly)
                if found.status != "nothing":
                    return found
        return self._misspelled(first)

    def claim(self, sentence: str, *, clearly: bool) -> Read:
        sentence = sentence.casefold()
        found = self._claim(sentence, clearly=clearly)
        if found.status == "nothing" and "(" in sentence:  # "the side to move (black) is mated"
            for plain in (re.sub(r" \((\w+)\)", r" \1", sentence), _ASIDE.sub("", sentence)):
                found = self._claim(plain, clearly=clearly) if found.status == "nothing" else found
        return found

    def _claim(self, sentence: str, *, clearly: bool) -> Read:
        folded = self.masks.sub(_blank, sentence)
        found = sorted(self._matches(folded, clearly=clearly))
        best = max((rank for _, rank, value in found if not value.startswith("!")), default=None)
        if best is None:
            return self._left({value[1:] for _, _, value in found})
        return self._resolve(folded, [(start, value) for start, rank, value in found if rank == best])

    def _matches(self, folded: str, *, clearly: bool) -> list[tuple[int, int, str]]:
        found = []
        for term in self.terms:
            if clearly and not term.clear:
                continue
            for match in term.pattern.finditer(folded):
                start = match.start("k" if "k" in term.pattern.groupindex else 0)
                before = folded[max(0, start - 90) : start]
                if _ONLY_IF_BEFORE.search(before) or _ONLY_IF_AFTER.match(folded, match.end()):
                    continue
                denied = term.negatable and (
                    NEGATED.search(before) or _DENIED_AFTER.match(folded, match.end())
                )
                value = term.denied if denied else term.said
                if value is not None:
                    found.append((start, term.rank, value))
        return found

    def _resolve(self, folded: str, claims: list[tuple[int, str]]) -> Read:
        said = {value for _, value in claims if not value.startswith("!")}
        if "" in said:
            return HEDGE
        if len(said) > 1:
            turns = [match.start() for match in _TURNS.finditer(folded)]
            after = {v for start, v in claims if turns and start > turns[-1] and not v.startswith("!")}
            said = after if len(after) == 1 else said
        return Read(said.pop()) if len(said) == 1 else HEDGE

    def _left(self, excluded: set[str]) -> Read:
        if self.excluded is not None and excluded >= self.excluded[0]:
            return Read(self.excluded[1])
        return NOTHING

    def _lead(self, line: str) -> Read | None:
        """A statement that begins with a bare answer ("odd, since ...") and lists no other."""
        folded = key(line)
        match = re.match(
            rf"(?P<word>{self._any_word})(?=\s*(?:$|[.,;:(!\[]|- |because\b|since\b|as\b|due\b|by\b))", folded
        )
        if match is None:
            return None
        another = _ANOTHER.match(folded, match.end())
        other = another and re.match(rf"(?:{self._any_word})\b", folded[another.end() :])
        if other and self.words[other.group()] != self.words[match["word"]]:
            return None
        return Read(self.words[match["word"]])

    def _misspelled(self, line: str) -> Read:
        folded = "".join(key(line).split())
        if not 3 < len(folded) <= 14:
            return NOTHING
        near = difflib.get_close_matches(
            folded, [w for w in self.words if len(w) > 3 and w.isalpha()], 1, 0.8
        )
        return Read(self.words[near[0]]) if near else NOTHING
