"""Changes that a detector's change has to beat: plain fine-tuning on the same captions, and shuffled labels.

    fine_tune(examples, "bundled", Path("sft"))            # what the true captions teach by themselves
    train(shuffle_labels(examples, rng), config, folder)   # the same training, with errors at random words

Both are PEFT folders for ``modgap tldr strengthen --control NAME=FOLDER``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from modgap._errors import FileError, InputError
from modgap.models.local._load import LoadOptions, Pretrained, load_pretrained

from ._detector_files import base_folder, dtype_of
from ._example import Example, TypedSpan
from ._files import check_empty
from ._network import LoraSettings, add_lora
from ._reading import Reader, Shown, read_states
from ._scores import Item
from .annotate._words import words as split

_LORA = LoraSettings()


def shuffle_labels(examples: Iterable[Example], rng: np.random.Generator) -> Iterator[Example]:
    """The same captions with as many wrong words, at random ones.

    Args:
        examples: labelled.
        rng: chooses the words.
    """
    for example in examples:
        wrong = [span for span in example.spans if span.weight > 0]
        places = split(example.response)
        chosen = sorted(rng.permutation(len(places))[: len(wrong)].tolist())
        spans = [TypedSpan(places[i].start, places[i].end, "shuffled") for i in chosen]
        yield replace(example, spans=tuple(spans))


def fine_tune(
    examples: Sequence[Example],
    model: str,
    out: Path,
    *,
    lora: LoraSettings = _LORA,
    steps: int = 100,
    captions: int = 32,
    learning_rate: float = 1e-3,
    bf16: bool = False,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Teach a model to write the true captions, by low-rank changes of the same size as a detector's.

    Args:
        examples: of which those of the split ``train`` without an error are used.
        model: ``bundled``, a folder or a hub id.
        out: folder for the adapter; must be empty or not there.
        lora: the low-rank change.
        steps: of Adam, cosine schedule.
        captions: of a step.
        learning_rate: peak.
        bf16: arithmetic in bfloat16.
        seed: of start and order.
        say: is told a line now and then.

    Raises:
        InputError: if there are no such captions.
        FileError: if the folder is not empty or cannot be written.
    """
    check_empty(out)  # before the work, not after it
    gold = [e for e in examples if e.split == "train" and not e.is_wrong]
    if not gold:
        raise InputError("no captions without an error in the split train; give some")
    pretrained = load_pretrained(base_folder(model), LoadOptions(dtype=dtype_of(model)))
    wrapped = add_lora(pretrained, lora, seed)
    learned = [p for p in pretrained.model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(learned, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    rng = np.random.default_rng(seed)
    reader = Reader(pretrained)
    kind = pretrained.device.type
    if bf16 and kind == "cpu":  # the way back through fused attention is slow in bfloat16 there
        pretrained.model.set_attn_implementation("eager")
    for step in range(steps):
        batch = [gold[i] for i in rng.integers(len(gold), size=min(captions, len(gold)))]
        with torch.autocast(kind, torch.bfloat16, enabled=bf16):
            loss = caption_loss(pretrained, reader, batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % max(1, steps // 10) == 0:
            say(f"step {step + 1} of {steps}  loss {float(loss.detach()):.4f}")
    try:
        wrapped.save_pretrained(str(out), save_embedding_layers=False)
    except OSError as error:
        raise FileError(f"{out}: cannot be written ({error}); choose another folder") from error


def caption_loss(pretrained: Pretrained, reader: Reader, examples: Sequence[Example]) -> torch.Tensor:
    """Cross-entropy of every token of captions but the first, after picture and prompt."""
    shown = []
    for example in examples:
        prompt = reader.prompt(Item(example.image, example.response, example.prompt))
        shown.append(Shown(prompt, (reader.encode(prompt, example.response).ids,)))
    batch = reader.batch(shown)
    states = read_states(pretrained, **batch)
    logits = pretrained.anatomy.logits(states[:, :-1])
    ids = batch["ids"][:, 1:].to(logits.device)
    real = batch["real"][:, 1:].to(logits.device).bool()
    return functional.cross_entropy(logits[real], ids[real])
