"""What is said aloud of a problem: one of its text forms in words, and those turned back into that form.

A task names a form and how it is spoken, ``SPOKEN = Spoken("story", write, read)``; sound is made of words
(``modgap.media.speech``), so that one mechanism serves every task and every voice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Spoken:
    """How a problem is spoken.

    Args:
        form: the text representation whose content is spoken.
        write: that form → words.
        read: words → that form, exactly.
    """

    form: str
    write: Callable[[str], str] = _same
    read: Callable[[str], str] = _same
