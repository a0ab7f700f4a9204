"""A causal language model whose numbers have exact values: what ``attach`` returns.

    numbers = attach(model, tokenizer)
    batch = numbers.encode_text(["3+4="], answers=["7"])
    numbers(**batch).loss.backward()
    numbers.generate(["3+4="], max_new_tokens=5)[0].text

The model it is attached to, ``base``, is not changed: the row of the number token that goes in and the one
that comes out are parameters of this module. So the base can be frozen, wrapped by peft, shared, or saved by
itself, and its tied embeddings stay tied. It has to accept ``inputs_embeds`` and to return its hidden states,
as all causal models of transformers do, and the text side of multimodal ones.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from modgap._errors import InputError, ModelError

from ._settings import NumberSettings
from ._slots import NO_NUMBER
from ._text import NumberText
from ._torch import torch, transformers
from .embedding import FourierNumberEmbedding
from .head import NumberHead

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float, Int
    from torch import Tensor

    from ._write import Written

_SAMPLE = 4096  # rows of the embeddings that say how large they are


@dataclass
class NumberOutput(transformers.modeling_outputs.ModelOutput):  # type: ignore[misc]
    """What a step of a number model returns.

    Args:
        loss: of tokens, plus that of numbers times its weight; None without labels.
        token_loss: mean cross-entropy of the tokens, in nats; the number token is one of them.
        number_loss: mean cross-entropy of the slots of the numbers, in nats; None for mode *add*.
        logits: shape (batch, seq, vocab), the number token included.
        states: shape (batch, seq, hidden), those of the last layer, which the number head reads.
        past_key_values: the cache of the base model, if it was asked for.
    """

    loss: Tensor | None = None
    token_loss: Tensor | None = None
    number_loss: Tensor | None = None
    logits: Tensor | None = None
    states: Tensor | None = None
    past_key_values: Any = None


class NumberModel(torch.nn.Module):
    """A model with numbers; made by :func:`modgap.fone.attach`.

    Args:
        base: a causal language model of transformers, or one wrapped by peft.
        tokenizer: its tokenizer, with the number token (mode *replace*).
        settings: how numbers are attached.
    """

    def __init__(self, base: Any, tokenizer: Any, settings: NumberSettings) -> None:
        super().__init__()
        self.base = base
        self.tokenizer = tokenizer
        self.settings = settings
        codec = settings.codec
        replaces = settings.mode == "replace"
        self.text = NumberText(
            tokenizer,
            codec,
            settings.policy,
            settings.mark if replaces else None,
            settings.positions == "each",
        )
        table = self.input_embeddings
        width = int(table.weight.shape[1])
        with torch.no_grad():
            ids = torch.arange(len(table.weight), device=table.weight.device)
            # What goes in, which in some families is more than a row of the weight.
            sample = table(ids[:: max(1, len(ids) // _SAMPLE)]).float()
            rms = float(sample.square().mean().sqrt())
        # As one token a number keeps the length of its features, beside other tokens it is as long as they.
        self.embedding = FourierNumberEmbedding(
            codec, width, projection=settings.projection, rms=None if replaces else rms or 1.0
        )
        self.head: NumberHead | None = None
        self.vocabulary = len(table.weight)
        if replaces:
            rows = self._output_rows()
            self.vocabulary = len(rows)
            number_id = self.text.number_id
            if number_id is None or number_id > self.vocabulary:
                raise ModelError(
                    f"the tokenizer has tokens up to {number_id} and the model rows for {self.vocabulary}: "
                    "they do not belong together, or the embeddings have to be resized first"
                )
            self.head = NumberHead(codec, rows.shape[1], read=settings.read, temperature=settings.temperature)
            # A number token that begins as the mean of all tokens is neither preferred nor avoided.
            self.mark_in = torch.nn.Parameter(sample.mean(dim=0))
            with torch.no_grad():
                self.mark_out = torch.nn.Parameter(rows.float().mean(dim=0))
        else:
            # Zero: the first step is that of the base model. The map is not, or nothing would ever move.
            self.gate = torch.nn.Parameter(torch.zeros(width, device=table.weight.device))
        self.embedding.to(table.weight.device)
        if self.head is not None:
            self.head.to(self.mark_out.device)
        self.train(base.training)

    @property
    def inner(self) -> Any:
        """The model of transformers itself, out of its wrapper if peft made one."""
        unwrap = getattr(self.base, "get_base_model", None)
        return unwrap() if callable(unwrap) else self.base

    @property
    def config(self) -> Any:
        """The configuration of the base model."""
        return self.inner.config

    @property
    def input_embeddings(self) -> Any:
        """The token embeddings of the base model.

        Raises:
            ModelError: it has none.
        """
        find = getattr(self.inner, "get_input_embeddings", None)
        table = find() if callable(find) else None
        if getattr(table, "weight", None) is None:
            raise ModelError(
                f"{type(self.inner).__name__} has no token embeddings: give a causal language model of "
                "transformers, or one with get_input_embeddings()"
            )
        return table

    @property
    def device(self) -> torch.device:
        """Where token ids go."""
        device: torch.device = self.input_embeddings.weight.device
        return device

    def number_parameters(self) -> list[torch.nn.Parameter]:
        """Parameters that ``attach`` added, for an optimiser that leaves the base as it is."""
        return [p for name, p in self.named_parameters() if not name.startswith("base.")]

    def forward(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"] | None = None,
        number_features: Float[Tensor, "batch seq columns"] | None = None,
        labels: Int[Tensor, "batch seq"] | None = None,
        number_labels: Int[Tensor, "batch seq slots"] | None = None,
        position_ids: Int[Tensor, "batch seq"] | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        logits_to_keep: int | None = None,
        base_inputs: Mapping[str, Any] | None = None,
    ) -> NumberOutput:
        """One step of the base model on tokens and numbers.

        Args:
            input_ids: shape (batch, seq).
            attention_mask: shape (batch, past + seq), 1 for what counts.
            number_features: shape (batch, seq, codec.width), float32, zeros where there is no number.
            labels: shape (batch, seq), -100 where nothing is to be predicted; not shifted.
            number_labels: shape (batch, seq, slots), ``NO_NUMBER`` where no number is; not shifted.
            position_ids: shape (batch, seq), 0-based.
            past_key_values: the cache of earlier steps.
            use_cache: whether to return one.
            logits_to_keep: how many of the last positions need logits, without labels; None for all.
            base_inputs: further inputs of the base model, such as pixel_values.

        Returns:
            Losses and logits.

        Raises:
            ModelError: the base model returns no hidden states.
        """
        inputs: dict[str, Any] = {
            "attention_mask": attention_mask,
            "position_ids": position_ids,
            "past_key_values": past_key_values,
            "use_cache": use_cache,
            "logits_to_keep": logits_to_keep if takes(self.inner, "logits_to_keep") else None,
            **(base_inputs or {}),
        }
        found = self.base(
            inputs_embeds=self._embed(input_ids, number_features),
            output_hidden_states=self.head is not None,
            return_dict=True,
            **{name: value for name, value in inputs.items() if value is not None},
        )
        logits, states = found.logits, None
        if self.head is not None:
            if getattr(found, "hidden_states", None) is None:
                raise ModelError(f"{type(self.inner).__name__} returns no hidden states for the number head")
            states = found.hidden_states[-1][:, -logits.shape[1] :]
            logits = self._with_mark(logits, states)
        output = NumberOutput(
            logits=logits, states=states, past_key_values=getattr(found, "past_key_values", None)
        )
        if labels is not None:
            output.token_loss = _token_loss(logits, labels)
            output.loss = output.token_loss
            if self.head is not None and states is not None and number_labels is not None:
                # A state predicts the token after it, and the number too if that is one.
                output.number_loss = self.head.loss(
                    self.head(states[:, :-1]),
                    number_labels[:, 1:].to(states.device),
                    label_smoothing=self.settings.label_smoothing,
                )
                output.loss = output.token_loss + self.settings.number_weight * output.number_loss
        return output

    def encode_text(
        self,
        texts: Sequence[str],
        answers: Sequence[str] | None = None,
        *,
        end: bool = False,
        special: bool = True,
        max_length: int | None = None,
        padding_side: Literal["left", "right"] = "right",
    ) -> dict[str, Tensor]:
        """Texts as a batch that ``forward`` takes.

        Args:
            texts: the texts; with ``answers``, the prompts.
            answers: what follows each; only they are then predicted.
            end: whether the token that ends a text is put after each, to be predicted.
            special: whether the tokenizer adds its special tokens at the beginning.
            max_length: most tokens of a text; the rest is cut off.
            padding_side: where shorter texts are filled up.

        Returns:
            ``input_ids``, ``attention_mask``, ``number_features``, ``labels`` and, for mode *replace*,
            ``number_labels``, on the device of the model.

        Raises:
            InputError: not one answer per text, no text, or a text that contains the mark of numbers.
        """
        if isinstance(texts, str) or isinstance(answers, str):
            raise InputError("a single text given where several are read: give a list of texts")
        if not texts or (answers is not None and len(answers) != len(texts)):
            raise InputError(
                f"{len(texts)} texts and {len(answers or ())} answers given: give at least one text, and an "
                "answer for each or none"
            )
        rows = []
        for i, text in enumerate(texts):
            if answers is None:
                row = self.text.read(text, special=special)
            else:
                row = self.text.read_pair(text, answers[i], special=special)
            if end:
                row = self.text.end(row)
            rows.append(row if max_length is None else row.until(max_length))
        batch = self.text.stack(rows, left=padding_side == "left")
        return {name: torch.from_numpy(array).to(self.device) for name, array in batch.items()}

    def generate(
        self,
        texts: Sequence[str],
        *,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        top_p: float = 1.0,
        number_temperature: float = 0.0,
        rng: np.random.Generator | None = None,
        use_cache: bool = True,
        special: bool = True,
    ) -> list[Written]:
        """Continue texts, numbers included: a number that is written is read again by the next step.

        Args:
            texts: prompts.
            max_new_tokens: most tokens to write; a number is one (mode *replace*).
            temperature: 0 takes the most likely token, otherwise the logits are divided by it.
            top_p: the most likely tokens with at least this probability together are drawn from.
            number_temperature: 0 takes the most likely digits, otherwise they are drawn likewise.
            rng: where chance comes from; needed unless both temperatures are 0.
            use_cache: whether keys and values of earlier tokens are kept.
            special: whether the tokenizer adds its special tokens at the beginning.

        Returns:
            For each text, what was written after it.

        Raises:
            InputError: a setting out of range, or a prompt without a token or too long for the model.
        """
        from ._write import Drawing, write

        drawing = Drawing(temperature, top_p, number_temperature, rng)
        return write(self, texts, max_new_tokens, drawing, use_cache, special)

    def save_pretrained(self, folder: str | Path, *, base: bool = True) -> None:
        """Save to a folder: settings, parameters of the numbers, tokenizer and base model.

        Args:
            folder: where to; made if it does not exist.
            base: whether the base model is saved too (its adapter, if peft wraps it); False if it is
                unchanged and can be loaded from where it came.

        Raises:
            FileError: the folder cannot be written.
        """
        from ._saved import save

        save(self, Path(folder), base)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, base: Any = None, dtype: str = "auto", device: str | None = None
    ) -> NumberModel:
        """Load what ``save_pretrained`` wrote, in evaluation mode.

        Args:
            folder: where it is.
            base: the base model, a folder or hub id of it, or None for the one that was saved.
            dtype: of a base model that is loaded: ``"auto"`` as saved, float32, bfloat16 or float16.
            device: where to, such as ``"cuda"``; None for the CPU.

        Raises:
            FileError: a file is missing or damaged.
            ModelError: the base model cannot be loaded, or does not belong to these parameters.
        """
        from ._saved import load

        return load(Path(folder), base, dtype, device)

    def _embed(self, ids: Tensor, features: Tensor | None) -> Tensor:
        """Vectors of tokens and numbers, in the type of the base model."""
        ids = ids.to(self.device)
        is_number = ids == self.text.number_id if self.text.number_id is not None else None
        # The number token need not be a row of the base: any row will do, it is not used.
        vectors: Tensor = self.input_embeddings(ids if is_number is None else ids.masked_fill(is_number, 0))
        values = None
        if features is not None:
            values = self.embedding(features.to(ids.device))
        if is_number is None:
            if values is not None:
                vectors = vectors + (self.gate.float() * values).to(vectors.dtype)
            return vectors
        mark = self.mark_in.float() if values is None else self.mark_in.float() + values
        return torch.where(is_number[..., None], mark.to(vectors.dtype), vectors)

    def _with_mark(self, logits: Tensor, states: Tensor) -> Tensor:
        """The logits of the base with that of the number token in its place."""
        with torch.autocast(states.device.type, enabled=False):
            mark = (states.float() @ self.mark_out.float())[..., None].to(logits)
        at = self.text.number_id
        assert at is not None
        return torch.cat([logits[..., :at], mark, logits[..., at + 1 :]], dim=-1)

    def _output_rows(self) -> Tensor:
        """The rows that states are compared with to give the logits of tokens."""
        find = getattr(self.inner, "get_output_embeddings", None)
        rows = getattr(find() if callable(find) else None, "weight", None)
        if rows is None:
            raise ModelError(
                f"{type(self.inner).__name__} has no output embeddings: mode 'replace' needs a model that "
                "writes text; mode 'add' does not"
            )
        found: Tensor = rows
        return found


def takes(model: Any, name: str) -> bool:
    """Whether the forward of a model has an argument of this name."""
    return name in inspect.signature(model.forward).parameters


def _token_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of the next token, in nats; zero, but with a gradient, without labels."""
    wanted = labels[:, 1:].to(logits.device)
    if not (wanted != NO_NUMBER).any():
        return 0 * logits.float().sum()
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].float().flatten(0, 1), wanted.flatten(), ignore_index=NO_NUMBER
    )
