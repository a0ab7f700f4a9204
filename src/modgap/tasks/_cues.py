"""Words by which a sentence of a reply is known: it concludes, supposes, asks back, concedes or turns."""

from __future__ import annotations

import re

from ._statements import SENTENCE_END

LABEL = (
    r"(?:in )?conclusions?|completed (?:sentence|text|statement)|(?:the )?(?:final |overall |correct "
    r"|expected |most likely )?"
    r"(?:result|verdict|outcome|decision|classification|determination|prediction|assessment|evaluation"
    r"|judge?ment)"
    r"|winner|bottom line|short(?:er)? (?:answer|version)|in short|in summary|summary|tl;?dr|final|choice"
    r"|best guess|my guess|overall"
)
CLAUSE_END = re.compile(SENTENCE_END.pattern + r"|;\s+")
OPENER = re.compile(
    r"\s*(?:sure|certainly|of course|absolutely|okay|ok|alright|great question)[!,.]\s+"
    r"|\s*(?:(?:here(?:'s| is)|let(?:'s| me| us)|(?:i|we)(?:'ll| will| need to))\b"
    r"|looking at [^\n]{1,60}?,? (?:i'll|let's"
    r"|let me|we'll)\b)[^\n:]{0,120}"
    r"(?::|\b(?:step by step|analy\w+|carefully|systematically|closely|in detail)\.)[ ]*\n\s*(?=\S)",
    re.I,
)
CLOSER = re.compile(
    r"\W{0,4}(?:i hope (?:this|that)|hope (?:this|that)|(?:please )?let me know|feel free|(?:would"
    r"|do) you (?:like|want)"
    r"|if you(?:'d like| have| need| want| would like)|is there anything|(?:please )?note\b"
    r"|disclaimer|confidence\b)",
    re.I,
)
SUPERSEDED = re.compile(
    r"^\W{0,4}(?:at first\b|initially\b|i (?:(?:first|initially|originally) )+|i (?:thought"
    r"|assumed)\b)[^.;\n]{0,200}\b(?:but|however"
    r"|yet)\b",
    re.I,
)
CONCEDES = re.compile(r"^\W{0,4}(?:although|though|even though|while|whereas|despite|in spite of)\b", re.I)
MAIN = re.compile(r"^[^,]{0,300}(?:,|$)\s*")
HEADING = re.compile(
    r"^\W{0,4}(?:\d{1,2}[.)] )?(?:even|odd|neither|convex|concave)(?: functions?"
    r"| symmetry)?\W{0,2}:(?! ?\W{0,2}(?:yes|no|not"
    r"|true|false|satisf)\w*\b)(?= ?\S)",
    re.I,
)
ITEM = re.compile(r"\W*\d{1,2}[.)]")
ECHO = re.compile(r"^\W{0,4}(?:options|choices|question|query) ?:(?:(?!\banswer\b).)*", re.I | re.M)
ANSWERED = re.compile(
    r"\b(?P<verb>is|are) (?P<subject>it|f|f\(x\)|the \w+|they|there|these (?:two )?graphs"
    r"|the two graphs|g and h)"
    r" (?P<rest>[^?\n]{2,60})\?[^\w\n]{0,6}(?P<answer>yes|no)\b[,.]?",
    re.I,
)
PIVOT = re.compile(
    r"\b(?:wait|hold on|actually|correction|scratch that|on second thought|let me (?:correct|revise)"
    r"|i made a mistake"
    r"|i was wrong|sorry)\b",
    re.I,
)
CONCLUDES = re.compile(
    r"^\W{0,4}(?:therefore|thus|hence|so|consequently|accordingly|in conclusion|to conclude|in summary"
    r"|overall"
    r"|in short|ultimately|finally|as a result|this (?:means|shows|implies|proves|confirms|indicates"
    r"|suggests)"
    r"|we (?:can )?(?:conclude|see|find)|it follows|which means|based on|given th|since|because|from th)\b"
    r"|\b(?:therefore|thus|hence|consequently|we (?:can )?conclude|so)\b",
    re.I,
)
SUPPOSES = re.compile(
    r"^\W{0,4}(?:(?:task|problem|possible answers|answer format|instructions?) ?:"
    r"|(?:even|odd|neither|convex|concave) ?: (?:f\b|if|neither|when|the)|(?:\w+[.)] )?(?:if"
    r"|otherwise|when|whenever|suppose|supposing|unless|in case|once|had|were)\b(?! we )"
    r"|assum(?:e|ing)\b(?! (?:best|optimal|perfect|correct|accurate|normal|standard|reasonable|competent))"
    r"|(?:an?|any|every|each|all) (?:even|odd|convex|concave|function|graph|curve|draw(?!,| by| due"
    r"| because| since|\W*$| is (?:the"
    r"|most|likely))|breakpoint)\w*\b"
    r"|(?:provide|state|show|give|identify|compute|explain|analy[sz]e|conclude with|present"
    r"|determine|decide|find|count|choose|select)\b(?! that)"
    r"|(?:at first (?:glance|sight)|initially|i (?:(?:first|initially|originally|had|also) )*(?:thought"
    r"|assumed|was going)|one might (?:think|say|expect)|it (?:may|might|could) (?:seem|look|appear))\b"
    r"(?![^.;\n]{0,200}\b(?:but|however|yet)\b)"
    r"|to be (?:an? )?(?:isomorphic|connected|even|odd|convex|concave)\b"
    r"|an? (?:elementary substance|compound|element|solid|liquid|gas"
    r"|(?:\w+ )?replacement reaction) (?:is|has|contains"
    r"|consists|keeps|takes)\b"
    r"|i (?:also |first |initially )?considered\b|(?:recall|remember|by definition,? an?"
    r"|definitions?)\b|(?:to|let's|let us|we need to|we must|i need to"
    r"|i will|i'll"
    r"|we will|we'll|i can(?! see)|i'd|your task|the task|the goal|the question) "
    r"(?:is to |can )?(?:determine|check|decide|see|test|analy[sz]e|figure|verify|find|identify|evaluate"
    r"|compare|asks)\w*\b)",
    re.I,
)
ASKS = re.compile(
    r"\bi(?:'d| would| will|'ll|'m missing| am missing)? (?:need|require|want|like)(?:s"
    r"|ed)?\b(?: \w+){0,6}? (?:more|clarif\w+|"
    r"confirm\w*|details?|precis\w+|information|exact|clear\w*|crucial|know)\b"
    r"|\b(?:whose|which side's|who's) (?:turn|move)\b|\bwho is to move\b|\bwhich side (?:is )?to move\b"
    r"|\b(?:please|could you|can you|kindly)(?: please)? (?:\w+ ){0,2}?(?:confirm|tell|share|provide"
    r"|paste|post|upload"
    r"|send|specify|clarify|describe|list|indicate|give|attach|re-?upload)\b"
    r"|\bif you (?:can |could )?(?:provide|share|confirm|tell|give|paste|specify)\b"
    r"|\bonce (?:you|i have|i know)\b"
    r"|\bnot (?:fully|completely|entirely|absolutely|100 ?%) (?:certain|sure|confident|clear)\b"
    r"|\bnot confident\b|\b(?:can't|cannot) be (?:\w+ )?(?:certain|sure|definitive)\b"
    r"|\b(?:which|what) (?:two )?(?:nodes?|vertices|function|graphs?)\b[^.\n]{0,60}\?"
    r"|\bcan(?:not|'t)(?: \w+){0,3} (?:see|view|read|determine|tell|judge|identify|analy[sz]e|solve"
    r"|compute|conclude)\b",
    re.I,
)
