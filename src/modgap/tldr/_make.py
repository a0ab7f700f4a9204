"""Making examples from rendered scenes.

    for example in make_examples(DataConfig(n=2000)):
        ...

Types take turns, so that each has the same number of examples. A type that does not apply to a scene tries
the next one; how often it applied is its yield.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from modgap._errors import InputError, UnknownName
from modgap.media import Image
from modgap.scenes import Scene, draw_scene, read_caption, write_caption
from modgap.scenes._draws import Draws
from modgap.scenes._edits import in_reading_order
from modgap.tasks.scenes import LEVELS, sample_world

from . import perturb
from ._edit import Perturbation, apply_edit, is_false_just_there
from ._example import PROMPT, Example
from ._natural import natural
from ._splits import split_of
from ._twins import make_twins

DESIGNS = ("twins", "edits", "several")
CHANGES = (0, 1, 3, 5)
"""Times a scene is changed before it is told, for each caption of a picture of design ``several``."""
_TRIES = 300
"""Scenes that a type tries before it is said not to apply (its yield is then below 1 in 100)."""


@dataclass(frozen=True)
class DataConfig:
    """What is made.

    Args:
        n: examples, 1 or more; rounded up to whole groups.
        seed: of everything, 0 or more.
        types: of errors; all that apply to the scenes if ``None``.
        design: ``twins``, two pictures and two captions crossed, so that text alone says nothing;
            ``edits``, as published: a true caption and an edited one about one picture; or ``several``: a
            true caption and captions of scenes that differ in one to five ways, which have more wrong words
            to learn from, and agree with themselves.
        level: of the scenes, as for the tasks on scenes; every second scene is in perspective, unless the
            level is ``plain``.
        pixels: side of the pictures; 0 for none.

    Raises:
        InputError: if a value is not accepted.
    """

    n: int = 2000
    seed: int = 0
    types: tuple[str, ...] | None = None
    design: str = "twins"
    level: str = "medium"
    pixels: int = 224

    def __post_init__(self) -> None:
        if self.n < 1 or self.seed < 0:
            raise InputError(f"n {self.n} and seed {self.seed} are not accepted; give n ≥ 1 and seed ≥ 0")
        if self.design not in DESIGNS:
            raise UnknownName("design", self.design, DESIGNS)
        if self.level not in LEVELS:
            raise UnknownName("level", self.level, LEVELS)
        if self.pixels and not 32 <= self.pixels <= 2048:
            raise InputError(f"pixels {self.pixels} is not accepted; give 32 to 2048, or 0 for no pictures")
        for name in self.types or ():
            if name not in perturb.names():
                raise UnknownName("perturbation type", name, perturb.names())

    @property
    def group_size(self) -> int:
        """Examples in a group."""
        return {"twins": 4, "edits": 2, "several": len(CHANGES)}[self.design]


@dataclass
class Tally:
    """How often each type was tried on a scene, and how often it applied."""

    tried: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    def yield_of(self, type_: str) -> float:
        """Fraction of the scenes to which a type applied, 0 to 1."""
        return self.found[type_] / max(self.tried[type_], 1)


def make_examples(config: DataConfig, tally: Tally | None = None) -> Iterator[Example]:
    """Make examples, group after group.

    Args:
        config: what to make. Group ``i`` of a seed is the same whatever ``n`` is.
        tally: counts as they come.

    Raises:
        InputError: if a type that was asked for does not apply to such scenes, or none does.
    """
    tally = Tally() if tally is None else tally
    types = list(config.types or perturb.names())
    number = 0
    while number * config.group_size < config.n:
        type_ = types[number % len(types)]
        group = _group(config, number, type_, tally)
        if group is None:
            types.remove(type_)
            if config.types is not None or not types:
                raise InputError(
                    f"perturbation type {type_!r} did not apply to any of {_TRIES} scenes of level "
                    f"{config.level!r}; leave it out, or take another level"
                )
            continue
        yield from group
        number += 1


def _group(config: DataConfig, number: int, type_: str, tally: Tally) -> list[Example] | None:
    perturbation = perturb.load(type_)
    rng = np.random.default_rng([config.seed, number])
    dials = LEVELS[config.level]
    make = {"twins": _twins, "edits": _edits, "several": _several}[config.design]
    name = f"{config.design}-{config.seed}-{number:06d}"
    for attempt in range(_TRIES):
        # Not by the parity of groups: it would go with the type.
        deep = config.level != "plain" and (number // 8 + attempt) % 2 == 1
        scene = sample_world(rng, replace(dials, perspective=deep))
        tally.tried[type_] += 1
        made = make(scene, type_, perturbation, rng, name)
        if made:
            tally.found[type_] += 1
            pictures = {scene: _picture(scene, config.pixels) for scene in {e.scene for e in made}}
            return [replace(e, image=pictures[e.scene], split=split_of(name)) for e in made]
    return None


def _twins(
    scene: Scene, type_: str, perturbation: Perturbation, rng: np.random.Generator, name: str
) -> list[Example]:
    twins = make_twins(scene, type_, perturbation, rng)
    if twins is None:
        return []
    return [
        Example(
            f"{name}-{'ab'[i]}{'ab'[j]}",
            name,
            PROMPT,
            twins.captions[j],
            twins.spans[j] if i != j else (),
            "twins",
            scene=twins.scenes[i],
        )
        for i in (0, 1)
        for j in (0, 1)
    ]


def _edits(
    scene: Scene, type_: str, perturbation: Perturbation, rng: np.random.Generator, name: str
) -> list[Example]:
    caption = write_caption(scene, rng, "dense", in_order=True)
    edit = perturbation.edit(caption, scene, Draws(rng))
    if edit is None:
        return []
    text, spans, _ = apply_edit(caption.text, edit, type_)
    if not is_false_just_there(read_caption(text, scene), spans, perturbation.KINDS):
        return []
    return [
        Example(f"{name}-true", name, PROMPT, caption.text, (), "edits", scene=scene),
        Example(f"{name}-edited", name, PROMPT, text, spans, "edits", scene=scene),
    ]


def _several(
    scene: Scene, type_: str, perturbation: Perturbation, rng: np.random.Generator, name: str
) -> list[Example]:
    examples = []
    for changes in CHANGES:
        told = scene
        for number in range(changes):  # the first change is of the type whose turn it is
            other = perturb.load(str(rng.choice(perturb.names()))) if number else perturbation
            told = _changed(told, other, rng)
            if number == 0 and told == scene:
                return []
        text = write_caption(told, rng, "dense", in_order=True).text
        (example,) = natural([text], [scene])
        examples.append(replace(example, example_id=f"{name}-{changes}", group=name, source="several"))
    return examples


def _changed(scene: Scene, perturbation: Perturbation, rng: np.random.Generator) -> Scene:
    """The twin of an edit of the scene's caption; the scene itself where the type does not apply."""
    draws = Draws(rng)
    edit = perturbation.edit(write_caption(scene, rng, "dense", in_order=True), scene, draws)
    twin = None if edit is None else perturbation.twin(scene, edit, draws)
    return scene if twin is None else in_reading_order(twin)


def _picture(scene: Scene | None, pixels: int) -> Image | None:
    return Image.from_pil(draw_scene(scene, pixels=pixels)) if scene and pixels else None
