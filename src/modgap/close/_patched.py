"""A model whose late states of a picture are put in an earlier block whenever it is asked about one.

    Patched(load_model("bundled"), source=6, block=2)

Back-patching as a model, so that it can be measured, compared and used like any other (Biran et al. 2024).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modgap.media import Image, Modality
from modgap.models import JSON, Query, Reply
from modgap.models.local._model import LocalModel
from modgap.steering import Patch, replay


class Patched:
    """A local model with a back-patch, which questions with options and a picture feel, and no others.

    Args:
        model: that is asked; left as it is.
        source: block whose output is taken, 0-based.
        block: earlier block whose output it takes the place of.
    """

    def __init__(self, model: LocalModel, source: int, block: int) -> None:
        self._model, self._patch = model, Patch(source, block, "image")

    @property
    def name(self) -> str:
        """That of the model, and the blocks."""
        return f"{self._model.name}+block{self._patch.source}in{self._patch.block}"

    @property
    def modalities(self) -> frozenset[Modality]:
        """Those of the model."""
        return self._model.modalities

    def fingerprint(self) -> dict[str, JSON]:
        """That of the model, and the blocks."""
        return {**self._model.fingerprint(), "back_patch": [self._patch.source, self._patch.block]}

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Answer all queries; see :class:`modgap.models.Model`."""
        at = [i for i, query in enumerate(queries) if query.options and _pictured(query)]
        plain = sorted(set(range(len(queries))) - set(at))
        for index, reply in self._model.reply([queries[i] for i in plain]):
            yield plain[index], reply
        if not at:
            return
        scores = replay(self._model, [queries[i] for i in at], [self._patch]).changed[0]
        for index, row in zip(at, scores, strict=True):
            query = queries[index]
            own = tuple(float(score) for score in row[: len(query.options)])
            best = query.options[max(range(len(own)), key=own.__getitem__)]
            yield index, Reply(f"{query.answer_prefix} {best}", option_scores=own)


def _pictured(query: Query) -> bool:
    return any(isinstance(part, Image) for part in query.parts)
