"""Object identification: one object becomes another thing, mostly one that looks much like it.

    a small solid red star → a small solid red cross

Only the noun of one object changes, never what else is said of it. Small things in the background are left to
the type ``small``.
"""

from __future__ import annotations

from modgap.scenes import SHAPES, Caption, Fact, Scene
from modgap.scenes._draws import Draws
from modgap.scenes._edits import change_object
from modgap.scenes._facts import FactKind
from modgap.tldr._edit import Edit, subject_of, with_article

KINDS: frozenset[FactKind] = frozenset({"shape"})

NEAR: dict[str, tuple[str, ...]] = {
    "circle": ("square", "diamond"),
    "square": ("diamond", "circle"),
    "triangle": ("diamond", "star"),
    "diamond": ("square", "triangle"),
    "star": ("cross", "triangle"),
    "cross": ("star", "square"),
}
"""Shape → those it is most easily taken for (our choice)."""

_NEAR_OF_TEN = 7


def edit(caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
    """Another noun for one object; seven times in ten a near one."""
    spans = [span for span in caption.spans if span.fact.kind == "shape"]
    if not spans:
        return None
    span = draws.pick(spans)
    shape = span.fact.value
    near = draws.below(10) < _NEAR_OF_TEN
    value = draws.pick(NEAR[shape] if near else [other for other in SHAPES if other != shape])
    return Edit(
        with_article(caption.text, span.start, span.end, value), (Fact("shape", value, span.fact.subject),)
    )


def twin(scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
    """The object has the other shape."""
    (fact,) = edit.facts
    return change_object(scene, subject_of(fact), shape=fact.value)
