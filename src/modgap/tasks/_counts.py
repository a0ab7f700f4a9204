"""How many, or how much: a whole number that a reply gives for a named quantity."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._claims import Kind
from ._numbers import NUMBER, WORDS, normal, read_number
from ._readers import ABSTAIN, HEDGE, NOTHING, Integers, Read

_N = NUMBER
_ASIDE = r"(?: ?\([^()\n]{0,40}\))?"
_SUM = rf"{_N}(?:(?:{_ASIDE}| [a-z]{{1,16}}) ?[-+*x×·] ?{_N}{_ASIDE}){{0,12}}"
_CHAIN = re.compile(
    rf"\W{{0,3}}(?:(?:exactly|only|just|equal to|given by|a total of|therefore|thus|then|also|indeed|at"
    rf"|still|about|approximately|clearly|of) ){{0,3}}"
    rf"(?P<first>{_SUM})(?: ?(?:units?)?(?: ?= ?)(?P<last>{_SUM})){{0,6}}",
    re.I,
)
_TERMS = re.compile(rf"{_N}", re.I)
_NOT_A_VALUE = re.compile(
    r" ?[-+*x×·=] ?$| ?(?:->|\) ?=|-\w|/|: ?\d|,\d| ?(?:to|and|or|through|via) (?:node )?\d|\)\w)"
    r"|(?: ?[-+*x×·] ?[a-z({|])",
    re.I,
)
_EQUALS = re.compile(r" (?:is|was|are|equals?|of|be|reaches|becomes|totals|comes to|as|at) |[=:≈]|->", re.I)
_BOUND = re.compile(
    r"(?:\b(?:at most|at least|no more than|up to|upper bound|lower bound|bounded|cannot exceed"
    r"|limit(?:ed)?|less than"
    r"|more than|if|current(?:ly)?|so far|remaining|additional|initial)\b|[≤≥<]|(?<!-)>)[^.;]{0,20}$",
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
        loose: patterns of a ``number`` that a closing sentence gives without naming the quantity.
        labels: see :class:`Kind`.
    """

    noun: re.Pattern[str]
    things: re.Pattern[str]
    other: re.Pattern[str]
    none: re.Pattern[str]
    loose: tuple[re.Pattern[str], ...] = ()
    labels: str = ""
    argues: bool = False
    closes: bool = True

    def bare(self, line: str) -> str | None:
        if re.match(r"\W*one (?:at|is|near|around)\b", line, re.I):
            return None
        if self.none.fullmatch(line.strip(" .*!")):
            return "0"
        chain = _CHAIN.fullmatch(line.strip(" .*!"))
        if chain is not None and chain["last"]:
            return _last(chain)
        found = Integers().bare(_WORDS_TOO.sub("", _ONLY.sub("", line)))
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
        if _PLACES.match(first):
            return HEDGE
        chain = _CHAIN.match(first)
        if chain and not _NOT_A_VALUE.match(first, chain.end()):
            return Read(_last(chain))
        number, several = read_number(first)
        if number is not None:
            return Read(number)
        return HEDGE if several else NOTHING

    def claim(self, sentence: str, *, clearly: bool) -> Read:
        sentence = _UNCLOSED.sub("", _FUNCTION.sub("", sentence))
        if _STEP.match(sentence) and not re.search(r"\bmax|\bsum", sentence, re.I):
            return NOTHING
        after = self._after_noun(sentence)
        before = self._before_thing(sentence)
        found = after if after is not None else before
        if found is not None:
            return Read(found) if found else HEDGE
        for pattern in () if clearly else self.loose:
            said = pattern.search(sentence)
            if said:
                return Read(normal(said["number"]))
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
                and not re.search(r"\b(?:there is|only|exactly|just|has) $", before, re.I)
            ):
                continue
            if before.endswith("(") and sentence[thing.end() :].startswith(")"):
                continue  # "(1 breakpoint)" counts along
            if _OR.search(before) or _PERHAPS.match(sentence, thing.end()):
                return ""
            if _INCLUDING.match(sentence, thing.end()):
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
_OR = re.compile(rf"{NUMBER} (?:or|to) $|\bbetween {NUMBER} and $|\d ?[-/] ?$", re.I)
_WORDS_TOO = re.compile(r"(?<=\d) ?\([a-z]{3,9}\)", re.I)  # "4 (four)"
_ONLY = re.compile(r"^\W*(?:only|just|exactly) ", re.I)
_PLACES = re.compile(r"\W*(?:at )?[a-z] ?[=≈]", re.I)  # "x = -6.23, x = 0.04"
_STEP = re.compile(r"\W*(?:step|iteration|round|path|augment\w*) ?#?\d", re.I)
_UNCLOSED = re.compile(r"\b(?:min|max|sum) ?\([^()]{0,200}$", re.I)
_FUNCTION = re.compile(
    r"(?:\b(?:min|max|sum) ?\((?:[^()]|\([^()]{0,40}\)){0,120}\)(?: ?\+ ?)?){1,6} ?= ?", re.I
)
_PERHAPS = re.compile(rf"[^.;]{{0,20}}\b(?:perhaps|maybe|possibly) (?:even )?{NUMBER}", re.I)
_INCLUDING = re.compile(r"[^.;]{0,12}\b(?:includ\w+|counting the end|two of (?:which|them)|of which)\b", re.I)
_NUMERAL = (
    r"(?P<number>(?<![\w.\-])(?:(?<=-> )|(?<![≈≥≤<>] ))(?<![≈=≥≤<>+])(?:\d{1,9}"
    rf"|(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})\b|a single|single))"
)
_ADJ = (
    r"(?: (?:distinct|interior|internal|clear|visible|such|unique|true|actual|genuine|different|separate"
    r"|total|potential"
    r"|of these|slope|sharp|linear|main|noticeable|evident|obvious|distinctive|corner|corners or"
    r"|of the)){0,2}"
)

_AT_END = rf"(?P<number>{NUMBER})(?: units?)?(?:[^\w+*/=-]*$|: ?[a-z])"

MAXIMUM_FLOW = Count(
    noun=re.compile(
        r"\b(?:(?:max(?:imum|imal|imi[sz]ed)?\.?[ _-]?(?:possible |total |feasible |s-t |st |network "
        r"|overall |achievable |amount of |value of (?:the )?|integer )*flow(?:[ _]value| rate)?)"
        r"|(?:total|overall|resulting|final|combined|net) (?:max(?:imum|imal)? |network "
        r"|s-t )?flow(?: value)?|flow value|value of (?:the |this |a )?(?:max(?:imum)? )?flow"
        r"|(?:largest|greatest|highest|optimal|optimum) (?:possible |feasible )?flow(?: value)?"
        r"|maximum value(?: of (?:the )?flow)?"
        r"|max ?flow|flow is maxim(?:al|ized|ised)|for a (?:combined |grand )?total|\|f\*?\||answer)\b"
        r"|\|f\*?\|",
        re.I,
    ),
    things=re.compile(
        rf"{_NUMERAL}(?: units?)?(?: (?:is|as|of|for|are|equals) (?:\w+ ){{0,3}}(?:max(?:imum"
        rf"|imal)? (?:possible |total )?flow|total flow|flow in total)"
        r"| units? in total| total units?| is (?:the )?(?:optimal|maximal)\b)",
        re.I,
    ),
    other=re.compile(
        r"(?: (?:along|on|through|via|over|across|for|of|in) (?:the |this |that |each |these |a |any "
        r"|path |edge )*(?:path|edge|route|p\d|node|arc|pipe|branch|augment\w*|first|second|third"
        r"|(?:\d+ ?-> ?)))"
        r"| problem| min-?cut| (?:algorithm|theorem)|[ -]min",
        re.I,
    ),
    loose=(
        re.compile(
            rf"\b(?:send|push|route)s? (?:at most |up to |a (?:maximum|total) of "
            rf"|exactly )?(?P<number>{NUMBER})"
            r"(?: units?)?(?: of flow)?(?: in total)? from (?:the )?(?:source|node \w+|s)\b"
            r"(?![^.;]{0,60}\b(?:along|via|through|using|path))",
            re.I,
        ),
        re.compile(
            rf"\b(?:sum\w*|total\w*|add\w*|combin\w+)\b[^.;\n]{{0,160}}(?:=|\bis|\bof|\bgives|\bget"
            rf"|:) ?{_AT_END}",
            re.I,
        ),
        re.compile(
            rf"(?P<number>{NUMBER})(?: units?)?(?: of flow)? can (?:flow|be (?:sent|pushed|routed|moved))"
            r"(?! (?:along|through|via|on))",
            re.I,
        ),
        re.compile(
            rf"\bflow (?:value )?(?:is|of|=) (?P<number>{NUMBER})\b[^.;\n]{{0,40}}\b(?:maximal"
            rf"|maximum|optimal)\b",
            re.I,
        ),
        re.compile(rf"\b(?:send|push)\b[^.;\n]{{0,60}}= ?{_AT_END}", re.I),
        re.compile(
            rf"^\W*(?:(?:so|thus|hence|therefore),? )?(?:the )?"
            rf"(?:(?:flow|value)\b[^.;\n]{{0,80}}(?:=|:|\bis)|\|?f(?:_\{{?max\}}?)?\|? ?=) ?{_AT_END}",
            re.I,
        ),
        re.compile(rf"(?P<number>{NUMBER}) units (?:overall|altogether|in all)\b", re.I),
        re.compile(rf"\bflow of (?P<number>{NUMBER})\b[^.;\n]{{0,30}}\b(?:cut|optimal|maxim\w+)\b", re.I),
        re.compile(rf"\bmin(?:imum)?[- ]cut(?: capacity| value)? (?:is|=|equals) (?P<number>{NUMBER})", re.I),
        re.compile(rf"\b(?:makes|gives|yields|totals?) {_AT_END}", re.I),
        re.compile(rf"(?:^[\d\s+]{{0,80}}=|\bit(?:'s| is)) ?{_AT_END}", re.I),
    ),
    none=re.compile(r"\bno flow (?:is possible|can (?:reach|be sent))|\bmaximum flow is (?:zero|nil)", re.I),
    labels=r"|(?:the )?(?:max(?:imum)?[ _-]?flow(?:[ _]value)?|flow[ _]value"
    r"|total max(?:imum)? flow)(?: from .{1,60}?)?",
)
BREAKPOINTS = Count(
    noun=re.compile(
        r"\b(?:number of|count of|total of|total number of|tally of|number_of"
        r"|num)[ _](?:the )?(?:\w+ ){0,2}?(?:break[ _-]?points?|corners?|kinks?)(?: (?:in|of|for) (?:the"
        r"|this) (?:\w+ ){0,3}?(?:function|graph|plot|curve|f\(x\)))?"
        r"|\bnumber of (?:points|places|times) (?:where |at which |that )?the (?:slope|direction"
        r"|gradient) changes|\btotal (?:break[ _-]?points?|corners?|kinks?)"
        r"|^\W*(?:break[ _-]?points?"
        r"|corner(?: point)?s|kinks|vertices)(?= ?[:=] ?(?:\w+|\d[\d +=-]{0,20})\W*$)"
        r"|\b(?:num_breakpoints|breakpoint count)\b",
        re.I,
    ),
    things=re.compile(
        rf"{_NUMERAL}{_ADJ} [\"']?(?:break[ -]?points?|corner(?: point)?s?|kinks?"
        rf"|bend(?:ing point)?s?|vertices"
        rf"|slope changes(?! from)|changes (?:in|of) slope|points (?:where|at which) the (?:slope"
        rf"|derivative|direction|gradient))\b",
        re.I,
    ),
    other=re.compile(r"(?!)"),
    none=re.compile(
        r"^none$|(?:\b(?:no|not (?:have )?any|without(?: any)?)|n't (?:have )?any) (?:(?:true|actual"
        r"|such|genuine"
        r"|interior|real|proper|\w+ous) ){0,2}(?:break[ -]?points?|corners|kinks)\b(?! (?:at|there|beyond"
        r"|outside|between \w+ and|on the|in the (?:middle|interior)|occurs?))|\bnone of (?:them"
        r"|the \w+) (?:is|are|qualif\w+ as) (?:\w+ )?break[ -]?points?",
        re.I,
    ),
    loose=(
        re.compile(
            rf"(?:\bso:|\bi (?:count|see|find|identify|get)(?: exactly)?|\bthat(?:'s| is| makes| gives)"
            rf"|\bmak(?:es|ing)|\btotal(?:s|ing)?(?: is| of)?|\bcount(?: is| of)?|->"
            rf"|\bthere (?:are|is)(?: exactly| only)?|\bgiv(?:es|ing)(?: us)?) ?{_AT_END}",
            re.I,
        ),
        re.compile(rf"(?P<number>{NUMBER})(?: in)? total\W*$", re.I),
        re.compile(
            rf"\b(?:at|in) (?P<number>{NUMBER}) (?:\w+ )?(?:locations|places|points|positions|x-values)\b",
            re.I,
        ),
        re.compile(rf"\b(?:chang|turn|bend|switch)\w*\b[^.;]{{0,30}} (?P<number>{NUMBER}) times\W*$", re.I),
        re.compile(r"\b(?:chang|turn|bend|switch)\w*\b[^.;]{0,30} (?P<number>twice|once)\W*$", re.I),
    ),
    labels=(
        r"|number|(?:the )?(?:number of )?(?:break[ _-]?points?|corners?)(?:[ _]count)?|(?:final "
        r"|total )?(?:count|total)"
    ),
)
