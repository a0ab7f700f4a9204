"""A chess move in the four or five characters of UCI, however it is written with both squares."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._claims import Kind
from ._readers import HEDGE, NOTHING, Read
from ._terms import NEGATED

_PROMOTION = r"(?:\s?(?:=|/|->)?\s?\(?(?P<{0}>[qrbnQRBN](?:ueen|ook|ishop|night)?)\)?(?![A-Za-z0-9]))?"
_MOVE = re.compile(
    r"(?<![A-Za-z0-9])(?:[KQRBNP] ?)?(?P<a>[a-hA-H][1-8])(?: ?(?:-|x|:|->|to) ?|(?P<gap> )|)"
    r"(?:[KQRBNP](?=[a-h]))?(?P<b>[a-hA-H][1-8])" + _PROMOTION.format("p") + r"(?![A-Za-z0-9])"
)
_NUMBER = re.compile(r"\b\d{1,3}\.{1,3}")
_PROMOTES = re.compile(
    r"[^.\n]{0,24}?\b(?:promot\w+|becom\w+) (?:to |into |as )?(?:an? )?(queen|rook|bishop|knight)", re.I
)
_AFTER = re.compile(r"\W*(?:after|then)\b", re.I)
_FAILS = re.compile(
    r"\W{1,3}(?:fails?|loses|does(?: not|n't)|is(?: not|n't)|would be met|allows|blunders|is met)\b", re.I
)
_EXAMPLE = re.compile(r"\b(?:such as|e\.g\.?|for example|like|or) \W{0,3}$", re.I)
_OTHERWISE = re.compile(rf"\W{{0,3}} or \W{{0,3}}{_MOVE.pattern}")
_SAYS = re.compile(
    r"\b(?:(?:best|first|correct|winning|key|right|strongest|only|optimal|next|initial|final|solution"
    r"|candidate) (?:\w+ )?moves?"
    r"|(?:my|the) move|move to (?:make|play)|moves?:|uci|solution|(?:should|must|can|would|will) (?:play"
    r"|move)|plays?|starts? with"
    r"|begins? with|best is|is best|wins|mates?|checkmate|promot\w+|captur\w+|takes?|it's|it is)\b",
    re.I,
)


@dataclass(frozen=True)
class Move(Kind):
    labels: str = (
        r"|(?:the )?(?:best|first|correct|winning|key|final|optimal|uci"
        r"|solution)?[ _]?move(?:[ _]?\(?uci\)?| in uci(?: notation| format)?)?|uci(?: notation"
        r"| format| move)?"
        r"|(?:the )?solution"
    )
    argues: bool = True
    closes: bool = False

    def bare(self, line: str) -> str | None:
        text = re.sub(r"^\W*(?:\d{1,3}\.{1,3})?\s*", "", line.strip())
        match = _MOVE.match(text)
        if match and not re.search(r"[A-Za-z0-9]", _NUMBER.sub("", _MOVE.sub("", text))):
            return _uci(match, text)
        return None

    def statement(self, text: str) -> Read:
        first = text.split("\n", 1)[0]
        for match in _MOVE.finditer(first):
            return HEDGE if _OTHERWISE.match(first, match.end()) else Read(_uci(match, first))
        return NOTHING

    def claim(self, sentence: str, *, clearly: bool) -> Read:
        if clearly and not (_SAYS.search(sentence) or _MOVE.match(sentence)):
            return NOTHING
        if _AFTER.match(sentence):
            return NOTHING
        found = [
            _uci(match, sentence)
            for match in _MOVE.finditer(sentence)
            if match["gap"] is None
            and not _FAILS.match(sentence, match.end())
            and not _EXAMPLE.search(sentence[: match.start()])
            and not NEGATED.search(sentence[max(0, match.start() - 60) : match.start()].casefold())
        ]
        if not found or (not clearly and len(set(found)) > 1):
            return NOTHING
        first = next(_MOVE.finditer(sentence))
        if _OTHERWISE.match(sentence, first.end()):
            return HEDGE
        return Read(found[0])


def _uci(match: re.Match[str], text: str) -> str:
    """``e7-e8=Q`` → ``e7e8q``; a promotion in words just behind the move counts."""
    move = (match["a"] + match["b"]).lower()
    last_rank = (move[1], move[3]) in (("7", "8"), ("2", "1"))
    piece = match["p"]
    if piece is None and last_rank:
        words = _PROMOTES.match(text, match.end())
        piece = words[1] if words else None
    if piece is None or not last_rank:
        return move
    return move + ("n" if piece.lower() in ("n", "night", "knight") else piece[0].lower())
