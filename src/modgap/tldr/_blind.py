"""What can be told from the text alone: the blind score of a data set.

    score = blind_score(examples)
    score.auroc, score.choice, score.ap, score.prevalence

A text-only classifier (logistic regression on hashed n-grams) is trained on one half of the groups and scored
on the other, both ways. What it finds, a model can find without looking. A data set of twins keeps every such
classifier at chance for responses, and for the choice between the wrong word and the right one in its place.
It may still know which *kinds* of words get edited: its average precision for words is above their
prevalence, and is the floor above which looking counts. It is a weak reader: a low score says little of data
that are no twins, since it hardly sees that sentences contradict each other.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ._diff import WORD
from ._example import Example
from ._labels import token_labels

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

MOST_RESPONSES = 4000
"""Responses that are scored, whole groups from the start (our choice: a few seconds)."""

_BUCKETS = 1 << 16
_STEPS = 60
_RATE = 0.2
_DECAY = 1e-4


@dataclass(frozen=True)
class BlindScore:
    """What a text-only classifier finds.

    Args:
        responses: how many were scored.
        words: how many words that count they have.
        auroc: area under the curve for "this response has an error", 0 to 1; chance is 0.5. ``nan`` if all
            responses are of one kind.
        choice: how often the wrong words score above the right ones in their place, 0 to 1, ties counting
            half; chance is 0.5. ``nan`` if no span says what is right.
        ap: average precision for wrong words, 0 to 1; chance is ``prevalence``. ``nan`` if none is wrong.
        prevalence: fraction of the words that are wrong.
        auroc_error: standard error of ``auroc`` if the text says nothing.
        choice_error: the same of ``choice``.
    """

    responses: int
    words: int
    auroc: float
    choice: float
    ap: float
    prevalence: float
    auroc_error: float
    choice_error: float


def blind_score(examples: Sequence[Example]) -> dict[str, BlindScore]:
    """Score a text-only classifier, trained on the other half of the groups.

    Args:
        examples: a data set; groups stay together. Only the first ``MOST_RESPONSES`` are used.

    Returns:
        The score of all responses under ``all``, and of each type of error: the responses of groups where it
        occurs.
    """
    examples = examples[:MOST_RESPONSES]
    n = len(examples)
    groups = {name: i for i, name in enumerate(dict.fromkeys(e.group for e in examples))}
    # Not every second group: types take turns too.
    side = np.random.default_rng(0).permutation(len(groups)) % 2
    # Corrected responses follow the others; they are scored and never trained on.
    pairs = [(i, corrected) for i, e in enumerate(examples) if (corrected := _corrected(e)) is not None]
    every = [*examples, *(corrected for _, corrected in pairs)]
    half = side[[groups[e.group] for e in every]]
    texts = [_words(e.response) for e in every]
    owner = np.repeat(np.arange(len(every)), [len(text) for text in texts])
    is_wrong, counts = _word_labels(every, texts)
    word_scores = _cross_scored(_word_features(texts), is_wrong, half[owner], counts & (owner < n))
    wrong_responses = np.array([e.is_wrong for e in examples], dtype=np.bool_)
    response_scores = _cross_scored(_response_features(texts[:n]), wrong_responses, half[:n])
    choices = _choices([i for i, _ in pairs], n, owner, is_wrong, word_scores)
    found = {"all": np.ones(n, dtype=np.bool_)}
    by_group: dict[str, set[str]] = {}
    for e in examples:
        by_group.setdefault(e.group, set()).update(e.types)
    for type_ in sorted({t for types in by_group.values() for t in types}):
        found[type_] = np.array([type_ in by_group[e.group] for e in examples])
    scores = {}
    for name, rows in found.items():
        own = np.append(rows, np.zeros(len(pairs), dtype=np.bool_))[owner] & counts
        chosen = choices[rows & ~np.isnan(choices)]
        scores[name] = BlindScore(
            int(rows.sum()),
            int(own.sum()),
            auroc(wrong_responses[rows], response_scores[rows]),
            float(chosen.mean()) if len(chosen) else float("nan"),
            average_precision(is_wrong[own], word_scores[own]),
            float(is_wrong[own].mean()) if own.any() else float("nan"),
            _auroc_error(wrong_responses[rows]),
            0.5 / math.sqrt(len(chosen)) if len(chosen) else float("nan"),
        )
    return scores


def auroc(positive: Bool[np.ndarray, " n"], scores: Float[np.ndarray, " n"]) -> float:
    """Chance that a positive scores above a negative, ties counting half; ``nan`` without both."""
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    _, rank, size = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(size) - (size - 1) / 2  # mean rank of equal scores, from 1
    return float((middle[rank][positive].sum() - n * (n + 1) / 2) / (n * m))


def _auroc_error(positive: Any) -> float:
    """Standard error of the area without any relation: that of the rank sum (Mann and Whitney)."""
    n, m = int(positive.sum()), int((~positive).sum())
    return float(np.sqrt((n + m + 1) / (12 * n * m))) if n and m else float("nan")


def average_precision(positive: Bool[np.ndarray, " n"], scores: Float[np.ndarray, " n"]) -> float:
    """Mean precision at each positive, from the highest score, ties together; ``nan`` without positives."""
    if not positive.any():
        return float("nan")
    _, rank = np.unique(-scores, return_inverse=True)
    hits = np.bincount(rank, weights=positive)
    precision = np.cumsum(hits) / np.cumsum(np.bincount(rank))
    return float((hits * precision).sum() / hits.sum())


def _corrected(example: Example) -> Example | None:
    """A wrong response put right, its spans around the right words; ``None`` if a span does not say how."""
    if not example.is_wrong or not all(span.truth for span in example.spans):
        return None
    text, done = "", 0
    spans = []
    for span in example.spans:
        text += example.response[done : span.start]
        spans.append(replace(span, start=len(text), end=len(text) + len(span.truth)))
        text += span.truth
        done = span.end
    return replace(example, response=text + example.response[done:], spans=tuple(spans))


def _choices(
    wrong: Sequence[int], n: int, owner: Any, is_wrong: Any, word_scores: Any
) -> Float[np.ndarray, " responses"]:
    """Whether the wrong words of a response score above the right ones, 0, 0.5 or 1; ``nan`` if unknown."""
    size = n + len(wrong)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(owner, word_scores * is_wrong, size) / np.bincount(owner, is_wrong, size)
    choices = np.full(n, np.nan)
    choices[list(wrong)] = (np.sign(mean[list(wrong)] - mean[n:]) + 1) / 2
    return choices


def _words(text: str) -> list[tuple[str, int, int]]:
    return [(m.group().lower(), m.start(), m.end()) for m in WORD.finditer(text)]


def _word_labels(examples: Sequence[Example], texts: Sequence[Any]) -> tuple[Any, Any]:
    """Which words are wrong, and which count, over all responses."""
    wrong, counts = [np.zeros(0, dtype=np.bool_)], [np.zeros(0, dtype=np.bool_)]
    for example, text in zip(examples, texts, strict=True):
        labels, weights = token_labels([(start, end) for _, start, end in text], example.spans)
        is_word = np.array([word[0].isalnum() for word, _, _ in text], dtype=np.bool_)
        wrong.append(labels == 0)
        counts.append((weights > 0) & is_word)
    return np.concatenate(wrong), np.concatenate(counts)


@dataclass(frozen=True)
class _Features:
    """A sparse table of ones: row and column of each."""

    rows: Int[np.ndarray, " entries"]
    columns: Int[np.ndarray, " entries"]
    n: int


def _hash(*parts: str) -> int:
    return zlib.crc32("\0".join(parts).encode()) % _BUCKETS


def _word_features(texts: Sequence[Any]) -> _Features:
    """Each word with its neighbours, up to three words together, and whether what it says is said again."""
    rows: list[int] = []
    columns: list[int] = []
    row = 0
    for text in texts:
        words = ["", "", *(word for word, _, _ in text), "", ""]
        often = Counter(words)
        together = Counter(pairwise(words))
        for i in range(2, len(words) - 2):
            before2, before, word, after, after2 = words[i - 2 : i + 3]
            again = str(min(often[word], 3)), str(min(together[word, after], 2))
            for parts in (
                ("0", word),
                ("1", word, *again),
                ("7", *again),
                ("2", before, word),
                ("3", word, after),
                ("4", before2, before, word),
                ("5", before, word, after),
                ("6", word, after, after2),
            ):
                rows.append(row)
                columns.append(_hash(*parts))
            row += 1
    return _Features(np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), row)


def _response_features(texts: Sequence[Any]) -> _Features:
    """The words of a response, pairs and triples of them, each once."""
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        words = [word for word, _, _ in text]
        found = {_hash("", *words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)}
        rows += [row] * len(found)
        columns += found
    return _Features(np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), len(texts))


def _cross_scored(features: _Features, positive: Any, half: Any, may_train: Any = True) -> Any:
    """Scores of each row by a classifier that was trained on the other half of the rows."""
    scores = np.zeros(features.n)
    for own in (0, 1):
        weights = _fit(features, positive, (half != own) & may_train)
        summed = np.bincount(features.rows, weights[features.columns], features.n)
        scores[half == own] = summed[half == own]
    return scores


def _fit(features: _Features, positive: Any, train: Any) -> Float[np.ndarray, " buckets"]:
    """Logistic regression by Adam, all rows at each step."""
    weights = np.zeros(_BUCKETS)
    if not train.any():
        return weights
    entries = train[features.rows]
    rows, columns = features.rows[entries], features.columns[entries]
    target = positive.astype(np.float64)
    rate = np.clip(target[train].mean(), 1e-6, 1 - 1e-6)
    bias = np.log(rate / (1 - rate))
    mean, square = np.zeros(_BUCKETS), np.zeros(_BUCKETS)
    for step in range(1, _STEPS + 1):
        logits = bias + np.bincount(rows, weights[columns], features.n)
        error = (1 / (1 + np.exp(-logits)) - target) * train
        gradient = np.bincount(columns, error[rows], _BUCKETS) / train.sum() + _DECAY * weights
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        weights -= _RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return weights
