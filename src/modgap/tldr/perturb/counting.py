"""Counting: one more or one less than there are.

    There are two red stars. → There are three red stars.

Never none, which is a negation (``counterfactual``), and never a number on a plate. Verb and noun follow the
number and weigh nothing.
"""

from __future__ import annotations

import re

from modgap.scenes import Caption, Fact, Scene, Span, count_matching
from modgap.scenes._draws import Draws
from modgap.scenes._facts import FactKind
from modgap.scenes._phrases import NUMBERS, plural
from modgap.tldr._edit import Edit, Piece

from ._numbers import one_less, one_more

KINDS: frozenset[FactKind] = frozenset({"count"})

_VERB = re.compile(r"\bthere (is|are) $", re.IGNORECASE)


def edit(caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
    """The next number up or down."""
    counted = [i for i, span in enumerate(caption.spans) if span.fact.kind == "count"]
    if not counted:
        return None
    index = draws.pick(counted)
    span = caption.spans[index]
    n = int(span.fact.value)
    m = n + draws.pick((-1, 1) if n > 1 else (1,))
    if m >= len(NUMBERS):
        return None
    pieces = [Piece(span.start, span.end, NUMBERS[m])]
    if (n == 1) != (m == 1):
        pieces += _agreeing(caption, index, m)
    return Edit(tuple(sorted(pieces)), (Fact("count", str(m), of=span.fact.of),))


def twin(scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
    """One thing more or less answers to the description."""
    (fact,) = edit.facts
    change = one_more if int(fact.value) > count_matching(scene, fact.of) else one_less
    return change(scene, fact.of, draws)


def _agreeing(caption: Caption, index: int, m: int) -> list[Piece]:
    """The verb before a number and the noun after it, where they do not fit ``m`` things."""
    span = caption.spans[index]
    pieces = []
    verb = _VERB.search(caption.text, 0, span.start)
    if verb is not None:
        pieces.append(Piece(*verb.span(1), "is" if m == 1 else "are", 0.0))
    noun = _noun(caption, index)
    one = span.fact.of.split()[-1]
    pieces.append(Piece(noun.start, noun.end, one if m == 1 else plural(one), 0.0))
    return pieces


def _noun(caption: Caption, index: int) -> Span:
    """The last word of the description that is counted."""
    return caption.spans[index + len(caption.spans[index].fact.of.split())]
