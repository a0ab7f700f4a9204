"""Options told by a comparison: "stronger in Pair 2" for "weaker in Pair 1", "equal" for "the same"."""

from __future__ import annotations

import re

SAME = re.compile(r"\b(?:same|equal(?:ly)?|identical|no difference|neither)\b")
_SAME_QUANTITY = re.compile(
    r"\b(?:same|equal|identical) (?:magnetic )?(?:magnitudes?|forces?|strengths?|concentrations?"
    r"|temperatures?|average kinetic)\b"
    r"|\b(?:forces?|magnitudes?|strengths?|concentrations?|temperatures?"
    r"|concentrated)\b[^.;]{0,60}\b(?:is|are|be|have|remain|equally)\b"
    r"[^.;]{0,30}\b(?:same|equal|identical|similar)\b"
    r"|\bneither (?:solution|sample|of them|has)\b|\bequal(?:ly)? (?:concentrat|strong|warm|hot)"
    r"|^\W*(?:they are |both are |both )?(?:the )?(?:same|equal|neither)\b\W*(?:in both\W*|for both\W*)?$"
)
MORE = re.compile(r"\b(?:stronger|greater|larger|bigger|higher|more|strongest|greatest|largest)\b")
LESS = re.compile(r"\b(?:weaker|smaller|lower|less|fewer|weakest|smallest|lowest)\b")
COMPARES = re.compile(
    rf"{MORE.pattern}|\b(?:concentrated|hotter|warmer|denser|answer|correct|right|choose|chosen|select|pick|most)\b|>"
    r"|(?:\b(?:so|thus|therefore|hence)|:|->),? (?:it's |it is )?(?:the )?\w+ \w\W*$"
)
_OF_FORCE = re.compile(
    r"\bforces?\b[^.;,]{0,60}\b(?:stronger|weaker|greater|smaller|larger|less|more|higher|lower)\b"
    r"|\b(?:stronger|weaker|greater|smaller|larger|higher|lower)(?: \w+){0,2} forces?\b"
)
_PAIR = re.compile(r"\b(?:pair|sample|solution|case|figure|setup|magnet pair) (\w)\b")
THAN = re.compile(
    r"\b(?:than|compared (?:to|with)|while|whereas|versus|vs|over|but not|relative to)\b|(?<!-)>"
)


def compared(options: tuple[str, ...], text: str) -> set[int]:
    """Which options a text tells by comparing two numbered things, or by calling them the same."""
    same = [i for i, option in enumerate(options) if SAME.search(option)]
    others = [i for i in range(len(options)) if i not in same]
    if len(same) == 1 and _SAME_QUANTITY.search(text) and not MORE.search(text.split("neither", 1)[0]):
        return {same[0]}
    pairs = {i: _PAIR.search(options[i]) for i in others}
    if len(others) != 2 or not all(pairs.values()):
        return set()
    clause = re.split(r"\b(?:because|since|as (?:the|they|it)|due to)\b", text)[0] or text
    last = re.split(r"\b(?:which means|meaning|so|therefore|thus|hence)\b", text)[-1]
    parts = re.split(r"\b(?:and|while|whereas|but)\b|,", last)
    one_sided = [
        part for part in parts if _PAIR.search(part) and bool(MORE.search(part)) != bool(LESS.search(part))
    ]
    last = one_sided[0] if one_sided and MORE.search(last) and LESS.search(last) else last
    clause = last if _PAIR.search(last) and (MORE.search(last) or LESS.search(last)) else clause
    thing, more, less = _PAIR.search(clause), MORE.search(clause), LESS.search(clause)
    if thing is None or (more is None) == (less is None):
        return set()
    wanted = {
        bool(MORE.search(options[i])) for i in others if MORE.search(options[i]) or LESS.search(options[i])
    }
    if not wanted:
        return set()  # the options name the things alone: which comparison is asked is not known here
    if re.search(
        r"\b(?:distance|gap|separation|farther|closer|attraction than repulsion)\b", clause
    ) and not _OF_FORCE.search(clause):
        return set()
    side = thing[1]
    than = THAN.search(clause)
    if than and than.start() < thing.start():
        return set()
    told = {i for i in others if (found := pairs[i]) is not None and found[1] == side}
    flips = (more is not None) != wanted.pop()
    return set(others) - told if flips else told
