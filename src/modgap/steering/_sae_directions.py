"""The direction of a concept from features of a sparse autoencoder that are active at its anchor words.

    sae             features ranked by activation × length of their decoder row, if they are more active at
                    the anchors than elsewhere in the same sentences; as long as the mean difference
    sae-published   features ranked by activation, without that condition; unit length

Both follow the released procedure in what remains: the 20 strongest features of a sentence, weighted by rank,
in at least two sentences, the 16 heaviest kept, the mean of their decoder rows. A paid language model judged
the features there; here each is described by the words it is most active at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from modgap._errors import InputError

from ._sae import SAE
from ._text_states import TextModel, text_states

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from ._extract import Anchored

METHODS = ("sae", "sae-published")
_STRONGEST, _HEAVIEST, _SENTENCES = 20, 16, 2


@dataclass(frozen=True)
class Feature:
    """A feature of a concept.

    Args:
        number: in the autoencoder.
        weight: summed rank weight, 1 per sentence at most.
        sentences: in which it is among the strongest.
    """

    number: int
    weight: float
    sentences: int


def features_of(found: Anchored, sae: SAE, block: int, *, published: bool = False) -> list[Feature]:
    """The features of a concept, heaviest first.

    Args:
        found: states of its sentences.
        sae: of the block.
        block: whose states are taken.
        published: rank as released.
    """
    active = sae.encode(found.anchors[block])
    ranked = active if published else active * sae.decoder.norm(dim=1)
    if not published:
        elsewhere = sae.encode(found.others[block]).mean(dim=0)
        ranked = ranked * (active.mean(dim=0) > elsewhere)
    most = min(_STRONGEST, ranked.shape[1])
    values, numbers = ranked.topk(most, dim=1)
    weights = torch.zeros(ranked.shape[1])
    counts = torch.zeros(ranked.shape[1], dtype=torch.long)
    for row, strongest in zip(values, numbers, strict=True):
        chosen = strongest[row > 0]
        weights[chosen] += 1 - torch.arange(len(chosen)) / most
        counts[chosen] += 1
    weights[counts < _SENTENCES] = 0
    best = weights.topk(min(_HEAVIEST, len(weights))).indices.tolist()
    return [Feature(n, float(weights[n]), int(counts[n])) for n in best if weights[n] > 0]


def sae_directions(
    found: Anchored, saes: Sequence[SAE], *, published: bool = False
) -> tuple[Float[Tensor, "block d_model"], dict[str, str]]:
    """Directions at the blocks that an autoencoder was given for; 0 at the others.

    Args:
        found: states of the sentences of a concept.
        saes: each with its block.
        published: as released.

    Returns:
        directions; facts: the features of each block.

    Raises:
        InputError: no autoencoder, one without a block or of another model, or no feature at any block.
    """
    if not saes:
        raise InputError(
            "method 'sae' needs a sparse autoencoder: train one with `modgap steer sae`, or give --sae"
        )
    directions = torch.zeros(found.anchors.shape[0], found.anchors.shape[2])
    facts = {}
    for sae in saes:
        if sae.block is None or sae.block >= len(directions) or sae.encoder.shape[0] != directions.shape[1]:
            raise InputError(
                f"an autoencoder of block {sae.block} and width {sae.encoder.shape[0]} does not fit a model "
                f"of {len(directions)} blocks of width {directions.shape[1]}"
            )
        chosen = [one.number for one in features_of(found, sae, sae.block, published=published)]
        if not chosen:
            continue
        mean = sae.decoder[chosen].mean(dim=0)
        length = 1.0
        if not published:
            length = float(
                (found.anchors[sae.block].mean(dim=0) - found.others[sae.block].mean(dim=0)).norm()
            )
        directions[sae.block] = mean / mean.norm().clamp(min=1e-30) * length
        facts[f"features_{sae.block}"] = " ".join(map(str, chosen))
    if not facts:
        raise InputError(
            "no feature is active at the anchors of two sentences, more than elsewhere, at any block"
        )
    return directions, facts


def contexts(
    model: TextModel, sae: SAE, numbers: Sequence[int], texts: Sequence[str], most: int = 5
) -> list[list[tuple[str, str, float]]]:
    """Where features are most active: a description that needs no other model.

    Args:
        model: that the autoencoder is of.
        sae: with its block.
        numbers: features.
        texts: that are read.
        most: contexts of each feature.

    Returns:
        For each feature, strongest first: the token's word, up to 30 characters before it, the activation;
        one entry for a word.

    Raises:
        InputError: the autoencoder does not say which block it is of.
    """
    if sae.block is None:
        raise InputError("the autoencoder does not say which block it is of")
    read = text_states(model, texts)
    rows, columns = read.real.nonzero().unbind(dim=1)
    active = sae.encode(read.states[sae.block][rows, columns])
    found = []
    for number in numbers:
        seen: dict[str, tuple[str, str, float]] = {}
        order = active[:, number].argsort(descending=True)
        for at in order.tolist():
            value = float(active[at, number])
            if value <= 0 or len(seen) == most:
                break
            text = texts[int(rows[at])]
            start, end = read.spans[rows[at], columns[at]].tolist()
            word = text[start:end].strip()
            seen.setdefault(word, (word, text[max(0, start - 30) : start].strip(), value))
        found.append(list(seen.values()))
    return found
