"""Visual attribute: an object gets another color, size or fill; what the object is stays.

a small solid red star → a small solid blue star
"""

from __future__ import annotations

from modgap.scenes import COLORS, FILLS, SIZES, Caption, Fact, Scene
from modgap.scenes._draws import Draws
from modgap.scenes._edits import change_object
from modgap.scenes._facts import FactKind
from modgap.tldr._edit import Edit, subject_of, with_article

_VALUES: dict[FactKind, tuple[str, ...]] = {"color": COLORS, "size": SIZES, "fill": FILLS}
KINDS: frozenset[FactKind] = frozenset(_VALUES)


def edit(caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
    """Another value for one of the adjectives of one object."""
    spans = [span for span in caption.spans if span.fact.kind in KINDS]
    if not spans:
        return None
    span = draws.pick(spans)
    fact = span.fact
    value = draws.pick([other for other in _VALUES[fact.kind] if other != fact.value])
    return Edit(
        with_article(caption.text, span.start, span.end, value),
        (Fact(fact.kind, value, fact.subject),),
    )


def twin(scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
    """The object has the other value."""
    (fact,) = edit.facts
    return change_object(scene, subject_of(fact), **{fact.kind: fact.value})
