r"""Bring a reply to plain text: one alphabet of dashes, quotes and digits, no markup, no LaTeX.

Replies are untrusted. Every step is linear in the length of the reply, which is cut to its first and
last ``CLIP`` characters before anything else: what a reply finally states stands at one of its ends.
Text inside a ``<think>`` block is not part of the reply, nor what stands before it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CLIP = 100_000
"""Characters kept at each end of a longer reply (our choice: three times the longest reply seen, 30k)."""

_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–−﹣－", "-"),
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", "\n"),
        **dict.fromkeys(
            "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\0", None
        ),
        "—": " - ",
        "→": " -> ",
        "⁄": "/",
        "\t": " ",
    }
)
# A run of combining marks is sorted in quadratic time by Unicode normalisation, so long words go in pieces.
_WORD = re.compile(r"\S{1,256}")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_THOUGHT = re.compile(r"<think(?:ing)?>", re.I)
_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|p|br|span|div|code|pre|h[1-6]|li|ul|ol|sup|sub|mark)\b[^<>\n]{0,80}>", re.I
)
_LATEX_FONT = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:rm|bf|it|sf|tt|bb)|operatorname|emph|bf|rm|displaystyle"
    r"|large)"
    r"(?![A-Za-z])\*? ?"
)
_LATEX_DELIMITER = re.compile(r"\\[()\[\]]|\\(?:left|right)(?=[()\[\]{}|.\\])|\$+")
_LATEX_SPACE = re.compile(r"\\(?:[,;:! \\]|quad\b|qquad\b)")
_LATEX_ESCAPE = re.compile(r"\\([_%#&{}])")
_STARS = re.compile(r"\*+")
_LINE_MARK = re.compile(r"^[ ]*(?:#{1,6}[ ]+|>[ ]?|[-•·+*][ ]+|~~+|__+)+", re.M)
_ABBREVIATION = re.compile(r"\b(i\.e|e\.g|vs|approx|cf|resp)\.(?=[^\S\n])", re.I)  # no end of a sentence
_TICKED = re.compile(r"^([^\n]{1,60}?)[ :=-]*[✓✔✅☑][\ufe0f ]*$", re.M)
_CROSSED = re.compile(r"^([^\n]{1,60}?)[ :=-]*[✗✘❌✖][\ufe0f ]*$", re.M)
_SPACES = re.compile(r"[^\S\n]+")
_ARTICLE = re.compile(r"^(?:(?:the|an?)\s+)+(?=\S)")
_EDGE = " \t\n\"'<>()[]{}.,;:!?*_~"


def _without_emphasis(match: re.Match[str]) -> str:
    """A star between digits is a product; every other one is emphasis."""
    before, after = (
        match.string[match.start() - 1 : match.start()],
        match.string[match.end() : match.end() + 1],
    )
    return match.group() if before.isdigit() and after.isdigit() else ""


def _clip(text: str) -> str:
    return text if len(text) <= 2 * CLIP else f"{text[:CLIP]}\n{text[-CLIP:]}"


def _unicode(text: str) -> str:
    text = text.translate(_CHARACTERS)
    if text.isascii():
        return text
    text = _WORD.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
    text = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match.group())), text)
    return text.translate(_CHARACTERS)


def fold(reply: str) -> str:
    """Plain text of a reply, with its line breaks and its capitals.

    Args:
        reply: as the model wrote it, of any length.

    Returns:
        The text without markup; ``\\boxed{...}`` is kept for the reader. Empty if the reply ends inside a
        ``<think>`` block: the model never began to answer.
    """
    end = max(reply.rfind("</think>"), reply.rfind("</thinking>"))
    if end >= 0:
        reply = reply[reply.index(">", end) + 1 :]
    if thought := _THOUGHT.search(reply):
        reply = reply[: thought.start()]  # it never began to answer, or began to think again
    text = _clip(_unicode(_clip(reply)))  # twice, as some characters unfold into eighteen
    if "<" in text:
        text = _TAG.sub("", text)
    if "\\" in text or "$" in text:
        text = _LATEX_FONT.sub("", text)
        text = _LATEX_DELIMITER.sub("", text)
        text = _LATEX_SPACE.sub(" ", text)
        text = _LATEX_ESCAPE.sub(r"\1", text)
    text = _LINE_MARK.sub("", _ABBREVIATION.sub(r"\1", text))
    text = _STARS.sub(_without_emphasis, text).replace("__", "")
    if not text.isascii():  # a list of what holds and what does not
        text = _CROSSED.sub(r"not \1", _TICKED.sub(r"\1", text))
    return _SPACES.sub(" ", text)


def key(text: str) -> str:
    """What two spellings of an answer share: case, punctuation at the ends, articles and spacing are gone."""
    plain = " ".join(text.casefold().split()).strip(_EDGE)
    return _ARTICLE.sub("", plain)


@lru_cache(maxsize=4096)
def option_key(option: str) -> str:
    """:func:`key` of an option as it was shown; an option that is all punctuation keeps it."""
    return key(fold(option)) or option.strip().casefold()
