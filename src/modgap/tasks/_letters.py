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
from ._comparisons import COMPARES, LESS, MORE, SAME, THAN, compared
from ._fold import fold, key
from ._quantities import Quantities
from ._readers import HEDGE, NOTHING, Choices, Read
from ._stems import alike, stems
from ._terms import NEGATED
from ._transfers import moved

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_CHARGE = re.compile(r"(?<=[A-Za-z]) ?\^? ?[({]{0,2} ?(\d?[+-])(?![\w ]*>)[)}]{0,2}(?=[\s,.;:)]|$)")
_LETTER_INSIDE = re.compile(
    r"(?:^\W{0,3}|\b(?:is|are|be|answer|choose|select|pick|would be|with|there is)[: ]{1,2})\(([A-Z])\)"
    r"|\b(?:[Oo]ption|[Cc]hoice|answer) \(?([A-Z])\b|(?<=[a-z] )\(([A-Z])\)\W*$"
    r"|\b(?:[Ii]t's|[Ii]t is|[Ii]t would be|would say|go with|choose|pick|select|answer is) ([A-Z])\W*$"
    r"|^\W*(?:[Ss]o|[Tt]herefore|[Tt]hus|[Hh]ence),? (?:it's |it is )?([A-Z])\W*$",
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_ORDINAL = re.compile(
    r"\b(?:option|choice|answer|statement) (?:number |no\. ?|#)?([1-5])\b"
    rf"|\bthe ({'|'.join(_ORDINALS)}) (?:option|choice|one|answer|statement)\b"
)
_EXAMPLES = re.compile(r"\((?:e\.g\.?|for example|for instance|such as|like)[^()\n]{0,200}\)", re.I)
_COMPOUND = re.compile(
    r"(?:(?!because|since)[^.;]){0,40}?\b(?:(?:is|are|it's) (?:an? |both )?compounds?\b"
    r"|(?:consists? of|contains?)\b(?! only| one))"
)
_ELEMENTS = re.compile(
    r"\b(?:(?:two|three|several|multiple|more than one|different|other|these|those"
    r"|which|many|of) )+elements\b"
)
_NOT_THIS = re.compile(
    r"\b(?:not|isn't|never|nor|neither|instead of|rather than|unlike)\b[^.,;]{0,16}$", re.I
)
_SUPPOSED = re.compile(r"\b(?:would|if|could|might|unless)\b[^.,;]{0,30}$")
_POINTS = (
    r"(?:switch|point|box|image|picture|figure|label|region|state|letter|segment|section|close|closing"
    r"|stage|part|position|circuit"
    r"|line|at|is|answer)"
)


@dataclass(frozen=True)
class Letters(Kind):
    """A choice among the options of one item; build it with :meth:`of`."""

    options: tuple[str, ...]
    plain: tuple[str, ...]
    own: tuple[frozenset[str], ...]
    choices: Choices
    things: tuple[int, ...] = ()
    labels: str = r"|(?:correct )?(?:option|choice)|type|property|true statement"
    argues: bool = True
    closes: bool = False

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, options: tuple[str, ...]) -> Letters:
        """The kind for these options; none at all stands for letters alone."""
        shown = options or tuple(LETTERS[:8])
        plain = tuple(_plain(option) for option in shown)
        words = [frozenset(stems(text)) for text in plain]
        own = tuple(
            frozenset(
                word for word in mine if not any(word in other for j, other in enumerate(words) if j != i)
            )
            for i, mine in enumerate(words)
        )
        things = tuple(i for i, text in enumerate(plain) if re.fullmatch(r"[a-z]+ [a-z]", text))
        are_compared = len(things) == len(plain) - 1 and any(SAME.search(text) for text in plain)
        return cls(shown, plain, own, Choices.of(shown), things if are_compared else ())

    def bare(self, line: str) -> str | None:
        if len(line) > 200:
            return None
        chosen = begins_with_a_letter(line)
        if ":" in line and not chosen:  # "Solution A: 3 particles": about an option, not a choice
            return None
        letter = re.fullmatch(r"\W{0,2}([A-Z])[.!\"'*]*", line.strip())
        named = [i for i in self.things if letter and self.plain[i].endswith(letter[1].casefold())]
        if named and "(" not in line:  # "B" for "Solution B", which may be the first option
            return LETTERS[named[0]]
        quantities = Quantities.of(self.plain)
        if quantities is not None and not chosen and quantities.alone(line):
            place = quantities.place(line)
            return LETTERS[place] if isinstance(place, int) else place.value
        found = self.choices.explicit(line) if chosen else self.choices.bare(line)
        if found.value is None:
            return None
        chosen_letter = self._letter(found.value)
        # A line that breaks off after its first letter is no choice.
        far = chosen_letter is not None and chosen_letter not in LETTERS[:8]
        return None if far and not self.choices.named_letters else chosen_letter

    def statement(self, text: str) -> Read:
        first = text.split("\n", 1)[0]
        bare = self.bare(first)
        if bare is not None:
            return Read(bare)
        found = self.claim(first, clearly=False)
        if found.status != "nothing":
            return found
        quantities = Quantities.of(self.plain)
        place = quantities.place(first) if quantities is not None else None
        if isinstance(place, Read) and place.value is not None:  # "There are 11 carbons.": no option says it
            return place
        letter = re.match(r"\W{0,3}([A-Z])(?=[).:,]|\s+-|$)", first)
        if letter and letter[1] in LETTERS[:8]:
            return Read(letter[1])
        words = set(_plain(first).split())  # "Pair 2" for "The force is greater in Pair 2."
        holders = [i for i, option in enumerate(self.plain) if words <= set(option.split())]
        if words and len(words) <= 4 and len(holders) == 1:
            return Read(LETTERS[holders[0]])
        return NOTHING

    def claim(self, sentence: str, *, clearly: bool) -> Read:
        letters = {
            place
            for match in _LETTER_INSIDE.finditer(sentence)
            if (place := self._place(match[match.lastindex or 1])) is not None
            and not _NOT_THIS.search(sentence[max(0, match.start() - 40) : match.start(match.lastindex or 0)])
        }
        if len(letters) == 1:
            return Read(LETTERS[letters.pop()])
        quantities = Quantities.of(self.plain)
        if quantities is not None:
            given = quantities.place(sentence)
            if isinstance(given, int):
                return Read(LETTERS[given])
            return HEDGE if given.status == "unparsed" else NOTHING  # "R = 12 ohms, so ..."
        ordinal = _ORDINAL.search(sentence.casefold())
        if ordinal is not None:
            rank = int(ordinal[1]) - 1 if ordinal[1] else _ORDINALS.index(ordinal[2])
            return Read(LETTERS[rank]) if rank < len(self.options) else NOTHING
        text = _ELEMENTS.sub("_", _plain(_EXAMPLES.sub(" ", sentence)))
        if self._asks_for_neither(text):
            return NOTHING
        bare = re.sub(r"\([^()]{0,200}\)", " ", text)
        for places in (
            compared(self.plain, text),
            moved(self.plain, text),
            self._lettered(sentence),
            self._answered(bare, clearly=clearly),
            self._stated(bare),
            self._named(bare),
            self._named(text),
            self._told(bare),
            self._told(text),
        ):
            if len(places) == 1:
                return Read(LETTERS[places.pop()])
            if len(places) > 1:
                return NOTHING if clearly else HEDGE
        return NOTHING

    def _asks_for_neither(self, text: str) -> bool:
        """Whether a text says which is lower where the options do not tell which end is asked for."""
        lower = LESS.search(text) and not MORE.search(text) and (self.things or THAN.search(text))
        return bool(lower) and not any(LESS.search(option) or MORE.search(option) for option in self.plain)

    def only_option(self, text: str) -> str | None:
        """The letter of the one option of several words that a folded text names, if it names no other."""
        if self.things:
            return None
        plain = _plain(text[-20_000:])
        named = {i for i in self._named(plain) if " " in self.plain[i] and not self._asks_for_neither(plain)}
        return LETTERS[named.pop()] if len(named) == 1 else None

    def _place(self, letter: str) -> int | None:
        named = [i for i, text in enumerate(self.plain) if text == letter.casefold()] or [
            i for i in self.things if self.plain[i].endswith(letter.casefold())
        ]
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
                pattern = (
                    rf"\b(?i:{_POINTS}) {name}\b(?!\.\w)|^\W*{name} (?:has|is|gives|shows"
                    rf"|produces|will|would)\b"
                )
            elif re.fullmatch(r"[a-z]+ \w", option):
                pattern = (
                    rf"(?:^|[ ,]){name} (?:has|is|shows|experiences) (?:the |a |clearly )?{MORE.pattern}"
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
            colon = ":" if option.count(" ") < 2 else ""  # "Solution A: 3 particles" only describes it
            for match in re.finditer(rf"(?<![\w+-]){re.escape(option)}(?![\w+{colon}]|-\w)", text):
                before = text[max(0, match.start() - 60) : match.start()]
                listed = text.startswith((" or ", "/"), match.end()) or before.endswith((" or ", "/"))
                if (
                    not self.things
                    and _COMPOUND.match(text, match.end())
                    and not any("compound" in o for o in self.plain)
                ):
                    continue
                if not listed and not NEGATED.search(before) and not _SUPPOSED.search(before):
                    found.setdefault(i, match.start())
        inside = {i for i in found for j in found if i != j and self.plain[i] in self.plain[j]}
        kept = {i: start for i, start in found.items() if i not in inside}
        if self.things and not COMPARES.search(text):  # "Solution A has 5 particles" only describes it
            kept = {i: start for i, start in kept.items() if i not in self.things}
        than = THAN.search(text)
        if len(kept) > 1 and than:
            before_than = {i for i, start in kept.items() if start < than.start()}
            return before_than if len(before_than) == 1 else set(kept)
        return set(kept)

    def _stated(self, text: str) -> set[int]:
        """Options in words that the text says something is, where it names others to compare."""
        if self.things:
            return set()
        said = set()
        for i, option in enumerate(self.plain):
            match = re.search(
                rf"(?:\b(?:is|are|be)|:) (?:the |an? |only )?{re.escape(option)}(?![\w-])", text
            )
            if match and len(option) > 1 and not NEGATED.search(text[: match.end() - len(option)][-60:]):
                said.add(i)
        return said if len(said) == 1 else set()

    def _answered(self, text: str, *, clearly: bool) -> set[int]:
        """Options that begin with yes and no: by that word, or by what the first one says."""
        leads = [option.split(" ", 1)[0].strip(",.") for option in self.plain]
        if set(leads) != {"yes", "no"} or len(leads) != 2:
            return set()
        if not any(" " in option for option in self.plain):  # the question has the words: "It is not a ..."
            verdict = re.match(r"\W*(?:this|it) is (not )?(?:an? )?(?:\w+ ){0,2}reaction\b", text)
            if verdict:
                return {leads.index("no" if verdict[1] else "yes")}
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

    def _told(self, text: str) -> set[int]:
        """By the words in which an option differs from all others."""
        mine = stems(text)
        said: set[int] = set()
        for i, own in enumerate(self.own):
            wanted = sorted(word for word in own if len(word) > 2)
            if not wanted or set(wanted) <= {"toward", "away", "from"} or SAME.search(self.plain[i]):
                continue
            hits = [word for word in wanted if any(alike(word, stem) for stem in mine)]
            # "single" alone says nothing of a replacement.
            beside = stems(self.plain[i]) - own if len(self.plain[i].split()) < 4 else set()
            if len(hits) < len(wanted) or (beside and not any(alike(a, b) for a in beside for b in mine)):
                continue
            before = text[: max(0, text.find(hits[0]))][-60:]
            if re.search(rf"\b{re.escape(hits[0])}\w* or \w|\w or (?:an? |the )?{re.escape(hits[0])}", text):
                continue
            if "not" in own or not (NEGATED.search(before) or _SUPPOSED.search(before)):
                said.add(i)
        return said


def begins_with_a_letter(line: str) -> bool:
    """Whether a line is the letter of an option, or begins with one that is set off: "(B)", "B. left"."""
    return re.match(r"\W{0,3}(?:(?:option|choice|answer)\s+)?\(?[A-Za-z](?:[).:]|\s-|\W*$)", line) is not None


def _plain(text: str) -> str:
    """Casefolded, with a charge as ``al3+`` and a formula as ``bf3`` in whatever way they were written."""
    text = re.sub(r"(?<=\w)n't\b", " not", text)
    text = re.sub(r"\{([A-Za-z]{1,3})\}", r"\1", fold(text))
    plain = _CHARGE.sub(r"\1", text).translate({ord("{"): None, ord("}"): None})
    plain = key(re.sub(r"_(\d{1,3})", r"\1", plain))
    return re.sub(r"\brepuls\w+", "repel", plain).replace("displacement", "replacement")
