"""Does a model keep the contracts that everything else here stands on?

    modgap doctor org/name

A few questions about rendered scenes are asked in several ways, so that what a failure means can be told in
one sentence. What is checked is the path from parts to numbers, not how good the model is.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import PIL.Image
import torch

from modgap._errors import InputError
from modgap.evaluate._prompts import INSTRUCTIONS, question_block
from modgap.media import Image, Part, Text
from modgap.models import Query, Sampling, load_model
from modgap.models.local._anatomy import TokenKind, at_block, positions_of
from modgap.models.local._model import COARSE, FINE, LocalModel
from modgap.tasks import Problem, Suite, load_suite

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

Verdict = Literal["passed", "FAILED", "left out"]

PROBLEMS = 4
"""Problems of each of two tasks that are asked, in words and as a picture (our choice)."""

MOVED = 1e-3
"""Total variation over the options between two pictures, above which a picture counts as seen (our choice:
rounding in 16 bits moves it by less)."""

AGREE = 0.5
"""Share of questions on which the likeliest option is the one that is written, below which answering by
options and by writing are different experiments (our choice)."""


@dataclass(frozen=True)
class Check:
    """One contract and how the model keeps it.

    Args:
        name: what was checked.
        verdict: ``passed``, ``FAILED`` or ``left out``.
        found: what was seen, in words.
        meaning: what a failure means for the user; why it was left out.
    """

    name: str
    verdict: Verdict
    found: str
    meaning: str = ""


def check_model(spec: str, **options: Any) -> Iterator[Check]:
    """Check one local model; the results come as they are known.

    Args:
        spec: a model folder or hub id, or ``bundled``.
        options: of the model; those that are ``None`` count as not given.

    Raises:
        InputError, FileError, ModelError, MissingExtra: if it cannot be loaded, or is not on this machine.
    """
    began = time.perf_counter()
    model = load_model(spec, **options)
    seconds = time.perf_counter() - began
    try:
        if not isinstance(model, LocalModel):
            raise InputError(
                f"{spec} cannot be looked into; give a model folder, a hub id such as org/name, or bundled"
            )
        yield _loaded(model, seconds)
        suite = load_suite("scenes", level="easy", tasks=["attribute", "existence"])
        shown = ["story", *(["image"] if "image" in model.modalities else [])]
        problems = list(suite.problems(PROBLEMS, 0, shown))
        asked = [_query(problem, one.parts) for problem in problems for one in problem.representations]
        yield _repeats(model, asked)
        yield _batched(model, asked)
        yield _generated(model, asked, suite, problems)
        yield _backbone(model)
        if "image" in model.modalities:
            yield from _pictures(model, asked)
        else:
            yield Check(
                "pictures",
                "left out",
                "the model takes none",
                "token map and hooks are checked with pictures, so nothing is known about them",
            )
        yield _attention(model, asked)
        yield _speed(model, asked)
    finally:
        model.close()


def _loaded(model: LocalModel, seconds: float) -> Check:
    network = model.pretrained.model
    parts = model.pretrained.anatomy
    count = sum(parameter.numel() for parameter in network.parameters())
    return Check(
        "loads",
        "passed",
        f"{type(network).__name__}, {count / 1e6:,.1f} M parameters in {network.dtype}, "
        f"{len(parts.blocks)} blocks, {network.device}, in {seconds:.1f} s",
    )


def _query(problem: Problem, parts: Sequence[Part]) -> Query:
    question = Text(question_block(problem.question, problem.options))
    return Query(
        (Text(INSTRUCTIONS["plain"]), *parts, question), problem.options, problem_id=problem.problem_id
    )


def _scores(model: LocalModel, queries: Sequence[Query]) -> list[tuple[float, ...]]:
    found: list[tuple[float, ...]] = [()] * len(queries)
    for index, reply in model.reply(queries):
        if reply.option_scores is None:
            raise InputError(f"a question could not be asked: {reply.error}")
        found[index] = reply.option_scores
    return found


def _difference(one: Sequence[tuple[float, ...]], two: Sequence[tuple[float, ...]]) -> float:
    """Largest relative difference of two log-probabilities; what is near 0 counts as 1."""
    return max(
        abs(a - b) / max(1.0, abs(b))
        for some, others in zip(one, two, strict=True)
        for a, b in zip(some, others, strict=True)
    )


def _allowed(model: LocalModel) -> float:
    return FINE if model.pretrained.model.dtype == torch.float32 else COARSE


def _repeats(model: LocalModel, asked: Sequence[Query]) -> Check:
    _scores(model, asked)  # only after this are lengths known, and batches the same each time
    difference = _difference(_scores(model, asked), _scores(model, asked))
    return Check(
        "the same again",
        "passed" if difference == 0 else "FAILED",
        "asked twice, the same scores" if difference == 0 else f"scores differ by {difference:.1g}",
        "a run that is repeated or resumed will not give the same replies; look for kernels that are not "
        "deterministic",
    )


def _batched(model: LocalModel, asked: Sequence[Query]) -> Check:
    together = _scores(model, asked)
    alone = [_scores(model, [query])[0] for query in asked]
    difference = _difference(together, alone)
    fits = difference <= _allowed(model)
    return Check(
        "batched = single",
        "passed" if fits else "FAILED",
        f"{len(asked)} questions together and alone differ by {difference:.1g}"
        + "".join(f"; {note}" for note in model.notes),
        "a reply depends on what is asked beside it; use batch_size=1 and report the model to its authors",
    )


def _generated(model: LocalModel, asked: Sequence[Query], suite: Suite, problems: Sequence[Problem]) -> Check:
    """The likeliest option against what the model writes, read as any reply is."""
    by_id = {problem.problem_id: problem for problem in problems}
    scores = _scores(model, asked)
    agree = read = 0
    open_queries = [replace(query, options=(), sampling=Sampling(max_tokens=64)) for query in asked]
    for index, reply in model.reply(open_queries):
        query = asked[index]
        answer = suite.parse(by_id[query.problem_id], reply.text or "")
        best = query.options[max(range(len(query.options)), key=scores[index].__getitem__)]
        read += answer.value is not None
        agree += answer.value == best
    return Check(
        "options = written",
        "passed" if agree >= AGREE * len(asked) else "FAILED",
        f"the likeliest option is what is written in {agree} of {len(asked)}; "
        f"{len(asked) - read} replies name no option",
        "scoring options and reading replies are two different experiments on this model: choose one with "
        "--answer and say which",
    )


def _backbone(model: LocalModel) -> Check:
    pretrained = model.pretrained
    read = pretrained.tokenizer(
        ["A red circle is left of a blue square.", "Two stars."],
        padding=True,
        return_tensors="pt",
        return_token_type_ids=False,
    ).to(pretrained.device)
    with torch.inference_mode():
        whole = pretrained.model(**pretrained.anatomy.causal(read)).logits
        alone = pretrained.anatomy.backbone()(read["input_ids"], read["attention_mask"])
    real = read["attention_mask"].bool()
    difference = float((alone.float().softmax(-1) - whole.float().softmax(-1))[real].abs().sum(-1).max() / 2)
    return Check(
        "language part",
        "passed" if difference <= _allowed(model) else "FAILED",
        f"alone and as part of the whole, the next token of text differs by {difference:.1g}",
        "vectors taken from the language part alone do not belong to this model; steering will mislead",
    )


def _pictures(model: LocalModel, asked: Sequence[Query]) -> Iterator[Check]:
    parts = model.pretrained.anatomy
    pictures = [part for query in asked for part in query.parts if isinstance(part, Image)]
    one, other = pictures[0], next(p for p in pictures if p != pictures[0])
    blank = Image.from_pil(PIL.Image.new("RGB", one.to_pil().size, (127, 127, 127)))
    query = next(query for query in asked if one in query.parts)
    shown = [_read(model, _with(query, picture)) for picture in (one, other, blank)]
    states = [_entering(model, inputs) for inputs in shown]
    kinds = parts.token_map(shown[0])
    there = positions_of(kinds, TokenKind.IMAGE)
    differ = (states[0] != states[1]).any(dim=-1)
    counted = int(there.sum())
    wrong = int((differ & ~there).sum())
    missing = int((there & ~differ).sum())
    sideways = bool(parts.cross_attention)
    # Parts of two pictures may look alike; half of the positions at least should not.
    fits = wrong == 0 and (counted == 0 if sideways else missing <= counted / 2 and counted > 0)
    yield Check(
        "token map",
        "passed" if fits else "FAILED",
        "pictures come in through cross-attention, no position of the text holds them"
        if sideways and fits
        else f"{counted} positions hold the picture; another picture changes {int(differ.sum())}, "
        f"{wrong} of them elsewhere",
        "positions are named wrongly: do not steer or judge image positions of this model",
    )
    seen = [q for q in asked if any(isinstance(part, Image) for part in q.parts)]
    plain = _scores(model, seen)
    swapped = _moved(plain, _scores(model, [_with(q, _another(q, pictures)) for q in seen]))
    blanked = _moved(plain, _scores(model, [_with(q, blank) for q in seen]))
    yield Check(
        "sees pictures",
        "passed" if min(swapped, blanked) > MOVED else "FAILED",
        f"another picture moves {swapped:.1%} of the probability between options, a blank one {blanked:.1%}",
        "the picture hardly reaches the reply: check the chat template, the processor and the image token",
    )
    yield _hooked(model, shown[0], there if not sideways else positions_of(kinds, TokenKind.TEXT))


def _another(query: Query, pictures: Sequence[Image]) -> Image:
    return next(picture for picture in pictures if picture not in query.parts)


def _moved(one: Sequence[tuple[float, ...]], two: Sequence[tuple[float, ...]]) -> float:
    """Mean total variation between two distributions over the options, 0 to 1."""
    distances = [
        float((torch.tensor(a).softmax(0) - torch.tensor(b).softmax(0)).abs().sum() / 2)
        for a, b in zip(one, two, strict=True)
    ]
    return sum(distances) / len(distances)


def _hooked(model: LocalModel, inputs: dict[str, Any], wanted: Tensor) -> Check:
    """A vector added at some positions after the middle block moves them by just that, and the reply."""
    parts = model.pretrained.anatomy
    block = parts.blocks[len(parts.blocks) // 2]
    kept: list[Tensor] = []
    with torch.inference_mode(), at_block(block, lambda states: kept.append(states.clone())):
        plain = model.pretrained.model(**inputs).logits[0, -1].float()
    norm = float(kept[0][wanted].norm(dim=-1).mean())
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(kept[0].shape[-1], generator=generator).to(kept[0])
    change = wanted[..., None] * (vector * (norm / vector.norm()))
    with (
        torch.inference_mode(),
        at_block(block, lambda states: states + change),
        at_block(block, lambda states: kept.append(states.clone())),
    ):
        steered = model.pretrained.model(**inputs).logits[0, -1].float()
    off = float((kept[1] - kept[0] - change).abs().max()) / max(norm, 1e-9)
    moved = float((steered - plain).norm() / plain.norm())
    return Check(
        "hooks",
        "passed" if off <= _allowed(model) and moved > 0 else "FAILED",
        f"a vector at {int(wanted.sum())} positions after block {len(parts.blocks) // 2} arrives with an "
        f"error of {off:.1g} and moves the next token's logits by {moved:.1%}",
        "what is added in a block does not arrive as it should; steering will mislead",
    )


def _attention(model: LocalModel, asked: Sequence[Query]) -> Check:
    """Whether logits before the last word of a prompt change when that word does."""
    pretrained, parts = model.pretrained, model.pretrained.anatomy
    inputs = _read(model, asked[-1])
    text = positions_of(parts.token_map(inputs), TokenKind.TEXT)[0].nonzero()[:, 0].tolist()
    first, column = text[0], text[-1]
    ids = inputs["input_ids"].clone()
    ids[0, column] = ids[0, first] if ids[0, first] != ids[0, column] else ids[0, text[1]]
    with torch.inference_mode():
        one = pretrained.model(**inputs).logits[0, :column].float()
        two = pretrained.model(**{**inputs, "input_ids": ids}).logits[0, :column].float()
    ahead = float((one - two).abs().max()) > _allowed(model) * float(one.abs().max())
    return Check(
        "attention",
        "passed",
        "a later word of the prompt moves earlier scores: the prompt is read in both directions"
        if ahead
        else "no later word moves an earlier score: causal",
    )


def _speed(model: LocalModel, asked: Sequence[Query]) -> Check:
    began = time.perf_counter()
    tokens = sum((reply.usage or {}).get("input_tokens", 0.0) for _, reply in model.reply(list(asked) * 4))
    seconds = time.perf_counter() - began
    if model.pretrained.device.type == "cuda":
        memory = torch.cuda.max_memory_allocated() / 2**30
    else:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # KiB on Linux
    return Check(
        "speed and memory",
        "passed",
        f"{4 * len(asked) / seconds:,.1f} questions and {tokens / seconds:,.0f} prompt tokens a second by "
        f"options; {memory:.1f} GiB at most; attention {model.pretrained.model.config._attn_implementation}",
    )


def _with(query: Query, picture: Image) -> Query:
    return replace(query, parts=tuple(picture if isinstance(part, Image) else part for part in query.parts))


def _read(model: LocalModel, query: Query) -> dict[str, Any]:
    prompt = model._writer.write(query.parts)
    return model.pretrained.inputs(model._writer.read([prompt]))


def _entering(model: LocalModel, inputs: dict[str, Any]) -> Float[Tensor, "batch seq width"]:
    """What enters the first decoder block."""
    kept: list[Tensor] = []

    def see(module: Any, args: tuple[Any, ...], settings: dict[str, Any]) -> None:
        kept.append((args[0] if args else settings["hidden_states"]).clone())

    handle = model.pretrained.anatomy.blocks[0].register_forward_pre_hook(see, with_kwargs=True)
    try:
        with torch.inference_mode():
            model.pretrained.model(**inputs)
    finally:
        handle.remove()
    return kept[0]
