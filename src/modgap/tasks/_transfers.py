"""Options told by where something moves: "to the right", "toward the magnet", "from each vial to the air"."""

from __future__ import annotations

import re

from ._stems import stem

_SIDES = r"(left|right|top|bottom|up|down)"
_WAY = re.compile(
    rf"\b(?:from )?(?:the |its |their )?{_SIDES}(?:-hand)?(?: side| end"
    rf"| terminal)?(?: \w+){{0,2}}(?: to | ?-> ?)(?:the |its |their )?{_SIDES}\b"
)
_TO_WAY = re.compile(rf"\b(?:to|toward|towards) the {_SIDES}(?: side)?\b|\b{_SIDES}wards?\b")
_AROUND = r"(?:surround|environment|ambient|outside air|air|room)"


def moved(options: tuple[str, ...], text: str) -> set[int]:
    """Which options a text tells by their direction, or by the two ends of a transfer."""
    ways = [_way(option) for option in options]
    if None not in ways and len(set(ways)) == len(ways):
        way = _way(text)
        return {ways.index(way)} if way in ways else set()
    if all(option.startswith(("toward ", "away from ")) for option in options):
        # "toward the hiker's hand" for "toward her hand"
        return {
            i
            for i, option in enumerate(options)
            if re.search(
                rf"\b{option.split(' ')[0]}s?\b(?: [\w'-]+){{0,4}} {re.escape(option.split(' ')[-1])}\b",
                text,
            )
        }
    ends = [[_head(end) for end in option.split(". . .")] for option in options]
    if all(len(end) == 2 for end in ends):
        return {i for i, (source, goal) in enumerate(ends) if _transfers(text, source, goal)}
    return set()


def _way(text: str) -> str | None:
    """``right`` for "from left to right", "to the right than to the left", "rightward"."""
    found = {"up": "top", "down": "bottom"}
    than = re.search(rf"\bto the {_SIDES}(?: side)? than to the {_SIDES}\b", text)
    if than:
        return than[1]
    text = text.split(" than ", 1)[0]
    ways = [match[2] for match in _WAY.finditer(text)] or [
        m[1] or m[2] for m in list(_TO_WAY.finditer(text))[:1]
    ]
    ways = [found.get(way, way) for way in ways]
    return ways[0] if len(set(ways)) == 1 else None


def _head(end: str) -> str:
    words = re.findall(r"[a-z]+", end)
    return stem(words[-1]) if words else "?"


def _transfers(text: str, source: str, goal: str) -> bool:
    one, two = (_AROUND if end.startswith("surround") else re.escape(end[:6]) for end in (source, goal))
    return (
        re.search(
            rf"\bfrom (?:[^.;]{{0,60}}?)\b{one}\w*[^.;]{{0,60}}?\b(?:to|into)\b[^.;]{{0,40}}?\b{two}", text
        )
        is not None
        or re.search(
            rf"\b{two}\w* (?:gain|absorb|receiv|got|took)\w*[^.;]{{0,40}} from [^.;]{{0,30}}?{one}", text
        )
        is not None
        or re.search(
            rf"\b(?:it|they) (?:gain|absorb|receiv|took)\w*[^.;]{{0,40}} from [^.;]{{0,30}}?{one}", text
        )
        is not None
        or re.search(
            rf"\b{one}\w* (?:los|lose|gave|give|releas|transfer|emit)\w*[^.;]{{0,40}} to [^.;]{{0,30}}?{two}",
            text,
        )
        is not None
        or re.search(rf"\b{one}\w* ?(?:->|\. \. \.|to) ?(?:the |each )?{two}", text) is not None
    )
