"""Writing token by token, where a number that was written is read by the next step.

One random stream per text, so what is drawn for a text does not depend on which others are in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError, ModelError

from ._logits import NumberLogits
from ._torch import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ._model import NumberModel


@dataclass(frozen=True)
class WrittenNumber:
    """A number that a model wrote with its number head.

    Args:
        text: the number, in canonical form.
        start: offset of its first character in the written text, 0-based.
        end: offset after its last character.
        probability: that the number head gave it, 0 to 1.
    """

    text: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True)
class Written:
    """What a model wrote after a text.

    Args:
        text: it, special tokens left out.
        numbers: numbers in it that came from the number head, in order (mode *replace*).
        ids: its tokens.
        ended: whether the model ended it, and not the limit of tokens.
    """

    text: str
    numbers: tuple[WrittenNumber, ...]
    ids: tuple[int, ...]
    ended: bool


@dataclass(frozen=True)
class Drawing:
    """How tokens and numbers are chosen; see ``NumberModel.generate``."""

    temperature: float = 0.0
    top_p: float = 1.0
    number_temperature: float = 0.0
    rng: np.random.Generator | None = None

    def __post_init__(self) -> None:
        for name in ("temperature", "number_temperature"):
            if not getattr(self, name) >= 0:
                raise InputError(
                    f"{name} {getattr(self, name)} is negative: give 0 for the most likely, or more"
                )
        if not 0 < self.top_p <= 1:
            raise InputError(f"top_p {self.top_p} is not above 0 and at most 1")
        if self.rng is None and (self.temperature or self.number_temperature):
            raise InputError(
                "drawing needs chance: give rng=numpy.random.default_rng(seed), or temperature 0"
            )

    def tokens(self, logits: Tensor, streams: Sequence[np.random.Generator | None]) -> list[int]:
        """Choose a token per line from logits, shape (lines, vocab)."""
        if not self.temperature:
            return [int(token) for token in logits.argmax(dim=1).tolist()]
        rows = logits.double().cpu().numpy()
        return [self._token(row, rng) for row, rng in zip(rows, streams, strict=True) if rng is not None]

    def _token(self, logits: npt.NDArray[np.float64], rng: np.random.Generator) -> int:
        scaled = logits / self.temperature
        chance = np.exp(scaled - scaled.max())
        order = np.argsort(-chance, kind="stable")
        cumulative = (chance[order] / chance.sum()).cumsum()
        # A token is kept if those before it do not yet reach top_p; the first always is.
        kept = cumulative[: 1 + int((cumulative[:-1] < self.top_p).sum())]
        return int(
            order[int(np.searchsorted(kept, rng.random() * kept[-1], side="right").clip(max=len(kept) - 1))]
        )

    def numbers(self, logits: NumberLogits, streams: Sequence[np.random.Generator | None]) -> Tensor:
        """Choose a number per line, as labels of shape (lines, slots), from logits of shape (lines, ...)."""
        if not self.number_temperature:
            return logits.labels()
        rows = [
            NumberLogits(logits.slots, logits.ten_way[i : i + 1], logits.flags[i : i + 1])
            for i in range(len(streams))
        ]
        drawn = zip(rows, streams, strict=True)
        return torch.cat([row.draw(rng, self.number_temperature) for row, rng in drawn if rng is not None])


@dataclass
class _Line:
    """One text while it is written."""

    prompt: list[int]
    rng: np.random.Generator | None
    ids: list[int] = field(default_factory=list)
    numbers: list[tuple[str, float]] = field(default_factory=list)
    ended: bool = False


def write(
    model: NumberModel,
    texts: Sequence[str],
    max_new_tokens: int,
    drawing: Drawing,
    use_cache: bool,
    special: bool,
) -> list[Written]:
    """See ``NumberModel.generate``."""
    if max_new_tokens < 1:
        raise InputError(f"max_new_tokens {max_new_tokens} is less than 1")
    batch = model.encode_text(texts, special=special, padding_side="left")
    mask = batch["attention_mask"]
    longest, window = mask.shape[1], getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if int(mask.sum(dim=1).min()) == 0:
        at = int(mask.sum(dim=1).argmin())
        raise InputError(f"prompt {at} has no tokens: give a text to continue")
    if window is not None and longest >= window:
        raise InputError(
            f"the longest prompt has {longest} tokens and the model room for {window}: shorten it"
        )
    streams = drawing.rng.spawn(len(texts)) if drawing.rng is not None else [None] * len(texts)
    lines = [
        _Line([i for i, keep in zip(ids, kept, strict=True) if keep], stream)
        for ids, kept, stream in zip(batch["input_ids"].tolist(), mask.tolist(), streams, strict=True)
    ]
    steps = max_new_tokens if window is None else min(max_new_tokens, window - longest)
    with torch.no_grad(), _evaluating(model):
        _write(model, batch, lines, steps, drawing, use_cache)
    return [_finished(model, line) for line in lines]


def _write(
    model: NumberModel,
    batch: dict[str, Tensor],
    lines: list[_Line],
    steps: int,
    drawing: Drawing,
    use_cache: bool,
) -> None:
    """Write all lines to their end."""
    from ._model import takes

    ends = _end_ids(model)
    positioned = takes(model.inner, "position_ids")
    ids, mask, features = batch["input_ids"], batch["attention_mask"], batch["number_features"]
    cache: Any = None
    for _ in range(steps):
        new = ids.shape[1] if cache is None else 1
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -new:] if positioned else None
        output = model(
            ids[:, -new:],
            attention_mask=mask,
            number_features=features[:, -new:],
            position_ids=positions,
            past_key_values=cache,
            use_cache=use_cache,
            logits_to_keep=1,
        )
        cache = output.past_key_values if use_cache else None
        logits = output.logits[:, -1]
        if not torch.isfinite(logits.amax(dim=1)).all():
            raise ModelError(
                "the model's logits are not finite: its states overflowed; use bfloat16 or float32"
            )
        tokens = drawing.tokens(logits, [line.rng for line in lines])
        going = [i for i, line in enumerate(lines) if not line.ended]
        for i in going:
            lines[i].ended = tokens[i] in ends
        values: list[str | None] = [None] * len(lines)
        at = [i for i in going if tokens[i] == model.text.number_id]
        if at and model.head is not None:
            found = model.head(output.states[at, -1])
            labels = drawing.numbers(found, [lines[i].rng for i in at])
            texts, chances = found.slots.numbers(labels.cpu().numpy()), found.chances(labels).tolist()
            for i, text, chance in zip(at, texts, chances, strict=True):
                values[i] = text
                lines[i].numbers.append((str(text), chance))
        for i in going:
            line = lines[i]
            if line.ended:
                continue
            if model.head is None:
                number = model.text.added_by(line.prompt + line.ids, tokens[i])
                values[i] = None if number is None else str(number)
            line.ids.append(tokens[i])
        if all(line.ended for line in lines):
            return
        # A line that has ended goes on as padding that no one looks at.
        last = [line.ids[-1] if line.ids else line.prompt[-1] for line in lines]
        counted = [[not line.ended] for line in lines]
        ids = torch.cat([ids, torch.tensor(last, device=ids.device)[:, None]], dim=1)
        mask = torch.cat([mask, torch.tensor(counted, device=ids.device).to(mask)], dim=1)
        read = torch.from_numpy(model.settings.codec.encode(values)).to(features)
        features = torch.cat([features, read[:, None]], dim=1)


def _finished(model: NumberModel, line: _Line) -> Written:
    """The text of a line, with its numbers in their places."""
    text, spans = "", []
    before: int | None = line.prompt[-1]
    piece: list[int] = []
    numbers = iter(line.numbers)
    for token in line.ids:
        if token != model.text.number_id:
            piece.append(token)
            continue
        text += model.text.decode_after(before, piece)
        number, chance = next(numbers)
        spans.append(WrittenNumber(number, len(text), len(text) + len(number), chance))
        text += number
        before, piece = token, []
    text += model.text.decode_after(before, piece)
    return Written(text, tuple(spans), tuple(line.ids), line.ended)


def _end_ids(model: NumberModel) -> frozenset[int]:
    """Tokens that end a text."""
    configured = getattr(getattr(model.inner, "generation_config", None), "eos_token_id", None)
    found = configured if isinstance(configured, list) else [configured]
    return frozenset(i for i in [*found, model.tokenizer.eos_token_id] if i is not None)


@contextmanager
def _evaluating(model: NumberModel) -> Iterator[None]:
    """Without dropout, and back as it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:  # one by one: a frozen base may be the only part that was not training
            module.training = True
