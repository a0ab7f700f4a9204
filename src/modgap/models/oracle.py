"""The right answer, or a simulated observer of known accuracy: oracle.

``load("")`` is always right. ``load("", image_accuracy=0.8)`` is right about pictures with probability 0.8,
decided for each query by a hash of what is asked: a model whose gap is known, to test statistics with.
Whether it is right about one representation of a problem says nothing about the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modgap._errors import InputError
from modgap.media import MODALITIES, Modality

from ._draw import draw
from ._query import JSON, Query, Reply


def load(
    argument: str = "",
    *,
    text_accuracy: float = 1.0,
    image_accuracy: float = 1.0,
    audio_accuracy: float = 1.0,
    video_accuracy: float = 1.0,
    seed: int = 0,
) -> Oracle:
    """The oracle baseline.

    Args:
        argument: must be empty.
        text_accuracy: probability of the right answer to a query of text alone, 0 to 1.
        image_accuracy: the same for a query with a picture.
        audio_accuracy: the same for a query with sound.
        video_accuracy: the same for a query with film.
        seed: of the mistakes.

    Raises:
        InputError: if an argument is given, or an accuracy or ``seed`` is not accepted.
    """
    if argument:
        raise InputError(f"oracle takes no argument, got {argument!r}; use: oracle")
    if type(seed) is not int:
        raise InputError(f"seed {seed!r} is not a whole number")
    accuracies = (text_accuracy, image_accuracy, audio_accuracy, video_accuracy)
    for modality, accuracy in zip(MODALITIES, accuracies, strict=True):
        if type(accuracy) not in (int, float) or not 0 <= accuracy <= 1:
            raise InputError(f"{modality}_accuracy {accuracy!r} is not a fraction from 0 to 1")
    return Oracle(accuracies, seed)


@dataclass(frozen=True)
class Oracle:
    """Knows the answers.

    Args:
        accuracies: probability of a right answer, in the order text, image, audio, video.
        seed: of the mistakes.
    """

    accuracies: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    seed: int = 0

    @property
    def name(self) -> str:
        """``oracle``."""
        return "oracle"

    @property
    def modalities(self) -> frozenset[Modality]:
        """All."""
        return frozenset(MODALITIES)

    def fingerprint(self) -> dict[str, JSON]:
        """The accuracies and the seed."""
        return {"adapter": "oracle", "accuracies": list(self.accuracies), "seed": self.seed}

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Answer every query, in order."""
        for index, query in enumerate(queries):
            if not query.truth:
                yield index, Reply(None, "the query does not say what is right; the oracle needs its truth")
            elif draw(query, self.seed, "right") < self._accuracy(query):
                yield index, Reply(f"{query.answer_prefix} {query.truth}".strip())
            else:
                yield index, Reply(f"{query.answer_prefix} {self._mistake(query)}".strip())

    def close(self) -> None:
        """Nothing is held."""

    def _accuracy(self, query: Query) -> float:
        # Every query holds text, its instruction; other parts say what is looked at, and the worst counts.
        shown = {part.modality for part in query.parts} - {"text"} or {"text"}
        return min(self.accuracies[MODALITIES.index(modality)] for modality in shown)

    def _mistake(self, query: Query) -> str:
        wrong = [option for option in query.options if option != query.truth]
        if wrong:
            return wrong[int(draw(query, self.seed, "mistake") * len(wrong))]
        try:
            return str(int(query.truth) + 1)
        except ValueError:
            return f"not {query.truth}"
