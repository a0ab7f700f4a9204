"""Who wins a game of chess: the words that say so."""

from __future__ import annotations

import re

from ._terms import Term, Terms

_OTHER = {"white": "black", "black": "white"}
_FILL = (
    r"(?:(?:is|are|has|have|had|was|will|should|would|can|could|does|clearly|easily|now|simply|then"
    r"|eventually|ultimately"
    r"|immediately|also|thus|therefore|still|just|likely|probably|already|objectively|completely|totally"
    r"|decisively"
    r"|actually|indeed|side|player|to move|and|able to|going to|goes on to|be|been|currently|definitely"
    r"|certainly"
    r"|theoretically|practically|trivially|effectively|basically|essentially|in fact|here|almost"
    r"|overwhelmingly|ahead|materially|better|stronger) ){0,4}"
)
_ACTS = r"(?:(?:has|had|will|would|can|could|should|then|now|just|and|forcibly|to move|to play) ){0,3}"
_ADJECTIVES = (
    r"(?:(?:forced|forcing|clear|decisive|winning|huge|big|large|significant|material|positional|strong"
    r"|massive|slight"
    r"|overwhelming|crushing|considerable|substantial|small|real|immediate|completely|clearly|major"
    r"|simple|easy|won|very"
    r"|much|far|more|the|a|an|and|better|technically|trivially|easily|decisively|solid|stable|lasting"
    r"|commanding|serious"
    r"|unstoppable|clean|straightforward|direct|practical|dominant|dominating|definite|superior|totally"
    r"|fully) ){0,5}"
)
_THING = (
    r"(?: (?:a|an|the|back|material|at least|two|three|more|another|some|tempo|tempi|black|white|his|her"
    r"|its|their|space|it back"
    r"|that|this|one|by (?:capturing|taking)|over|time|control|full|rook|queen|knight|bishop|pawn"
    r"|on material|several)\b"
    r"(?! (?:\w+ )?(?:game|match|endgame|ending|battle|race|position|pawn ending|contest|king and pawn)))"
)


_p = re.compile


def _terms() -> tuple[Term, ...]:
    terms: list[Term] = []
    for side in ("white", "black"):
        other = _OTHER[side]
        own = rf"\b{side}(?:'s)?(?: \w+| to (?:move|play))?,? "  # "white wins", "white's attack wins"
        for pattern in (
            rf"{own}{_FILL}(?P<k>wins?|won)\b(?!'t|{_THING})",
            rf"{own}{_FILL}(?P<k>winning|victorious|the (?:clear )?(?:winner|victor)|on top)\b(?!{_THING})",
            rf"{own}{_FILL}(?:has|have|having|with) {_ADJECTIVES}(?P<k>win|winning \w+|won \w+|mate"
            rf"|checkmate)\b"
            r"(?! threat)",
            rf"{own}{_FILL}in {_ADJECTIVES}(?P<k>winning|won)\b|\b{side} is\W*$",
            rf"{own}{_FILL}(?P<k>delivers?|delivered|delivering|gives?|gave|forces?|forced|forcing"
            rf"|achieves?|announces?|executes?)"
            r" (?:\w+ ){0,2}(?:check)?mate\b",
            rf"{own}{_ACTS}(?P<k>checkmates?|mates?|checkmated|mated) (?:(?:the )?{other}|in|with|on"
            rf"|next|immediately)\b",
            rf"\b{side}'s (?!king)(?:\w+ ){{0,3}}(?:is|delivers?|gives?|leads? to|results? in"
            rf"|with) (?:\w+ )?(?:check)?mate\b",
            rf"\b(?:win|victory|winning|won|wins|success|triumph)(?: ?[:=-] ?| (?:is |goes to |game "
            rf"|position |endgame |ending |outcome )?"
            rf"(?:for|by|to|of) ){side}\b(?!'s (?:queen|rook|bishop|knight|pawn))",
            rf"\b(?:winner|victor|winning side|winning player|side that wins)\b(?:\W{{1,5}}"
            rf"| (?:\w+ ){{0,5}}?(?:is|was|should be|would be|will be|must be|to be|="
            rf"|:) (?:\w+ ){{0,2}}?){side}\b",
            rf"\b{side} is the (?:one|side|player) (?:who|that|which) (?:wins|won|is winning|will win)\b",
            rf"^\W*{side}(?=,? (?:since|because|as|due)\b)",
            rf"\b{side} (?:is|as) the (?:\w+ )?(?:winner|victor|winning side)\b|\b{side} (?:is )?victory\b",
            rf"\b(?:check)?mate in \w+ (?:moves? )?(?:for|by) {side}\b",
            rf"\b(?:check)?mate (?:by|from|with) (?:the )?{side}\b|\b{side} {_ACTS}(?:plays?|played"
            rf"|has) (?:\d+\.+ ?)?[a-z0-9x=+-]{{2,8}}#|\b{side}:? 1\b",
            rf"\b{side} {_FILL}(?P<k>converts?|promotes? and wins|queens and wins|triumphs|prevails"
            rf"|emerges victorious)\b",
            # Of the other side, that it has lost.
            rf"\b{other}(?:'s)?(?: king| position| game)?,? {_FILL}(?:under |in (?:a )?|gets? "
            rf"|ends up )?(?P<k>checkmated"
            rf"|mated|lost|losing|defeated"
            r"|hopeless|hopelessly lost|getting mated|getting checkmated|doomed)\b"
            r"(?! (?:a|an|the(?! game| match)|by (?:black|white)'s threat|material|two|track|control"
            r"|his|its|net|tempo"
            r"|threat))",
            rf"\b{other}(?:'s king| king)? (?:is|was|has been|gets|ends up) (?:\w+ ){{0,2}}?(?:in )?(?:a )?"
            rf"(?P<k>checkmate|mate)\b(?! in)",
            rf"\b{other} {_FILL}(?P<k>resigns?|resigned|resigning|loses|lose)\b(?! (?:a|an"
            rf"|the(?! game| match)|material|his|its|two"
            rf"|at least|more|control|another"
            r"|one|tempo|some|castling|either|immediate))",
            rf"\b(?:check)?mates? (?:of |against |on |to )?(?:the )?{other}(?:'s king| king)?\b"
            rf"|\bcheckmat(?:es|ed|ing) (?:the )?{other}\b",
            rf"\b(?:loss|lost|losing) for {other}\b|\b{other} (?:cannot|can't) (?:avoid|escape|stop"
            rf"|prevent|parry) (?:\w+ ){{0,2}}(?:check)?mate\b",
        ):
            terms.append(Term(_p(pattern), side, rank=3))
        for pattern in (
            rf"{own}{_FILL}(?:{_ADJECTIVES}|in )(?P<k>better|ahead|favou?red|superior|preferable"
            rf"|dominating|dominant|in control|the favou?rite"
            r"|up (?:a|an|the|two|material)\b|material up|pressing)\b",
            rf"{own}{_FILL}(?P<k>has|have|holds?|enjoys?|with|keeps?|retains?|maintains?|gains?|obtains?"
            rf"|emerges with|possess(?:es)?|having|stands?) {_ADJECTIVES}(?:\w+ )?"
            r"(?:advantage|edge|upper hand|better|superiority|lead)\b",
            rf"\b(?:advantage|edge|superiority|better|good|favou?rable|favou?rs?|favou?ring|(?:chances"
            rf"|prospects)) (?:\w+ )?(?:for |to |of |belongs to |is with |lies with |goes to "
            rf"|: ?)?{side}\b|\badvantage: ?{side}\b",
            rf"\bin (?:{side}'s favou?r|favou?r of {side})|\bfavou?rs {side}\b|\bfavou?rable (?:for"
            rf"|to) {side}\b|\b{side}'s (?:\w+ ){{0,2}}(?:advantage|edge)\b",
            rf"\b{other}(?:'s)? king (?:has (?:nowhere to|no (?:legal |safe )?(?:moves?|escape"
            rf"|squares?))|(?:can't|cannot) (?:move|escape))\b",
            rf"\b{other} (?:is|stands) (?:\w+ ){{0,2}}(?:worse|behind|in trouble|down (?:a|an|the|two"
            rf"|material)|struggling)\b",
        ):
            terms.append(Term(_p(pattern), side, rank=2))
    for pattern, winner in ((r"1 ?- ?0", "white"), (r"0 ?- ?1", "black")):
        terms.append(Term(_p(rf"(?<![\w.\-/+])(?<!= ){pattern}(?![\w\-/]|\.\d)"), winner, rank=3))
    terms.append(Term(_p(r"(?<![\d.])1/2 ?- ?1/2|(?<![\d.])0\.5 ?- ?0\.5"), "draw", rank=3))
    terms.append(
        Term(
            _p(
                r"(?:\b(?:a|an|as|by|is|in|to|outcome|result|be|theoretical|forced|for|force|claim|agreed"
                r"|game|drawn by|it's|that's|this|(?:hold|secure|reach|save|claim|get|achieve)s? the)"
                r"|[:=]|material)"
                r"\W{1,3}(?:(?:likely|theoretical|forced|clear|dead|immediate|simple|technical|probable|a"
                r"|an|book) ){0,3}"
                r"(?P<k>draw|stalemate|tie|tied|drawn|stalemated)\b(?! (?:attention|the|out|away|near"
                r"|by playing|chances|ish))"
            ),
            "draw",
            rank=3,
        )
    )
    terms.append(
        Term(
            _p(
                r"\b(?:drawn (?:game|position|endgame|ending|outcome|result)|draws? (?:by|due to|via"
                r"|with best|under|because|as|offer accepted))\b"
            ),
            "draw",
            rank=3,
        )
    )
    terms.append(
        Term(
            _p(
                r"\bno (?:winner|decisive result)\b|\bneither (?:side|player) (?:wins|is winning|has won"
                r"|can win)\b"
            ),
            "draw",
            rank=3,
            negatable=False,
        )
    )
    terms.append(
        Term(
            _p(r"^\W*(?:draw|stalemate|drawn|tie)\b(?=\s*(?:$|[.,:;(!]|- |by\b|due\b))"),
            "draw",
            rank=3,
            negatable=False,
        )
    )
    terms.append(
        Term(
            _p(
                r"\b(?:dynamically |roughly |about |approximately |completely |dead "
                r"|objectively )?(?<!material is )(?<!materially )(?:equal|balanced)\b(?! (?:material"
                r"|exchange|trade))"
                r"|\bno (?:\w+ ){0,2}(?:win|advantage) for either (?:side|player)"
            ),
            "draw",
            rank=2,
        )
    )
    return tuple(terms)


WHOEVER_MOVES = re.compile(
    r"\bwith (white|black) to (?:move|play), [^.\n]{0,80}[.;,] ?(?:and )?with (?!\1)(?:white"
    r"|black) to (?:move|play), ",
    re.I,
)
"""Two verdicts, one for each side to move."""

WINNER = Terms(
    words={
        "white": "white",
        "black": "black",
        "draw": "draw",
        "white wins": "white",
        "black wins": "black",
        "white is winning": "white",
        "black is winning": "black",
        "white win": "white",
        "black win": "black",
        "drawn": "draw",
        "a draw": "draw",
        "it's a draw": "draw",
        "stalemate": "draw",
        "tie": "draw",
        "1-0": "white",
        "0-1": "black",
        "1/2-1/2": "draw",
        "0.5-0.5": "draw",
        "1/2": "draw",
        "w": "white",
        "b": "black",
    },
    frame=r"(?:(?:the )?(?:winner|result|outcome|game|it|position)(?: is| should be|:|'s)? )?(?:an? "
    r"|the )?%s(?: (?:wins|win|player|side|pieces|1-0|0-1))?",
    labels=r"|(?:the )?winner|winning (?:side|player|colou?r)|game (?:result|outcome)|optimal outcome"
    r"|likely (?:result|outcome|winner)|final (?:result|outcome|evaluation|score)|win",
    masks=re.compile(
        r"(?<!mate with the )(?<!mate by the )\b(?:white|black)(?:-| )(?:square|squared|bishop|pawn"
        r"|piece|rook|knight"
        r"|queen)s?\b(?! (?:delivers|mates|checkmates|gives|wins\b|will win|won\b))"
        r"|\bdraw(?:s|ing)? (?:attention|the (?:king|queen|rook|line)|out|near)"
        r"|\b(?:light|dark)-squared"
        r"|\b(?:white|black) (?:wins|won|is winning|win) (?:back )?(?:the |a |an )?(?:exchange|pawn|piece"
        r"|queen|rook|bishop|knight|tempo|material)s?\b(?! and)"
    ),
    terms=_terms(),
)
