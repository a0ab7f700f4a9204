"""Make the bundled model: a small real Idefics3, trained from scratch on rendered scenes.

    python recipes/bundled_model.py --out src/modgap/models/weights/bundled

What is unusual: the text backbone is trained first and saved before it ever sees a picture; the vision
encoder is trained on its own, as a pretrained encoder would be; then pictures are added, with questions of
some skills only. What is then missing between words and pictures is missing because picture supervision
was limited, not because the skill is.

    A  vision      every patch names the object it shows (recipes/bundled_vision.py)
    B  text        all skills, scenes as list, JSON and story; saved as text_backbone
    C  pictures    transcripts, and questions of the TUNED tasks only; text is replayed

Each stage saves a checkpoint every few minutes and goes on from it; a finished stage is skipped. Progress
and the accuracies on fresh scenes go to checkpoints/bundled/log.jsonl.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from bundled_batch import Batch, Batcher, token_losses
from bundled_data import LEVELS, Sampler, corpus, picture_of, random_scene
from bundled_parts import MODEL_SIZES, Size, build_model, build_processor, build_tokenizer
from bundled_vision import PatchHeads, patch_targets
from torch import Tensor, nn
from transformers import Idefics3ForConditionalGeneration, PreTrainedTokenizerFast

SAVE_SECONDS = 60.0


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over 200 steps, then a cosine to a twentieth of the peak."""
    if step < 200:
        return peak * (step + 1) / 200
    return peak * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - 200) / max(1, steps - 200))))


class _Optimizers:
    """Muon for the matrices, AdamW for tables, gains, biases and convolutions.

    With AdamW alone the text stage needed over twice the steps for the same accuracy.
    """

    def __init__(self, parts: Iterable[nn.Module], peak: float) -> None:
        modules = [module for part in parts for module in part.modules()]
        matrices = {m.weight for m in modules if isinstance(m, nn.Linear)}
        matrices -= {m.weight for m in modules if isinstance(m, nn.Embedding)}  # a tied head is a table
        everything = dict.fromkeys(p for m in modules for p in m.parameters())
        self.each = (
            torch.optim.Muon(
                [p for p in everything if p in matrices],
                lr=peak,
                momentum=0.95,
                weight_decay=0.05,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(
                [p for p in everything if p not in matrices], lr=peak, betas=(0.9, 0.98), weight_decay=0.0
            ),
        )

    def step(self, rate: float) -> None:
        """One step at this learning rate; clears the gradients."""
        for optimizer, share in zip(self.each, (1.0, 0.25), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = share * rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> list[dict[str, object]]:
        """What a checkpoint keeps."""
        return [optimizer.state_dict() for optimizer in self.each]

    def restore(self, state: list[dict[str, object]]) -> None:
        """Go on from a checkpoint."""
        for optimizer, saved in zip(self.each, state, strict=True):
            optimizer.load_state_dict(saved)


def train_stage(
    name: str,
    parts: dict[str, nn.Module],
    loss_of: Callable[[int], tuple[Tensor, dict[str, float]]],
    *,
    steps: int,
    peak: float,
    folder: Path,
    check: Callable[[], dict[str, float]] | None = None,
    check_every: int = 600,
) -> None:
    """Run one stage, or what is left of it.

    Args:
        name: of the stage and its checkpoint.
        parts: modules to train and save.
        loss_of: step → (loss, figures to log).
        steps: in the whole stage.
        peak: largest learning rate.
        folder: of the checkpoints.
        check: measures on fresh scenes; called every ``check_every`` steps and at the end.
        check_every: steps between checks.
    """
    path = folder / f"{name}.pt"
    parameters = [p for part in parts.values() for p in part.parameters()]
    optimizer = _Optimizers(parts.values(), peak)
    start = 0
    if path.exists():
        saved = torch.load(path, weights_only=True)
        for key, part in parts.items():
            part.load_state_dict(saved["parts"][key])
        start = saved["step"]
        if start < steps:
            optimizer.restore(saved["optimizer"])
    began = saved_at = time.monotonic()
    for step in range(start, steps):
        loss, figures = loss_of(step)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step(learning_rate(step, steps, peak))
        done = step + 1
        if done % 200 == 0 or done == steps:
            line = {"stage": name, "step": done, "loss": round(loss.item(), 4), **figures}
            line["seconds"] = round(time.monotonic() - began)
            if check is not None and (done % check_every == 0 or done == steps):
                line |= check()
            with (folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(line, flush=True)
        if time.monotonic() - saved_at > SAVE_SECONDS or done == steps:
            saved_at = time.monotonic()
            state = {
                "parts": {key: part.state_dict() for key, part in parts.items()},
                "optimizer": optimizer.state(),
                "step": done,
            }
            torch.save(state, path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)


def train_vision(
    model: Idefics3ForConditionalGeneration, size: Size, steps: int, folder: Path, seed: int
) -> None:
    """Stage A."""
    vision = model.model.vision_model
    heads = PatchHeads(size.vision_width)
    patches = size.pixels // size.patch

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([seed, 1, step])
        scenes = [random_scene(rng) for _ in range(64)]
        pictures = np.stack([picture_of(s, rng, size.pixels) for s in scenes])
        pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
        labels, offsets = (
            torch.from_numpy(np.stack(a))
            for a in zip(*(patch_targets(s, patches) for s in scenes), strict=True)
        )
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss, right = heads(vision(pixels).last_hidden_state, labels, offsets)
        names = ("shape", "color", "size", "fill")
        return loss, dict(zip(names, (round(r, 3) for r in right.tolist()), strict=True))

    train_stage("vision", {"vision": vision, "heads": heads}, loss_of, steps=steps, peak=2e-3, folder=folder)


class Curriculum(nn.Module):
    """The level of the text stage: the next is entered when a question costs less than ``MASTERED`` nats."""

    MASTERED = 0.25

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.tensor(0))
        self.register_buffer("nats", torch.tensor(2.0))

    def see(self, nats: float) -> None:
        """Take the mean cost of a question in one batch; an average over about 50 batches decides."""
        self.nats = 0.98 * self.nats + 0.02 * nats
        if self.nats < self.MASTERED and self.level < len(LEVELS) - 1:
            self.level += 1
            self.nats = torch.tensor(2.0)


def mean_loss(
    model: Idefics3ForConditionalGeneration, batch: Batch, curriculum: Curriculum | None = None
) -> Tensor:
    """Weighted mean cross-entropy in bfloat16 arithmetic; tells the curriculum what a turn costs."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses, weights, where = token_losses(model, batch)
    if curriculum is not None:
        turns = where[:, 1] >= 0
        number = len(torch.unique(where[turns], dim=0))
        curriculum.see(losses.detach()[turns].sum().item() / number)
    return (losses * weights).sum() / weights.sum()


@torch.no_grad()
def accuracy(
    model: Idefics3ForConditionalGeneration,
    sampler: Sampler,
    batcher: Batcher,
    modality: str,
    scenes: int,
    seed: int,
) -> dict[str, float]:
    """Share of right answers per task on fresh scenes, by the likelihood of each option."""
    rng = np.random.default_rng([seed, 99])
    hits: dict[str, list[bool]] = {}
    for _ in range(scenes // 16):
        asked = [sampler.options(rng, modality) for _ in range(16)]
        batch = batcher([example for example, _ in asked])
        losses, _, where = token_losses(model, batch)
        totals = torch.zeros(len(asked), batch.turns).index_put_(
            (where[:, 0], where[:, 1]), losses, accumulate=True
        )
        for row, (_, questions) in enumerate(asked):
            cursor = 0
            for task, n_options, right in questions:
                guess = int(totals[row, cursor : cursor + n_options].argmin())
                hits.setdefault(task, []).append(guess == right)
                cursor += n_options
    result = {f"{modality}/{task}": round(float(np.mean(h)), 3) for task, h in sorted(hits.items())}
    result[f"{modality}/all"] = round(float(np.mean([np.mean(h) for h in hits.values()])), 3)
    return result


def train_text_then_pictures(
    model: Idefics3ForConditionalGeneration,
    sampler: Sampler,
    batcher: Batcher,
    *,
    text_steps: int,
    picture_steps: int,
    folder: Path,
    seed: int,
    keep_backbone: Callable[[], None],
) -> None:
    """Stages B and C."""

    def check_text() -> dict[str, float]:
        return accuracy(model, sampler, batcher, "text", 96, seed)

    def check_both() -> dict[str, float]:
        return check_text() | accuracy(model, sampler, batcher, "image", 96, seed)

    def text_loss(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([seed, 2, step])
        level = int(curriculum.level)
        rewriting = step % 8 == 7
        batch = batcher(sampler.text(rng, level, step))
        loss = mean_loss(model, batch, None if rewriting else curriculum)
        return loss, {"level": level, "nats": round(float(curriculum.nats), 3)}

    curriculum = Curriculum()
    language = {"text": model.model.text_model, "curriculum": curriculum}
    train_stage("text", language, text_loss, steps=text_steps, peak=1.5e-3, folder=folder, check=check_text)
    keep_backbone()

    def mixed_loss(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([seed, 3, step])
        if step % 2 == 1:
            return mean_loss(model, batcher(sampler.text(rng, len(LEVELS) - 1, step // 2))), {}
        return mean_loss(model, batcher(sampler.pictures(rng, step % 4 == 2))), {}

    train_stage(
        "pictures",
        {"model": model},
        mixed_loss,
        steps=picture_steps,
        peak=1e-3,
        folder=folder,
        check=check_both,
    )


def save(
    model: Idefics3ForConditionalGeneration, processor: object, backbone: dict[str, Tensor], out: Path
) -> None:
    """Write the model folder in bfloat16, and its text-only backbone beside it as a causal language model."""
    from transformers import LlamaForCausalLM

    out.mkdir(parents=True, exist_ok=True)
    text = LlamaForCausalLM(model.config.text_config)
    text.model.load_state_dict(backbone)
    text.tie_weights()
    text.to(torch.bfloat16).save_pretrained(out / "text_backbone")
    processor.tokenizer.save_pretrained(out / "text_backbone")
    model.to(torch.bfloat16).save_pretrained(out)
    processor.save_pretrained(out)


def kept_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Trained once and then kept: a checkpoint is worth nothing with other pieces."""
    if not folder.exists():
        build_tokenizer(corpus(seed=0)).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("src/modgap/models/weights/bundled"))
    parser.add_argument("--folder", type=Path, default=Path("checkpoints/bundled"))
    parser.add_argument("--size", choices=sorted(MODEL_SIZES), default="small")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vision-steps", type=int, default=3000)
    parser.add_argument("--text-steps", type=int, default=4500)
    parser.add_argument("--picture-steps", type=int, default=3000)
    parser.add_argument("--stage", choices=("vision", "all"), default="all")
    parser.add_argument("--threads", type=int, default=0, help="0 leaves the library's choice")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    args.folder.mkdir(parents=True, exist_ok=True)
    size = MODEL_SIZES[args.size]
    tokenizer = kept_tokenizer(args.folder / "tokenizer")
    processor = build_processor(tokenizer, size)
    model = build_model(tokenizer, size, args.seed)
    train_vision(model, size, args.vision_steps, args.folder, args.seed)
    if args.stage == "vision":
        return
    backbone_path = args.folder / "text_backbone.pt"

    def keep_backbone() -> None:
        if not backbone_path.exists():
            torch.save(model.model.text_model.state_dict(), backbone_path)

    train_text_then_pictures(
        model,
        Sampler(size.pixels),
        Batcher(tokenizer, size.image_tokens),
        text_steps=args.text_steps,
        picture_steps=args.picture_steps,
        folder=args.folder,
        seed=args.seed,
        keep_backbone=keep_backbone,
    )
    save(model, processor, torch.load(backbone_path, weights_only=True), args.out)


if __name__ == "__main__":
    main()
