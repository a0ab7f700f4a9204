"""A model writes its captions again where a detector flags them; arms that say what the flags are worth.

    done = correct(detector, writer, examples, "flags", threshold=0.3)

Two forms. *Re-decoding* works with any local model: the caption up to a word is kept, the word is forbidden,
what the model finds likeliest instead takes its place, and the rest stays. Words outside the targets cannot
change. *Instructions*, as published, ask a model to revise its caption: ``_correct_ask.py``.

Which words are targets is the arm:

    none       none
    binary     told only that the caption is wrong: the words it was least sure of itself
    random     any words
    sentence   any words of sentences with a flag
    flags      the flagged words
    oracle     the wrong words, by the labels

All but ``oracle`` and ``none`` have as many targets as there are flags. A new word is kept only if the
detector then expects fewer wrong words in the whole caption (verify, then accept).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from modgap._errors import InputError

from ._example import Example
from ._labels import token_labels
from ._measures_report import items_of
from ._scores import Detector, TokenScores, words
from ._sentences import sentences

ARMS = ("none", "binary", "random", "sentence", "flags", "oracle")
MOST_TARGETS = 4
"""Words of a caption that are written again, those with the highest scores (our choice: time)."""

Rewrite = Callable[[Sequence[Example], Sequence[tuple[int, int]]], list[list[str]]]
"""From captions and one target in each to a few captions with that target written again."""


@dataclass(frozen=True)
class Correction:
    """What became of a caption.

    Args:
        before: the caption.
        after: what it became; the same if nothing was accepted.
        targets: start and end of the words that were to be written again, in ``before``.
        accepted: how many were replaced.
        score_before: wrong words that the detector expects, or the sum of its scores.
        score_after: the same afterwards.
        outside: words that changed and were no targets.
    """

    before: str
    after: str
    targets: tuple[tuple[int, int], ...]
    accepted: int
    score_before: float
    score_after: float
    outside: int


def correct(
    detector: Detector,
    rewrite: Rewrite,
    examples: Sequence[Example],
    arm: str,
    *,
    threshold: float,
    doubts: Sequence[TokenScores] | None = None,
    seed: int = 0,
) -> list[Correction]:
    """Write words of captions again.

    Args:
        detector: that flags, and judges what is written.
        rewrite: that writes, such as :class:`modgap.tldr._correct_redecode.Redecoder`.
        examples: captions with pictures; labels are only used by ``oracle``.
        arm: one of ``ARMS``.
        threshold: words with a score above it are flagged.
        doubts: how unsure the writer was of each token; for ``binary``.
        seed: of random choices.

    Returns:
        One for each example, in order.

    Raises:
        InputError: if the arm is another, or ``binary`` has no doubts.
    """
    scores = detector.score(items_of(examples))
    targets = choose_targets(examples, scores, arm, threshold=threshold, doubts=doubts, seed=seed)
    now = list(examples)
    expected = [expect(example, one) for example, one in zip(examples, scores, strict=True)]
    accepted = [0] * len(examples)
    after = list(expected)
    for turn in range(MOST_TARGETS):
        # From the last word to the first, so that the characters before stay where they are.
        active = [i for i, found in enumerate(targets) if turn < len(found)]
        if not active:
            break
        tried = rewrite([now[i] for i in active], [targets[i][-1 - turn] for i in active])
        flat = [(i, replace(now[i], response=t, spans=())) for i, new in zip(active, tried, strict=True)
                for t in new]  # fmt: skip
        judged = detector.score(items_of([e for _, e in flat])) if flat else []
        best: dict[int, tuple[float, Example]] = {}
        for (i, example), one in zip(flat, judged, strict=True):
            value = expect(example, one)
            if value < best.get(i, (after[i], example))[0] - 1e-9:
                best[i] = (value, example)
        for i, (value, example) in best.items():
            now[i], after[i] = example, value
            accepted[i] += 1
    return [
        Correction(e.response, new.response, tuple(t), k, old, value, 0)
        for e, new, t, k, old, value in zip(examples, now, targets, accepted, expected, after, strict=True)
    ]


def expect(example: Example, scores: TokenScores) -> float:
    """Wrong words that a detector expects in a caption: the sum of the scores of its words."""
    return float(sum(word.bad for word in words(scores, example.response)))


def choose_targets(
    examples: Sequence[Example],
    scores: Sequence[TokenScores],
    arm: str,
    *,
    threshold: float,
    doubts: Sequence[TokenScores] | None = None,
    seed: int = 0,
) -> list[list[tuple[int, int]]]:
    """The words of each caption that are to be written again, in order; never the first word.

    Raises:
        InputError: as for :func:`correct`.
    """
    if arm not in ARMS:
        raise InputError(f"arm {arm!r} is not one of {', '.join(ARMS)}")
    if arm == "binary" and doubts is None:
        raise InputError("the arm 'binary' needs to know of which words the writer was unsure; give doubts")
    rng = np.random.default_rng(seed)
    found = []
    for index, (example, one) in enumerate(zip(examples, scores, strict=True)):
        spoken = words(one, example.response)[1:]
        spans = np.array([(w.start, w.end) for w in spoken], dtype=np.int64).reshape(len(spoken), 2)
        bad = np.array([w.bad for w in spoken])
        flagged = np.flatnonzero(bad > threshold)
        budget = min(len(flagged), MOST_TARGETS)
        if arm == "flags":
            chosen = flagged[np.argsort(-bad[flagged], kind="stable")][:budget]
        elif arm == "oracle":
            labels, weights = token_labels(spans, example.spans)
            wrong = np.flatnonzero((labels == 0) & (weights > 0))
            chosen = rng.permutation(wrong)[:MOST_TARGETS]
        elif arm == "binary" and doubts is not None:
            doubt = {w.start: w.bad for w in words(doubts[index], example.response)}
            unsure = np.array([-doubt.get(int(start), -np.inf) for start in spans[:, 0]])
            chosen = np.argsort(unsure, kind="stable")[:budget]
        elif arm == "none":
            chosen = np.zeros(0, dtype=np.int64)
        else:
            pool = np.arange(len(spans))
            if arm == "sentence":
                pool = _in_flagged_sentences(example.response, spans, flagged)
            chosen = rng.permutation(pool)[:budget]
        found.append(sorted((int(a), int(b)) for a, b in spans[chosen]))
    return found


def _in_flagged_sentences(text: str, spans: np.ndarray, flagged: np.ndarray) -> np.ndarray:
    inside = np.zeros(len(spans), dtype=np.bool_)
    for start, end in sentences(text):
        here = (spans[:, 0] < end) & (spans[:, 1] > start)
        if here[flagged].any():
            inside |= here
    return np.flatnonzero(inside)
