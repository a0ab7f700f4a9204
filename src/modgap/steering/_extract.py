"""Directions of a concept from sentences about it: the states at its anchor words against other states.

    meanshift   mean at the anchors less mean at the other tokens of the same sentences, as published
    others      mean at the anchors less mean at the anchors of other concepts
    matched     mean at the anchors less words of the same class at the same place; see ``_matched.py``
    lda         mean difference through the inverse of the shrunken pooled covariance
    probe       logistic regression on balanced, standardised states; facts have its held-out accuracy
    probe-published   as released: 10 principal components, no bias, SGD, unit length
    sae, sae-published   features of a sparse autoencoder; see ``_sae_directions.py``

All blocks come from one reading of the sentences. Source of the method and its flaws: Gan et al., Textual
Steering Vectors, sections 2.2 and 2.3 of the released code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from modgap._errors import InputError, UnknownName
from modgap.models.local._vector import Fact, SteeringVector

from ._concepts import Concept
from ._matched import matched_directions
from ._sae import SAE
from ._sae_directions import METHODS as SAE_METHODS
from ._sae_directions import sae_directions
from ._text_states import TextModel, TextStates, text_model, text_states, token_of

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

METHODS = ("meanshift", "others", "matched", "lda", "probe", "probe-published")
SHRINK = 0.1
"""Share of the mean variance that is added to the covariance of ``lda`` (our choice)."""


@dataclass(frozen=True)
class Anchored:
    """States of one concept.

    Args:
        anchors: states at the anchor words.
        others: states at the other tokens of the same sentences.
        sentence: of each, which sentence it is from.
        skipped: sentences whose anchor is not one token, which are left out.
    """

    anchors: Float[Tensor, "block anchor d_model"]
    others: Float[Tensor, "block other d_model"]
    anchor_sentence: Int[Tensor, " anchor"]
    other_sentence: Int[Tensor, " other"]
    skipped: tuple[str, ...]


def anchored(model: TextModel, concept: Concept, *, off_by_one: bool = False) -> Anchored:
    """Read the sentences of a concept.

    Args:
        model: the language model.
        concept: its sentences.
        off_by_one: take the input of a block instead of its output, as a released script did.

    Raises:
        InputError: no sentence has an anchor of one token.
    """
    read = text_states(model, [sentence for _, sentence in concept.sentences])
    at, skipped = [], []
    for number, (anchor, sentence) in enumerate(concept.sentences):
        found = re.search(rf"(?<!\w){re.escape(anchor)}(?!\w)", sentence)
        token = token_of(read, number, found.start(), found.end()) if found else None
        if token is None:
            skipped.append(sentence)
        else:
            at.append((number, token))
    if len(at) < 2:
        raise InputError(
            f"concept {concept.name!r}: {len(at)} of {len(concept.sentences)} anchors are one token of "
            f"{model.name}; give sentences with other anchor words"
        )
    rows, columns = torch.tensor(at).unbind(dim=1)
    is_other = read.real.clone()
    is_other[rows, columns] = False
    is_other[[n for n in range(len(is_other)) if n not in set(rows.tolist())]] = False
    other_rows, other_columns = is_other.nonzero().unbind(dim=1)
    states = read.states
    if off_by_one:
        states = torch.cat([states[:1], states[:-1]])
    return Anchored(
        states[:, rows, columns], states[:, other_rows, other_columns], rows, other_rows, tuple(skipped)
    )


def extract(
    model: str | TextModel,
    concept: Concept,
    method: str = "meanshift",
    *,
    against: Sequence[Concept] = (),
    saes: Sequence[SAE] = (),
    seed: int = 0,
    shuffled: bool = False,
    off_by_one: bool = False,
) -> SteeringVector:
    """The direction of a concept at every block.

    Args:
        model: a name that :func:`text_model` takes, or what it gave.
        concept: what the direction is of.
        method: one of ``METHODS`` or ``SAE_METHODS``.
        against: other concepts, for ``others``.
        saes: of some blocks, for ``sae``; directions of the other blocks are 0.
        seed: of what a method or a control draws.
        shuffled: a control: a random token of each sentence counts as its anchor.
        off_by_one: see :func:`anchored`.

    Raises:
        UnknownName: no such method.
        InputError: nothing to compare with, or no usable sentence.
    """
    if method not in (*METHODS, *SAE_METHODS):
        raise UnknownName("method", method, (*METHODS, *SAE_METHODS))
    if method == "others" and not against:
        raise InputError("method 'others' compares with other concepts: give at least one")
    model = text_model(model) if isinstance(model, str) else model
    found = anchored(model, concept, off_by_one=off_by_one)
    if shuffled:
        found = _shuffled(found, seed)
    facts: dict[str, Fact] = {
        "model": model.name,
        "sentences": len(concept.sentences) - len(found.skipped),
        "skipped": len(found.skipped),
        "checksum": concept.checksum,
        "shuffled": shuffled,
        "off_by_one": off_by_one,
    }
    if method == "others":
        rest = torch.cat([anchored(model, c, off_by_one=off_by_one).anchors for c in against], dim=1)
        directions = found.anchors.mean(dim=1) - rest.mean(dim=1)
        facts["against"] = ", ".join(c.name for c in against)
    elif method == "matched":
        if shuffled:
            raise InputError("method 'matched' compares anchors with words like them: shuffle 'meanshift'")
        directions, more = matched_directions(model, concept, off_by_one=off_by_one)
        facts |= more
    elif method in SAE_METHODS:
        directions, chosen = sae_directions(found, saes, published=method == "sae-published")
        facts |= chosen
    elif method.startswith("probe"):
        from ._probe import published_probe, sound_probe

        fit = sound_probe if method == "probe" else published_probe
        directions, accuracy = fit(found, seed)
        facts |= {"held_out_accuracy": accuracy, "seed": seed} if accuracy is not None else {"seed": seed}
    else:
        maker: Callable[[Anchored], Tensor] = _meanshift if method == "meanshift" else _lda
        directions = maker(found)
    return SteeringVector(concept.name, method + ("-shuffled" if shuffled else ""), directions, facts)


def _meanshift(found: Anchored) -> Float[Tensor, "block d_model"]:
    return found.anchors.mean(dim=1) - found.others.mean(dim=1)


def _lda(found: Anchored) -> Float[Tensor, "block d_model"]:
    """Through the inverse covariance, and as long as the mean difference, so that strengths compare."""
    difference = _meanshift(found)
    directions = []
    for block, shift in enumerate(difference):
        centred = torch.cat(
            [part[block] - part[block].mean(dim=0) for part in (found.anchors, found.others)]
        ).double()
        covariance = centred.T @ centred / len(centred)
        scale = covariance.diagonal().mean()
        covariance += SHRINK * scale * torch.eye(len(covariance), dtype=covariance.dtype)
        found_direction = torch.linalg.solve(covariance, shift.double())
        directions.append((found_direction / found_direction.norm() * shift.norm()).float())
    return torch.stack(directions)


def _shuffled(found: Anchored, seed: int) -> Anchored:
    """Another token of each sentence takes the place of its anchor."""
    rng = torch.Generator().manual_seed(seed)
    states = torch.cat([found.anchors, found.others], dim=1)
    sentence = torch.cat([found.anchor_sentence, found.other_sentence])
    chosen = []
    for number in found.anchor_sentence.tolist():
        at = ((sentence == number) & (torch.arange(len(sentence)) >= len(found.anchor_sentence))).nonzero()[
            :, 0
        ]
        chosen.append(int(at[torch.randint(len(at), (1,), generator=rng)]))
    rest = torch.ones(len(sentence), dtype=torch.bool)
    rest[chosen] = False
    return Anchored(states[:, chosen], states[:, rest], sentence[chosen], sentence[rest], found.skipped)


def random_like(vector: SteeringVector, seed: int) -> SteeringVector:
    """A control: a direction drawn evenly from the sphere at each block, as long as the vector's there."""
    rng = torch.Generator().manual_seed(seed)
    noise = torch.randn(vector.directions.shape, generator=rng)
    noise *= vector.directions.norm(dim=1, keepdim=True) / noise.norm(dim=1, keepdim=True)
    return SteeringVector(vector.concept, "random", noise, {"seed": seed, "as_long_as": vector.method})


__all__ = ["METHODS", "TextStates", "anchored", "extract", "random_like"]
