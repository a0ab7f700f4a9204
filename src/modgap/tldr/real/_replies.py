"""What a language model wrote back, read with suspicion: an edit with its spans, a verdict, or neither.

An edit is taken from its structure: the words that are replaced must stand in the caption, at one place, and
what was changed within them follows from comparing just those words. A reply that is a whole edited caption
instead, as the paper has it, is compared as a whole; that is the fallback. Words that only agree with a
change weigh nothing.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from modgap.tldr._diff import WORD, diff_spans
from modgap.tldr._example import AGREEMENT, MAX_RESPONSE, TypedSpan
from modgap.tldr._word_kinds import kind_of

MIN_MATCH = 1
"""Fewest unchanged words between two changes of compared captions. On edits of scenes, whose spans are known,
1 to 3 find the same words, and 8 also takes those between them: ``tests/tldr/real/test_replies.py``."""
MOST_CHANGED = 10
"""Most words that an edit may change, on either side (our choice: an exchange of two noun phrases)."""
_MOST_REPLY = 20_000
_AGREES = frozenset(
    {"a", "an", "is", "are", "was", "were", "has", "have", "do", "does", "it", "they", "its", "their", "this"}
    | {"these", "that", "those"}
)
_OWN = frozenset({"counting", "text", "counterfactual"})  # kinds that a word shows by itself


@dataclass(frozen=True)
class Edited:
    """An edited caption.

    Args:
        text: of it.
        spans: what is wrong in it.
        structured: whether the spans are from the reply's structure, not from comparing whole texts.
    """

    text: str
    spans: tuple[TypedSpan, ...]
    structured: bool


def read_edit(reply: str, caption: str, type_: str) -> Edited | str:
    """The edit in a reply, or why there is none, in a few words.

    Args:
        reply: untrusted.
        caption: that was to be edited.
        type_: of the edit.
    """
    if len(reply) > _MOST_REPLY + len(caption):
        return "too long"
    found = read_object(reply)
    if found is None:
        text, start, old, new = _unquoted(reply), 0, caption, _unquoted(reply)
        if "{" in reply or "\n" in text:
            return "unreadable"
    elif found.get("none") is True:
        return "does not apply"
    else:
        before, old, new = (found.get(key, "") for key in ("before", "old", "new"))
        if not isinstance(old, str) or not isinstance(new, str) or not isinstance(before, str) or not old:
            return "unreadable"
        place = _place(caption, before, old)
        if isinstance(place, str):
            return place
        start, text = place, caption[:place] + new + caption[place + len(old) :]
    if text == caption or not text.strip():
        return "no change"
    if len(text) > MAX_RESPONSE or _is_odd(new, old):
        return "unreadable"
    if max(len(WORD.findall(text)), len(WORD.findall(caption))) > 3000:
        return "too long"
    spans = tuple(_agreeing(span, new, start) for span in diff_spans(new, old, type_, min_match=MIN_MATCH))
    changed = [span for span in spans if span.weight > 0]
    words = max(
        sum(len(WORD.findall(text[span.start : span.end])) for span in changed),
        sum(len(WORD.findall(span.truth)) for span in changed),
    )
    if not changed:
        return "no change"
    if words > MOST_CHANGED:
        return "too much changed"
    if not _is_of_type(type_, text, changed):
        return "another type"
    return Edited(text, spans, found is not None)


def read_object(reply: str) -> dict[str, Any] | None:
    """The JSON object in a reply, fenced or not; ``None`` if there is none, or something else around it."""
    text = re.sub(r"^```\w*\s*|\s*```$", "", reply.strip())
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_verdict(reply: str, keys: tuple[str, ...]) -> str:
    """Empty if all keys are true, else the first that is not, or ``unreadable``."""
    found = read_object(reply)
    if found is None or not all(isinstance(found.get(key), bool) for key in keys):
        return "unreadable"
    return next((f"judged not {key}" for key in keys if not found[key]), "")


def read_text(reply: str, key: str, most: int) -> str:
    """A text of a reply; empty if there is none, or it has more than ``most`` characters or markup."""
    found = read_object(reply)
    text = found.get(key) if found else None
    if not isinstance(text, str) or not 0 < len(text.strip()) <= most or _is_odd(text, ""):
        return ""
    return text.strip()


def _place(caption: str, before: str, old: str) -> int | str:
    if caption.count(old) == 1:
        return caption.index(old)
    for context in (before, before.rstrip() + " "):
        if before and caption.count(context + old) == 1:
            return caption.index(context + old) + len(context)
    return "not in the caption" if old not in caption else "place not clear"


def _agreeing(span: TypedSpan, new: str, start: int) -> TypedSpan:
    said, was = (WORD.findall(text.lower()) for text in (new[span.start : span.end], span.truth))
    moved = TypedSpan(start + span.start, start + span.end, span.type, span.weight, span.truth)
    if said and was and _AGREES.issuperset(said) and _AGREES.issuperset(was):
        return TypedSpan(moved.start, moved.end, AGREEMENT, 0.0, moved.truth)
    return moved


def _is_of_type(type_: str, text: str, changed: list[TypedSpan]) -> bool:
    """Whether the words look like the type, as far as words alone tell."""
    kinds = {kind_of(text, span.start, span.end) for span in changed}
    was = {kind_of(span.truth, 0, len(span.truth)) for span in changed}
    if type_ == "counting":
        return "counting" in kinds and "counting" in was
    if type_ == "counterfactual":
        return "counterfactual" in kinds and "counterfactual" not in was
    if type_ == "text":
        return kinds == {"text"}
    return not kinds & _OWN


def _unquoted(reply: str) -> str:
    text = reply.strip()
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return read if isinstance(read, str) else text


def _is_odd(new: str, old: str) -> bool:
    """Control characters, or markup, that were not there before."""
    return any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") and c not in old for c in new) or (
        "<" in new and "<" not in old
    )
