"""The words that answer the yes-or-no tasks on graphs: connectivity and isomorphism."""

from __future__ import annotations

import re

from ._terms import Term, Terms

_p = re.compile


_YES = {
    "yes": "yes",
    "true": "yes",
    "no": "no",
    "false": "no",
    "yep": "yes",
    "nope": "no",
    "correct": "yes",
    "y": "yes",
    "n": "no",
}
_BARE_YES = (
    Term(_p(r"^\W*(?:yes|true)\b(?! (?:or|/|if))"), "yes", negatable=False, rank=2),
    Term(_p(r"^\W*(?:no|false)(?=\s*(?:$|[,.;:!)]|- ))"), "no", negatable=False, rank=2),
    Term(_p(r"\b(?:so|thus|hence|therefore),? (?:the answer is )?(?P<k>yes)\W*$"), "yes", rank=2),
    Term(_p(r"\b(?:so|thus|hence|therefore),? (?:the answer is )?(?P<k>no)\W*$"), "no", rank=2),
    Term(_p(r"\b(?:statement|claim)\b[^.;]{0,60} is (?:true|correct)\b"), "yes", "no", rank=3),
    Term(_p(r"\b(?:statement|claim)\b[^.;]{0,60} is (?:false|wrong|incorrect)\b"), "no", "yes", rank=3),
    Term(_p(r"\b(?:answer|it|this|statement|claim) is (?:yes|true)\b"), "yes", negatable=False),
    Term(_p(r"\b(?:answer|it|this|statement|claim) is (?:no|false)\b"), "no", negatable=False),
    Term(
        _p(r"^(?:is_?)?(?:connected|isomorphic)['\"]? ?[:=] ?['\"]?(?:yes|true)\b"),
        "yes",
        negatable=False,
        rank=3,
    ),
    Term(
        _p(r"^(?:is_?)?(?:connected|isomorphic)['\"]? ?[:=] ?['\"]?(?:no|false)\b"),
        "no",
        negatable=False,
        rank=3,
    ),
)
_PATH = r"(?:path|route|walk|sequence of edges|chain of edges|way to (?:get|reach|travel|go))s?"

CONNECTIVITY = Terms(
    words={
        **_YES,
        "connected": "yes",
        "not connected": "no",
        "disconnected": "no",
        "unconnected": "no",
        "reachable": "yes",
        "unreachable": "no",
        "not reachable": "no",
        "no path": "no",
        "no path exists": "no",
        "path exists": "yes",
    },
    frame=r"(?:(?:they|it|the (?:two )?(?:query )?(?:nodes|vertices)|nodes|the \w+ nodes"
    r"|nodes? \w+ and (?:node )?\w+|the pair)(?: are| is|'re)? )?%s(?: \(?(?:true|false|yes|no)\)?)?",
    labels=r"|connect(?:ed|ivity)|is_?connected|reachab(?:le|ility)|path(?:_?exists)?",
    masks=_p(
        r"(?<!same )(?<!different )(?<!separate )(?<!distinct )(?<!disjoint )\b(?:strongly "
        r"|weakly )?connected (?:component|subgraph|to (?:no|any)\b|graph|part|piece|cluster"
        r"|group|via edges|directly)s?"
        r"|\b(?:graph|network|subgraph|component|it) (?:is|as a whole is|itself is) (?:therefore |thus "
        r"|also |not |fully |strongly |weakly )?(?:dis)?connected"
        r"|\b(?:node|vertex) \w+ (?:is|was) (?:also |only )?connected to(?: (?:nodes )?\d|\W*$)"
        r"|\bdirectly connected(?= to|:)(?! to each other)|\bdirect(?:ly)? (?:path|connection|edge)"
        r"|\bno (?:direct|other|shorter|second) (?:\w+ )?(?:path"
        r"|connection|edge)"
        r"|\b(?:all|every|of) (?:the )?(?:nodes? )?reachable (?:nodes?|vertices)|\b(?:nodes?|vertices"
        r"|set) reachable from\b"
        r"|\bcan (?:only )?reach only\b|\bcan only reach\b"
        r"|\b(?:not|isn't|aren't) directly \w+|\bedges? (?:is|are) connected"
    ),
    terms=(
        *_BARE_YES,
        Term(
            _p(
                r"\b(?:are|be|remain|were|they're|nodes|vertices|aren't|both|each other,? ?(?:are"
                r"|is)?) (?:(?:indeed|therefore|thus|hence|also|clearly|not|actually|in fact|all|both"
                r"|directly"
                r"|definitely|still|mutually|indirectly|certainly|never|completely|ultimately"
                r"|considered) ){0,3}(?P<k>(?:inter)?connected|linked|joined)\b"
            ),
            "yes",
            "no",
            rank=2,
        ),
        Term(
            _p(
                r"\b(?:are|be|remain|is|were|they're) (?:(?:indeed|therefore|thus|hence|also|clearly"
                r"|actually|completely|considered) ){0,2}(?P<k>disconnected|unconnected|not-connected)\b"
            ),
            "no",
            "yes",
            rank=2,
        ),
        Term(
            _p(
                r"\b(?:node|vertex|circle)s? \w+ (?:\([^()]{0,30}\) )?(?:is|are) (?:(?:indeed|therefore"
                r"|thus|hence|also|not|in fact|never"
                r"|clearly) ){0,2}(?P<k>connected) to (?:the )?(?:\w+ )?(?:node|vertex|circle) \w+(?! and"
                r"|,| \()"
            ),
            "yes",
            "no",
            rank=1,
        ),
        Term(
            _p(
                rf"\b(?:there (?:is|exists?|are|was|must be|does exist|has to be)|there's|exists?|found"
                rf"|find|have|has|contains?|via|we get|gives?|forms?|is) (?:(?:at least one|exactly"
                rf"|only|some|another|always|clearly"
                rf"|therefore|thus|indeed|one|an?|the|several|multiple|valid|such|direct|any|also|in fact"
                rf"|following|simple|possible) ){{0,4}}{_PATH}\b(?! length)"
            ),
            "yes",
            "no",
            rank=1,
        ),
        Term(
            _p(
                rf"\b(?:no|without (?:a|any)|isn't (?:a|any)|is not (?:a|any)|not (?:a|any)"
                rf"|doesn't exist (?:a|any)|not exist (?:a|any)|(?:cannot|can't|couldn't|could not"
                rf"|don't|do not|didn't|did not|fail to) (?:see|find|identify|locate|detect)"
                rf" (?:a|any)|lack of (?:a"
                rf"|any)) (?:(?:such|possible|valid|available|connecting|undirected|directed|indirect"
                rf"|direct or indirect|sequence of|alternative|continuous) ){{0,3}}{_PATH}\b"
            ),
            "no",
            negatable=False,
            rank=2,
        ),
        Term(
            _p(
                rf"\b{_PATH} (?:\w+ ){{0,8}}?(?:exists?\b|is possible|can be found|was found|is available"
                rf"|is present)"
            ),
            "yes",
            "no",
            rank=1,
        ),
        Term(
            _p(
                rf"\b{_PATH} (?:\w+ ){{0,8}}?(?:does not exist|doesn't exist|do not exist|is not possible"
                rf"|cannot exist|cannot be found|is impossible)"
            ),
            "no",
            negatable=False,
            rank=2,
        ),
        Term(
            _p(
                r"\b(?:can|able to)(?: \w+){0,3} (?:reach|get to|get from|go from|travel from"
                r"|travel to|be reached|traverse)\b"
            ),
            "yes",
            "no",
            clear=False,
        ),
        Term(
            _p(
                r"\b(?:cannot|can't|can not|unable to|not able to|impossible to|not possible to|no way to"
                r"|never)(?: \w+){0,3} (?:reach|get to|get from|go from|travel from|travel to|be reached)\b"
            ),
            "no",
            negatable=False,
            clear=False,
            rank=2,
        ),
        Term(
            _p(r"\bpath\b(?: \w+){0,3}(?: is|:) ?(?:node )?\d+ ?(?:->|-|,|to) ?(?:node )?\d"),
            "yes",
            clear=False,
        ),
        Term(_p(r"\bpath(?: found)?: ?(?:none|no|n/a)\b"), "no", clear=False),
        Term(
            _p(r"\bconnects? (?:the (?:two )?(?:\w+ )?nodes|them|nodes? \w+ (?:and|to|with)|both)\b"),
            "yes",
            "no",
            clear=False,
        ),
        Term(_p(r"^\W*(?:so|yes|thus|hence|therefore),? they are\W*$"), "yes", clear=False, rank=0),
        Term(_p(r"\b(?:they|nodes) (?:are not|aren't)\W*$"), "no", negatable=False, clear=False),
        Term(
            _p(
                r"\b(?:no|lacks?(?: any| a)?|(?:can't|cannot|couldn't|don't|didn't|did not) (?:see"
                r"|find|identify) any)"
                r" (?:\w+ )?(?:connections?|link)\b(?! to)"
            ),
            "no",
            negatable=False,
            clear=False,
        ),
        Term(_p(r"\breachable\b"), "yes", "no", clear=False),
        Term(_p(r"\bunreachable\b"), "no", "yes", clear=False),
        Term(
            _p(
                r"\b(?:in|within|to|of|part of|share) (?:the |a )?same (?:strongly "
                r"|weakly )?(?:connected )?(?:component|subgraph|cluster|group)"
            ),
            "yes",
            "no",
            clear=False,
        ),
        Term(
            _p(
                r"\b(?:in|within|to) (?:two |completely )?(?:different|separate|distinct"
                r"|disjoint) (?:strongly |weakly )?(?:connected )?(?:component|subgraph|cluster|group|part)"
            ),
            "no",
            "yes",
            clear=False,
        ),
        Term(_p(r"\b(?:dis|un)connected\b"), "no", "yes", clear=False),
        Term(_p(r"\bconnected\b(?! component)"), "yes", "no", clear=False),
        Term(_p(r"\bisolated\b"), "no", None, clear=False, rank=0),
    ),
)

CONNECTED_TO = re.compile(
    r"\W*(?:the )?(?:node|vertex) \w+ is connected to (?:the )?(?:node|vertex) \w+\W*", re.I
)

ISOMORPHISM = Terms(
    words={
        **_YES,
        "isomorphic": "yes",
        "not isomorphic": "no",
        "non-isomorphic": "no",
        "nonisomorphic": "no",
        "non isomorphic": "no",
    },
    frame=r"(?:(?:they|it|(?:these|both|the) (?:two )?graphs(?: g and h)?|the (?:two )?graphs|graphs"
    r"|graphs? \w+ and (?:graph )?\w+|\w+ and \w+)(?: are| is|'re)? )?%s(?: graphs?)?",
    labels=r"|(?:is_?)?isomorphi(?:c|sm)(?: status| check)?|are_?isomorphic",
    masks=_p(
        r"\bisomorphic (?:graphs? (?:must|have|should|need|share|always|also)|subgraph|images?|copies"
        r"|copy|components?|structure|mapping|invariant)"
        r"|\b(?:components?|subgraphs?|cycles?|triangles?|trees?|paths?|pieces?"
        r"|parts?) (?:\w+ ){0,4}?(?:is|are|being) (?:(?:also|both|not|clearly"
        r"|indeed) ){0,2}(?:non-?)?isomorphic\b(?! graphs)"
        r"|\b(?:non-?)?isomorphic to (?:an? |the )?(?:path|cycle|triangle|tree|star|complete|k_?\d|p_?\d"
        r"|c_?\d|component)"
        r"|\bisomorphism (?:preserve|must|requires?|invariant|check|test|class|would|means|is (?:a"
        r"|an) (?:bijection|mapping|one))\w*"
        r"|\bnot necessarily isomorphic|\b(?:necessary|sufficient)(?: \w+){0,3} isomorph\w+"
        r"|\bpossibly isomorphic"
        r"|\bconsistent with (?:\w+ ){0,2}isomorph\w+|\b(?:suggests?"
        r"|hints?)(?: \w+){0,3} could"
    ),
    terms=(
        *_BARE_YES,
        Term(
            _p(
                r"\b(?:are|is|be|been|as|aren't|isn't|they're|graphs|h) (?:(?:indeed|therefore|thus|hence"
                r"|also|clearly|actually|in fact|definitely|likely|most likely|probably|structurally|truly"
                r"|all|both|not|never|certainly|considered|found to be|said to be|said to|proven|shown to be"
                r"|confirmed to be|necessarily) ){0,3}(?P<k>isomorphic)\b"
            ),
            "yes",
            "no",
            rank=2,
        ),
        Term(_p(r"\bnon[ -]?isomorphic\b"), "no", "yes", rank=2, negatable=False),
        Term(
            _p(
                r"\bconfirm(?:s|ing|ed)? (?:the |their )?isomorphism\b|\bestablish(?:es|ing)? (?:the "
                r"|their |an )?isomorphism\b"
            ),
            "yes",
            "no",
            clear=False,
        ),
        Term(
            _p(r"\b(?:confirm(?:s|ing|ed)?|prov(?:es|ing|ed)) (?:the |their )?non-?isomorphism\b"),
            "no",
            negatable=False,
            rank=2,
        ),
        Term(
            _p(
                r"\b(?:there (?:is|exists?)|exists?|have|has|found|defines?|is|gives?|provides?) (?:(?:a"
                r"|an|the|such|valid|required|explicit|indeed|one|following) ){0,3}(?:isomorphism"
                r"|adjacency-preserving bijection|bijection|mapping)\b"
            ),
            "yes",
            "no",
            clear=False,
        ),
        Term(
            _p(
                r"\b(?:no|cannot be an?|can be no|isn't an?|is not an?|not an?"
                r"|impossible to find an?) (?:(?:such|valid|possible|graph|adjacency-preserving"
                r"|edge-preserving|one-to-one|structure-preserving) ){0,3}(?:isomorphism|bijection|mapping"
                r"|permutation|relabell?ing|correspondence)\b"
            ),
            "no",
            negatable=False,
            clear=False,
            rank=2,
        ),
        Term(_p(r"\b(?:isomorphism|bijection|mapping) is \W{0,2}\w+ ?(?:->|=|:)"), "yes", clear=False),
        Term(_p(r"\b(?:isomorphism|bijection|mapping) is (?:impossible|not possible)\b"), "no", clear=False),
        Term(
            _p(r"\b(?:isomorphism|bijection|valid mapping) (?:\w+ ){0,4}?exists?\b"), "yes", "no", clear=False
        ),
        Term(
            _p(
                r"\b(?:isomorphism|bijection|mapping) (?:\w+ ){0,4}?(?:(?:doesn't|does not|cannot"
                r"|can't) exist)"
            ),
            "no",
            negatable=False,
            clear=False,
            rank=2,
        ),
        Term(_p(r"≅|\\cong\b|\\simeq\b"), "yes", "no", clear=False),
        Term(_p(r"≇|\\ncong\b|\\not ?\\cong\b|≇"), "no", negatable=False, clear=False, rank=2),
        Term(
            _p(
                r"\b(?:the|represent|have|share|is) (?:exactly "
                r"|essentially )?(?:the )?same (?:(?:\w+ )?(?:structure|graph)\b"
                r"|up to (?:re(?:labell?|number)ing|isomorphism))"
                r"|\bstructurally (?:identical|equivalent|the same)\b|\b(?:graphs|they"
                r"|two) are (?:\w+ )?(?P<k>equivalent|identical(?! in (?!structure)))\b"
            ),
            "yes",
            "no",
            clear=False,
        ),
        Term(
            _p(r"\b(?:do not|don't|does not|doesn't) match(?: structurally)?\W*$"),
            "no",
            clear=False,
            negatable=False,
        ),
        Term(
            _p(
                r"\b(?:(?:impossible|not possible|no way) to|cannot|can't) (?:map|relabel|match"
                r"|transform|convert)\b"
            ),
            "no",
            clear=False,
            negatable=False,
        ),
        Term(_p(r"\b(?:they|graphs) (?:are not|aren't)\W*$"), "no", clear=False, negatable=False),
        Term(
            _p(r"\bstructurally (?:different|distinct)|\bdifferent (?:underlying )?structures?\b"),
            "no",
            clear=False,
        ),
        Term(_p(r"\bisomorphic\b"), "yes", "no", clear=False),
        Term(_p(r"\b(?:ruling|rules?) out (?:an? |any )?isomorphism"), "no", negatable=False, clear=False),
    ),
)
