"""Which option a reply means by a number, where every option is one: "3", "2 rings", "14 N upwards".

A reply need not repeat the words of the option ("two fused rings", "I = 12/4 = 3 A", "14 N, directed up").
A number that no option has is the answer all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ._numbers import NUMBER, normal
from ._readers import HEDGE, NOTHING, Read

_OPTION = re.compile(r"(?P<noun>[a-z ]{2,40} )?(?P<number>-?\d{1,9}(?:\.\d{1,9})?)(?: (?P<unit>.{1,60}))?")
_NUMBER = re.compile(NUMBER, re.I)
_GLUED = re.compile(r"(?<=\d)(?=(?:a|v|n|w|s|m|Ω|ω)\b)")
_WAYS = {
    "up": r"up(?:wards?)?|upper|↑|north(?:wards?)?",
    "down": r"down(?:wards?)?|↓|south(?:wards?)?",
    "left": r"left(?:wards?)?|←|west(?:wards?)?",
    "right": r"right(?:wards?)?|->|east(?:wards?)?",
}
_UNITS = {
    **dict.fromkeys(("amper", "a"), r"a\b|amps?\b|amperes?\b"),
    **dict.fromkeys(("volt", "v"), r"v\b|volts?\b"),
    **dict.fromkeys(("ohm", "ω"), r"ohms?\b|ω|\\omega\b"),
    **dict.fromkeys(("watt", "w"), r"w\b|watts?\b"),
    **dict.fromkeys(("newton", "n"), r"n\b|newtons?\b"),
}
_GIVES = re.compile(
    r"(?:[=≈]|->|:(?=\s*$)|\b(?:is|are|be|was|has|have|there's|contains?|with|equals?|equal to|gives?"
    r"|get|makes?|of"
    r"|total(?:s|ing)?|count(?:ed)?|find|found|see|form(?:s|ed)?|produced?|requires?|needs?))\s*"
    r"(?:(?:exactly|only|about|approximately|just|therefore|thus|also|a total of|about|approx\.?|clearly"
    r"|equal to|the|number) ){0,3}$",
    re.I,
)
_FEW = 12  # words; in a longer sentence any number may stand beside the point
_A_UNIT = re.compile(
    r"\s?(?:m?v|ma|kω|mω|v|volts?|ohms?|Ω|ω|w|watts?|n|newtons?|a(?= |$|[.,;)])|amps?|amperes?|kg|cm"
    r"|m/s|ml|mol|%|°c)(?!\w)"
)
_GOES_ON = re.compile(r"\s*[-+*/×·=^]\s*(?:[\d(]|[a-z]\b)|\s*(?:,|and|or|to)\s+\d|-[a-z]|\s*/|\s*\)?\s*=")


@dataclass(frozen=True)
class Quantities:
    """Options that are all numbers, with what they count; build it with :meth:`of`."""

    numbers: tuple[str, ...]
    ways: tuple[str | None, ...]
    noun: str
    unit: re.Pattern[str]

    @property
    def named(self) -> bool:
        """Whether the options have a unit."""
        return not self.unit.pattern.endswith("(?!))")

    @property
    def decimal(self) -> bool:
        """Whether some number is not whole."""
        return any("." in number for number in self.numbers)

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, options: tuple[str, ...]) -> Quantities | None:
        """The quantities of casefolded options, or ``None`` unless all are numbers of one kind of thing."""
        parts = [_OPTION.fullmatch(option) for option in options]
        found = [part for part in parts if part is not None]
        if not found or len(found) < len(parts):
            return None
        ways = tuple(_way(part["unit"] or "") for part in found)
        words = {_stem(word) for part in found for word in (part["unit"] or "").split()[:1]}
        nouns = {part["noun"] for part in found}
        if len(words) > 1 or len(nouns) > 1:
            return None
        name = words.pop() if words else ""
        last = (found[0]["unit"] or "").split()[1:2] if not any(ways) else []
        unit = _UNITS.get(name) or (rf"{re.escape(name)}(?:s|es)?\b" if name else r"(?!)")
        if last:  # "hydrogen atoms": either word will do
            unit += rf"|{re.escape(_stem(last[0]))}\w*"
        return cls(
            tuple(normal(part["number"]) for part in found),
            ways,
            (nouns.pop() or "").strip(),
            re.compile(rf"\s?(?:[a-z-]+ ){{0,2}}(?:{unit})", re.I),
        )

    def alone(self, line: str) -> bool:
        """Whether a line is nothing but a number with its unit: "11 carbons."."""
        text = _GLUED.sub(" ", line.casefold()).strip(" .!$()[]*")
        number = _NUMBER.match(text)
        if number is None:
            return False
        bare = re.fullmatch(r"(?: [a-z]+){0,2}", text[number.end() :])
        unit = self.unit.match(text, number.end()) if self.named else bare
        return unit is not None and number.end() + len(unit.group()) == len(text)

    def place(self, sentence: str) -> int | Read:
        """Which option a sentence gives, or what else it says."""
        text = _GLUED.sub(" ", sentence.casefold())
        text = re.sub(r"(?<=\d),(?=\d{1,2}\b)", ".", text) if self.decimal else text
        text = re.sub(rf"\bno(?={self.unit.pattern if self.named else ' [a-z]+s?'})", "0", text)
        if self.noun and self.noun not in text and not _NUMBER.fullmatch(text.strip(" .!$()[]*")):
            return NOTHING
        hits = [
            (match, self.unit.match(text, match.end()), _GIVES.search(text[: match.start()][-60:]))
            for match in _NUMBER.finditer(text)
            if not _GOES_ON.match(text, match.end())
            and text[match.start() - 1 : match.start()] not in ("^", "_")
            and not (
                self.named and not self.unit.match(text, match.end()) and _A_UNIT.match(text, match.end())
            )
        ]
        united = [match for match, unit, _ in hits if unit]
        stated = [match for match, unit, gives in hits if gives and (unit or not united)]
        stated = [
            m for m in stated if text[: m.start()].rstrip()[-1:] != ":" or not text[m.end() :].strip(" .!*")
        ] or stated
        ending = [match for match in stated if not re.search(r"[a-z]{4}|\d", text[match.end() :])]
        for level in (
            [match for match in stated if match in united][-1:],
            united,
            ending[-1:],
            stated,
            [match for match, _, _ in hits] if len(text.split()) <= _FEW else [],
        ):
            values = {normal(match.group()) for match in level}
            if len(values) == 1:
                return self._chosen(values.pop(), text, level[-1].end())
            if values:
                return HEDGE
        return NOTHING

    def _chosen(self, number: str, text: str, end: int) -> int | Read:
        places = [i for i, other in enumerate(self.numbers) if other == number]
        if not places:
            return Read(number)
        if self.ways[places[0]] is None:
            return places[0]
        way = _way(re.split(r"[.;]", text[end : end + 60])[0]) or _way(text)
        fitting = [i for i in places if self.ways[i] == way]
        return fitting[0] if len(fitting) == 1 else HEDGE


def _way(text: str) -> str | None:
    """``up`` of "upwards", if no other way is named."""
    ways = [way for way, pattern in _WAYS.items() if re.search(rf"(?<!\w)(?:{pattern})(?!\w)", text)]
    return ways[0] if len(ways) == 1 else None


def _stem(word: str) -> str:
    return re.sub(r"(?:es|s)$", "", word.casefold()) if len(word) > 2 else word.casefold()
