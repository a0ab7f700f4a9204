"""Text in the picture: a word on a plate is read as another word, mostly one that looks like it.

    Its plate reads "box". → Its plate reads "fox".

Where the caption quotes no word, the type does not apply: text is never invented.
"""

from __future__ import annotations

from functools import cache

from modgap.scenes import WORDS, Caption, Fact, Scene
from modgap.scenes._draws import Draws
from modgap.scenes._edits import change_object
from modgap.scenes._facts import FactKind
from modgap.tldr._edit import Edit, Piece, subject_of

KINDS: frozenset[FactKind] = frozenset({"word"})

_NEAREST = 8


def edit(caption: Caption, scene: Scene, draws: Draws) -> Edit | None:
    """Another word, one of those that look most like it and are on no plate of the scene."""
    spans = [span for span in caption.spans if span.fact.kind == "word"]
    if not spans:
        return None
    span = draws.pick(spans)
    taken = {obj.word for obj in scene.objects}
    value = draws.pick([word for word in _similar(span.fact.value) if word not in taken][:_NEAREST])
    return Edit((Piece(span.start, span.end, value),), (Fact("word", value, span.fact.subject),))


def twin(scene: Scene, edit: Edit, draws: Draws) -> Scene | None:
    """The plate carries the other word."""
    (fact,) = edit.facts
    return change_object(scene, subject_of(fact), word=fact.value)


@cache
def _similar(word: str) -> tuple[str, ...]:
    """The words for plates, those first that differ in the fewest places."""
    return tuple(sorted((other for other in WORDS if other != word), key=lambda other: _unlike(word, other)))


def _unlike(word: str, other: str) -> int:
    same = sum(a == b for a, b in zip(word, other, strict=False))
    return max(len(word), len(other)) - same
