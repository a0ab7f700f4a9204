"""Small object: a small thing in the background becomes another.

    In the background are a bird and a sun. → In the background are a bird and a moon.

Only things of the background are touched; large or near objects belong to the other types.
"""

from __future__ import annotations

from modgap.scenes import BACKGROUND_SHAPES, Caption, Fact, Scene
from modgap.scenes._draws import Draws
from modgap.scenes._edits import change_background
from modgap.scenes._facts import FactKind
from modgap.tldr._edit import Edit, with_article

KINDS: frozenset[FactKind] = frozenset({"existence"})


def edit(caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
    """Another kind for one of the small things that the caption names, one that is not in the scene."""
    spans = [
        span
        for span in caption.spans
        if span.fact.kind == "existence" and span.fact.value in BACKGROUND_SHAPES
    ]
    there = {thing.shape for thing in scene.background_objects}
    absent = [shape for shape in BACKGROUND_SHAPES if shape not in there]
    if not spans or not absent:
        return None
    span, value = draws.pick(spans), draws.pick(absent)
    # The second fact tells the twin which thing to turn.
    return Edit(
        with_article(caption.text, span.start, span.end, value),
        (Fact("existence", value), Fact("absence", span.fact.value)),
    )


def twin(scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
    """The small thing is of the other kind."""
    is_there, is_gone = edit.facts
    return change_background(scene, is_gone.value, is_there.value)
