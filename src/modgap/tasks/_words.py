"""The words that answer the tasks on functions: parity and convexity."""

from __future__ import annotations

import re

from ._terms import Term, Terms

_p = re.compile


_FILL = (
    r"(?:(?:an?|the|clearly|therefore|thus|hence|indeed|in fact|definitely|certainly|simply|also|both"
    r"|likely|most likely"
    r"|probably|approximately|roughly|strictly|always|everywhere|globally|necessarily|actually|said to be"
    r"|classified as"
    r"|considered|called|best described as|found to be|not|neither|only|just|overall|entirely|completely"
    r"|truly|purely"
    r"|visually|essentially|evidently|obviously|apparently|never|with|of|either) ){0,4}"
)
_IS = (
    r"(?:'s|\b(?:is|are|be|being|has|have|having|shows?|exhibits?|displays?|possess(?:es)?|appears?(?: to be"
    r"| to have)?"
    r"|seems?(?: to be)?|looks?(?: like)?|remains?|becomes?|makes?(?: it| this| f(?:\(x\))?"
    r"| the function)?|as|isn't|aren't"
    r"|considered|classif(?:y|ied)(?: \w+){0,2} as|called|f"
    r"|(?:match|satisf|meet|fit|fulfil)\w{0,3}(?: \w+){0,2} (?:definition|condition|criteri\w+"
    r"|requirement)s? (?:of|for))) "
)

_PARITY_NOUNS = (
    r"power|exponent|degree|term|part|integer|number|multiple|component|numerator|denominator|polynomial"
    r"|coefficient"
    r"|order|index|indices|multiplicit|monomial|count|factor|divided|over|and odd function|and even function"
    r"|function(?= (?:divided|over|is |means|has |satisf|would|requires?|if|when|and|in the|or))"
    r"|symmetry (?:means|requires?|would|if|check|test|condition|is (?:defined|when))"
)
PARITY = Terms(
    words={
        "even": "even",
        "odd": "odd",
        "neither": "neither",
        "neither even nor odd": "neither",
        "neither odd nor even": "neither",
        "neither even or odd": "neither",
        "not even or odd": "neither",
        "not even nor odd": "neither",
        "not odd or even": "neither",
        "not even and not odd": "neither",
        "none": "neither",
        "neither of them": "neither",
        "no symmetry": "neither",
    },
    frame=r"(?:(?:it|this|that|the function|function|f|f\(x\)|the graph|the plot|symmetry|type)(?: is|'s"
    r"| has)? )?(?:an? )?%s"
    r"(?: functions?| symmetr(?:y|ic)| symmetry function)?",
    labels=r"|(?:function )?(?:parity|symmetry|type|symmetry type|function type)",
    masks=_p(
        rf"\b(?:even|odd)(?:-| )(?:and odd |or odd |and even |valued |powered )?(?:{_PARITY_NOUNS})\w*"
        r"|\b(?:even|odd)-(?:power|degree|order|function)\w*"
        r"|\b(?:numerator|denominator)\b[^.;]{0,160}?\b(?:which|it|this) is (?:also )?(?:an )?(?:even"
        r"|odd)\b(?: function)?"
        r"|\b[ndghpqab] (?:is |are )?(?:an )?(?:even|odd)\b(?: function)?"
        r"|\b(?:numerator|denominator|n\(x\)|d\(x\)|g\(x\)|h\(x\)|p\(x\)|q\(x\)|num|den|terms?|powers?"
        r"|exponents?|degrees?"
        r"|polynomial|constant|x\^\{?\d+\}?|product|both|first|second|each|every one|top|bottom)"
        r"(?: \([^()]{0,40}\))?(?: (?:\w+ ){0,2}?(?:is|are|being|has|have|remains?))"
        r"(?: (?:an|also|all|only|purely|thus|therefore|clearly|both)){0,2} (?:even|odd)\b(?: function"
        r"| polynomial)?"
        r"|\beven (?:though|if|when|so|with|under|without|after|before|by|at|in|for|as|around|near|the"
        r"|more|less|just)\b"
        r"|\bodd(?:ly| one| behavio)|\b\w{3,8}th (?:power )?is (?:even|odd)\b"
        r"|\b(?:even|odd)[ /]*[/÷*x×] ?(?:even|odd)\b|\bsum of (?:an? )?(?:even|odd)"
        r"|\b(?:quotient|product|ratio|composition) of (?:an? )?(?:even|odd) function"
        r"|\bof (?:an? )?(?:even|odd) and"
        r"|\bmix(?:ture|ed)?(?: \w+){0,2} (?:even|odd)(?: and| or) (?:even|odd)|\bneither (?:the"
        r"|an?) (?!even|odd)"
        r"|\b(?:even|odd)(?: and|,) (?:even|odd)(?: \w+){0,1} (?:terms|powers|parts|components|functions)"
        r"|\b[ndghpq]\(-?x\) ?= ?-?[ndghpq]\(x\),? (?:so |thus |hence )?(?:it's |it is |which is "
        r"|is )?(?:an? )?(?:even|odd)\b(?: function)?"
        r"|\b(?:almost|nearly|close to(?: being)?|not quite) (?:even|odd)\b"
        r"|\b(?:looks?|seems?|appears?) (?:even|odd) (?:at first|initially)"
        r"|\bnot neither\b|\bneither (?:condition|test|criterion|equality|equation|identity|property"
        r"|definition)\b"
    ),
    terms=(
        Term(_p(rf"{_IS}{_FILL}(?P<k>even)\b"), "even", "!even", negatable=True, rank=2),
        Term(_p(rf"{_IS}{_FILL}(?P<k>odd)\b"), "odd", "!odd", rank=2),
        Term(_p(r"\bneither\b"), "neither", rank=2, negatable=False),
        Term(
            _p(r"\b(?:even|odd) or (?:an )?(?:even|odd)\b|\bboth (?:even and odd|odd and even)\b"), "", rank=3
        ),
        Term(_p(r"\beven\b"), "even", "!even", clear=False),
        Term(_p(r"\bodd\b"), "odd", "!odd", clear=False),
        Term(
            _p(
                r"\bsymmetr(?:y|ic(?:al)?) (?:about|around|across|over|with respect to|w\.r\.t\.?"
                r"|relative to) (?:the )?y[ -]?axis"
            ),
            "even",
            "!even",
            clear=False,
        ),
        Term(
            _p(
                r"\b(?:rotational(?:ly)? |point )?symmetr(?:y|ic(?:al)?) (?:about|around|with respect to"
                r"|through) (?:the )?origin"
            ),
            "odd",
            "!odd",
            clear=False,
        ),
        Term(
            _p(r"\b(?:y[ -]axis|mirror|reflection(?:al)?|reflective) symmetry\b"),
            "even",
            "!even",
            clear=False,
        ),
        Term(_p(r"\b(?:origin|rotational|point) symmetry\b(?! about)"), "odd", "!odd", clear=False),
        Term(_p(r"\bf\(-x\) ?= ?f\(x\)"), "even", clear=False),
        Term(_p(r"\bf\(-x\) ?= ?-f\(x\)"), "odd", clear=False),
        Term(
            _p(
                r"\b(?:no|lacks?(?: any)?|without(?: any)?|doesn't have any"
                r"|does not have any) (?:\w+ ){0,3}symmetr(?:y|ies)\b(?! (?:about|around|with))"
            ),
            "neither",
            clear=False,
            negatable=False,
        ),
    ),
    excluded=(frozenset({"even", "odd"}), "neither"),
)

_SHOWS = (
    r"\b(?:exhibit|show|indicat|confirm|demonstrat|impl|display|mean|prov)\w{0,4} (?:its |the "
    r"|strict |upward )?"
)
_MEETS = (
    r"\b(?:satisf\w+|meets?|fits?|match\w*) the (?:definition|condition|criteri\w+)s? (?:of|for) (?:strict )?"
)
_WHERE_END = r"(?:for|on|when|where|over|in|if)\b"
_WHERE = rf"{_WHERE_END}[^.;]{{0,60}}\b(?:and|but|while|then)(?: it)?(?: is)? "
_UP = r"concave[ -]?(?:up|upward|upwards)\b"
CONVEXITY = Terms(
    words={
        "convex": "convex",
        "concave": "concave",
        "concave up": "convex",
        "concave upward": "convex",
        "concave upwards": "convex",
        "concave down": "concave",
        "concave downward": "concave",
        "concave downwards": "concave",
        "strictly convex": "convex",
        "strictly concave": "concave",
    },
    frame=r"(?:(?:it|this|that|the function|function|f|f\(x\)|the graph|the plot|the curve)(?: is"
    r"|'s)? )?(?:an? )?%s"
    r"(?: functions?| curve| up| down)?(?: (?:on|for|over|in|throughout|everywhere)\b"
    r"(?:(?!\bconvex|\bconcave).){0,60})?",
    labels=r"|convexity|curvature|shape|type|function type|concavity",
    masks=_p(
        r"\b(?:convex|concave) (?:combination|hull|optimi[sz]ation|set|polygon|functions? (?:is|are|has"
        r"|have|if|when|means|would|plus|remains?|satisf))"
        r"|\b(?:sum|sums|positive multiples?|maximum|max|combination"
        r"|composition) of (?:\w+ ){0,2}(?:convex|concave)\w*(?: functions?| terms?| parts?)?"
        r"|\b(?:terms?|pieces?|parts?|components?|\|x\||\|x|abs\(x\)|log\(?x?\)?|exp\w*|x\^\d+|each|first"
        r"|second|both|linear|affine|constant|absolute value)"
        r"(?: \([^()]{0,40}\))?(?: functions?| terms?)? (?:is|are|being) (?:also |both |all |strictly "
        r"|(?:itself|themselves) )?(?:an? )?(?:convex|concave)\b(?! (?:on|for) (?:all|its"
        r"|the) (?:entire )?domain)"
        r"|\bconvex/concave\b|(?:\|[a-z]\||\b[a-z]\^\{?\d+\}?|\be\^\S{1,12}|-f(?:\(x\))?|\blog\(?x\)?)"
        r" (?:itself )?is (?:also |strictly |both )?(?:convex|concave)\b(?! on all)"
        r"|\b(?:preserves?|multiplying a|adding a) (?:convex|concave)\w*"
    ),
    terms=(
        Term(_p(rf"{_IS}{_FILL}(?P<k>convex\b|{_UP})"), "convex", "!convex", rank=2),
        Term(_p(rf"{_IS}{_FILL}(?P<k>concave)\b(?![ -]?up)"), "concave", "!concave", rank=2),
        Term(_p(r"\b(?:curv|open|bend)(?:e?s|ed|ing) up(?:wards?)?\b"), "convex", clear=False),
        Term(_p(r"\b(?:curv|open|bend)(?:e?s|ed|ing) down(?:wards?)?\b"), "concave", clear=False),
        Term(_p(rf"(?:{_SHOWS}|{_MEETS})convexity\b"), "convex", "!convex", clear=False),
        Term(_p(rf"(?:{_SHOWS}|{_MEETS})concavity\b"), "concave", "!concave", clear=False),
        Term(_p(rf"\b(?:convex|{_UP})\b"), "convex", "!convex", clear=False),
        Term(_p(r"\bconcave\b(?![ -]?up)"), "concave", "!concave", clear=False),
        Term(
            _p(r"\b(?:both|neither) (?:convex|concave) (?:and|nor|or) (?:convex|concave)\b"),
            "",
            rank=3,
            negatable=False,
        ),
        Term(_p(r"\b(?:convex|concave) or (?:convex|concave)\b"), "", rank=3),
        Term(_p(rf"\bconvex {_WHERE}concave {_WHERE_END}|\bconcave {_WHERE}convex {_WHERE_END}"), "", rank=3),
    ),
)
