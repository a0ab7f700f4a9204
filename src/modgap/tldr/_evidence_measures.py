"""How often evidence is right, where the truth is known: on wrong words about objects of rendered scenes.

*Pointing*: whether the peak of the heat map lies in the box of an object that the wrong word is about
(pointing game, Zhang et al. 2018); chance is the share of the cells that lie in it. *Which object*: whether
the object nearest to the peak is one of those; chance is a random object of the scene. *Kind* and
*suggestion* are right if they are those of the edit. Labels say which words are explained, so that what is
measured is the evidence and not the flag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from modgap._errors import InputError
from modgap.evaluate._statistics import DRAWS, group_codes, resample_totals
from modgap.scenes import Scene, read_caption
from modgap.scenes._geometry import box_of

from ._evidence import GRID, Evidence, evidence
from ._example import Example, TypedSpan
from ._measures import Figure, interval_of
from ._scores import Detector, Item
from ._word_kinds import alternatives

_ALIKE = {"binding": "attribute"}
"""A word alone does not say whether its attribute is that of another object."""


def measure_evidence(
    detector: Detector, examples: Sequence[Example], *, grid: int = GRID, seed: int = 0
) -> list[Figure]:
    """Pointing accuracy, kinds and suggestions of the wrong words of captions.

    Args:
        detector: any.
        examples: labelled, with scenes and pictures; those without an error are left out.
        grid: of the heat maps.
        seed: of the bootstrap, which draws groups.

    Returns:
        Figures with their chance level as ``baseline``, of the kind that of saying the commonest; ``n`` is
        wrong spans.

    Raises:
        InputError: if no caption has an error, a scene and a picture.
    """
    rows: list[list[float]] = []
    groups: list[str] = []
    kinds: Counter[str] = Counter()
    for example in examples:
        spans = [span for span in example.spans if span.weight > 0 and span.start < span.end]
        if not spans or example.scene is None or example.image is None:
            continue
        item = Item(example.image, example.response, example.prompt)
        found = evidence(detector, item, [(span.start, span.end) for span in spans], grid=grid)
        for span, one in zip(spans, found, strict=True):
            rows.append(_row(example.response, example.scene, span, one, grid))
            groups.append(example.group)
            kinds[_kind(span)] += 1
    if not rows:
        raise InputError("no caption has an error, a scene and a picture; give data of rendered scenes")
    table = np.array(rows)
    codes = group_codes(groups)
    sums = np.zeros((int(codes.max()) + 1, table.shape[1]))
    np.add.at(sums, codes, table)
    drawn, seen = resample_totals(sums, np.random.default_rng(seed), DRAWS), table.sum(axis=0)
    figures = []
    for column, name in ((0, "pointing"), (3, "which object"), (6, "kind of error"), (9, "suggestion")):
        n = int(seen[column + 2])
        if n:
            with np.errstate(invalid="ignore", divide="ignore"):
                shares = drawn[:, column] / drawn[:, column + 2]
            always = max(kinds.values()) / n
            chance = always if name == "kind of error" else float(seen[column + 1] / n)
            figures.append(Figure(name, float(seen[column] / n), *interval_of(shares), n, chance))
    return figures


def _row(text: str, scene: Scene, span: TypedSpan, one: Evidence, grid: int) -> list[float]:
    """Right, chance and 1 (or 0 where it does not apply) of each figure."""
    about, peak = _about(text, scene, span), one.peak()
    pointing = which = [0.0, 0.0, 0.0]
    if about and peak is not None:
        inside = _cells(scene, about, grid)
        column, row = (int(x * grid) for x in peak)
        pointing = [float(inside[row, column]), float(inside.mean()), 1.0]
        distances = [(o.x / 100 - peak[0]) ** 2 + (o.y / 100 - peak[1]) ** 2 for o in scene.objects]
        nearest = int(np.argmin(distances))
        which = [float(nearest in about), len(about) / len(scene.objects), 1.0]
    kind = [float(one.type == _kind(span)), 0.0, 1.0]
    others = alternatives(text, span.start, span.end)
    suggestion = [0.0, 0.0, 0.0]
    if span.truth.lower() in (other.lower() for other in others):
        suggestion = [float(one.suggestion.lower() == span.truth.lower()), 1 / len(others), 1.0]
    return [*pointing, *which, *kind, *suggestion]


def _kind(span: TypedSpan) -> str:
    return _ALIKE.get(span.type, span.type)


def _about(text: str, scene: Scene, span: TypedSpan) -> set[int]:
    """The objects that a span is about."""
    about: set[int] = set()
    for word in read_caption(text, scene).words:
        if word.fact is not None and word.start < span.end and word.end > span.start:
            about |= {i for i in (word.fact.subject, word.fact.object) if i is not None}
    return about


def _cells(scene: Scene, about: set[int], grid: int) -> np.ndarray:
    """Cells whose centre lies in the box of one of some objects, and those that hold its centre."""
    centres = (np.arange(grid) + 0.5) / grid
    inside = np.zeros((grid, grid), dtype=np.bool_)
    for index in about:
        left, top, right, bottom = box_of(scene.objects[index], scene)
        inside |= np.outer((centres >= top) & (centres <= bottom), (centres >= left) & (centres <= right))
        inside[int(grid * (top + bottom) / 2), int(grid * (left + right) / 2)] = True
    return inside
