"""Which of an item's options a reply chooses: by its letter, in its words, or in other words for the same.

The options need not have been shown to the model, so an answer is often in its own words. What is recognised
is stated by rules: the words in which an option differs from the others, "the same" for an option that says
so, the direction in "from left to right", the two ends of a transfer, and a comparison told from the other
side ("stronger in Pair 2" for an option "weaker in Pair 1"). What is only implied is not an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ._claims import Kind
from ._fold import fold, key
from ._numbers import read_number
from ._readers import HEDGE, NOTHING, Choices, Read
from ._terms import NEGATED

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_STOP = frozenset(
    [
        "substance",
        "object",
        "thing",
        "the",
        "a",
        "an",
        "of",
        "is",
        "are",
        "in",
        "it",
        "to",
        "their",
        "there",
        "and",
        "each",
        "its",
        "be",
        "than",
    ]
)
_SAME = re.compile(r"\b(?:same|equal(?:ly)?|identical|no difference|neither)\b")
_CHARGE = re.compile(r"(?<=[A-Za-z]) ?\^? ?[({]{0,2} ?(\d?[+-])(?![\w ]*>)[)}]{0,2}(?=[\s,.;:)]|$)")
_SIDES = r"(left|right|top|bottom|up|down)"
_WAY = re.compile(
    rf"\b(?:from )?(?:the |its |their )?{_SIDES}(?:-hand)?(?: side| end"
    rf"| terminal)?(?: \w+){{0,2}} to (?:the |its |their )?{_SIDES}\b"
)
_TO_WAY = re.compile(rf"\b(?:to|toward|towards) the {_SIDES}(?: side)?\b|\b{_SIDES}wards?\b")
_LETTER_INSIDE = re.compile(
    r"(?:^\W{0,3}|\b(?:is|are|be|answer|choose|select|pick|would be|with|there is)[: ]{1,2})\(([A-Z])\)"
    r"|\b(?:option|choice|answer) \(?([A-Z])\b|(?<=[a-z] )\(([A-Z])\)\W*$",
)
_EXAMPLES = re.compile(r"\((?:e\.g\.|for example|for instance|such as|like)[^()\n]{0,200}\)", re.I)
_NOT_THIS = re.compile(
    r"\b(?:not|isn't|never|nor|neither|instead of|rather than|unlike)\b[^.,;]{0,16}$", re.I
)
_SUPPOSED = re.compile(r"\b(?:would|if|could|might|unless)\b[^.,;]{0,30}$")
_SAME_QUANTITY = re.compile(
    r"\b(?:same|equal|identical) (?:magnetic )?(?:magnitudes?|forces?|strengths?|concentrations?"
    r"|temperatures?|average kinetic)\b"
    r"|\b(?:forces?|magnitudes?|strengths?|concentrations?|temperatures?"
    r"|concentrated)\b[^.;]{0,60}\b(?:is|are|be|have|remain|equally)\b"
    r"[^.;]{0,30}\b(?:same|equal|identical|similar)\b"
    r"|\bneither (?:solution|sample|of them|has)\b|\bequal(?:ly)? (?:concentrat|strong|warm|hot)"
    r"|^\W*(?:they are |both are |both )?(?:the )?(?:same|equal|neither)\b\W*(?:in both\W*|for both\W*)?$"
)
_MORE = re.compile(r"\b(?:stronger|greater|larger|bigger|higher|more|strongest|greatest|largest)\b")
_LESS = re.compile(r"\b(?:weaker|smaller|lower|less|fewer|weakest|smallest|lowest)\b")
_PAIR = re.compile(r"\b(?:pair|sample|solution|case|figure|setup|magnet pair) (\w)\b")
_POINTS = (
    r"(?:switch|point|box|image|picture|figure|label|region|state|letter|segment|section|close|closing"
    r"|stage|part|position|circuit"
    r"|line|at|is|answer)"
)
_THAN = re.compile(r"\b(?:than|compared (?:to|with)|while|whereas|versus|vs|over|but not|relative to)\b")


@dataclass(frozen=True)
class Letters(Kind):
    """A choice among the options of one item; build it with :meth:`of`."""

    options: tuple[str, ...]
    plain: tuple[str, ...]
    own: tuple[frozenset[str], ...]
    choices: Choices
    labels: str = r"|(?:correct )?(?:option|choice)|type|property|true statement"
    argues: bool = True

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, options: tuple[str, ...]) -> Letters:
        """The kind for these options; none at all stands for letters alone."""
        shown = options or tuple(LETTERS[:8])
        plain = tuple(_plain(option) for option in shown)
        words = [frozenset(_stems(text)) for text in plain]
        own = tuple(
            frozenset(
                word for word in mine if not any(word in other for j, other in enumerate(words) if j != i)
            )
            for i, mine in enumerate(words)
        )
        return cls(shown, plain, own, Choices.of(shown))

    def bare(self, line: str) -> str | None:
        if len(line) > 200:
            return None
        chosen = begins_with_a_letter(line)
        if ":" in line and not chosen:  # "Solution A: 3 particles": about an option, not a choice
            return None
        found = self.choices.explicit(line) if chosen else self.choices.bare(line)
        if found.value is None:
            return None
        return self._letter(found.value)

    def statement(self, text: str) -> Read:
        first = text.split("\n", 1)[0]
        bare = self.bare(first)
        if bare is not None:
            return Read(bare)
        found = self.claim(first, clearly=False)
        if found.status != "nothing":
            return found
        letter = re.match(r"\W{0,3}([A-Z])(?=[).:,]|\s+-|$)", first)
        if letter and letter[1] in LETTERS[:8]:
            return Read(letter[1])
        return NOTHING

    def claim(self, sentence: str, *, clearly: bool) -> Read:
        letters = {
            place
            for match in _LETTER_INSIDE.finditer(sentence)
            if (place := self._place(match[1] or match[2] or match[3])) is not None
            and not _NOT_THIS.search(sentence[max(0, match.start() - 40) : match.start(match.lastindex or 0)])
        }
        if len(letters) == 1:
            return Read(LETTERS[letters.pop()])
        if self.choices.numeric:
            number, _ = read_number(sentence)
            return Read(self._letter(number) or number) if number is not None else NOTHING
        text = _plain(_EXAMPLES.sub(" ", sentence))
        bare = re.sub(r"\([^()]{0,200}\)", " ", text)
        for places in (
            self._compared(text),
            self._moved(text),
            self._lettered(sentence),
            self._answered(bare, clearly=clearly),
            self._named(bare),
            self._told(bare),
            self._told(text),
        ):
            if len(places) == 1:
                return Read(LETTERS[places.pop()])
            if len(places) > 1:
                return NOTHING if clearly else HEDGE
        return NOTHING

    def only_option(self, text: str) -> str | None:
        """The letter of the one option of several words that a folded text names, if it names no other."""
        named = {i for i in self._named(_plain(text[-20_000:])) if " " in self.plain[i]}
        return LETTERS[named.pop()] if len(named) == 1 else None

    def _place(self, letter: str) -> int | None:
        named = [i for i, text in enumerate(self.plain) if text == letter.casefold()]
        if named:
            return named[0]
        place = LETTERS.find(letter.upper())
        return place if 0 <= place < len(self.options) and not self.choices.named_letters else None

    def _letter(self, value: str) -> str | None:
        if value in self.options:
            return LETTERS[self.options.index(value)]
        return value.upper() if len(value) == 1 and value.isalpha() else None

    def _lettered(self, sentence: str) -> set[int]:
        """Options by their own capital: "switch W", or "A has the higher one" for "Solution A"."""
        said = set()
        for i, option in enumerate(self.plain):
            name = re.escape(option[-1:].upper())
            if len(option) == 1 and option.isalpha():
                pattern = rf"\b(?i:{_POINTS}) {name}\b(?!\.\w)"
            elif re.fullmatch(r"[a-z]+ \w", option):
                pattern = (
                    rf"(?:^|[ ,]){name} (?:has|is|shows|experiences) (?:the |a |clearly )?{_MORE.pattern}"
                )
            else:
                continue
            if re.search(pattern, sentence):
                said.add(i)
        return said

    def _named(self, text: str) -> set[int]:
        """Options that stand in the text as they are and are not negated; of two compared, the first."""
        found: dict[int, int] = {}
        for i, option in enumerate(self.plain):
            if len(option) == 1:
                continue
            for match in re.finditer(rf"(?<![\w+-]){re.escape(option)}(?![\w+:]|-\w)", text):
                before = text[max(0, match.start() - 60) : match.start()]
                listed = text.startswith((" or ", "/"), match.end()) or before.endswith((" or ", "/"))
                if not listed and not NEGATED.search(before) and not _SUPPOSED.search(before):
                    found.setdefault(i, match.start())
        inside = {i for i in found for j in found if i != j and self.plain[i] in self.plain[j]}
        kept = {i: start for i, start in found.items() if i not in inside}
        than = _THAN.search(text)
        if len(kept) > 1 and than:
            before_than = {i for i, start in kept.items() if start < than.start()}
            return before_than if len(before_than) == 1 else set(kept)
        return set(kept)

    def _answered(self, text: str, *, clearly: bool) -> set[int]:
        """Options that begin with yes and no: by that word, or by what the first one says."""
        leads = [option.split(" ", 1)[0].strip(",.") for option in self.plain]
        if set(leads) != {"yes", "no"} or len(leads) != 2:
            return set()
        lead = re.match(r"\W*(yes|no)\b(?!\s+\w+ (?:is|are))", text)
        if lead:
            return {leads.index(lead[1])}
        word = re.escape(self.plain[leads.index("yes")].split(" ")[-1].strip(".,"))
        subject = r"(?:equation|reaction|it|this|as written|given)(?: \w+){0,4} "
        said = set()
        for match in re.finditer(
            rf"(?:^\W*(?:not )?|\b{subject})(?P<un>un)?(?P<k>{word})\b(?! \w*equation)", text
        ):
            denied = bool(match["un"]) != bool(
                NEGATED.search(text[max(0, match.start("k") - 60) : match.start("k")])
            )
            said.add(leads.index("no" if denied else "yes"))
        return said

    def _moved(self, text: str) -> set[int]:
        """By direction, or by the two ends of a transfer."""
        ways = [_way(option) for option in self.plain]
        if None not in ways and len(set(ways)) == len(ways):
            way = _way(text)
            return {ways.index(way)} if way in ways else set()
        if all(option.startswith(("toward ", "away from ")) for option in self.plain):
            # "toward the hiker's hand" for "toward her hand"
            return {
                i
                for i, option in enumerate(self.plain)
                if re.search(
                    rf"\b{option.split(' ')[0]}s?\b(?: [\w'-]+){{0,4}} {re.escape(option.split(' ')[-1])}\b",
                    text,
                )
            }
        ends = [[_head(end) for end in option.split(". . .")] for option in self.plain]
        if all(len(end) == 2 for end in ends):
            return {i for i, (source, goal) in enumerate(ends) if _transfers(text, source, goal)}
        return set()

    def _compared(self, text: str) -> set[int]:
        """By a comparison of two numbered things, told from either side; or by being the same."""
        same = [i for i, option in enumerate(self.plain) if _SAME.search(option)]
        others = [i for i in range(len(self.plain)) if i not in same]
        if len(same) == 1 and _SAME_QUANTITY.search(text) and not _MORE.search(text.split("neither", 1)[0]):
            return {same[0]}
        pairs = {i: _PAIR.search(self.plain[i]) for i in others}
        if len(others) != 2 or not all(pairs.values()):
            return set()
        clause = re.split(r"\b(?:because|since|as (?:the|they|it)|due to)\b", text)[0] or text
        thing, more, less = _PAIR.search(clause), _MORE.search(clause), _LESS.search(clause)
        if thing is None or (more is None) == (less is None):
            return set()
        wanted = {
            bool(_MORE.search(self.plain[i]))
            for i in others
            if _MORE.search(self.plain[i]) or _LESS.search(self.plain[i])
        }
        if not wanted:
            return set()  # the options name the things alone: which comparison is asked is not known here
        if (
            re.search(r"\b(?:distance|gap|separation|farther|closer|attraction than repulsion)\b", clause)
            and "force" not in clause
        ):
            return set()
        side = thing[1]
        than = _THAN.search(clause)
        if than and than.start() < thing.start():
            return set()
        told = {i for i in others if (found := pairs[i]) is not None and found[1] == side}
        flips = (more is not None) != wanted.pop()
        return set(others) - told if flips else told

    def _told(self, text: str) -> set[int]:
        """By the words in which an option differs from all others."""
        stems = _stems(text)
        said: set[int] = set()
        for i, own in enumerate(self.own):
            wanted = sorted(word for word in own if len(word) > 2)
            if not wanted or set(wanted) <= {"toward", "away", "from"} or _SAME.search(self.plain[i]):
                continue
            hits = [word for word in wanted if any(_alike(word, stem) for stem in stems)]
            if len(hits) < len(wanted):
                continue
            before = text[: max(0, text.find(hits[0]))][-60:]
            if re.search(rf"\b{re.escape(hits[0])}\w* or \w|\w or {re.escape(hits[0])}", text):
                continue
            if "not" in own or not (NEGATED.search(before) or _SUPPOSED.search(before)):
                said.add(i)
        return said


def begins_with_a_letter(line: str) -> bool:
    """Whether a line is the letter of an option, or begins with one that is set off: "(B)", "B. left"."""
    return re.match(r"\W{0,3}(?:(?:option|choice|answer)\s+)?\(?[A-Za-z](?:[).:]|\s-|\W*$)", line) is not None


def _plain(text: str) -> str:
    """Casefolded, with a charge as ``al3+`` and a formula as ``bf3`` in whatever way they were written."""
    return key(re.sub(r"_\{?(\d{1,3})\}?", r"\1", _CHARGE.sub(r"\1", fold(text))))


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in re.findall(r"[a-z0-9+]{1,40}", text) if word not in _STOP}


def _stem(word: str) -> str:
    for ending in ("ary", "ing", "ed", "es", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def _alike(a: str, b: str) -> bool:
    return a == b or (min(len(a), len(b)) >= 5 and (a.startswith(b) or b.startswith(a)))


def _way(text: str) -> str | None:
    """``right`` for "from left to right", "to the right than to the left", "rightward"."""
    found = {"up": "top", "down": "bottom"}
    than = re.search(rf"\bto the {_SIDES}(?: side)? than to the {_SIDES}\b", text)
    if than:
        return than[1]
    ways = [match[2] for match in _WAY.finditer(text)] or [
        m[1] or m[2] for m in list(_TO_WAY.finditer(text))[:1]
    ]
    ways = [found.get(way, way) for way in ways]
    return ways[0] if len(set(ways)) == 1 else None


_AROUND = r"(?:surround|environment|ambient|outside air|air|room)"


def _head(end: str) -> str:
    words = re.findall(r"[a-z]+", end)
    return _stem(words[-1]) if words else "?"


def _transfers(text: str, source: str, goal: str) -> bool:
    one, two = (_AROUND if end.startswith("surround") else re.escape(end[:6]) for end in (source, goal))
    return (
        re.search(
            rf"\bfrom (?:[^.;]{{0,60}}?)\b{one}\w*[^.;]{{0,60}}?\b(?:to|into)\b[^.;]{{0,40}}?\b{two}", text
        )
        is not None
        or re.search(rf"\b{one}\w* ?(?:->|\. \. \.|to) ?(?:the |each )?{two}", text) is not None
    )
