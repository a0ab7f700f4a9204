"""Counterfactual: something is said not to be there that is, or the other way round.

    There is no red star in the picture. ↔ There is one red star in the picture.

Captions that were not edited also say what is not there, so "no" alone gives nothing away; and the edit goes
in both directions.
"""

from __future__ import annotations

import re

from modgap.scenes import Caption, Fact, Scene, Span
from modgap.scenes._draws import Draws
from modgap.scenes._facts import FactKind
from modgap.tldr._edit import Edit, Piece

from ._numbers import one_less, one_more

KINDS: frozenset[FactKind] = frozenset({"absence", "count", "existence"})

# No caption has the other forms of an absence with "one": "The picture has one red star."
_BEFORE = re.compile(r"(?:There is|The picture shows) $")


def edit(caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
    """Deny one thing that is there, or state one that is not."""
    found = [
        (span, end) for i, span in enumerate(caption.spans) if (end := _phrase_end(caption, i)) is not None
    ]
    if not found:
        return None
    span, end = draws.pick(found)
    denied = span.fact.kind == "absence"
    thing = span.fact.value if denied else span.fact.of
    text = f"{'one' if denied else 'no'} {thing}"
    fact = Fact("count", "1", of=thing) if denied else Fact("absence", thing)
    return Edit((Piece(span.start, end, text),), (fact,))


def twin(scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
    """The thing is there, or is not."""
    (fact,) = edit.facts
    if fact.kind == "count":
        return one_more(scene, fact.of, draws)
    return one_less(scene, fact.value, draws)


def _phrase_end(caption: Caption, index: int) -> int | None:
    """Where a phrase such as "no red star" or "one red star" ends; ``None`` if it cannot be turned round."""
    span: Span = caption.spans[index]
    fact = span.fact
    if _BEFORE.search(caption.text, 0, span.start) is None:
        return None
    if fact.kind == "absence":
        return span.end
    if fact.kind == "count" and fact.value == "1" and fact.of != "object":
        return caption.spans[index + len(fact.of.split())].end
    return None
