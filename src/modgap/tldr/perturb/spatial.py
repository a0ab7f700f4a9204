"""Spatial relation: an object stands elsewhere, on the other side of another, or farther away than it.

The star is left of the circle. → The star is right of the circle.
"""

from __future__ import annotations

from modgap.scenes import POSITIONS, Caption, Fact, Scene, Span, position_of
from modgap.scenes._draws import Draws
from modgap.scenes._edits import move_object, swap_depths, swap_places
from modgap.scenes._facts import FactKind
from modgap.tldr._edit import Edit, Piece, subject_of

KINDS: frozenset[FactKind] = frozenset({"position", "relation", "depth"})

_OPPOSITE = {
    "left": "right",
    "right": "left",
    "above": "below",
    "below": "above",
    "nearer": "farther",
    "farther": "nearer",
    "nearest": "farthest",
    "farthest": "nearest",
}
_AFTER = {"nearer": " to the viewer", "farther": " away"}
"""What follows the word in a sentence; it says nothing of its own, but has to fit."""


def edit(caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
    """The opposite relation, or another ninth of the picture."""
    spans = [span for span in caption.spans if span.fact.kind in KINDS]
    if not spans:
        return None
    span = draws.pick(spans)
    fact = span.fact
    value = _other_place(fact, scene, draws) if fact.kind == "position" else _OPPOSITE[fact.value]
    return Edit(
        (Piece(span.start, span.end, value), *_agreeing(span, value)),
        (Fact(fact.kind, value, fact.subject, fact.object),),
    )


def twin(scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
    """The object is moved, or two objects change places or depths."""
    (fact,) = edit.facts
    subject, value = subject_of(fact), fact.value
    if fact.kind == "position":
        there = next((i for i, o in enumerate(scene.objects) if position_of(o) == value), None)
        if there is None or scene.perspective:
            return move_object(scene, subject, value, draws)
        return swap_places(scene, subject, there)
    if value in ("nearest", "farthest"):
        depths = [o.depth for o in scene.objects]
        return swap_depths(scene, subject, depths.index((min if value == "nearest" else max)(depths)))
    other = subject if fact.object is None else fact.object
    if fact.kind == "depth" or (scene.perspective and value in ("above", "below")):
        return swap_depths(scene, subject, other)
    return swap_places(scene, subject, other)


def _other_place(fact: Fact, scene: Scene, draws: Draws) -> str:
    """Another ninth; in a deep scene one as far down, since that goes with depth."""
    row = POSITIONS.index(fact.value) // 3
    places = POSITIONS[row * 3 : row * 3 + 3] if scene.perspective else POSITIONS
    return draws.pick([place for place in places if place != fact.value])


def _agreeing(span: Span, value: str) -> tuple[Piece, ...]:
    after = _AFTER.get(span.fact.value)
    return () if after is None else (Piece(span.end, span.end + len(after), _AFTER[value], 0.0),)
