"""Errors that a model really made: its captions of rendered scenes, labelled exactly.

    examples = natural(captions, scenes)

Each word is held against the scene graph. Sentences that cannot be read are neither right nor wrong and weigh
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from modgap._errors import FileError, InputError, ModgapError
from modgap.scenes import BACKGROUND_SHAPES, Fact, ReadWord, Scene, read_caption, read_json
from modgap.scenes._facts import FactKind

from ._example import PROMPT, UNREAD, Example, TypedSpan
from ._files import json_lines
from ._splits import split_of

_TYPES: dict[FactKind, str] = {
    "color": "attribute",
    "size": "attribute",
    "fill": "attribute",
    "shape": "object",
    "existence": "object",
    "word": "text",
    "position": "spatial",
    "relation": "spatial",
    "depth": "spatial",
    "count": "counting",
    "absence": "counterfactual",
}


def natural(captions: Sequence[str], scenes: Sequence[Scene], *, prompt: str = PROMPT) -> list[Example]:
    """Label captions against the scenes they are about.

    Args:
        captions: as written by a model; untrusted.
        scenes: one for each caption.
        prompt: what the model was asked.

    Returns:
        An example for each caption. Its spans are the words that do not hold, each with the type of what it
        states; a statement about an object that is not there is of type ``object``. Which word would be
        right is not guessed.

    Raises:
        InputError: if there are not as many scenes as captions, or a scene is not valid.
        FileError: if a caption is too long.
    """
    if len(captions) != len(scenes):
        raise InputError(f"{len(captions)} captions and {len(scenes)} scenes do not match; give one for each")
    found = []
    for i, (text, scene) in enumerate(zip(captions, scenes, strict=True)):
        reading = read_caption(text, scene)
        spans = [_span(word) for word in reading.words if not word.holds]
        spans += [TypedSpan(start, end, UNREAD, 0.0) for start, end in reading.unread]
        name = f"natural-{i:06d}"
        found.append(
            Example(name, name, prompt, text, tuple(sorted(spans)), "natural", split_of(name), scene=scene)
        )
    return found


class _Line(msgspec.Struct, frozen=True):
    caption: str
    scene: str | dict[str, Any]


def read_captions(path: Path) -> tuple[list[str], list[Scene]]:
    """Read captions and scenes for :func:`natural`.

    Args:
        path: JSON lines, each with a ``caption`` and a ``scene`` as :func:`modgap.scenes.write_json` writes
            it, as an object or as a string.

    Raises:
        FileError: at the first line that is not such.
    """
    captions, scenes = [], []
    for where, line in json_lines(path, _Line):
        text = line.scene if isinstance(line.scene, str) else msgspec.json.encode(line.scene).decode()
        try:
            scenes.append(read_json(text))
        except ModgapError as error:
            raise FileError(f"{where}: {error}") from error
        captions.append(line.caption)
    return captions, scenes


def _span(word: ReadWord) -> TypedSpan:
    return TypedSpan(word.start, word.end, _type(word.fact))


def _type(fact: Fact | None) -> str:
    if fact is None:
        return "object"
    if fact.kind == "existence" and fact.value in BACKGROUND_SHAPES:
        return "small"
    return _TYPES[fact.kind]
