"""From the parts of a query to the token ids a model reads.

A prompt is one user message in the processor's chat template, followed by the template's opening of the
reply. A model without a template reads its image tokens and then the text.

Text from outside that contains a control token of the model (``<image>``, ``<|im_end|>`` …) is refused: the
tokenizer would take it for the real thing, and the model would see another prompt than was asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modgap._errors import InputError, ModelError
from modgap.media import Audio, Image, Part, Text, Video
from modgap.media._av import frames, samples

PROMPT_VERSION = 2
"""Counts changes of this file that change a prompt; part of the fingerprint."""


@dataclass(frozen=True)
class Prompt:
    """A prompt as text, with the pictures and sounds that belong to its placeholders, in order."""

    text: str
    images: tuple[Image, ...]
    sounds: tuple[Audio, ...] = ()

    @property
    def media(self) -> int:
        """Number of pictures and sounds."""
        return len(self.images) + len(self.sounds)


class PromptWriter:
    """Writes and tokenises prompts for one processor."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self._tokenizer = processor.tokenizer
        control = {token.content for token in self._tokenizer.added_tokens_decoder.values() if token.special}
        control.update(self._tokenizer.all_special_tokens)
        self._image_token: str | None = getattr(processor, "image_token", None)
        self._audio_token: str | None = getattr(processor, "audio_token", None)
        control.update(token for token in (self._image_token, self._audio_token) if token is not None)
        self._needs_picture = type(processor).__name__ == "PaliGemmaProcessor"
        self._sees = getattr(processor, "image_processor", None) is not None
        self._hears = getattr(processor, "feature_extractor", None) is not None
        # Longest first, so that a token that begins with another one is found whole.
        alternatives = "|".join(re.escape(token) for token in sorted(control, key=len, reverse=True) if token)
        self._control = re.compile(alternatives or r"(?!)")

    def write(self, parts: Sequence[Part]) -> Prompt:
        """Render the parts of a query.

        Args:
            parts: text, pictures, sounds and films, in order. A film is shown as pictures.

        Returns:
            The prompt, up to where the reply begins.

        Raises:
            InputError: if the model cannot be shown a part, or a text contains a control token.
            FileError: if a film cannot be decoded.
            ModelError: if the model has neither a template nor an image token, or its template drops text.
        """
        content: list[dict[str, str]] = []
        images: list[Image] = []
        sounds: list[Audio] = []
        texts: list[str] = []
        for part in parts:
            if isinstance(part, Text):
                self.refuse_control(part.text)
                # Neighbouring texts are one entry: some templates put a line break between entries.
                if content and content[-1]["type"] == "text":
                    content[-1]["text"] += part.text
                else:
                    content.append({"type": "text", "text": part.text})
                texts.append(part.text)
            elif isinstance(part, Image | Video) and self._sees:
                shown = frames(part) if isinstance(part, Video) else (part,)
                content += [{"type": "image"} for _ in shown]
                images += shown
            elif isinstance(part, Audio) and self._hears:
                # Templates of this kind look for the place of the sound, not only for its type.
                content.append({"type": "audio", "audio_url": ""})
                sounds.append(part)
            else:
                raise InputError(f"this model cannot be shown {part.modality}")
        if getattr(self._processor, "chat_template", None):
            written: str = self._processor.apply_chat_template(
                [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
            )
            if any(text.strip() not in written for text in texts):
                raise ModelError("the chat template of this model drops or changes the text of a message")
        else:
            if (images and self._image_token is None) or (sounds and self._audio_token is None):
                raise ModelError(
                    "this model has neither a chat template nor a token to show a picture or a sound with"
                )
            written = (self._image_token or "") * len(images) + (self._audio_token or "") * len(sounds)
            written += "".join(texts)
        return Prompt(written, tuple(images), tuple(sounds))

    def refuse_control(self, text: str) -> None:
        """Check that a text from outside has no control token of the model.

        Raises:
            InputError: if it has.
        """
        if found := self._control.search(text):
            raise InputError(
                f"the text contains {found.group()!r}, a control token of this model; write it differently"
            )

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text as it stands. A picture's placeholder stays one token."""
        ids: list[list[int]] = self._tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return ids

    def tail(self, text: str) -> str:
        """The end of a prompt, from its last control token on.

        A tokenizer cuts a text at control tokens before anything else, so this end alone decides how a
        continuation is tokenised.
        """
        start = 0
        for found in self._control.finditer(text):
            start = found.start()
        return text[start:]

    def read(self, prompts: Sequence[Prompt]) -> Any:
        """Run the processor over prompts with the same number of pictures and sounds each.

        Args:
            prompts: all with pictures, or all without; the same for sounds.

        Returns:
            The processor's output: ``input_ids`` and ``attention_mask`` padded on the left, and what it makes
            of the pictures and sounds.

        Raises:
            FileError: if a picture or a sound is damaged.
            InputError: if a sound is longer than the model listens.
        """
        arguments: dict[str, Any] = {}
        bos = self._tokenizer.bos_token
        if bos and prompts[0].text.startswith(bos):
            arguments["add_special_tokens"] = False
        if prompts[0].images:
            # The same picture is decoded once, however many questions are asked about it.
            decoded = {image: image.to_pil() for prompt in prompts for image in prompt.images}
            arguments["images"] = [[decoded[image] for image in prompt.images] for prompt in prompts]
        if prompts[0].sounds:
            heard = {sound: self._samples(sound) for prompt in prompts for sound in prompt.sounds}
            arguments["audio"] = [heard[sound] for prompt in prompts for sound in prompt.sounds]
            arguments["sampling_rate"] = self._processor.feature_extractor.sampling_rate
        if not prompts[0].media and self._needs_picture:
            return self._read_text(prompts)
        return self._processor(
            text=[prompt.text for prompt in prompts], padding=True, return_tensors="pt", **arguments
        )

    def _read_text(self, prompts: Sequence[Prompt]) -> Any:
        """Prompts without a picture for PaliGemma, whose processor refuses them: as with one, less it."""
        bos = self._tokenizer.bos_token
        read = self._tokenizer(
            [f"{bos}{prompt.text}\n" for prompt in prompts],
            padding=True,
            return_tensors="pt",
            add_special_tokens=False,
        )
        read["token_type_ids"] = read["input_ids"] * 0  # a prompt: read in both directions
        return read

    def _samples(self, sound: Audio) -> Any:
        """A sound as the processor takes it; one that it would cut off is refused."""
        extractor = self._processor.feature_extractor
        heard = samples(sound, extractor.sampling_rate)
        longest = getattr(extractor, "n_samples", None)
        if longest is not None and len(heard) > longest:
            rate = extractor.sampling_rate
            raise InputError(
                f"the sound is {len(heard) / rate:.1f} s long and this model listens for "
                f"{longest / rate:.0f} s; use a shorter representation"
            )
        return heard


def unpadded(read: Any) -> list[list[int]]:
    """Token ids of each row of a processor's output, without padding."""
    rows: list[list[int]] = []
    for ids, mask in zip(read["input_ids"].tolist(), read["attention_mask"].tolist(), strict=True):
        rows.append([token for token, real in zip(ids, mask, strict=True) if real])
    return rows


def splice(read: list[int], raw: list[int], other: list[int]) -> list[int] | None:
    """Token ids of a prompt that differs only after its pictures from one the processor has read.

    The processor's ids and the plain ids of the same prompt end alike; before that end come the things
    only the processor adds, such as the tokens of a picture. They are taken over.

    Args:
        read: ids from the processor, for one prompt.
        raw: plain ids of the same prompt, with placeholders.
        other: plain ids of the other prompt.

    Returns:
        What the processor would give for the other prompt, or ``None`` if they differ earlier than that.
    """
    same = 0
    limit = min(len(read), len(raw))
    while same < limit and read[-1 - same] == raw[-1 - same]:
        same += 1
    head = len(raw) - same
    if other[:head] != raw[:head]:
        return None
    return read[: len(read) - same] + other[head:]


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids two sequences begin with in common."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
