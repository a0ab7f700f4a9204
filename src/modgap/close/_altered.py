"""Causes of a gap planted in real weights: the sibling of the bundled model, which has no gap, altered.

- *perception*: pictures are blurred before it sees them;
- *access*: its states at the words of the question are disturbed when it is asked about a picture directly,
  and not when it transcribes: what it needs is there and is not used;
- *format*: a known share of its replies about pictures is cut off;
- *reasoning*: its states at all words are disturbed, whatever it is asked;
- *no gap*: the sibling as it is.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import PIL.Image
import torch

from modgap.media import Image, Modality
from modgap.models import Model, Query, Reply, bundled, local
from modgap.models._query import JSON
from modgap.models.local._steer import Change

SHARE = 0.3
"""Of problems that fail for the planted reason."""

BLOCK, STRENGTH = 1, 1.2
"""Where states are disturbed, and by how much of their length (our choice)."""


class Altered:
    """A real model whose questions or replies are changed on the way.

    Args:
        model: that answers.
        name: of the alteration.
        before: changes a query; ``after`` the reply to it.
        direct: model that is asked about pictures directly, in the place of ``model``.
    """

    def __init__(
        self,
        model: Model,
        name: str,
        *,
        before: Callable[[Query], Query] = lambda query: query,
        after: Callable[[Query, Reply], Reply] = lambda query, reply: reply,
        direct: Model | None = None,
    ) -> None:
        self._model, self.name, self._before, self._after = model, name, before, after
        self._direct = model if direct is None else direct
        self.modalities: frozenset[Modality] = model.modalities
        self.requests: Mapping[str, str] = getattr(model, "requests", {})

    def fingerprint(self) -> dict[str, JSON]:
        """That of the model, and the alteration."""
        return {**self._model.fingerprint(), "altered": self.name}

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def reply(self, queries: Sequence[Query]) -> Iterator[tuple[int, Reply]]:
        """Ask the changed questions."""
        for model, directly in ((self._model, False), (self._direct, True)):
            at = [i for i, query in enumerate(queries) if is_direct(query) == directly]
            for index, reply in model.reply([self._before(queries[i]) for i in at]):
                yield at[index], self._after(queries[at[index]], reply)


def is_direct(query: Query) -> bool:
    """Whether a question with options is asked about a picture."""
    return bool(query.options) and any(isinstance(part, Image) for part in query.parts)


def altered() -> Iterator[tuple[str, Model]]:
    """The sibling with each cause planted."""
    model = local.load(str(bundled.FOLDER / "sibling"), dtype="float32", device="cpu")
    width = int(model.pretrained.model.config.get_text_config().hidden_size)
    noise = torch.randn(width, generator=torch.Generator().manual_seed(0))
    disturbed = {
        where: model.with_changes([Change(noise, BLOCK, STRENGTH, where, unit="ratio")])
        for where in ("question", "text")
    }
    yield "perception", Altered(model, "blurred", before=blurred)
    yield "access", Altered(model, "disturbed", direct=disturbed["question"])
    yield "format", Altered(model, "cut-off", after=cut_off)
    yield "reasoning", disturbed["text"]
    yield "no gap", model


def blurred(query: Query) -> Query:
    """The query with its pictures at five pixels a side."""
    return replace(query, parts=tuple(_blur(p) if isinstance(p, Image) else p for p in query.parts))


def _blur(image: Image) -> Image:
    shown = image.to_pil().convert("RGB")
    small = shown.resize((5, 5), PIL.Image.Resampling.BOX)
    buffer = io.BytesIO()
    small.resize(shown.size, PIL.Image.Resampling.BICUBIC).save(buffer, "PNG")
    return Image(buffer.getvalue(), "image/png")


def cut_off(query: Query, reply: Reply) -> Reply:
    """No answer, for ``SHARE`` of the questions about pictures."""
    chance = np.random.default_rng([1, *query.problem_id.encode()]).random()
    if is_direct(query) and chance < SHARE:
        return replace(reply, text="The picture shows", option_scores=None)
    return reply
