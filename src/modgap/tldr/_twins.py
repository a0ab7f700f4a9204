"""Twins: two pictures and two captions, each caption true of one picture and false of the other.

                    picture A      picture B
    caption A       true           wrong in the words of the edit
    caption B       wrong there    true

Every caption and every picture occurs once with an error and once without, so neither the text nor the
picture alone says anything about whether there is one: whoever does not look at both is at chance.

A caption of scene A is edited; the scene is changed so that the edit comes true; sentences that do not hold
in both scenes are left out. Caption A is true by construction; the other three pairs are read, and what does
not come out right is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from modgap.scenes import Caption, Scene, Span, fact_holds, read_caption, write_caption
from modgap.scenes._draws import Draws
from modgap.scenes._edits import in_reading_order
from modgap.scenes._grammar import sentence_spans

from ._edit import Edit, Perturbation, Piece, apply_edit, is_false_just_there, is_true, names_fit_one
from ._example import TypedSpan


@dataclass(frozen=True, slots=True)
class Twins:
    """Two scenes and two captions.

    Args:
        type: what they differ in.
        scenes: A and B.
        captions: the first is true of A, the second of B.
        spans: what is false in each caption about the other scene.
    """

    type: str
    scenes: tuple[Scene, Scene]
    captions: tuple[str, str]
    spans: tuple[tuple[TypedSpan, ...], tuple[TypedSpan, ...]]


def make_twins(
    scene: Scene, type_: str, perturbation: Perturbation, rng: np.random.Generator
) -> Twins | None:
    """Make twins from a scene.

    Args:
        scene: what the first caption is about.
        type_: name of the perturbation.
        perturbation: how to edit.
        rng: all choices; only its integers are used.

    Returns:
        The twins, or ``None`` where the type does not apply or the result did not pass every check.
    """
    draws = Draws(rng)
    caption = write_caption(scene, rng, "dense", in_order=True)
    edit = perturbation.edit(caption, scene, draws)
    other = None if edit is None else perturbation.twin(scene, edit, draws)
    if edit is None or other is None:
        return None
    caption, edit = _shorten(caption, edit, other, draws)
    text, new, old = apply_edit(caption.text, edit, type_)
    other = in_reading_order(other)
    if not is_false_just_there(read_caption(text, scene), new, perturbation.KINDS):
        return None
    reading = read_caption(text, other)
    if not (is_true(reading) and names_fit_one(text, reading.words, other)):
        return None
    if not is_false_just_there(read_caption(caption.text, other), old, perturbation.KINDS):
        return None
    return Twins(type_, (scene, other), (caption.text, text), (old, new))


def _shorten(caption: Caption, edit: Edit, other: Scene, draws: Draws) -> tuple[Caption, Edit]:
    """Keep the sentences that are edited and some of those that hold in both scenes."""
    kept = []
    free = []
    for start, end, spans in _units(caption):
        if any(start <= piece.start < end for piece in edit.pieces):
            kept.append((start, end, spans))
        elif all(fact_holds(other, s.fact) for s in spans) and names_fit_one(caption.text, spans, other):
            free.append((start, end, spans))
    kept += draws.some(free, draws.below(len(free) + 1))
    text = ""
    all_spans: list[Span] = []
    pieces: list[Piece] = []
    for start, end, spans in sorted(kept, key=lambda unit: unit[0]):
        text += " " if text else ""
        by = len(text) - start
        text += caption.text[start:end]
        all_spans += (replace(span, start=span.start + by, end=span.end + by) for span in spans)
        pieces += (
            piece._replace(start=piece.start + by, end=piece.end + by)
            for piece in edit.pieces
            if start <= piece.start < end
        )
    return Caption(text, tuple(all_spans)), replace(edit, pieces=tuple(pieces))


def _units(caption: Caption) -> Iterator[tuple[int, int, list[Span]]]:
    """Start, end and spans of what can be left out alone: a sentence and those on "its" plate after it."""
    spans = [*caption.spans]
    units: list[list[int]] = []
    for start, end in sentence_spans(caption.text):
        if units and caption.text.startswith(("Its ", "On its "), start):
            units[-1][1] = end
        else:
            units.append([start, end])
    for start, end in units:
        yield start, end, [span for span in spans if start <= span.start < end]
