"""What counts as a number in a text.

A text has digits that are quantities and digits that are not: dates, versions, room names. Turning the latter
into numbers loses what they say, while leaving digits as text loses nothing; so whatever is doubtful is left
alone, and a :class:`Policy` says what else to take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from modgap._errors import InputError, UnknownName

KINDS = ("fraction", "ratio", "date", "time", "version", "address", "code", "identifier")
"""Things with digits that are left alone by default.

``fraction`` 3/4 · ``ratio`` 16:9 · ``date`` 2024-05-01, 1/5/2024 · ``time`` 12:30 · ``version`` 1.2.3 ·
``address`` an IP or URL · ``code`` 555-123-4567 · ``identifier`` A4, x2, Room-505b, 0x1F, and anything else
that mixes letters and digits.
"""

# fmt: off
UNITS = (
    "km", "cm", "mm", "nm", "kg", "mg", "lb", "lbs", "oz", "ft", "mi", "ml", "cl", "dl", "ms", "ns",
    "min", "Hz", "kHz", "MHz", "GHz", "kW", "kWh", "MW", "kB", "KB", "MB", "GB", "TB", "kb", "Mb", "Gb",
    "kJ", "kcal", "mol", "mph", "kmh", "px", "pt", "dpi", "fps", "bps", "bn", "mAh",
)
# fmt: on
"""Units that may follow a number without a space. No single letters: 4K, 3D, 505b are names (our choice)."""

MINUS = "-−"
"""Hyphen-minus and U+2212. Dashes are punctuation."""

MAX_PLACES = 1000
"""Integer places, and decimal places, a number may have by default (our choice; the codec has no limit)."""

# Scripts written without spaces: a number touching such a letter is still a number of its own (第5章).
_SPACELESS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
    r"\U00020000-\U0003ffff"
)
WORD = rf"[^\W{_SPACELESS}]"


@dataclass(frozen=True, slots=True)
class Policy:
    """How numbers are written, and what to take for a number.

    Args:
        decimal_mark: ``"."`` or ``","``.
        group_marks: characters that may separate groups of three digits, one kind within a number. ``(",",
            "'", "’")`` adds Swiss grouping, ``" "``, ``"\\u00a0"`` and ``"\\u202f"`` grouping by spaces,
            ``"_"`` that of source code.
        split: kinds, of ``KINDS``, whose parts become numbers; the others are left alone. With
            ``"fraction"``, 3/4 is the two numbers 3 and 4.
        units: letters that may follow a number without a space and stay text.
        max_integer_places: longest integer part, in digits.
        max_decimal_places: longest decimal part, in digits.
        overflow: ``"leave"`` leaves a longer number in a text as text, ``"raise"`` refuses the text. A single
            number given to ``parse_number`` is always refused.

    Raises:
        InputError: a field is not of this form.
    """

    decimal_mark: str = "."
    group_marks: tuple[str, ...] = (",",)
    split: tuple[str, ...] = ()
    units: tuple[str, ...] = UNITS
    max_integer_places: int = MAX_PLACES
    max_decimal_places: int = MAX_PLACES
    overflow: str = "leave"

    def __post_init__(self) -> None:
        if self.decimal_mark not in (".", ","):
            raise InputError(f"decimal mark {self.decimal_mark!r} is not one of '.', ','")
        for mark in self.group_marks:
            if len(mark) != 1 or mark.isalnum() or mark in MINUS + "+/:" or mark == self.decimal_mark:
                raise InputError(
                    f"group mark {mark!r} cannot separate groups of digits here: give single characters such "
                    "as ',', \"'\", ' ' or '_' that are not the decimal mark"
                )
        for kind in self.split:
            if kind not in KINDS:
                raise UnknownName("kind of text with digits", kind, KINDS)
        if self.overflow not in ("leave", "raise"):
            raise UnknownName("overflow rule", self.overflow, ("leave", "raise"))
        for name, limit in (("integer", self.max_integer_places), ("decimal", self.max_decimal_places)):
            if limit < 0:
                raise InputError(f"max_{name}_places {limit} is negative: give a number of digits, 0 or more")


@dataclass(frozen=True, slots=True)
class Grammar:
    """Compiled patterns of one policy. Every one is deterministic enough to run in linear time.

    Args:
        number: an unsigned number, whole string: groups ``integer``, ``decimals``, ``exponent``.
        chunk: the longest run of text that could be one thing with digits.
        group: any of the group marks, to strip them.
        listing: marks that separate numbers where they do not group digits (``12,34``).
        kinds: the kinds that are left alone, whole string, in order of trial.
    """

    number: re.Pattern[str]
    chunk: re.Pattern[str]
    group: re.Pattern[str]
    listing: re.Pattern[str]
    kinds: tuple[tuple[str, re.Pattern[str]], ...]


def _any_of(characters: str) -> str:
    """A pattern of one of these characters; never matches if there are none."""
    return f"[{re.escape(characters)}]" if characters else r"(?!)"


@lru_cache(maxsize=32)
def grammar_of(policy: Policy) -> Grammar:
    """The patterns of a policy."""
    mark = re.escape(policy.decimal_mark)
    marks = "".join(dict.fromkeys(policy.group_marks))
    grouped = "|".join(rf"[0-9]{{1,3}}(?:{re.escape(m)}[0-9]{{3}})+" for m in marks) or "(?!)"
    # 0,123 is not grouping: no one groups a number that starts with zero, and elsewhere it is a decimal.
    integer = rf"(?P<integer>(?!0)(?:{grouped})|[0-9]+)"
    exponent = rf"(?:[eE](?P<exponent>[{MINUS}+]?[0-9]+))?"
    number = rf"{integer}(?:{mark}(?P<decimals>[0-9]+))?{exponent}"

    spaces = "".join(m for m in marks if m.isspace())
    between_digits = "".join(dict.fromkeys(marks + policy.decimal_mark + ":/"))
    between_digits = "".join(c for c in between_digits if not c.isspace() and c != ".")
    joint = (
        rf"(?:[{MINUS}.@]|(?<=[0-9]){_any_of(between_digits)}(?=[0-9])|(?<=[0-9][eE])\+(?=[0-9])"
        rf"|(?<=[0-9]){_any_of(spaces)}(?=[0-9]{{3}}(?![0-9])))"
    )
    address = (
        r"(?:https?|ftp|file)://\S+|www\.\S+|(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?!\.?\w|:)"
    )
    listing = "".join(dict.fromkeys(marks + ",")).replace(".", "")

    plain = rf"[0-9]+(?:{mark}[0-9]+)?"
    kinds = (
        ("time", r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"),
        ("date", r"[0-9]{4}[-−/.](?:0?[1-9]|1[0-2])[-−/.][0-9]{1,2}"),
        ("date", r"[0-9]{1,2}([-−/.])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})"),
        ("date", r"[0-9]{4}[-−](?:0[1-9]|1[0-2])"),
        ("fraction", rf"{plain}/{plain}"),
        ("ratio", rf"{plain}(?::{plain})+"),
        ("address", r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+|/[0-9]+)?"),
        ("version", r"[0-9]+(?:\.[0-9]+){2,}"),
        ("code", rf"[0-9]+(?:[{MINUS}/][0-9]+){{2,}}"),
        ("address", r"(?:https?|ftp|file)://.+|www\..+|[0-9A-Fa-f]*:[0-9A-Fa-f:]*"),
    )
    return Grammar(
        number=re.compile(number),
        chunk=re.compile(rf"{address}|{WORD}+(?:{joint}{WORD}+)*"),
        group=re.compile(_any_of(marks)),
        listing=re.compile(_any_of(listing)),
        kinds=tuple((kind, re.compile(pattern)) for kind, pattern in kinds),
    )
