"""How many, or how much: a whole number that a reply gives for a named quantity."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._claims import Kind
from ._numbers import NUMBER, WORDS, normal, read_number
from ._readers import ABSTAIN, HEDGE, NOTHING, Integers, Read

_N = NUMBER
_ASIDE = r"(?: ?\([^()\n]{0,40}\))?"
_SUM = rf"{_N}(?:{_ASIDE} ?[-+*x×·] ?{_N}{_ASIDE}){{0,12}}"
_CHAIN = re.compile(
    rf"\W{{0,3}}(?:(?:exactly|only|just|equal to|given by|a total of|therefore|thus|then|also|indeed|at"
    rf"|still|about|approximately|clearly|of) ){{0,3}}"
    rf"(?P<first>{_SUM})(?: ?(?:units?)?(?: ?= ?)(?P<last>{_SUM})){{0,6}}",
    re.I,
)
_TERMS = re.compile(rf"{_N}", re.I)
_NOT_A_VALUE = re.compile(
    r" ?(?:->|\) ?=|-\w|/|: ?\d|,\d| ?(?:to|and|or|through|via) (?:node )?\d|\)\w)|(?: ?[-+*x×·] ?[a-z({|])",
    re.I,
)
_EQUALS = re.compile(r" (?:is|was|are|equals?|of|be|reaches|becomes|totals|comes to|as|at) |[=:≈]|->", re.I)
_BOUND = re.compile(
    r"(?:\b(?:at most|at least|no more than|up to|upper bound|lower bound|bounded|cannot exceed"
    r"|limit(?:ed)?|less than"
    r"|more than|if|current(?:ly)?|so far|remaining|additional|initial)\b|[≤≥<>])[^.;]{0,20}$",
    re.I,
)


@dataclass(frozen=True)
class Count(Kind):
    """A whole number.

    Args:
        noun: pattern of what is counted, as it stands before the number ("maximum flow ... is 6").
        things: pattern of what stands after the number ("3 breakpoints").
        other: pattern of what, after the noun, makes it another quantity ("maximum flow along this path").
        none: pattern of a sentence that says there is none.
        labels: see :class:`Kind`.
    """

    noun: re.Pattern[str]
    things: re.Pattern[str]
    other: re.Pattern[str]
    none: re.Pattern[str]
    labels: str = ""
    argues: bool = False

    def bare(self, line: str) -> str | None:
        found = Integers().bare(line)
        if (
            found.value is not None
            and (found.value.lstrip("-").isdigit())
            and not re.search(r"\d\s*[.)]\s+\S", line)
        ):
            return found.value
        return None

    def statement(self, text: str) -> Read:
        first = text.split("\n", 1)[0]
        bare = self.bare(first)
        if bare is not None:
            return Read(bare)
        named = self.claim(first, clearly=True)
        if named.value is not None:
            return named
        if ABSTAIN.search(first):
            return Read(None, "abstain")
        chain = _CHAIN.match(first)
        if chain and not _NOT_A_VALUE.match(first, chain.end()):
            return Read(_last(chain))
        number, several = read_number(first)
        if number is not None:
            return Read(number)
        return HEDGE if several else NOTHING

    def claim(self, sentence: str, *, clearly: bool) -> Read:
        after = self._after_noun(sentence)
        before = self._before_thing(sentence)
        found = after if after is not None else before
        if found is not None:
            return Read(found)
        if self.none.search(sentence):
            return Read("0")
        return NOTHING

    def _after_noun(self, sentence: str) -> str | None:
        found = None
        for noun in self.noun.finditer(sentence):
            tail = re.sub(r"^\([^()\n]{0,40}\)", "", sentence[noun.end() : noun.end() + 240])
            if self.other.match(tail):
                continue
            for equals in _EQUALS.finditer(" " + tail):
                place = equals.end() - 1
                if equals.group() == " of " and found is not None:
                    continue
                chain = _CHAIN.match(tail, place)
                if chain is None or _NOT_A_VALUE.match(tail, chain.end()):
                    continue
                if _BOUND.search(tail[:place]) or _BOUND.search(
                    sentence[max(0, noun.start() - 30) : noun.start()]
                ):
                    break
                found = _last(chain)
                break
        return found

    def _before_thing(self, sentence: str) -> str | None:
        found = None
        for thing in self.things.finditer(sentence):
            before = sentence[: thing.start("number")]
            if _BOUND.search(before[-40:]) or (
                _ONE_OF_THEM.match(sentence, thing.start("number"))
                and not re.search(r"\b(?:there is|only|exactly|just|has) $", before)
            ):
                continue
            found = normal(thing["number"])
        return found


def _last(chain: re.Match[str]) -> str:
    """The value of "3", of "3 + 4 = 7", or of "3 + 4"."""
    text = re.sub(r"\([^()]*\)", "", chain["last"] or chain["first"])
    numbers = [normal(number) for number in _TERMS.findall(text)]
    if len(numbers) == 1:
        return numbers[0]
    if all(re.fullmatch(r"\d{1,9}", number) for number in numbers) and re.fullmatch(r"[\d +]+", text):
        return str(sum(map(int, numbers)))
    return numbers[-1]


_ONE_OF_THEM = re.compile(
    r"(?:one|1) (?:\w+ ){0,2}?(?:break[ -]?point|corner|kink)(?: is)? (?:at|where|near|around|on|occurs?"
    r"|in)\b",
    re.I,
)
_NUMERAL = (
    r"(?P<number>(?<![\w.\-])(?<![≈≥≤<>] )(?<![≈=≥≤<>+])(?:\d{1,9}"
    rf"|(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})\b|a single|single))"
)
_ADJ = (
    r"(?: (?:distinct|interior|internal|clear|visible|such|unique|true|actual|genuine|different|separate"
    r"|total|potential"
    r"|of these|slope|sharp|linear|main|noticeable|evident|obvious|distinctive|corner|corners or"
    r"|of the)){0,2}"
)

MAXIMUM_FLOW = Count(
    noun=re.compile(
        r"\b(?:(?:max(?:imum|imal|imi[sz]ed)?\.?[ _-]?(?:possible |total |feasible |s-t |st |network "
        r"|overall |achievable |amount of |value of (?:the )?|integer )*flow(?:[ _]value| rate)?)"
        r"|(?:total|overall|resulting|final|combined|net) (?:max(?:imum|imal)? |network "
        r"|s-t )?flow(?: value)?|flow value|value of (?:the |this |a )?(?:max(?:imum)? )?flow"
        r"|maximum value(?: of (?:the )?flow)?"
        r"|max ?flow|flow is maxim(?:al|ized|ised)|for a (?:combined |grand )?total|\|f\*?\||answer)\b"
        r"|\|f\*?\|",
        re.I,
    ),
    things=re.compile(
        rf"{_NUMERAL}(?: units?)?(?: (?:is|as|of|for|are|equals) (?:\w+ ){{0,3}}(?:max(?:imum"
        rf"|imal)? (?:possible |total )?flow|total flow|flow in total)"
        r"| units? in total| total units?)",
        re.I,
    ),
    other=re.compile(
        r"(?: (?:along|on|through|via|over|across|for|of|in) (?:the |this |that |each |these |a |any "
        r"|path |edge )*(?:path|edge|route|p\d|node|arc|pipe|branch|augment\w*|first|second|third"
        r"|(?:\d+ ?-> ?)))"
        r"| problem| min-?cut| (?:algorithm|theorem)|[ -]min",
        re.I,
    ),
    none=re.compile(r"\bno flow (?:is possible|can (?:reach|be sent))|\bmaximum flow is (?:zero|nil)", re.I),
    labels=r"|(?:the )?(?:max(?:imum)?[ _-]?flow(?:[ _]value)?|flow(?:[ _]value)?"
    r"|total max(?:imum)? flow)(?: from .{1,60}?)?",
)
BREAKPOINTS = Count(
    noun=re.compile(
        r"\b(?:number of|count of|total of|total number of|tally of|number_of"
        r"|num)[ _](?:the )?(?:\w+ ){0,2}?(?:break[ _-]?points?|corners?|kinks?)(?: (?:in|of|for) (?:the"
        r"|this) (?:\w+ ){0,3}?(?:function|graph|plot|curve|f\(x\)))?"
        r"|^\W*(?:break[ _-]?points?)(?= ?[:=] ?\w+\W*$)|\b(?:num_breakpoints|breakpoint count)\b",
        re.I,
    ),
    things=re.compile(
        rf"{_NUMERAL}{_ADJ} (?:break[ -]?points?|corner(?: point)?s?|kinks?|bend(?:ing point)?s?|vertices"
        rf"|slope changes|changes (?:in|of) slope|points where the slope)\b",
        re.I,
    ),
    other=re.compile(r"(?!)"),
    none=re.compile(
        r"\b(?:no|not (?:have )?any|n't (?:have )?any|without(?: any)?) (?:(?:true|actual|such|genuine"
        r"|interior|real|proper|\w+ous) ){0,2}(?:break[ -]?points?|corners|kinks)\b(?! (?:at|there|beyond"
        r"|outside|between \w+ and|on the|in the (?:middle|interior)|occurs?))|\bnone of (?:them"
        r"|the \w+) (?:is|are|qualif\w+ as) (?:\w+ )?break[ -]?points?",
        re.I,
    ),
    labels=r"|(?:the )?(?:number of )?(?:break[ _-]?points?|corners?)(?:[ _]count)?|count|total",
)
