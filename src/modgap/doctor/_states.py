"""States of a model at the positions of a picture, and of its text backbone at the words for an object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from modgap.media import Image, Text
from modgap.models.local._load import Pretrained
from modgap.models.local._prompt import PromptWriter
from modgap.scenes import Scene, draw_scene, write_list

if TYPE_CHECKING:
    from jaxtyping import Float

_BATCH = 64


def picture_of(scene: Scene) -> Image:
    """The scene as the suite draws it by default."""
    return Image.from_pil(draw_scene(scene, pixels=224))


@torch.no_grad()
def image_states(
    pretrained: Pretrained, scenes: Sequence[Scene], instruction: str
) -> Float[np.ndarray, "block n position d_model"]:
    """States of the image positions after each block, block 0 being what enters the text model; float32.

    Args:
        pretrained: a model whose picture takes the same number of positions each time.
        scenes: what is drawn; nothing is asked about it.
        instruction: text before the picture.
    """
    writer = PromptWriter(pretrained.processor)
    token = pretrained.model.config.image_token_id
    found = []
    for start in range(0, len(scenes), _BATCH):
        pictures = [picture_of(scene) for scene in scenes[start : start + _BATCH]]
        texts = [writer.write((Text(instruction), picture)).text for picture in pictures]
        inputs = pretrained.processor(
            text=texts, images=[[picture.to_pil()] for picture in pictures], return_tensors="pt"
        )
        states = pretrained.model(**inputs, output_hidden_states=True, logits_to_keep=1).hidden_states
        where = inputs["input_ids"] == token
        stacked = torch.stack([state[where].view(len(pictures), -1, state.shape[-1]) for state in states])
        found.append(stacked.float().numpy())
    return np.concatenate(found, axis=1)


@torch.no_grad()
def word_states(
    folder: Path, scenes: Sequence[Scene], instruction: str
) -> list[Float[np.ndarray, "object d_model"]]:
    """States of a causal language model at the shape word of every object of every scene, written as a list.

    Args:
        folder: of the model and its tokenizer.
        scenes: what is written down.
        instruction: text before the list.

    Returns:
        For each block, 0 being the embeddings: one row per object, scene after scene; float32.
    """
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    opening = tokenizer.bos_token + "User:" + instruction
    found: list[list[np.ndarray]] = []
    for start in range(0, len(scenes), _BATCH):
        batch = scenes[start : start + _BATCH]
        texts = [opening + write_list(scene) for scene in batch]
        read = tokenizer(
            texts, return_tensors="pt", padding=True, return_offsets_mapping=True, add_special_tokens=False
        )
        offsets = read.pop("offset_mapping")
        states = model(**read, output_hidden_states=True).hidden_states
        rows, columns = [], []
        for row, (text, scene) in enumerate(zip(texts, batch, strict=True)):
            cursor = len(opening)
            for thing in scene.objects:
                phrase = f"{thing.size} {thing.fill} {thing.color} {thing.shape}"
                cursor = text.index(phrase, cursor) + len(phrase)
                rows.append(row)
                columns.append(int((offsets[row, :, 1] == cursor).nonzero()[0, 0]))
        found.append([state[rows, columns].float().numpy() for state in states])
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]
