"""What correction did to the errors of captions: exact counts by the scene graph, arms compared in pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modgap._errors import InputError
from modgap.evaluate._statistics import holm, paired_bootstrap, sign_flip_test
from modgap.scenes import Scene, read_caption

from ._correct import Correction
from ._example import Example
from .annotate._words import words as split


@dataclass(frozen=True)
class ArmRow:
    """One arm.

    Args:
        arm: its name.
        captions: number of them.
        targets: words that were to be written again, of all captions.
        accepted: new words, or revisions, that were kept.
        outside: words changed that were no targets.
        expected: change of the wrong words that the detector expects, per caption; below 0 is better.
        wrong: exact wrong words per caption afterwards, see :func:`wrong_words`; ``nan`` without scenes.
        change: change of that, per caption, with its interval.
        low, high: ends of the 95 % interval of ``change``.
        p: of no difference to the arm ``random``, by flipping signs of captions, Holm over arms; 1 for
            ``none`` and ``random`` themselves, and without scenes.
        better, same, worse: captions with fewer, as many and more exact wrong words than before.
    """

    arm: str
    captions: int
    targets: int
    accepted: int
    outside: int
    expected: float
    wrong: float
    change: float
    low: float
    high: float
    p: float
    better: int
    same: int
    worse: int


def wrong_words(caption: str, scene: Scene) -> int:
    """Words that do not hold, and every word of a sentence that cannot be read: broken is not corrected."""
    reading = read_caption(caption, scene)
    unread = sum(len(split(caption[start:end])) for start, end in reading.unread)
    return unread + sum(not word.holds for word in reading.words)


def compare_arms(
    examples: Sequence[Example], done: Mapping[str, Sequence[Correction]], seed: int = 0
) -> list[ArmRow]:
    """Table of arms.

    Args:
        examples: the captions, with scenes where they are known.
        done: arm → what became of each.
        seed: of the bootstrap.

    Raises:
        InputError: if an arm has another number of captions.
    """
    rng = np.random.default_rng(seed)
    known = all(example.scene is not None for example in examples)
    changes: dict[str, np.ndarray] = {}
    after: dict[str, float] = {}
    for arm, corrections in done.items():
        if len(corrections) != len(examples):
            raise InputError(
                f"arm {arm!r} has {len(corrections)} captions of {len(examples)}; give one for each"
            )
        before = np.array([_wrong(c.before, e) for c, e in zip(corrections, examples, strict=True)])
        now = np.array([_wrong(c.after, e) for c, e in zip(corrections, examples, strict=True)])
        changes[arm], after[arm] = now - before, float(now.mean())
    tested = [arm for arm in done if known and "random" in done and arm not in ("none", "random")]
    p_values = [sign_flip_test(changes[arm] - changes["random"], rng) for arm in tested]
    adjusted = dict(zip(tested, holm(p_values), strict=True))
    rows = []
    for arm, corrections in done.items():
        change = changes[arm]
        # The bootstrap bounds constant differences by what −1 to 1 allows; words are counts, so scaled.
        size = max(1.0, float(np.abs(change).max())) if known else 1.0
        low, high = paired_bootstrap(change / size, rng) if known else (float("nan"), float("nan"))
        rows.append(
            ArmRow(
                arm,
                len(examples),
                sum(len(c.targets) for c in corrections),
                sum(c.accepted for c in corrections),
                sum(c.outside for c in corrections),
                float(np.mean([c.score_after - c.score_before for c in corrections])),
                after[arm],
                float(change.mean()),
                size * low,
                size * high,
                adjusted.get(arm, 1.0),
                int((change < 0).sum()),
                int((change == 0).sum()),
                int((change > 0).sum()),
            )
        )
    return rows


def _wrong(caption: str, example: Example) -> float:
    return float("nan") if example.scene is None else float(wrong_words(caption, example.scene))
