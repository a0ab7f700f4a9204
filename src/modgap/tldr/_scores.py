"""Scores of the tokens of a caption, on its characters: what every detector gives and every measure reads.

    detector = load_detector("contrast", "bundled")
    for scores in detector.score([Item(image, caption, prompt), ...]):
        words(scores, caption)

A detector splits a caption into tokens in its own way. Characters are what detectors have in common, so
captions of any model can be scored by any of them, and labels are compared with scores of any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from modgap._errors import InputError, ModelError
from modgap.media import Image

from ._example import MAX_RESPONSE, PROMPT

if TYPE_CHECKING:
    from jaxtyping import Float, Int


@dataclass(frozen=True, slots=True)
class Item:
    """A caption that is to be scored.

    Args:
        image: the picture it is about; ``None`` to score it blind.
        caption: what is judged, up to 100,000 characters.
        prompt: what was asked.

    Raises:
        InputError: if the caption is too long.
    """

    image: Image | None
    caption: str
    prompt: str = PROMPT

    def __post_init__(self) -> None:
        if len(self.caption) > MAX_RESPONSE:
            raise InputError(
                f"a caption of {len(self.caption):,} characters is not scored; give up to {MAX_RESPONSE:,}"
            )


@dataclass(frozen=True)
class TokenScores:
    """How likely each token of one caption is wrong.

    Args:
        offsets: start and end of each token in the caption, in characters, end exclusive; in order.
        bad: one number for each token, the higher the more likely it is wrong; of a trained detector a
            probability from 0 to 1, of others any real number.

    Raises:
        ModelError: if the shapes do not match or a number is not finite.
    """

    offsets: Int[np.ndarray, "tokens 2"]
    bad: Float[np.ndarray, " tokens"]

    def __post_init__(self) -> None:
        if self.offsets.shape != (len(self.bad), 2):
            raise ModelError(
                f"offsets of shape {self.offsets.shape} do not fit the scores of {len(self.bad)} tokens"
            )
        if not np.isfinite(self.bad).all():
            raise ModelError("a detector gave a score that is not a finite number; try float32")


class Detector(Protocol):
    """Anything that scores the tokens of captions."""

    @property
    def name(self) -> str:
        """Short name for tables and files."""
        ...

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """Scores of each caption, in the order of the items; batched inside.

        Raises:
            ModgapError: if a caption cannot be scored, such as one longer than the model reads.
        """
        ...


_PIECE = 1000
"""Captions between two lines of progress (our choice: about ten seconds of one core on the bundled model)."""


class Remembering:
    """A detector that scores each caption about each picture once, however often it is asked.

    Args:
        detector: that scores.
        say: told how far it is, where there is much to score.
    """

    def __init__(self, detector: Detector, say: Callable[[str], None] = lambda line: None) -> None:
        self.detector = detector
        self._say = say
        self._found: dict[Item, TokenScores] = {}

    @property
    def name(self) -> str:
        """That of the detector."""
        return self.detector.name

    def score(self, items: Sequence[Item]) -> list[TokenScores]:
        """See :class:`Detector`."""
        new = [item for item in dict.fromkeys(items) if item not in self._found]
        for start in range(0, len(new), _PIECE):
            piece = new[start : start + _PIECE]
            self._found |= dict(zip(piece, self.detector.score(piece), strict=True))
            if len(new) > _PIECE:
                self._say(f"{self.name}: {start + len(piece):,} of {len(new):,} captions are scored")
        return [self._found[item] for item in items]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a caption with its score.

    Args:
        start: first character, 0-based.
        end: one past the last character; punctuation around the word is not part of it.
        bad: the highest score of the tokens that share a character with it.
    """

    start: int
    end: int
    bad: float


def words(scores: TokenScores, caption: str) -> list[Word]:
    """Scores of words, as annotators mark them: without the punctuation around them.

    Args:
        scores: of the caption's tokens.
        caption: that was scored.

    Returns:
        The words that share a character with a token, in order.
    """
    from .annotate._words import words as split  # annotations are made of examples, which come first

    found = []
    starts, ends = scores.offsets[:, 0], scores.offsets[:, 1]
    for start, end in split(caption):
        hit = (starts < end) & (ends > start)
        if hit.any():
            found.append(Word(start, end, float(scores.bad[hit].max())))
    return found
