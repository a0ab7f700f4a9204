"""Make the bundled model: a small real Idefics3, trained from scratch on rendered scenes.

    python recipes/bundled_model.py --out src/modgap/models/weights/bundled

What is unusual: the text backbone is trained first and saved before it ever sees a picture; the vision
encoder is trained on its own, as a pretrained encoder would be; then pictures are added, with questions of
some skills only. What is then missing between words and pictures is missing because picture supervision
was limited, not because the skill is.

    A  vision      every patch names the object it shows (recipes/bundled_vision.py)
    B  text        all skills, scenes as list, JSON and story, plain English; saved as text_backbone
    C  alignment   the text model is frozen; vision and connector learn from captions and transcripts only
    D  tuning      a low-rank change, from questions of the TUNED tasks about few pictures; text is replayed
    E  sibling     what D made, trained on pictures with every task: the ceiling

Each stage saves a checkpoint every minute and goes on from it; a finished stage is skipped. Progress
and the accuracies on fresh scenes go to log.jsonl in the folder of checkpoints; six models on the way from C
to D are kept there too (recipes/bundled_graded.py looks at them).
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from bundled_batch import Batch, Batcher, token_losses
from bundled_data import (
    ASSUMED,
    LEVELS,
    TASKS,
    TUNED,
    Sampler,
    assumed,
    corpus,
    picture_of,
    random_scene,
    world_scene,
)
from bundled_parts import MODEL_SIZES, Size, build_model, build_processor, build_tokenizer
from bundled_vision import PatchHeads, patch_targets
from peft import LoraConfig, LoraModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import (
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

SAVE_SECONDS = 60.0
STAGES = ("vision", "text", "alignment", "tuning", "sibling")


def learning_rate(step: int, steps: int, peak: float, hold: float = 0.4) -> float:
    """Linear warm-up over 200 steps, the peak for a share ``hold``, then linearly to a twentieth."""
    if step < 200:
        return peak * (step + 1) / 200
    left = (steps - step) / max(1.0, steps * (1 - hold))
    return peak * max(0.05, min(1.0, left))


class _Optimizers:
    """Muon for the matrices, AdamW for tables, gains, biases and convolutions.

    With AdamW alone the text stage needed over twice the steps for the same accuracy.
    """

    def __init__(self, parts: Iterable[nn.Module], peak: float) -> None:
        modules = [module for part in parts for module in part.modules()]
        matrices = {m.weight for m in modules if isinstance(m, nn.Linear)}
        matrices -= {m.weight for m in modules if isinstance(m, nn.Embedding)}  # a tied head is a table
        trained = dict.fromkeys(p for m in modules for p in m.parameters() if p.requires_grad)
        large, other = [p for p in trained if p in matrices], [p for p in trained if p not in matrices]
        muon = partial(
            torch.optim.Muon, momentum=0.95, weight_decay=0.05, adjust_lr_fn="match_rms_adamw", lr=peak
        )
        adam = partial(torch.optim.AdamW, betas=(0.9, 0.98), weight_decay=0.0, lr=peak)
        makers = ((muon, large), (adam, other))
        self.each = [make(group) for make, group in makers if group]

    def step(self, rate: float) -> None:
        """One step at this learning rate; clears the gradients."""
        for optimizer in self.each:
            for group in optimizer.param_groups:
                group["lr"] = rate
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
    check_every: int = 1000,
    hold: float = 0.4,
    keep: Mapping[int, Callable[[], None]] | None = None,
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
        hold: share of the stage at the largest rate; 1 for a stage that another goes on from.
        keep: step → what to do after it.
    """
    path = folder / f"{name}.pt"
    parameters = [p for part in parts.values() for p in part.parameters() if p.requires_grad]
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
        optimizer.step(learning_rate(step, steps, peak, hold))
        done = step + 1
        if keep and done in keep:
            keep[done]()
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


def train_vision(model: Idefics3ForConditionalGeneration, size: Size, steps: int, folder: Path) -> None:
    """Stage A. It stands in for an encoder that is downloaded: its pictures are the same for every seed."""
    vision = model.model.vision_model
    heads = PatchHeads(size.vision_width)
    patches = size.pixels // size.patch

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([0, 1, step])
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
    """The level of the text stage: the next is entered when a turn costs little enough."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.tensor(0))
        self.register_buffer("nats", torch.tensor(2.0))

    def see(self, nats: float, step: int) -> None:
        """Take the mean cost of a turn in one batch; an average over about 50 batches decides."""
        self.nats = 0.98 * self.nats + 0.02 * nats
        at = LEVELS[int(self.level)]
        if self.nats < at.mastered or step >= at.latest:
            self.level += 1
            self.nats = torch.tensor(2.0)


def mean_loss(
    model: Idefics3ForConditionalGeneration,
    batch: Batch,
    told: Callable[[float], None] | None = None,
) -> Tensor:
    """Weighted mean cross-entropy in bfloat16 arithmetic; ``told`` what a turn costs on average."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses, weights, where = token_losses(model, batch)
    if told is not None:
        turns = where[:, 1] >= 0
        number = len(torch.unique(where[turns], dim=0))
        told(losses.detach()[turns].sum().item() / number)
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


def train_text(
    model: Idefics3ForConditionalGeneration,
    sampler: Sampler,
    batcher: Batcher,
    *,
    shallow_steps: int,
    steps: int,
    folder: Path,
    seed: int,
) -> None:
    """Stage B: half of the blocks first, at half the cost of a step; then all of them.

    The other blocks come in between and at first add nothing, so nothing that was learned is lost.
    """
    text = model.model.text_model
    every = list(text.layers)

    def check() -> dict[str, float]:
        return accuracy(model, sampler, batcher, "text", 96, seed)

    curriculum = Curriculum()

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([seed, 2, step])
        level = int(curriculum.level)
        examples, asking = sampler.text(rng, level, step)
        loss = mean_loss(model, batcher(examples), partial(curriculum.see, step=step) if asking else None)
        return loss, {"level": level, "nats": round(float(curriculum.nats), 3)}

    text.layers = nn.ModuleList(every[::2])
    parts = {"text": text, "curriculum": curriculum}
    train_stage(
        "shallow", parts, loss_of, steps=shallow_steps, peak=1.5e-3, folder=folder, check=check, hold=1.0
    )
    for block in every[1::2]:
        nn.init.zeros_(block.self_attn.o_proj.weight)
        nn.init.zeros_(block.mlp.down_proj.weight)
    text.layers = nn.ModuleList(every)

    def later(step: int) -> tuple[Tensor, dict[str, float]]:
        return loss_of(shallow_steps + step)

    train_stage("text", parts, later, steps=steps, peak=1.5e-3, folder=folder, check=check, hold=0.4)


def align(
    model: Idefics3ForConditionalGeneration,
    sampler: Sampler,
    batcher: Batcher,
    *,
    steps: int,
    folder: Path,
    seed: int,
) -> None:
    """Stage C."""
    model.model.text_model.requires_grad_(False)

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([seed, 3, step])
        scenes = [world_scene(rng) for _ in range(2 * sampler.rows)]
        examples = [sampler.example(s, rng, "image", sampler.told(assumed(s, rng), rng)) for s in scenes]
        return mean_loss(model, batcher(examples, ASSUMED)), {}

    train_stage(
        "alignment",
        {"vision": model.model.vision_model, "connector": model.model.connector},
        loss_of,
        steps=steps,
        peak=1e-3,
        folder=folder,
        check=lambda: accuracy(model, sampler, batcher, "image", 96, seed),
        keep={round(steps * share): partial(keep_graded, model, folder, f"C{share}") for share in GRADES_C},
    )
    model.model.text_model.requires_grad_(True)


def tune(
    model: Idefics3ForConditionalGeneration,
    sampler: Sampler,
    batcher: Batcher,
    *,
    steps: int,
    pictures: int,
    folder: Path,
    seed: int,
) -> Idefics3ForConditionalGeneration:
    """Stage D: of six batches three ask about pictures, one tells them, two are text; returns the model."""
    config = LoraConfig(r=8, lora_alpha=16, target_modules=r".*text_model.*_proj|.*connector.*proj")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        tuner = LoraModel(model, {"default": config}, "default")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name)
    last = len(LEVELS) - 1

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([seed, 4, step])
        if step % 3 == 2:
            return mean_loss(model, batcher(sampler.text(rng, last, step // 3)[0])), {}
        examples = []
        told = step % 6 == 1  # without these, captions get worse while questions are learned
        while len(examples) < sampler.rows:
            scene = world_scene(np.random.default_rng([seed, 5, int(rng.integers(pictures))]))
            shown = bool(rng.random() < 0.5)
            if told:
                turns = sampler.told(assumed(scene, rng), rng)
            else:
                turns = sampler.turns(scene, rng, TUNED, shown, simple=True)
            if turns:
                examples.append(sampler.example(scene, rng, "image", turns))
        return mean_loss(model, batcher(examples, ASSUMED if told else ())), {}

    def check() -> dict[str, float]:
        seen = accuracy(model, sampler, batcher, "image", 96, seed)
        return seen | accuracy(model, sampler, batcher, "text", 96, seed)

    train_stage(
        "tuning",
        {"model": model},
        loss_of,
        steps=steps,
        peak=1e-3,
        folder=folder,
        check=check,
        check_every=300,
        keep={round(steps * share): partial(keep_graded, model, folder, f"D{share}") for share in GRADES_D},
    )
    return tuner.merge_and_unload()


def train_sibling(
    model: Idefics3ForConditionalGeneration,
    sampler: Sampler,
    batcher: Batcher,
    *,
    steps: int,
    folder: Path,
    seed: int,
) -> None:
    """Stage E: of four batches two ask all tasks about pictures, one tells pictures, one is text."""
    model.requires_grad_(True)
    last = len(LEVELS) - 1

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng([seed, 6, step])
        if step % 4 == 3:
            return mean_loss(model, batcher(sampler.text(rng, last, step // 4)[0])), {}
        shown = bool(rng.random() < 0.5)
        examples = []
        while len(examples) < sampler.rows:
            scene = world_scene(rng)
            turns = sampler.told(scene, rng) if step % 4 == 1 else sampler.turns(scene, rng, TASKS, shown)
            if turns:
                examples.append(sampler.example(scene, rng, "image", turns))
        return mean_loss(model, batcher(examples)), {}

    train_stage(
        "sibling",
        {"model": model},
        loss_of,
        steps=steps,
        peak=1e-3,
        folder=folder,
        check=lambda: accuracy(model, sampler, batcher, "image", 96, seed),
    )


GRADES_C, GRADES_D = (0.1, 0.25, 0.5, 1.0), (0.3, 1.0)
"""Shares of stages C and D after which a graded model is kept."""


def keep_graded(model: Idefics3ForConditionalGeneration, folder: Path, name: str) -> None:
    """Keep the model as it is now, low-rank changes merged, in bfloat16."""
    weights = {}
    for module_name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            change = module.get_delta_weight("default")
            weights[f"{module_name}.weight"] = (module.base_layer.weight + change).to(torch.bfloat16)
    for key, value in model.state_dict().items():
        if "lora_" not in key and key.replace(".base_layer", "") not in weights:
            weights[key.replace(".base_layer", "")] = value.to(torch.bfloat16)
    path = folder / "graded" / f"{name}.safetensors"
    path.parent.mkdir(exist_ok=True)
    save_file({key: value.contiguous().clone() for key, value in weights.items()}, path)


def save(model: Idefics3ForConditionalGeneration, processor: Idefics3Processor, out: Path) -> None:
    """Write a model folder in bfloat16."""
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(out)
    processor.save_pretrained(out)


def save_backbone(
    model: Idefics3ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, out: Path
) -> None:
    """Write the language model alone, as a causal language model, in bfloat16."""
    text = LlamaForCausalLM(model.config.text_config)
    text.model.load_state_dict(model.model.text_model.state_dict())
    text.tie_weights()
    text.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)


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
    parser.add_argument("--size", choices=sorted(MODEL_SIZES), default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vision-steps", type=int, default=3000)
    parser.add_argument("--shallow-steps", type=int, default=2600)
    parser.add_argument("--text-steps", type=int, default=5000)
    parser.add_argument("--align-steps", type=int, default=1600)
    parser.add_argument("--tune-steps", type=int, default=1600)
    parser.add_argument("--tune-pictures", type=int, default=12000)
    parser.add_argument("--sibling-steps", type=int, default=2000)
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="the last stage to run")
    parser.add_argument("--skip-vision", action="store_true", help="train the text stage on its own")
    parser.add_argument("--threads", type=int, default=0, help="0 leaves the library's choice")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    folder, seed, size = args.folder, args.seed, MODEL_SIZES[args.size]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = kept_tokenizer(folder / "tokenizer")
    processor = build_processor(tokenizer, size)
    model = build_model(tokenizer, size, seed)
    tools = (model, Sampler(size.pixels), Batcher(tokenizer, size.image_tokens))
    last = STAGES.index(args.until)
    if not args.skip_vision:
        train_vision(model, size, args.vision_steps, folder)
    if last >= 1:
        train_text(*tools, shallow_steps=args.shallow_steps, steps=args.text_steps, folder=folder, seed=seed)
        save_backbone(model, tokenizer, args.out / "text_backbone")
    if last >= 2:
        align(*tools, steps=args.align_steps, folder=folder, seed=seed)
    if last >= 3:
        model = tune(*tools, steps=args.tune_steps, pictures=args.tune_pictures, folder=folder, seed=seed)
        save(model, processor, args.out)
        early = copy.deepcopy(model)
        early.load_state_dict(load_file(folder / "graded" / f"C{GRADES_C[1]}.safetensors"))
        save(early, processor, args.out / "early")
    if last >= 4:
        train_sibling(*tools, steps=args.sibling_steps, folder=folder, seed=seed)
        save(model, processor, args.out / "sibling")


if __name__ == "__main__":
    main()
