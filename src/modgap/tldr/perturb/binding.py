"""Attribute binding: two objects change what they are like, so that every word still fits something near.

    a red circle and a blue square → a blue circle and a red square

Nothing is added or left out, and both words were in the caption before.
"""

from __future__ import annotations

from modgap.scenes import Caption, Fact, Scene, Span
from modgap.scenes._draws import Draws
from modgap.scenes._edits import change_objects
from modgap.scenes._facts import FactKind
from modgap.tldr._edit import Edit, subject_of, with_article

KINDS: frozenset[FactKind] = frozenset({"color", "size", "fill"})

_FARTHEST = 160
"""Most characters between the two words (our choice: two or three sentences)."""


def edit(caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
    """Swap the colors, sizes or fills of two objects of different shape."""
    spans = [span for span in caption.spans if span.fact.kind in KINDS]
    pairs = [(a, b) for i, a in enumerate(spans) for b in spans[i + 1 :] if _fit(a, b, scene)]
    if not pairs:
        return None
    a, b = draws.pick(pairs)
    pieces = (
        *with_article(caption.text, a.start, a.end, b.fact.value),
        *with_article(caption.text, b.start, b.end, a.fact.value),
    )
    kind = a.fact.kind
    return Edit(pieces, (Fact(kind, b.fact.value, a.fact.subject), Fact(kind, a.fact.value, b.fact.subject)))


def twin(scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
    """The two objects have changed values."""
    return change_objects(scene, {subject_of(fact): {fact.kind: fact.value} for fact in edit.facts})


def _fit(a: Span, b: Span, scene: Scene) -> bool:
    """Whether two words can be swapped."""
    if a.fact.subject is None or b.fact.subject is None or b.start - a.end > _FARTHEST:
        return False
    unlike = scene.objects[a.fact.subject].shape != scene.objects[b.fact.subject].shape
    return a.fact.kind == b.fact.kind and a.fact.value != b.fact.value and unlike
