"""Control: an even grey picture of the same size in place of the right one.

What is answered correctly without any picture is guessed from the question and from habit.
"""

from __future__ import annotations

import io
from functools import lru_cache

import PIL.Image

from modgap.evaluate._prompts import ask_about
from modgap.media import Image, Part
from modgap.tasks import Problem, Representation

from ._interface import Asking, Context

GREY = (128, 128, 128)


def applies(problem: Problem, representation: Representation) -> bool:
    """Whether a picture is shown; sound and film have no blank."""
    return representation.modality == "image"


def ask(problem: Problem, representation: Representation, context: Context) -> Asking:
    """Ask the question about a blank picture, once."""
    parts = tuple(_blank(part) for part in representation.parts)
    return (yield context.query(problem, representation, ask_about(problem, parts, context.wording)))


def _blank(part: Part) -> Part:
    if not isinstance(part, Image):
        return part
    with PIL.Image.open(io.BytesIO(part.data)) as opened:  # the header was checked when it was read
        return _grey(opened.size)


@lru_cache(maxsize=64)
def _grey(size: tuple[int, int]) -> Image:
    return Image.from_pil(PIL.Image.new("RGB", size, GREY))
