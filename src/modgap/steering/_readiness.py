"""Can a direction from text move what a model sees? Measured before anything is steered.

For a family of values (colours, sides, numbers …), at every block: can a linear probe tell the values from
the states of their words in the text-only backbone, and from the states of pictures; does the probe of the
words read the pictures; and do the words and the pictures of a value lie in the same direction from their
means? Only the last two let a vector from text do something at image positions.

A probe that took every red for a green would be right by chance for some other naming of the values, so the
control is that naming: the values of the pictures are put into every other order, the best block is taken
again, and p is the share of orders that do as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modgap._errors import InputError, ModelError, UnknownName
from modgap.evaluate._probes import Probe, fit_probe
from modgap.models.local._model import LocalModel
from modgap.scenes import COLORS, FILLS, SHAPES, SIZES, Scene, SceneSettings, sample_scene, write_list

from ._alignment import best_under_orders, mutual_neighbours, orders_of
from ._picture_states import picture_states
from ._text_states import TextModel, text_model, text_states
from ._words import word_states

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    Labels = Int[np.ndarray, " n"]

FAMILIES: dict[str, tuple[str, ...]] = {
    "color": COLORS,
    "shape": SHAPES,
    "size": SIZES,
    "fill": FILLS,
    "side": ("left", "right", "above", "below"),
    "number": ("one", "two", "three", "four"),
}
TEXTS = 400
"""Written scenes that the words are read in."""
LEVEL = 0.05
NEIGHBOURS = 10


@dataclass(frozen=True)
class BlockReadiness:
    """What holds after one block; shares are from 0 to 1.

    Args:
        text: accuracy of a probe of the words, on texts it was not trained on.
        image: accuracy of a probe of the pictures, on pictures it was not trained on.
        image_shuffled: the same, trained on shuffled values.
        transfer: accuracy of the probe of the words on pictures, each side about its own mean.
        cosine: mean over the values of the cosine between its word's and its pictures' mean, each about the
            mean of all values.
    """

    text: float
    image: float
    image_shuffled: float
    transfer: float
    cosine: float


@dataclass(frozen=True)
class FamilyReadiness:
    """Readiness of one family.

    Args:
        family: its name.
        values: those that are one token of the backbone.
        n: pictures that the shares are over, half of those drawn.
        chance: share of the most frequent value.
        blocks: one entry per block.
        best: block with the largest ``transfer``.
        p_transfer, p_cosine: share of the orders of the values that do as well at their best block.
        verdict: what follows, in words.
    """

    family: str
    values: tuple[str, ...]
    n: int
    chance: float
    blocks: tuple[BlockReadiness, ...]
    best: int
    p_transfer: float
    p_cosine: float
    verdict: str

    @property
    def ready(self) -> bool:
        """Whether words and pictures share directions, so that steering can do something."""
        return self.p_transfer < LEVEL and self.p_cosine < LEVEL


@dataclass(frozen=True)
class Readiness:
    """Readiness of a model.

    Args:
        model, backbone: their names.
        seed: of scenes and shuffles.
        families: one entry each.
        neighbours: per block, share of nearest neighbours that written and drawn scenes have in common.
        neighbours_chance: what unrelated states would share.
    """

    model: str
    backbone: str
    seed: int
    families: tuple[FamilyReadiness, ...]
    neighbours: tuple[float, ...]
    neighbours_chance: float

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return asdict(self)


def readiness(
    model: LocalModel,
    backbone: str | TextModel,
    families: Sequence[str] = tuple(FAMILIES),
    *,
    n: int = 400,
    texts: int = TEXTS,
    seed: int = 0,
    listener: Callable[[str], None] | None = None,
) -> Readiness:
    """Measure whether directions from text can do something at the positions of pictures.

    Args:
        model: the multimodal model.
        backbone: where directions would come from; a name that :func:`text_model` takes. It has as many
            blocks, of the same width, as the language part of the model.
        families: keys of ``FAMILIES``.
        n: pictures for each family, at least 40; half train the probe of the pictures.
        texts: written scenes that the words are read in.
        seed: of scenes and shuffles.
        listener: is told which family comes next.

    Raises:
        UnknownName: no such family.
        InputError: no family, ``n`` below 40, pictures without positions, or words that are not one token.
        ModelError: a backbone of another size.
    """
    if n < 40:
        raise InputError(
            f"n is {n}; at least 40 pictures are needed, half to train a probe and half to count"
        )
    if not families:
        raise InputError(f"no family of values was given; give some of {', '.join(FAMILIES)}")
    for family in families:
        if family not in FAMILIES:
            raise UnknownName("family of values", family, tuple(FAMILIES))
    backbone = text_model(backbone) if isinstance(backbone, str) else backbone
    found = []
    for number, family in enumerate(families):
        if listener is not None:
            listener(family)
        found.append(_family(model, backbone, family, n, texts, seed, number))
    if listener is not None:
        listener("neighbours")
    scenes = [_one(np.random.default_rng([seed, 90, i]), (2, 5)) for i in range(n)]
    read = text_states(backbone, [write_list(scene) for scene in scenes])
    weights = read.real.float() / read.real.sum(dim=1, keepdim=True)
    written = (read.states * weights[None, :, :, None]).sum(dim=2).numpy()
    seen = picture_states(model, scenes).numpy()
    shared = tuple(mutual_neighbours(a, b, NEIGHBOURS) for a, b in zip(written, seen, strict=True))
    return Readiness(model.name, backbone.name, seed, tuple(found), shared, NEIGHBOURS / (n - 1))


def _family(
    model: LocalModel, backbone: TextModel, family: str, n: int, texts: int, seed: int, number: int
) -> FamilyReadiness:
    words = word_states(backbone, FAMILIES[family], texts=texts, seed=seed)
    scenes, labels = _pictures(family, words.words, n, [seed, 50 + number])
    seen = picture_states(model, scenes).numpy()
    said = words.states.numpy()
    if said.shape[::2] != seen.shape[::2]:
        raise ModelError(
            f"{backbone.name} has {said.shape[0]} blocks of width {said.shape[2]} and {model.name} "
            f"{seen.shape[0]} of width {seen.shape[2]}: directions of one are not those of the other"
        )
    rng = np.random.default_rng([seed, 70])
    held = words.text.numpy() % 5 == 0
    word = words.word.numpy()
    half, size = n // 2, len(words.words)
    shuffled = rng.permutation(labels[:half])
    transfers, cosines, blocks = [], [], []
    offsets = words.means().numpy()
    offsets = offsets - offsets.mean(axis=0)
    for said_here, seen_here, offset in zip(said, seen, offsets.swapaxes(0, 1), strict=True):
        of_words = fit_probe(said_here[~held], word[~held], size, (said_here[held], word[held]))
        train, test = seen_here[:half], seen_here[half:]
        confusion = np.zeros((size, size))
        np.add.at(confusion, (_read(of_words, train, test), labels[half:]), 1 / (n - half))
        transfers.append(confusion)
        means = np.stack([seen_here[labels == k].mean(axis=0) for k in range(size)])
        cosines.append(_unit(offset) @ _unit(means - means.mean(axis=0)).T / size)
        image, control = (
            fit_probe(train, given, size, (train, given)).accuracy(test, labels[half:])
            for given in (labels[:half], shuffled)
        )
        blocks.append(
            BlockReadiness(
                of_words.accuracy(said_here[held], word[held]),
                image,
                control,
                float(np.trace(confusion)),
                float(np.trace(cosines[-1])),
            )
        )
    orders = orders_of(size, seed)
    by_order = [best_under_orders(np.stack(tables), orders) for tables in (transfers, cosines)]
    p_transfer, p_cosine = (float(np.mean(best >= best[0] - 1e-12)) for best in by_order)
    best = int(np.argmax([block.transfer for block in blocks]))
    chance = float(np.bincount(labels[half:], minlength=size).max() / (n - half))
    verdict = _verdict(family, blocks, size, best, chance, p_transfer, p_cosine)
    return FamilyReadiness(
        family, words.words, n - half, chance, tuple(blocks), best, p_transfer, p_cosine, verdict
    )


def _verdict(
    family: str,
    blocks: Sequence[BlockReadiness],
    values: int,
    best: int,
    chance: float,
    p_transfer: float,
    p_cosine: float,
) -> str:
    least = 1 / math.factorial(values) + 1e-12
    control = max(chance, *(block.image_shuffled for block in blocks))
    if max(block.image for block in blocks) < control + 0.1:
        return (
            f"{family} cannot be read from pictures at any block: there is nothing that a vector could move"
        )
    if max(block.text for block in blocks) < chance + 0.1:
        return f"the words of {family} cannot be told apart in the backbone: there is no direction to add"
    if p_transfer <= least and p_cosine <= least and least >= LEVEL:
        return (
            f"words and pictures of {family} agree better than under any other naming, but {values} values "
            "have too few namings to claim it: try a dose"
        )
    if p_transfer >= LEVEL or p_cosine >= LEVEL:
        return (
            f"{family} is in the words and in the pictures, but no direction that they share was found: a "
            "vector from text means something else at image positions, so expect nothing of it there"
        )
    return (
        f"words and pictures of {family} share directions, most after block {best}: steering can do something"
    )


def _read(probe: Probe, train: Float[np.ndarray, "m d"], test: Float[np.ndarray, "n d"]) -> Labels:
    """What a probe of words reads in pictures, which are brought to the spread of the words first."""
    spread = train.std(axis=0) + 1e-6
    found: Labels = probe.scores((test - train.mean(axis=0)) / spread * probe.scale + probe.mean).argmax(
        axis=1
    )
    return found


def _unit(rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    unit: Float[np.ndarray, "n d"] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit


def _pictures(family: str, values: Sequence[str], n: int, seed: list[int]) -> tuple[list[Scene], Labels]:
    """Pictures of one object each, or of one to four; the values as even as the family allows."""
    scenes: list[Scene] = []
    labels, number = [], 0
    while len(scenes) < n:
        rng = np.random.default_rng([*seed, number])
        number += 1
        if family == "number":
            objects = len(scenes) % len(values) + 1
            scenes.append(_one(rng, (objects, objects)))
            labels.append(objects - 1)
            continue
        scene = _one(rng, (1, 1))
        value = _value(scene, family)
        if value in values:
            scenes.append(scene)
            labels.append(values.index(value))
    return scenes, np.array(labels)


def _value(scene: Scene, family: str) -> str:
    thing = scene.objects[0]
    if family != "side":
        return str(getattr(thing, family))
    right, down = thing.x - 50, thing.y - 50
    if max(abs(right), abs(down)) < 17 or abs(abs(right) - abs(down)) < 10:
        return ""
    if abs(right) > abs(down):
        return "right" if right > 0 else "left"
    return "below" if down > 0 else "above"


def _one(rng: np.random.Generator, objects: tuple[int, int]) -> Scene:
    return sample_scene(rng, SceneSettings(min_objects=objects[0], max_objects=objects[1], aligned=True))
