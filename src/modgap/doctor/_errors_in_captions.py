"""How wrong the captions of a model are, and how much of that its habits of language explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modgap.evaluate._statistics import Interval, percentile_interval, resample_totals
from modgap.scenes import COLORS, FILLS, SIZES, ReadWord, Scene, read_caption

_VALUES = {"color": COLORS, "size": SIZES, "fill": FILLS}
_DRAWS = 2000


@dataclass(frozen=True)
class CaptionErrors:
    """What was found in the captions of many scenes.

    Args:
        captions: number of them.
        words: content words in all of them.
        wrong: of these, false ones.
        rate: ``wrong / words``, with its interval over scenes.
        habitual: of the false words, the share that says what the shape of the object usually has in text.
        explained: the same beyond chance: less what false words drawn evenly would say, with its interval.
        unread: share of the characters in sentences that fit no form.
    """

    captions: int
    words: int
    wrong: int
    rate: tuple[float, Interval]
    habitual: float
    explained: tuple[float, Interval]
    unread: float


def caption_errors(
    captions: Sequence[str],
    scenes: Sequence[Scene],
    habits: Mapping[str, tuple[str, str, str]],
    seed: int = 0,
) -> CaptionErrors:
    """Hold captions against their scenes.

    Args:
        captions: one for each scene; untrusted.
        scenes: what they are about.
        habits: shape → usual colour, size and fill in text.
        seed: of the bootstrap over scenes.
    """
    table = np.zeros((len(scenes), 4))  # words, wrong, habitual, expected of even errors
    unread = 0
    for row, (text, scene) in enumerate(zip(captions, scenes, strict=True)):
        reading = read_caption(text, scene)
        false = [word for word in reading.words if not word.holds]
        said = [_habit(word, scene, habits) for word in false]
        table[row] = (
            len(reading.words),
            len(false),
            sum(found for found, _ in said),
            sum(expected for _, expected in said),
        )
        unread += sum(end - start for start, end in reading.unread)
    words, wrong, habitual, expected = table.sum(axis=0)
    totals = resample_totals(table, np.random.default_rng(seed), _DRAWS)
    beyond = (totals[:, 2] - totals[:, 3]) / np.maximum(totals[:, 1], 1)
    return CaptionErrors(
        captions=len(captions),
        words=int(words),
        wrong=int(wrong),
        rate=(wrong / max(words, 1), percentile_interval(totals[:, 1] / np.maximum(totals[:, 0], 1))),
        habitual=habitual / max(wrong, 1),
        explained=((habitual - expected) / max(wrong, 1), percentile_interval(beyond)),
        unread=unread / max(sum(map(len, captions)), 1),
    )


def _habit(word: ReadWord, scene: Scene, habits: Mapping[str, tuple[str, str, str]]) -> tuple[bool, float]:
    """Whether a false word says what is usual, and how often a word drawn from the false ones would."""
    fact = word.fact
    if fact is None or fact.subject is None:
        return False, 0.0
    thing = scene.objects[fact.subject]
    if fact.kind in _VALUES:
        usual = dict(zip(_VALUES, habits[thing.shape], strict=True))[fact.kind]
        possible = usual != getattr(thing, fact.kind)
        return fact.value == usual, possible / (len(_VALUES[fact.kind]) - 1)
    if fact.kind == "shape":
        fitting = [shape for shape, (color, _, _) in habits.items() if color == thing.color]
        wrong = [shape for shape in fitting if shape != thing.shape]
        return fact.value in wrong, len(wrong) / (len(habits) - 1)
    return False, 0.0
