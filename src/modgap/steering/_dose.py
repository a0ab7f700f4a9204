"""Does a word's direction, found in text alone, move what a model sees? Dose and response.

For a value such as ``red``: the mean state of the text-only backbone at that word in written scenes, less the
mean over the other words of its family, is added to the positions of pictures of something else. What is
counted is how often the answer becomes the value, for every block and strength; beside it stand a random
direction of the same length and the direction of another value. The cell that is reported is chosen on one
half of the pictures and counted on the other.

With sparse autoencoders the direction is a single feature's: the decoder row of the feature that is most more
active at the word than at the others of its family, as long as the mean difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from modgap._errors import InputError, UnknownName
from modgap.evaluate._prompts import build_parts
from modgap.evaluate._statistics import wilson
from modgap.models import Query
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, Positions
from modgap.models.local._vector import Fact, SteeringVector
from modgap.scenes import COLORS
from modgap.tasks import Problem, load_suite

from ._extract import random_like
from ._replay import replay
from ._sae import SAE
from ._text_states import TextModel, text_model
from ._words import WordStates, word_states

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

FAMILIES: dict[str, tuple[str, dict[str, str]]] = {
    "color": ("attribute", {color: color for color in COLORS}),
    "side": ("relation", {side: side for side in ("left", "right", "above", "below")}),
    "number": ("count", {"one": "1", "two": "2", "three": "3", "four": "4"}),
}
"""Family → the task that asks about it, and word → option."""

VALUES = ("red", "blue", "green", "yellow", "purple", "left", "above", "three")
STRENGTHS = (1.0, 2.0, 4.0, 8.0)
ARMS = ("value", "random", "wrong")
TEXTS = 400
"""Written scenes that the words are read in."""


@dataclass(frozen=True)
class Dose:
    """What became of one value.

    Args:
        value: the word.
        task: that was asked.
        option: the answer that stands for it.
        n: pictures of another value, whose question offers the value as an option.
        base: share of answers that are the value without any change.
        blocks, strengths: the axes of ``shares``.
        shares: arm → share of answers that are the value, (block, strength), over all pictures.
        chosen: block and strength with the largest share for ``value`` less the larger control, on the
            first half of the pictures.
        held_out: arm → (share, low, high) there on the second half, with a 95 % Wilson interval.
        wrong_value: whose direction the arm ``wrong`` has.
    """

    value: str
    task: str
    option: str
    n: int
    base: float
    blocks: tuple[int, ...]
    strengths: tuple[float, ...]
    shares: dict[str, list[list[float]]]
    chosen: tuple[int, float]
    held_out: dict[str, tuple[float, float, float]]
    wrong_value: str

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return asdict(self)


def value_vectors(
    backbone: TextModel, family: str, *, saes: Sequence[SAE] = (), texts: int = TEXTS, seed: int = 0
) -> dict[str, SteeringVector]:
    """The direction of every word of a family.

    Args:
        backbone: the text-only model.
        family: a key of ``FAMILIES``.
        saes: take a feature of these instead of the mean difference; each says its block, and directions of
            the other blocks are 0.
        texts: written scenes, half as lists and half as captions.
        seed: of the scenes.

    Raises:
        UnknownName: no such family.
        InputError: fewer than two of its words are one token, or occur.
    """
    if family not in FAMILIES:
        raise UnknownName("family of values", family, tuple(FAMILIES))
    read = word_states(backbone, tuple(FAMILIES[family][1]), texts=texts, seed=seed)
    means = read.means()
    offsets = means - means.mean(dim=0)
    facts: dict[str, Fact] = {"model": backbone.name, "texts": texts, "seed": seed}
    method = "feature" if saes else "value"
    named = _features(read, offsets, saes) if saes else [(offset, {}) for offset in offsets]
    return {
        word: SteeringVector(
            word, method, directions, {**facts, "occurrences": int((read.word == k).sum()), **more}
        )
        for k, (word, (directions, more)) in enumerate(zip(read.words, named, strict=True))
    }


def _features(
    read: WordStates, offsets: Float[Tensor, "word block d_model"], saes: Sequence[SAE]
) -> list[tuple[Float[Tensor, "block d_model"], dict[str, Fact]]]:
    """For each word the decoder row of its feature at each block that has an autoencoder, and its number."""
    directions, numbers = torch.zeros_like(offsets), [dict[str, Fact]() for _ in read.words]
    for sae in saes:
        if sae.block is None or sae.block >= offsets.shape[1] or sae.encoder.shape[0] != offsets.shape[2]:
            raise InputError(
                f"an autoencoder of block {sae.block} and width {sae.encoder.shape[0]} does not fit a model "
                f"of {offsets.shape[1]} blocks of width {offsets.shape[2]}"
            )
        active = sae.encode(read.states[sae.block])
        means = torch.stack([active[read.word == k].mean(dim=0) for k in range(len(read.words))])
        more = (means - means.mean(dim=0)) * sae.decoder.norm(dim=1)
        for k, feature in enumerate(more.argmax(dim=1).tolist()):
            row = sae.decoder[feature] / sae.decoder[feature].norm().clamp(min=1e-30)
            directions[k, sae.block] = row * offsets[k, sae.block].norm()
            numbers[k][f"feature_{sae.block}"] = feature
    return list(zip(directions, numbers, strict=True))


def family_of(value: str) -> str:
    """The family of a word.

    Raises:
        UnknownName: it has none.
    """
    for family, (_, words) in FAMILIES.items():
        if value in words:
            return family
    raise UnknownName("value", value, tuple(w for _, words in FAMILIES.values() for w in words))


def dose(
    model: LocalModel,
    backbone: str | TextModel,
    values: Sequence[str] = VALUES,
    *,
    n: int = 100,
    saes: Sequence[SAE] = (),
    blocks: Sequence[int] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    positions: Positions = "image",
    seed: int = 0,
    listener: Callable[[str], None] | None = None,
) -> list[Dose]:
    """Dose and response of some values.

    Args:
        model: the multimodal model.
        backbone: where the directions are from; a name that :func:`text_model` takes.
        values: words of ``FAMILIES``.
        n: pictures for each value, at least 4.
        saes: see :func:`value_vectors`.
        blocks: whose outputs are changed; by default all, or those of the autoencoders.
        strengths: multiples of the mean difference.
        positions: which positions are changed.
        seed: of the scenes and the random direction.
        listener: is told which value comes next.

    Raises:
        UnknownName: a value without a family.
        InputError: ``n`` below 4, or too few pictures suit a value.
    """
    if n < 4:
        raise InputError(f"n is {n}; at least 4 pictures are needed, half to choose by and half to count")
    backbone = text_model(backbone) if isinstance(backbone, str) else backbone
    all_blocks = range(len(model.pretrained.anatomy.blocks))
    offered = sorted({sae.block for sae in saes if sae.block is not None}) if saes else all_blocks
    chosen_blocks = tuple(offered if blocks is None else blocks)
    known: dict[str, dict[str, SteeringVector]] = {}
    results = []
    for value in values:
        family = family_of(value)
        if listener is not None:
            listener(value)
        if family not in known:
            known[family] = value_vectors(backbone, family, saes=saes, seed=seed)
        if value not in known[family]:
            raise InputError(f"{value!r} is not one token of {backbone.name}")
        words = list(known[family])
        wrong = words[(words.index(value) + 1) % len(words)]
        vector = known[family][value]
        arms = {
            "value": vector,
            "random": random_like(vector, seed),
            "wrong": known[family][wrong],
        }
        task, options = FAMILIES[family]
        problems = _problems(task, options[value], n, seed)
        changes = [
            Change(arms[arm].directions[block], block, strength, positions)
            for arm in ARMS
            for block in chosen_blocks
            for strength in strengths
        ]
        found = replay(model, [_query(problem) for problem in problems], changes)
        target = np.array([problem.options.index(options[value]) for problem in problems])
        hits = (found.changed.argmax(axis=2) == target).reshape(
            len(ARMS), len(chosen_blocks), len(strengths), len(problems)
        )
        half = len(problems) // 2
        first = hits[..., :half].mean(axis=3)
        gain = first[0] - np.maximum(first[1], first[2])
        at = divmod(int(gain.argmax()), len(strengths))
        held_out = {}
        for number, arm in enumerate(ARMS):
            count = int(hits[number, at[0], at[1], half:].sum())
            low, high = wilson(count, len(problems) - half)
            held_out[arm] = (count / (len(problems) - half), low, high)
        results.append(
            Dose(
                value,
                task,
                options[value],
                len(problems),
                float((found.base.argmax(axis=1) == target).mean()),
                chosen_blocks,
                tuple(strengths),
                {arm: hits[k].mean(axis=2).round(4).tolist() for k, arm in enumerate(ARMS)},
                (chosen_blocks[at[0]], float(strengths[at[1]])),
                held_out,
                wrong,
            )
        )
    return results


def _problems(task: str, option: str, n: int, seed: int) -> list[Problem]:
    """Questions that offer the option and whose answer is another one."""
    suite = load_suite("scenes", tasks=(task,), level="plain")
    found = [
        problem
        for problem in suite.problems(12 * n, seed, ("image",))
        if option in problem.options and problem.answer != option
    ][:n]
    if len(found) < n:
        raise InputError(f"only {len(found)} questions of {task} offer {option!r} as a wrong option; lower n")
    return found


def _query(problem: Problem) -> Query:
    shown = next(r for r in problem.representations if r.name == "image")
    return Query(build_parts(problem, shown), problem.options, problem_id=problem.problem_id)
