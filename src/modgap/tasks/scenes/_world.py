"""What the tasks on rendered scenes share: the dials, the drawing settings, the scenes and their renderings.

Problem ``index`` of a seed is asked about the same scene by every task that can ask about it, so that one
picture serves all of them; a task that cannot goes on to the next scene of that index. Every scene has a
small palette of its own, so that colours and shapes repeat, as counting, binding and false pairs need.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import numpy as np

from modgap._errors import FileError, InputError
from modgap.media import Image, Modality, Part, Text
from modgap.scenes import (
    BACKGROUNDS,
    COLORS,
    SHAPES,
    STYLES,
    Scene,
    SceneSettings,
    decode_picture,
    draw_scene,
    read_json,
    read_list,
    read_story,
    sample_scene,
    write_json,
    write_list,
    write_story,
)
from modgap.tasks._parse import read_choice
from modgap.tasks._problem import Answer
from modgap.tasks._settings import check_order, setting

REPRESENTATIONS: dict[str, Modality] = {"list": "text", "json": "text", "story": "text", "image": "image"}

_MAX_SCENES = 3000
"""Scenes tried before a task says that its settings leave nothing to ask."""


@dataclass(frozen=True)
class Dials:
    """What is asked: the scenes, and how close a call may be (our choice; ``LEVELS`` are presets)."""

    min_objects: int = setting(2, "fewest objects in a scene", low=1, high=8)
    max_objects: int = setting(5, "most objects in a scene", low=1, high=8)
    plates: int = setting(3, "most objects with a word on them", low=0, high=8)
    background_objects: int = setting(2, "most small things in the background", low=0, high=4)
    perspective: bool = setting(False, "objects stand at different depths and may hide one another")
    aligned: bool = setting(False, "objects stand in the middle of their ninths of the picture")
    relation_margin: int = setting(
        8,
        "how much farther apart two objects are along one axis than the other, percent",
        low=1,
        high=90,
    )
    distance_ratio: float = setting(
        1.5, "how many times farther away the farther of two objects is, at least", low=1.05, high=5
    )
    depth_step: int = setting(2, "depth levels between two objects, at least", low=1, high=9)

    def __post_init__(self) -> None:
        check_order(self, "min_objects", "max_objects")


LEVELS: dict[str, Dials] = {
    "plain": Dials(2, 5, 0, 0, aligned=True, relation_margin=25),
    "easy": Dials(2, 3, 1, 0, relation_margin=25, distance_ratio=2.5, depth_step=4),
    "medium": Dials(),
    "hard": Dials(5, 8, 3, 4, relation_margin=3, distance_ratio=1.2, depth_step=1),
}


@dataclass(frozen=True)
class Style:
    """How a picture is drawn; problems and their ids do not depend on it."""

    pixels: int = setting(224, "width and height of a picture", low=32, high=2048)
    style: str = setting("flat", "drawing style; mixed changes with the scene", one_of=(*STYLES, "mixed"))
    background: str = setting(
        "white", "background of a picture; mixed changes with the scene", one_of=(*BACKGROUNDS, "mixed")
    )


class OnScene(Protocol):
    """A problem about a scene."""

    @property
    def scene(self) -> Scene:
        """The scene it is about."""


P = TypeVar("P", bound=OnScene)
T = TypeVar("T")


def pick(rng: np.random.Generator, values: Sequence[T]) -> T:
    """One value at random; much cheaper than ``rng.choice``."""
    return values[int(rng.random() * len(values))]


def shuffled(rng: np.random.Generator, values: Sequence[T]) -> list[T]:
    """The values in random order."""
    pool = list(values)
    for i in range(len(pool) - 1, 0, -1):
        j = int(rng.random() * (i + 1))
        pool[i], pool[j] = pool[j], pool[i]
    return pool


def sample_world(rng: np.random.Generator, dials: Dials) -> Scene:
    """Draw a scene with a palette of 2 to 4 colours and 2 to 4 shapes.

    Args:
        rng: where all randomness comes from.
        dials: what scenes contain.
    """
    colors = tuple(shuffled(rng, COLORS)[: 2 + int(rng.random() * 3)])
    shapes = tuple(shuffled(rng, SHAPES)[: 2 + int(rng.random() * 3)])
    plates = min(dials.plates, dials.max_objects)
    return sample_scene(
        rng,
        SceneSettings(
            min_objects=dials.min_objects,
            max_objects=dials.max_objects,
            perspective=dials.perspective,
            min_plates=min(1, plates),
            plates=plates,
            background_objects=dials.background_objects,
            aligned=dials.aligned,
            colors=colors,
            shapes=shapes,
        ),
    )


@lru_cache(maxsize=256)
def _scene(base: int, number: int, dials: Dials) -> Scene:
    return sample_world(np.random.default_rng([base, number]), dials)


def find(
    task: str, rng: np.random.Generator, dials: Dials, ask: Callable[[Scene, np.random.Generator], P | None]
) -> P:
    """The first question a task can ask about the scenes of an index.

    Args:
        task: its name; two tasks draw their questions independently.
        rng: the generator of the index; every task takes the same scenes from it.
        dials: what scenes contain.
        ask: makes a question about a scene, or ``None`` if there is none.

    Raises:
        InputError: if the settings leave nothing to ask.
    """
    base = int(rng.integers(2**62))
    own = np.random.default_rng([base, int.from_bytes(task.encode()[:8])])
    for number in range(_MAX_SCENES):
        found = ask(_scene(base, number, dials), own)
        if found is not None:
            return found
    raise InputError(
        f"task scenes/{task} found nothing to ask in {_MAX_SCENES:,} scenes of {dials}; "
        "allow more objects or plates, or a smaller margin, ratio or step"
    )


def group(p: OnScene) -> str:
    """A hash of the scene."""
    return _identity(p.scene)


def content(p: OnScene) -> Scene:
    """The scene."""
    return p.scene


def render(p: OnScene, representation: str, style: Style) -> tuple[Part, ...]:
    """The scene in one representation."""
    if representation == "image":
        return (_picture(p.scene, style),)
    return (Text(_WRITERS[representation](p.scene)),)


def decode(representation: str, parts: tuple[Part, ...], *, perspective: bool = False) -> Scene:
    """The scene, read back from one representation; a picture does not say whether it has perspective."""
    (part,) = parts
    if isinstance(part, Image):
        return decode_picture(part.to_pil(), perspective=perspective)
    if isinstance(part, Text):
        return _READERS[representation](part.text)
    raise FileError(f"representation {representation!r} has a {part.modality} part; expected text or image")


def parse(text: str, options: Sequence[str]) -> Answer:
    """What a reply says: one of the options, or what else it states."""
    return read_choice(text, options)


def measures(scene: Scene, **more: float | int | str) -> dict[str, Any]:
    """Difficulty measures every task reports, and some of its own."""
    return {"objects": len(scene.objects), **more}


_WRITERS: dict[str, Callable[[Scene], str]] = {"list": write_list, "json": write_json, "story": write_story}
_READERS: dict[str, Callable[[str], Scene]] = {"list": read_list, "json": read_json, "story": read_story}


@lru_cache(maxsize=256)
def _identity(scene: Scene) -> str:
    return "scene-" + hashlib.sha256(write_json(scene).encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _picture(scene: Scene, style: Style) -> Image:
    number = int(_identity(scene)[6:], 16)
    drawing, background = style.style, style.background
    if drawing == "mixed":
        drawing = STYLES[number % len(STYLES)]
    if background == "mixed":
        background = BACKGROUNDS[number // len(STYLES) % len(BACKGROUNDS)]
    return Image.from_pil(
        draw_scene(
            scene, pixels=style.pixels, style=drawing, background=background, noise_seed=number % 2**32
        )
    )
