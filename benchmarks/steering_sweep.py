"""CPU time of a steering sweep, against a hook and one reading for each question and change.

    python benchmarks/steering_sweep.py

Two models: the bundled one, all 8 blocks and 6 strengths, and an untrained one of 24 blocks with a Llama
text model and 256 positions a picture, its last 16 blocks and 6 strengths. Each kind of position is swept
apart, with one question about each picture and with eight, as in sets that ask much of a picture (here
the same eight of each).

Peers, all on the same weights in the same process and thread:

    generate  the obvious loop: processor, hook, ``model.generate`` of up to 8 tokens
    prefill   stricter: inputs prepared once, a hook, one reading, the logits of the last position
    nnsight   the same reading with an intervention of nnsight 0.8 (``pip install nnsight``), if it is there

A cell costs a peer the same whatever its strength, and a question whatever its picture, so peers run one
strength of each block and at most four questions, and their time is counted for all. "limit" is what a
sweep can reach against ``prefill`` if it multiplies no weight in vain: only blocks after the change and
positions from the first that is changed, what prompts begin with once, and of the last block only keys
and values where nothing is asked. "agree" is the largest difference of the log-probabilities of the first
option tokens to those of ``prefill`` and nnsight. "question" is the text after the picture; "text" begins
before it, with the word that opens the turn and the instruction. "same answer" compares with
``generate``, which writes the answer prefix itself and so leaves it unchanged; a sweep reads it, and
changes it where text is changed.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from modgap.models import Query, local
from modgap.models.bundled import FOLDER
from modgap.models.local._anatomy import TokenKind
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, mask_of, steering
from modgap.steering import replay
from modgap.steering._study import problems_of
from modgap.steering._sweep import query_of

STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
PLACES = ("image", "both", "text", "question")
MOST = 4
"""Questions that peers are timed on."""
SIDE = 256  # pixels; 8 a patch, 2 x 2 patches a position: 256 positions


@dataclass(frozen=True)
class Asked:
    """A question as the peers read it."""

    picture: int
    inputs: dict[str, Any]
    kinds: torch.Tensor
    first_tokens: list[int]


def build_deep(folder: Path) -> Path:
    """An untrained Idefics3 of 24 blocks, with the tokenizer of the bundled model and little vision."""
    processor = transformers.AutoProcessor.from_pretrained(FOLDER, backend="pil")
    processor.image_seq_len = 256
    processor.image_processor.size = {"longest_edge": SIDE}
    processor.image_processor.max_image_size = {"longest_edge": SIDE}
    processor.save_pretrained(folder)
    config = transformers.AutoConfig.from_pretrained(FOLDER)
    config.text_config.update(
        {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 24, "head_dim": 64}
    )
    config.vision_config.update(
        {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "image_size": SIDE}
    )
    torch.manual_seed(0)
    model = transformers.Idefics3ForConditionalGeneration(config)
    model.generation_config = transformers.GenerationConfig.from_pretrained(FOLDER)
    model.save_pretrained(folder)
    return folder


def questions(pictures: int, each: int) -> list[Query]:
    """Questions about place, the same of each picture."""
    drawn = [query_of(p, "image") for p in problems_of(("relation",), max(pictures, each), 0, level="plain")]
    return [
        Query((*shown.parts[:-1], asked.parts[-1]), asked.options)
        for number, shown in enumerate(drawn[:pictures])
        for asked in (drawn[number:] + drawn[:number])[:each]
    ]


def prepare(model: LocalModel, query: Query, picture: int) -> Asked:
    """Inputs that end with the answer prefix, and the first token of every option."""
    job = model._job(0, query)
    assert job.continuation is not None
    read = dict(model._writer.read([job.prompt]))
    forced = torch.tensor([job.continuation.forced])
    read["input_ids"] = torch.cat([read["input_ids"], forced], dim=1)
    read["attention_mask"] = torch.ones_like(read["input_ids"])
    kinds = model.pretrained.anatomy.token_map(read)
    return Asked(
        picture, model.pretrained.inputs(read), kinds, [targets[0] for targets in job.continuation.targets]
    )


def hooked(model: LocalModel, asked: Asked, change: Change) -> torch.Tensor:
    """Log-probabilities at the last position."""
    mask = mask_of(change.positions, asked.kinds, asked.inputs["input_ids"])
    step = change.strength * change.direction

    def hook(module: Any, args: Any, output: torch.Tensor) -> torch.Tensor:
        return output + mask[..., None] * step

    handle = model.pretrained.anatomy.blocks[change.block].register_forward_hook(hook)
    try:
        logits = model.pretrained.model(**asked.inputs, use_cache=False, logits_to_keep=1).logits
    finally:
        handle.remove()
    return logits[0, -1].log_softmax(-1)


def with_nnsight(model: LocalModel) -> Callable[[LocalModel, Asked, Change], torch.Tensor]:
    """The same as :func:`hooked`."""
    from nnsight import NNsight

    wrapped = NNsight(model.pretrained.model)

    def read(model: LocalModel, asked: Asked, change: Change) -> torch.Tensor:
        mask = mask_of(change.positions, asked.kinds, asked.inputs["input_ids"])
        step = mask[..., None] * (change.strength * change.direction)
        with wrapped.trace(**asked.inputs, use_cache=False, logits_to_keep=1):
            wrapped.model.text_model.layers[change.block].output[:] += step
            logits = wrapped.output.logits.save()
        return logits[0, -1].log_softmax(-1)

    return read


def written(model: LocalModel, query: Query, change: Change) -> str:
    """The greedy reply under a hook, with everything that a loop over items does."""
    with steering(model, change):
        read = model._writer.read([model._writer.write(query.parts)])
        ids = model.pretrained.model.generate(
            **model.pretrained.inputs(read), max_new_tokens=8, do_sample=False
        )
    text: str = model.pretrained.tokenizer.decode(ids[0, read["input_ids"].shape[1] :], True)
    return text.strip()


def cpu_seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    began = time.process_time()
    found = run()
    return time.process_time() - began, found


def limit(model: LocalModel, changes: Sequence[Change], asked: Sequence[Asked]) -> float:
    """Weights that one reading for each change multiplies, against those that a sweep has to."""
    blocks = model.pretrained.anatomy.blocks
    weights = sum(p.numel() for p in blocks[0].parameters())
    keys_and_values = 2 * blocks[0].self_attn.k_proj.weight.numel()
    ids = [tuple(one.inputs["input_ids"][0].tolist()) for one in asked]

    def positions(firsts: Sequence[int]) -> int:
        """Positions from the first on that differ in what stands before them."""
        return len(
            {
                (one.picture if TokenKind.IMAGE in one.kinds[0, : i + 1] else None, own[: i + 1])
                for one, own, first in zip(asked, ids, firsts, strict=True)
                for i in range(first, len(own))
            }
        )

    sweep = weights * len(blocks) * positions([0] * len(asked))
    known: dict[Any, int] = {}
    for change in changes:
        if change.positions not in known:
            masks = [mask_of(change.positions, one.kinds, one.inputs["input_ids"]) for one in asked]
            known[change.positions] = positions([int(mask[0].int().argmax()) for mask in masks])
        if later := len(blocks) - 1 - change.block:
            moved = known[change.positions]
            sweep += (weights * (later - 1) + keys_and_values) * moved
            sweep += (weights - keys_and_values) * len(asked)
    return weights * len(blocks) * sum(map(len, ids)) * len(changes) / sweep


def measure(
    model: LocalModel, queries: list[Query], each: int, blocks: range, reading: dict[str, Any], loop: bool
) -> None:
    """One line for each kind of position."""
    width = int(model.pretrained.model.config.get_text_config().hidden_size)
    direction = torch.randn(width, generator=torch.Generator().manual_seed(0))
    asked = [prepare(model, query, i // each) for i, query in enumerate(queries)]
    few = asked[:MOST]
    replay(model, queries[:1], [Change(direction, blocks[0], 1.0, "image")])  # the first pass is slower
    names = [*(["generate"] if loop else []), *reading]
    print(f"{'positions':10}{'sweep':>9}", *(f"{name:>19}" for name in names), f"{'limit':>9}{'agree':>10}")
    for place in PLACES:
        changes = [Change(direction, b, s, place) for b in blocks for s in STRENGTHS]  # type: ignore[arg-type]
        some = range(2, len(changes), len(STRENGTHS))  # strength 1 of every block
        times = len(STRENGTHS) * len(asked) / len(few)
        own, found = cpu_seconds(lambda c=changes: replay(model, queries, c))
        cells = []
        if loop:
            spent, replies = cpu_seconds(
                lambda c=changes, s=some: [written(model, query, c[i]) for i in s for query in queries[:MOST]]
            )
            chosen = found.changed[list(some), : len(few)].argmax(-1).ravel().tolist()
            options = [query.options for _ in some for query in queries[:MOST]]
            named = [
                (reply == f"Answer: {given[best]}")
                for reply, given, best in zip(replies, options, chosen, strict=True)
                if reply in {f"Answer: {option}" for option in given}
            ]
            cells.append(f"{spent * times:8.1f} s {spent * times / own:6.1f} x")
        error = 0.0
        for read in reading.values():
            spent, values = cpu_seconds(
                lambda r=read, c=changes, s=some: [r(model, one, c[i]) for i in s for one in few]
            )
            cells.append(f"{spent * times:8.1f} s {spent * times / own:6.1f} x")
            error = max(error, difference(values, found.changed, some, few))
        print(
            f"{place:10}{own:7.1f} s",
            *(f"{cell:>19}" for cell in cells),
            f"{limit(model, changes, asked):7.1f} x{error:10.1e}",
            f"  same answer {sum(named)} of {len(named)} replies that name an option" if loop else "",
            flush=True,
        )


def difference(values: list[torch.Tensor], changed: np.ndarray, some: range, asked: list[Asked]) -> float:
    """Largest difference to the sweep, where every option of a question is one token."""
    largest, at = 0.0, iter(values)
    for i in some:
        for number, one in enumerate(asked):
            peer = next(at)[one.first_tokens].double().numpy()
            mine = changed[i, number, : len(one.first_tokens)]
            largest = max(largest, float(np.abs(peer - mine).max()))
    return largest


@torch.no_grad()
def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for name, path, blocks, pictures in (
            ("bundled", FOLDER, range(8), 4),
            ("24 blocks", build_deep(Path(folder)), range(8, 24), 1),
        ):
            model = local.load(str(path), dtype="float32", device="cpu")
            reading: dict[str, Any] = {"prefill": hooked}
            if importlib.util.find_spec("nnsight") is not None:
                reading["nnsight"] = with_nnsight(model)
            for each in (1, 8):
                grid = f"blocks {blocks[0]} to {blocks[-1]}, {len(STRENGTHS)} strengths"
                print(f"{name}: {grid}, {each} to a picture, n = {pictures * each}")
                measure(model, questions(pictures, each), each, blocks, reading, loop=path == FOLDER)
    print("CPU seconds of one thread; x: times the CPU time of the sweep")


if __name__ == "__main__":
    main()
