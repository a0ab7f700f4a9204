"""Training a detector with ``transformers.Trainer``, so that ``accelerate launch`` and ``torchrun`` work.

    train(read_examples(Path("data")), TrainConfig(model="bundled"), Path("runs/detector"))

Captions of one picture are read after a single reading of it. A stopped run goes on where its last checkpoint
is. At the end the detector is calibrated on the validation split, and its figures there are kept with it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from modgap._errors import FileError, InputError, MissingExtra, ModelError
from modgap.models.local._load import LoadOptions, Pretrained, load_pretrained, quiet

from ._card import write_card
from ._detector import READ_AT, DetectorConfig, TldrDetector
from ._detector_files import (
    ADAPTER_WEIGHTS,
    DETECTOR,
    HEAD,
    base_folder,
    dtype_of,
    read_config,
    save_detector,
    shipped_or,
    weights_hash,
)
from ._example import Example
from ._network import DetectorNetwork, add_lora, new_head
from ._reading import Reader
from ._steps import Collator, Steps, prior_of
from ._train_config import TrainConfig as TrainConfig
from ._validate import validate


def _say_nothing(line: str) -> None:
    pass


def train(
    examples: Iterable[Example],
    config: TrainConfig,
    out: Path,
    *,
    say: Callable[[str], None] = _say_nothing,
) -> TldrDetector:
    """Train a detector and write its folder.

    Args:
        examples: of the splits ``train`` and ``validation``; others are left out. Those of one picture and
            prompt are best next to each other.
        config: how.
        out: where to. A folder with checkpoints of the same settings is gone on with.
        say: is told a line now and then.

    Returns:
        The detector, calibrated (in the first of several processes, which also writes it).

    Raises:
        InputError: if there are no training examples, or they have no error.
        FileError: if the folder holds something else.
        MissingExtra: if peft or accelerate is not installed.
        ModelError: if the model cannot be loaded or trained.
    """
    _check_out(out)
    if any(importlib.util.find_spec(name) is None for name in ("accelerate", "peft")):
        raise MissingExtra("training detectors", "train")
    by_split: dict[str, list[Example]] = {"train": [], "validation": []}
    for example in examples:
        if example.split in by_split:
            by_split[example.split].append(example)
    if not by_split["train"]:
        raise InputError("there are no examples of the split 'train'; make some with: modgap tldr data")
    options = LoadOptions(dtype=dtype_of(config.model), device=_own_device())
    pretrained = load_pretrained(base_folder(config.model), options)
    reader = Reader(pretrained)
    prior = prior_of(reader, by_split["train"])
    adapter = add_lora(pretrained, config.lora, config.seed)
    head = new_head(pretrained, prior if config.prior_bias else 0.5)
    if config.start:
        _begin_with(pretrained, adapter, head, config)
    attention = pretrained.model.config._attn_implementation
    if config.bf16 and pretrained.device.type == "cpu":
        # On processors the way back through fused attention takes four times as long in bfloat16.
        pretrained.model.set_attn_implementation("eager")
    network = DetectorNetwork(
        pretrained,
        head,
        reads=config.reads,
        objective=config.objective,
        wrong_weight=config.wrong_weight,
        focal=config.focal,
    )
    batches = Steps(by_split["train"], config.captions, config.seed)
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    steps = config.steps or -(-len(batches) // processes)
    if os.environ.get("RANK", "0") != "0":  # of several processes one speaks
        say = _say_nothing
    say(
        f"{len(by_split['train']):,} captions, {100 * prior:.2f} % of tokens wrong, {steps:,} steps, "
        f"{sum(p.numel() for p in network.parameters() if p.requires_grad):,} trained parameters"
    )
    _check_settings(out / "checkpoints", config, by_split["train"])
    seconds, is_first = _fit(network, batches, Collator(reader), config, out, steps, say)
    pretrained.model.set_attn_implementation(attention)
    pretrained.model.eval()
    prompts = {example.prompt for example in by_split["train"]}
    written = DetectorConfig(
        base=config.model,
        weights=weights_hash(pretrained),
        revision=pretrained.revision,
        prompt=prompts.pop() if len(prompts) == 1 else None,
        objective=config.objective,
        reads=config.reads + READ_AT,
        training=asdict(config)
        | {"steps": steps, "prior": prior, "captions_seen": batches.seen(steps * processes)},
    )
    detector = TldrDetector(pretrained, head, written, name=out.name)
    if not is_first:  # of several processes one writes
        return detector
    if by_split["validation"]:
        detector = _calibrated(detector, by_split["validation"], config.alpha)
    head.requires_grad_(False)
    say(" ".join(f"{name} {value}" for name, value in _rounded(detector.config.validation).items()))
    save_detector(out, head, detector.config, adapter, write_card(detector.config, seconds))
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    return detector


def _begin_with(pretrained: Pretrained, adapter: Any, head: nn.Linear, config: TrainConfig) -> None:
    """Take over what another detector learned."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    folder = shipped_or(config.start)
    if read_config(folder).weights != weights_hash(pretrained):
        raise ModelError(
            f"{folder}: trained on other weights than those of {config.model}; go on from one of its own"
        )
    head.load_state_dict(load_file(folder / HEAD))
    if adapter is not None:
        set_peft_model_state_dict(adapter, load_file(folder / ADAPTER_WEIGHTS))


def _calibrated(detector: TldrDetector, examples: Sequence[Example], alpha: float) -> TldrDetector:
    import msgspec

    calibration, figures = validate(detector, examples, alpha)
    config = msgspec.structs.replace(detector.config, validation=figures)
    return TldrDetector(detector.pretrained, detector.head, config, name=detector.name).with_calibration(
        calibration
    )


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}


def _check_out(out: Path) -> None:
    if (out / DETECTOR).exists():
        raise FileError(f"{out}: holds a detector; choose another folder, nothing is overwritten")
    if out.exists() and any(path.name != "checkpoints" for path in out.iterdir()):
        raise FileError(f"{out}: not empty; choose another folder")


def _check_settings(folder: Path, config: TrainConfig, examples: Sequence[Example]) -> None:
    """Refuse to go on with checkpoints of other settings or data; the first time, note what they are."""
    hashed = hashlib.sha256()
    for example in examples:
        hashed.update(f"{example.example_id}\0{example.response}\0{example.spans}\0".encode())
    now = {**asdict(config), "data": hashed.hexdigest()[:16]}
    del now["checkpoint_every"]  # changes nothing that is learned
    now = json.loads(json.dumps(now))
    path = folder / "settings.json"
    try:
        before = json.loads(path.read_text()) if path.exists() else now
    except ValueError as error:
        raise FileError(f"{path}: {error}; choose another folder") from error
    if other := sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)):
        said = ", ".join(f"{name} {before.get(name)!r}, now {now.get(name)!r}" for name in other[:3])
        raise FileError(
            f"{folder}: checkpoints of other settings ({said}); give those again, or choose another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if os.environ.get("RANK", "0") == "0":
        path.write_text(json.dumps(now, indent=1) + "\n")


def _fit(
    network: DetectorNetwork,
    batches: Steps,
    collator: Collator,
    config: TrainConfig,
    out: Path,
    steps: int,
    say: Callable[[str], None],
) -> tuple[float, bool]:
    """Train; returns processor seconds, and whether this is the first of several processes."""
    folder = out / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = get_last_checkpoint(str(folder))
    began = time.process_time()
    with quiet(), torch.random.fork_rng():
        arguments = TrainingArguments(
            output_dir=str(folder),
            max_steps=steps,
            per_device_train_batch_size=1,
            learning_rate=config.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=round(config.warmup * steps),
            logging_steps=max(1, min(50, steps // 10)),
            save_steps=config.checkpoint_every,
            save_total_limit=1,
            seed=config.seed,
            bf16=config.bf16,
            use_cpu=network.head.weight.device.type == "cpu",
            remove_unused_columns=False,
            label_names=["labels"],
            report_to=[],
            ddp_find_unused_parameters=False,
            disable_tqdm=True,
        )
        if not arguments.parallel_mode.value.startswith("distributed"):
            arguments._n_gpu = 1  # a batch cannot be cut by rows; several GPUs take several processes
        trainer = _Trainer(
            model=network,
            args=arguments,
            train_dataset=batches,
            data_collator=collator,
            callbacks=[_Progress(say, steps)],
        )
        for callback in list(trainer.callback_handler.callbacks):
            if type(callback).__name__ == "PrinterCallback":
                trainer.remove_callback(type(callback))
        trainer.train(resume_from_checkpoint=checkpoint)
        is_first = bool(trainer.is_world_process_zero())
    return time.process_time() - began, is_first


def _own_device() -> str | None:
    """The GPU of this process, where a launcher started several."""
    rank = os.environ.get("LOCAL_RANK")
    return f"cuda:{rank}" if rank is not None and torch.cuda.is_available() else None


class _Trainer(Trainer):  # type: ignore[misc]  # transformers is not typed
    """Checkpoints hold what is trained, not the whole model."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        from safetensors.torch import save_file

        folder = Path(output_dir or str(self.args.output_dir))
        folder.mkdir(parents=True, exist_ok=True)
        trained = {
            name: value.detach().cpu().contiguous()
            for name, value in self.model.named_parameters()
            if value.requires_grad
        }
        save_file(trained, folder / "trained.safetensors")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        from safetensors.torch import load_file

        found = load_file(Path(resume_from_checkpoint) / "trained.safetensors")
        wanted = {name for name, value in self.model.named_parameters() if value.requires_grad}
        if set(found) != wanted:
            raise FileError(f"{resume_from_checkpoint}: of other settings; choose another folder")
        self.model.load_state_dict(found, strict=False)


class _Progress(TrainerCallback):  # type: ignore[misc]  # likewise
    """A line at each log."""

    def __init__(self, say: Callable[[str], None], steps: int) -> None:
        self._say, self._steps, self._began = say, steps, time.monotonic()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if logs and "loss" in logs:
            self._say(
                f"step {state.global_step:,} of {self._steps:,}  loss {float(logs['loss']):.4f}  "
                f"{time.monotonic() - self._began:.0f} s"
            )
