"""Captions that a model writes of scenes, and pictures for captions whose scene is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from modgap._errors import InputError, ModelError
from modgap.media import Image, Text
from modgap.models import Model, Query, Sampling
from modgap.scenes import Scene, draw_scene
from modgap.tasks._media_files import media_part
from modgap.tasks.scenes import LEVELS, sample_world

from ._example import PROMPT, Example
from ._files import MAX_LINE, json_lines, read_examples
from ._natural import natural

PIXELS = 224
"""Side of a picture that is drawn for a caption (as of ``modgap tldr data``)."""
MOST_TOKENS = 220
"""Longest caption that is written, in tokens."""


class _Line(msgspec.Struct, frozen=True):
    caption: str
    image: str | None = None
    prompt: str = PROMPT


def shown(examples: Sequence[Example], pixels: int = PIXELS) -> list[Example]:
    """The examples, with a drawn picture where they have a scene and no picture."""
    drawn: dict[Scene, Image] = {}
    found = []
    for example in examples:
        image = example.image
        if image is None and example.scene is not None:
            if example.scene not in drawn:
                drawn[example.scene] = Image.from_pil(draw_scene(example.scene, pixels=pixels))
            image = drawn[example.scene]
        found.append(replace(example, image=image))
    return found


def read_any(path: Path) -> list[Example]:
    """Captions of a data set, or of JSON lines as for ``modgap tldr detect``, with their pictures.

    Raises:
        FileError: if a line is neither.
    """
    if path.suffix != ".jsonl" or not path.is_file() or not _has_captions(path):
        return shown(list(read_examples(path)))
    found = []
    for number, (where, line) in enumerate(json_lines(path, _Line)):
        image = None if line.image is None else media_part(line.image, "image", path.parent, where)
        name = line.image or f"line {number}"
        found.append(
            Example(
                f"{number}",
                name,
                line.prompt,
                line.caption,
                (),
                "captions",
                image=image if isinstance(image, Image) else None,
            )
        )
    return found


def _has_captions(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return '"caption"' in lines.readline(MAX_LINE)


def draw_labelled(examples: Sequence[Example], n: int, seed: int) -> tuple[list[Example], list[Example]]:
    """Part captions by picture: those the rate is about, and those whose labels may be used.

    Args:
        examples: labelled.
        n: pictures whose labels may be used, 2 or more; at least two are left.
        seed: of the choice.

    Raises:
        InputError: if there are too few pictures.
    """
    names = sorted({example.group for example in examples})
    if not 2 <= n <= len(names) - 2:
        raise InputError(
            f"{n} labelled of {len(names)} pictures is not accepted; give 2 or more, and leave 2"
        )
    chosen = {names[i] for i in np.random.default_rng(seed).permutation(len(names))[:n]}
    return [e for e in examples if e.group not in chosen], [e for e in examples if e.group in chosen]


def write_captions(model: Model, images: Sequence[Image], prompt: str = PROMPT) -> list[str]:
    """Greedy captions of pictures.

    Args:
        model: that writes them.
        images: one for each caption.
        prompt: what it is asked.

    Raises:
        ModelError: if one could not be written.
    """
    sampling = Sampling(max_tokens=MOST_TOKENS)
    queries = [Query((image, Text(f"\n\n{prompt}")), sampling=sampling) for image in images]
    captions = [""] * len(images)
    for index, reply in model.reply(queries):
        if reply.text is None:
            raise ModelError(f"{model.name}: a caption could not be written: {reply.error}")
        captions[index] = reply.text
    return captions


def captions_of_scenes(model: Model, n: int, seed: int, level: str = "plain") -> list[Example]:
    """What a model writes of scenes, labelled exactly.

    Args:
        model: that writes.
        n: scenes; one caption each.
        seed: of the scenes.
        level: of the scenes.

    Returns:
        Natural examples with pictures.
    """
    scenes = [sample_world(np.random.default_rng([seed, i]), LEVELS[level]) for i in range(n)]
    images = [Image.from_pil(draw_scene(scene, pixels=PIXELS)) for scene in scenes]
    examples = natural(write_captions(model, images), scenes)
    return [replace(e, image=image) for e, image in zip(examples, images, strict=True)]
