"""Self-distillation: the model's own answers to words become its targets for the same things in pictures.

No human label and no new picture of anything is needed: scenes (or any problems with both forms) are drawn
afresh, the model answers each question about the words, and a low-rank change is trained until it gives the
same probabilities to the options when it sees the picture. What it cannot do in words it does not learn.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from modgap._errors import InputError, MissingExtra, ModelError
from modgap.evaluate._prompts import build_parts
from modgap.models import Query, local
from modgap.models.local._batches import Group, grouped
from modgap.models.local._layout import lay_out, option_scores
from modgap.models.local._load import quiet
from modgap.models.local._model import LocalModel
from modgap.tasks import Problem

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

RANK, ALPHA = 16, 32
RATE = 1e-3
TOKENS = 512
"""Positions of a step (our choice: some fifteen questions; at 4,096 a minute and a half has twelve steps)."""
CHUNK = 280
"""Questions that are answered in words at a time."""


@dataclass(frozen=True)
class Distilled:
    """A trained change.

    Args:
        model: with the change merged, ready to answer.
        steps, seconds: of the training.
        loss: mean of the last tenth of the steps, in nats: cross-entropy with the model's own answers.
        questions: that were learned from.
        epochs: how often each was seen; above 1 where the problems came to an end.
    """

    model: LocalModel
    steps: int
    seconds: float
    loss: float
    questions: int
    epochs: float

    def save(self, folder: Path) -> Path:
        """Write a plain model folder, which any program that loads such models can load."""
        pretrained = self.model.pretrained
        with quiet():
            pretrained.model.save_pretrained(folder)
            pretrained.processor.save_pretrained(folder)
        return folder


def distill(
    model: LocalModel,
    problems: Iterable[Problem],
    *,
    seconds: float,
    seed: int = 0,
    rate: float = RATE,
    listener: Callable[[str], None] | None = None,
) -> Distilled:
    """Train a low-rank change of a copy of the model; the model itself stays as it is.

    Args:
        model: a local model that scores options.
        problems: with options, at least one text form and the representation ``image``; taken as they are
            needed, so there may be any number, and repeated if they come to an end.
        seconds: how long to answer in words and to train.
        seed: of the low-rank change and the order.
        rate: highest learning rate; rises over a twentieth of the time and then falls along a cosine.
        listener: told what is going on.

    Raises:
        InputError: no problem has both forms.
        ModelError: the training ended in numbers that are not finite.
        MissingExtra: peft is not installed.
    """
    say = listener or (lambda text: None)
    began = time.monotonic()
    student = alike(model, model.pretrained.folder, model.pretrained.adapter)
    attention = student.pretrained.model.config._attn_implementation
    if student.pretrained.device.type == "cpu":
        # The way back through fused attention is slow on processors: written out, a step takes two thirds.
        student.pretrained.model.set_attn_implementation("eager")
    network, trained = _adapted(student, seed)
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    losses: list[float] = []
    questions = seen = 0
    for chunk, targets, is_new in _answered(model, problems):
        questions += is_new * len(chunk)
        for groups in _batches(student, chunk, seed):
            share = min(1.0, (time.monotonic() - began) / seconds)
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, 20 * share + 0.02) * 0.5 * (1 + math.cos(math.pi * share))
            at = [job.index for group in groups for job in group.jobs]
            loss = _loss(student, network, groups, targets[at])
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(float(loss.detach()))
            seen += len(at)
            if not math.isfinite(losses[-1]):
                raise ModelError(
                    f"self-distillation: the loss of step {len(losses)} is not finite; lower the rate"
                )
            if len(losses) % 50 == 0:
                say(f"step {len(losses)}, {100 * share:.0f} % of the time, loss {np.mean(losses[-50:]):.3f}")
            if time.monotonic() - began > seconds:
                break
        if time.monotonic() - began > seconds:
            break
    student.pretrained.model.set_attn_implementation(attention)
    student.pretrained.model.eval()
    network.merge_and_unload()
    for parameter in student.pretrained.model.parameters():
        parameter.requires_grad_(False)
    last = losses[-max(1, len(losses) // 10) :]
    return Distilled(
        student, len(losses), time.monotonic() - began, float(np.mean(last)), questions, seen / questions
    )


Chunk = tuple[list[Problem], "Float[Tensor, 'question option']", bool]
"""Problems, the model's own answers to them, and whether they come for the first time."""


def _answered(model: LocalModel, problems: Iterable[Problem]) -> Iterator[Chunk]:
    """Problems in chunks with the model's answers in words; all of them again when they are at an end."""
    done: list[tuple[list[Problem], Tensor]] = []
    fresh = (problem for problem in problems if _forms(problem))
    while chunk := list(itertools.islice(fresh, CHUNK)):
        done.append((chunk, _own_answers(model, chunk)))
        yield *done[-1], True
    if not done:
        raise InputError("self-distillation needs problems with options, a text form and a picture")
    while True:
        for chunk, targets in done:
            yield chunk, targets, False


def _forms(problem: Problem) -> bool:
    modalities = {r.modality for r in problem.representations}
    return bool(problem.options) and {"text", "image"} <= modalities


def _own_answers(model: LocalModel, problems: Sequence[Problem]) -> Float[Tensor, "question option"]:
    """Probabilities of the options in words, shown in the first text form."""
    queries = []
    for problem in problems:
        shown = next(r for r in problem.representations if r.modality == "text")
        queries.append(Query(build_parts(problem, shown), problem.options))
    found = torch.zeros(len(problems), max(len(problem.options) for problem in problems))
    for index, reply in model.reply(queries):
        if reply.option_scores is not None:  # None: too long for the model, say
            found[index, : len(reply.option_scores)] = torch.tensor(reply.option_scores).softmax(dim=0)
    return found


def alike(model: LocalModel, folder: Path, adapter: Path | None = None) -> LocalModel:
    """A folder loaded where the model is, in float32 unless that is a GPU."""
    device = model.pretrained.device
    dtype = "float32" if device.type == "cpu" else str(model.pretrained.model.dtype).removeprefix("torch.")
    return local.load(
        str(folder),
        dtype=dtype,  # type: ignore[arg-type]
        device=str(device),
        adapter=None if adapter is None else str(adapter),
        answer="options",
    )


def _adapted(student: LocalModel, seed: int) -> tuple[Any, list[nn.Parameter]]:
    """Low-rank changes in the decoder and in what brings pictures to it; the encoder of pictures stays."""
    try:
        from peft import LoraConfig, LoraModel
    except ImportError as error:
        raise MissingExtra("training", "train") from error
    whole = student.pretrained.model
    decoder = {id(module) for module in student.pretrained.anatomy.decoder.modules()}
    names = [
        name
        for name, module in whole.named_modules()
        if isinstance(module, nn.Linear)
        and (id(module) in decoder or any(word in name for word in ("connector", "projector", "merger")))
        and module is not student.pretrained.anatomy.head
    ]
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=names)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = LoraModel(whole, {"default": config}, "default")
    trained = []
    for name, parameter in whole.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            trained.append(parameter)
    return network, trained


def _batches(student: LocalModel, problems: Sequence[Problem], seed: int) -> Iterator[list[Group]]:
    """Groups of questions about one picture, some at a time in random order, each once."""
    jobs = []
    for index, problem in enumerate(problems):
        shown = next(r for r in problem.representations if r.modality == "image")
        jobs.append(student._job(index, Query(build_parts(problem, shown), problem.options)))
    for job, ids in zip(jobs, student._writer.tokenize([j.prompt.text for j in jobs]), strict=True):
        job.raw.extend(ids)
    groups = grouped(jobs, share=True)
    some: list[Group] = []
    size = 0
    for number in np.random.default_rng(seed).permutation(len(groups)).tolist():
        some.append(groups[number])
        size += groups[number].size(student._tokens_per_image or 0)
        if size >= TOKENS:
            yield some
            some, size = [], 0
    if some:
        yield some


def _loss(
    student: LocalModel, network: Any, groups: Sequence[Group], target: Float[Tensor, "question option"]
) -> Tensor:
    """Cross-entropy between the options' probabilities in words and those about the picture."""
    pretrained = student.pretrained
    with torch.no_grad():
        laid = lay_out(student, groups)
    states: list[Tensor] = []
    handle = pretrained.anatomy.decoder.register_forward_hook(
        lambda module, args, output: states.append(output.last_hidden_state)
    )
    only = {"logits_to_keep": 1} if "logits_to_keep" in pretrained.forward_names else {}
    try:
        pretrained.model(**laid.inputs, use_cache=False, **only)
    finally:
        handle.remove()
    most = target.shape[1]
    found = option_scores(pretrained.anatomy, laid, states[-1][None], most, list(pretrained.end_ids))[0]
    chances = found.log_softmax(dim=-1)
    target = target.to(chances.device)
    return -(target * chances.masked_fill(target == 0, 0.0)).sum(dim=-1).mean()
