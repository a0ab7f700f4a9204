"""Training one arm on one arithmetic task, in a folder that can be left and gone on with.

    result = train(TrainConfig(task="add", arm="fone", rows=3_200, steps=800), Path("runs/add-fone"))
    result["test"]["exact"]

A folder holds ``run.json`` (configuration, versions, parameters), ``log.jsonl`` (a line per evaluation),
``checkpoint.safetensors`` (parameters, optimiser and step; the same command goes on from it),
``best.safetensors`` (the parameters with the best validation accuracy, which alone are tested), for the FoNE
arms ``number_model/`` (those parameters as a ``NumberModel``), and at the end ``result.json``.

Which rows make up a step depends on the seed and the step alone, so a run that was interrupted ends with the
same parameters, bit for bit, as one that was not. As published: AdamW with the library's defaults, cosine
with 20 % warm-up, gradients clipped at 1. Unlike the released code, test rows are seen once, after training.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modgap._errors import FileError, InputError, RunError, UnknownName

from ._arms import ARMS, Answers, Arm, Batch, FoneArm, build_arm, first_std, parameter_counts
from ._backbone import SIZES
from ._run_files import read_json, read_tensors, write_json, write_tensors, writing
from ._score import Score, score
from ._torch import torch, transformers
from .tasks import TASKS, Data, Rows, make_data, task_named

if TYPE_CHECKING:
    from torch import Tensor

RUN, LOG, RESULT = "run.json", "log.jsonl", "result.json"
CHECKPOINT, BEST, NUMBER_MODEL = "checkpoint.safetensors", "best.safetensors", "number_model"
PRECISIONS = ("float32", "bfloat16")

_VERSION = 2  # 1: None for ``init``, other features for fone-published, other rows for abacus
_BATCH = 500  # rows of a batch that is only evaluated

Listener = Callable[[dict[str, Any]], None]
"""Is told every line of the log as it is written."""


@dataclass(frozen=True)
class TrainConfig:
    """What is trained, and how.

    Args:
        task: one of ``TASKS``.
        arm: one of ``ARMS``.
        rows: of training; shorter training data of a seed begin longer ones.
        size: one of ``SIZES``.
        steps: of the optimiser.
        batch: rows of a step, fewer if there are not that many.
        rate: highest learning rate. 2e-3 is the rate of the reference run at this size; every arm has to be
            tuned (`recipes/fone_lab.py tune`).
        init: standard deviation of the transformer's first parameters; None becomes what suits the arm, see
            ``first_std``.
        warmup: share of the steps in which it rises, as published.
        weight_decay: of the matrices and vectors alike, the library's default.
        clip: largest norm of a gradient, as published.
        validation: rows to choose by.
        test: rows to report on.
        every: steps between two evaluations.
        seed: of parameters, training rows and their order.
        unseen: lowest and highest operand that training never sees, in units of the task; None for no gap.
        precision: ``"float32"``, or ``"bfloat16"`` for the matrix products of the transformer.
        bases: of the periods of arm ``fone-published``, see ``build_arm``; None for ten, as published.
    """

    task: str = "add"
    arm: str = "fone"
    rows: int = 25_600
    size: str = "small"
    steps: int = 1_200
    batch: int = 256
    rate: float = 2e-3
    init: float | None = None
    warmup: float = 0.2
    weight_decay: float = 0.01
    clip: float = 1.0
    validation: int = 2_000
    test: int = 4_000
    every: int = 100
    seed: int = 0
    unseen: tuple[int, int] | None = None
    precision: str = "float32"
    bases: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for kind, given, accepted in (
            ("arithmetic task", self.task, TASKS),
            ("arm", self.arm, ARMS),
            ("size", self.size, SIZES),
            ("precision", self.precision, PRECISIONS),
        ):
            if given not in accepted:
                raise UnknownName(kind, given, accepted)
        for name in ("rows", "steps", "batch", "validation", "test", "every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}: give 1 or more")
        if not self.rate > 0 or not 0 <= self.warmup < 1 or self.weight_decay < 0 or not self.clip > 0:
            raise InputError(
                f"rate {self.rate}, warmup {self.warmup}, weight_decay {self.weight_decay} and clip "
                f"{self.clip} are not all in range: rate and clip are positive, warmup is 0 to below 1, "
                "weight_decay is not negative"
            )
        if self.init is not None and not self.init > 0:
            raise InputError(f"init {self.init} is not positive: give a standard deviation, such as 0.02")
        if self.bases is not None and not (self.bases and min(self.bases) >= 2):
            raise InputError(f"bases {self.bases} are not whole numbers of 2 or more")
        if self.init is None:
            object.__setattr__(self, "init", first_std(self.arm, self.size))
        if self.seed < 0:
            raise InputError(f"seed {self.seed} is negative: give 0 or more")


def train(
    config: TrainConfig, folder: Path, *, listener: Listener | None = None, device: str = "cpu"
) -> dict[str, Any]:
    """Train, choose by validation, test once; or go on where the folder was left.

    Args:
        config: what and how.
        folder: of the run; made if it does not exist.
        listener: is told every evaluation.
        device: where to, such as ``"cuda"``; a run may go on elsewhere than it began.

    Returns:
        The content of ``result.json``.

    Raises:
        InputError: no such device.
        RunError: the folder belongs to a run of another configuration.
        FileError: it cannot be written, or is damaged.
    """
    task = task_named(config.task)
    data = make_data(
        task,
        rows=config.rows,
        seed=config.seed,
        validation=config.validation,
        test=config.test,
        unseen=config.unseen,
    )
    arm = build_arm(config.arm, task, config.size, config.seed, config.init, config.bases)
    try:
        arm.to(device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {device!r} is not to be had here; give cpu, cuda or cuda:N") from error
    with writing(folder):
        _claim(folder, config, arm)
        if (folder / RESULT).is_file():
            return read_result(folder)
        _run(config, folder, arm, data, listener)
        load_best(arm, folder)
        result = _result(config, folder, arm, data)
        if isinstance(arm, FoneArm):
            arm.numbers.save_pretrained(folder / NUMBER_MODEL)
        write_json(folder / RESULT, result)
    return result


def read_config(folder: Path) -> TrainConfig:
    """The configuration of a run.

    Raises:
        FileError: no run, or a damaged one.
    """
    content = read_json(folder / RUN)
    if content.get("version") != _VERSION:
        raise FileError(
            f"{folder / RUN}: a run of version {content.get('version')!r}, and arms are those of version "
            f"{_VERSION} here: train it again, in another folder"
        )
    try:
        found = dict(content["config"])
        for name in ("unseen", "bases"):
            found[name] = tuple(found[name]) if found.get(name) else None
        return TrainConfig(**{f.name: found[f.name] for f in fields(TrainConfig)})
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{folder / RUN}: no configuration of a FoNE run: {error}") from error


def read_result(folder: Path) -> dict[str, Any]:
    """The result of a run that has ended.

    Raises:
        FileError: there is none, or it is damaged.
    """
    return read_json(folder / RESULT)


def load_best(arm: Arm, folder: Path) -> None:
    """Give an arm the parameters that were best on validation rows.

    Raises:
        FileError: there are none, or of another arm.
    """
    _load(arm, read_tensors(folder / BEST)[0], folder / BEST)


def evaluate(arm: Arm, rows: Rows) -> Score:
    """Greedy answers of an arm, scored exactly."""
    found = predict(arm, rows)
    return score(found.values, found.parsed, rows.answers, arm.task.scale)


def predict(arm: Arm, rows: Rows) -> Answers:
    """Greedy answers of an arm."""
    arm.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(rows), _BATCH):
            parts.append(arm.answers(batch_of(arm, rows[start : start + _BATCH])))
    return Answers(np.concatenate([p.values for p in parts]), np.concatenate([p.parsed for p in parts]))


def batch_of(arm: Arm, rows: Rows) -> Batch:
    """Rows as tensors where the arm is."""
    device = next(arm.parameters()).device
    batch = arm.batch(rows)
    return {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


def rows_of_step(step: int, rows: int, batch: int, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Which rows make up a step, 0-based: every row once in an epoch, in an order of its own."""
    batch = min(batch, rows)
    at = np.arange(step * batch, (step + 1) * batch)
    orders = {e: np.random.default_rng([seed, e]).permutation(rows) for e in np.unique(at // rows).tolist()}
    return np.array([orders[i // rows][i % rows] for i in at.tolist()], dtype=np.int64)


def rate_of_step(step: int, config: TrainConfig) -> float:
    """Learning rate: a straight rise, then a half cosine down to zero."""
    rise = max(round(config.warmup * config.steps), 1)
    if step < rise:
        return config.rate * (step + 1) / rise
    return config.rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(config.steps - rise, 1)))


def _run(config: TrainConfig, folder: Path, arm: Arm, data: Data, listener: Listener | None) -> None:
    names = [name for name, _ in arm.named_parameters()]
    parameters = [p for _, p in arm.named_parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=config.rate, weight_decay=config.weight_decay)
    first, best, seconds = 0, -1.0, 0.0
    if (folder / CHECKPOINT).is_file():
        tensors, about = read_tensors(folder / CHECKPOINT)
        _load(arm, tensors, folder / CHECKPOINT)
        first, best, seconds = int(about["step"]), float(about["best"]), float(about["seconds"])
        _restore(optimiser, names, tensors, first)
        _cut_log(folder / LOG, first)
    began = time.monotonic() - seconds
    total, count = 0.0, 0
    for step in range(first, config.steps):
        arm.train()
        batch = batch_of(arm, data.train[rows_of_step(step, len(data.train), config.batch, config.seed)])
        for group in optimiser.param_groups:
            group["lr"] = rate_of_step(step, config)
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(
            parameters[0].device.type, dtype=torch.bfloat16, enabled=config.precision == "bfloat16"
        ):
            loss = arm.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, config.clip)
        optimiser.step()
        total, count = total + float(loss.detach()), count + 1
        if not math.isfinite(total):
            raise RunError(f"{folder}: the loss of step {step + 1} is not finite: give a smaller rate")
        done = step + 1
        if done % config.every and done != config.steps:
            continue
        accuracy, validation_loss = _validate(arm, data.validation)
        line = {
            "step": done,
            "rows_seen": done * min(config.batch, config.rows),
            "loss": total / count,
            "validation": accuracy,
            "validation_loss": validation_loss,
            "seconds": round(time.monotonic() - began, 2),
        }
        total, count = 0.0, 0
        with (folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        own = {name: p.detach() for name, p in arm.named_parameters()}
        if accuracy >= best:  # of equals the later one
            best = accuracy
            write_tensors(folder / BEST, own, {"step": str(done), "validation": repr(accuracy)})
        about = {"step": str(done), "best": repr(best), "seconds": repr(time.monotonic() - began)}
        write_tensors(folder / CHECKPOINT, own | _state(optimiser, names), about)
        if listener is not None:
            listener(line)


def _validate(arm: Arm, rows: Rows) -> tuple[float, float]:
    """Share of rows that are right, and mean loss."""
    arm.eval()
    right, loss = 0, 0.0
    with torch.no_grad():
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            batch = batch_of(arm, part)
            right += int(arm.right(batch).sum())
            loss += float(arm.loss(batch)) * len(part)
    return right / len(rows), loss / len(rows)


def _result(config: TrainConfig, folder: Path, arm: Arm, data: Data) -> dict[str, Any]:
    log = [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]
    about = read_tensors(folder / BEST)[1]
    numbers = np.concatenate([data.test.operands.ravel(), data.test.answers])
    return {
        "version": _VERSION,
        "config": asdict(config),
        "parameters": parameter_counts(arm),
        "tokens_per_number": arm.tokens(numbers) / len(numbers),
        "share_of_problems_seen": data.share_seen,
        "seconds": log[-1]["seconds"],
        "best_step": int(about["step"]),
        "validation": float(about["validation"]),
        "test": evaluate(arm, data.test).as_json(),
        "unseen": evaluate(arm, data.unseen).as_json() if data.unseen is not None else None,
    }


def _claim(folder: Path, config: TrainConfig, arm: Arm) -> None:
    """Write ``run.json``, or see that the folder belongs to this run."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / RUN).is_file():
        there = asdict(read_config(folder))
        other = [name for name, value in asdict(config).items() if there[name] != value]
        if other:
            said = ", ".join(
                f"{name} {there[name]!r} there and {asdict(config)[name]!r} here" for name in other
            )
            raise RunError(f"{folder} belongs to another run ({said}): give another folder")
        return
    if any(path.suffix != ".part" for path in folder.iterdir()):
        raise RunError(f"{folder} is not empty and holds no FoNE run: give another folder")
    content = {
        "version": _VERSION,
        "config": asdict(config),
        "parameters": parameter_counts(arm),
        "versions": {"torch": str(torch.__version__), "transformers": str(transformers.__version__)},
        "threads": torch.get_num_threads(),
    }
    write_json(folder / RUN, content)


def _state(optimiser: Any, names: list[str]) -> dict[str, Tensor]:
    """Both moments of every parameter, by its name."""
    states = optimiser.state_dict()["state"]
    return {
        f"optimiser.{key}.{name}": states[i][key]
        for i, name in enumerate(names)
        if i in states
        for key in ("exp_avg", "exp_avg_sq")
    }


def _restore(optimiser: Any, names: list[str], tensors: dict[str, Tensor], step: int) -> None:
    content = optimiser.state_dict()
    content["state"] = {
        i: {
            "step": torch.tensor(float(step)),
            "exp_avg": tensors[f"optimiser.exp_avg.{name}"],
            "exp_avg_sq": tensors[f"optimiser.exp_avg_sq.{name}"],
        }
        for i, name in enumerate(names)
        if f"optimiser.exp_avg.{name}" in tensors
    }
    optimiser.load_state_dict(content)


def _load(arm: Arm, tensors: dict[str, Tensor], path: Path) -> None:
    left = {name for name in tensors if not name.startswith("optimiser.")}
    left -= {name for name, _ in arm.named_parameters()}
    if left:
        raise FileError(f"{path}: {sorted(left)[0]} is not of this arm: the file is of another")
    with torch.no_grad():
        for name, parameter in arm.named_parameters():
            if name not in tensors or tensors[name].shape != parameter.shape:
                raise FileError(f"{path}: {name} is missing or of another shape: the file is of another arm")
            parameter.copy_(tensors[name])


def _cut_log(path: Path, step: int) -> None:
    """Leave out lines after the checkpoint: a run may be stopped between writing both."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = [line for line in lines if json.loads(line)["step"] <= step]
    path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
