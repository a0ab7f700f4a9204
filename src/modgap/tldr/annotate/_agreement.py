"""Whether annotators mark the same words: Cohen's kappa of two, Krippendorff's alpha of all.

The unit is a word of a caption that is done; its label is ``wrong`` or ``right``, or the type of the error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from modgap.evaluate._agreement import Agreement, cohen_kappa

from ._items import Item
from ._words import touched
from ._work import Work

RIGHT = ""
"""Label of a word that is not marked."""


@dataclass(frozen=True)
class Pair:
    """Two annotators on the captions that both have done.

    Args:
        first: one annotator.
        second: the other.
        words: that both judged.
        kappa: agreement on whether a word is wrong.
    """

    first: str
    second: str
    words: int
    kappa: Agreement


@dataclass(frozen=True)
class WordAgreement:
    """How well annotators agree.

    Args:
        pairs: all pairs with a caption in common.
        words: judged by two annotators or more.
        alpha: Krippendorff's alpha of wrong or right; ``None`` if it is not defined.
        alpha_types: the same of the type, right being one more type.
    """

    pairs: tuple[Pair, ...]
    words: int
    alpha: float | None
    alpha_types: float | None


def word_labels(work: Work, item: Item) -> list[str]:
    """The type of each word of a caption, ``RIGHT`` if it is not marked."""
    labels = [RIGHT] * len(item.words)
    for mark in work.marks:
        for index in touched(item.words, mark.start, mark.end):
            labels[index] = mark.type
    return labels


def agreement(works: Iterable[Work], items: Mapping[str, Item]) -> WordAgreement:
    """Agreement over the captions that are done.

    Args:
        works: of all annotators.
        items: by id.
    """
    judged: dict[str, dict[str, list[str]]] = {}
    for work in works:
        if work.done:
            judged.setdefault(work.annotator, {})[work.item_id] = word_labels(work, items[work.item_id])
    pairs = []
    for first, second in combinations(sorted(judged), 2):
        common = [item for item in judged[first] if item in judged[second]]
        if common:
            sides = [
                [label != RIGHT for item in common for label in judged[who][item]] for who in (first, second)
            ]
            pairs.append(Pair(first, second, len(sides[0]), cohen_kappa(*sides)))
    units = [
        labels
        for item in items
        for labels in zip(*(of[item] for of in judged.values() if item in of), strict=True)
        if len(labels) > 1
    ]
    wrong = [[label != RIGHT for label in labels] for labels in units]
    return WordAgreement(tuple(pairs), len(units), krippendorff_alpha(wrong), krippendorff_alpha(units))


def krippendorff_alpha(units: Sequence[Sequence[Hashable]]) -> float | None:
    """Agreement of any number of raters beyond chance, for labels without order (Krippendorff 2011).

    Args:
        units: the labels each unit was given; those with fewer than two say nothing.

    Returns:
        1 for full agreement, 0 for chance; ``None`` if all labels are the same or nothing was rated twice.
    """
    totals: Counter[Hashable] = Counter()
    observed = 0.0
    for labels in units:
        if len(labels) < 2:
            continue
        counts = Counter(labels)
        totals += counts
        alike = sum(count * count for count in counts.values())
        observed += (len(labels) ** 2 - alike) / (len(labels) - 1)
    n = totals.total()
    different = n * n - sum(count * count for count in totals.values())
    return None if different == 0 else 1 - (n - 1) * observed / different
