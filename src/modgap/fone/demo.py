"""A number as one token against a number as digits, in two minutes: sums of two numbers up to a thousand.

    found = run_demo(Path("fone-demo"))
    found.sums            # [("12+34=", ("46", "46", "46")), …]: a prompt, and what each model writes after it

All models have the same transformer of 0.1 M parameters, the same rows and the same number of steps; the
figures are of one seed and show what happens, not how well any can be made to do. Digits are there as
language models have them, and as they are best at sums: the last one first, with zeros before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modgap._errors import FileError

from ._arms import Arm, FoneArm
from .strata import load_arm
from .tasks import task_named
from .train import LOG, TrainConfig, predict, train

ARMS = {
    "fone": "one token",
    "digits": "its digits",
    "digits-padded": "its digits, reversed and padded",
}
"""Arms, and what a number is to them."""
PROMPTS = ((12, 34), (7, 8), (250, 250), (999, 1), (481, 366), (58, 942))

Listener = Callable[[str, dict[str, Any]], None]
"""Is told the arm and every line of its log."""


@dataclass(frozen=True)
class Demo:
    """What the demonstration shows.

    Args:
        logs: the lines of the log of each arm.
        results: the result of each arm.
        sums: prompts, and what each model writes after them, in the order of ``ARMS``.
    """

    logs: dict[str, list[dict[str, Any]]]
    results: dict[str, dict[str, Any]]
    sums: list[tuple[str, tuple[str, ...]]]


def demo_config(arm: str, seed: int = 0, steps: int = 500) -> TrainConfig:
    """How an arm of the demonstration is trained."""
    return TrainConfig(
        task="add-3",
        arm=arm,
        rows=4_000,
        size="tiny",
        steps=steps,
        batch=128,
        rate=4e-3,  # our choice; the same for all
        validation=500,
        test=2_000,
        every=max(steps // 10, 1),
        seed=seed,
    )


def run_demo(folder: Path, *, seed: int = 0, steps: int = 500, listener: Listener | None = None) -> Demo:
    """Train the models, draw their curves and ask them a few sums.

    Args:
        folder: of the runs and the picture; an interrupted demonstration goes on.
        seed: of everything.
        steps: of each model.
        listener: is told every evaluation.

    Raises:
        FileError, RunError: the folder cannot be written or holds something else.
    """
    logs, results = {}, {}
    for arm in ARMS:
        config = demo_config(arm, seed, steps)
        told = None if listener is None else (lambda line, arm=arm: listener(arm, line))
        results[arm] = train(config, folder / arm, listener=told)
        try:
            lines = (folder / arm / LOG).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise FileError(f"{folder / arm / LOG}: not readable: {error}") from error
        logs[arm] = [json.loads(line) for line in lines]
    said = [_ask(load_arm(folder / arm)) for arm in ARMS]
    task = task_named(demo_config("fone").task)
    sums = list(zip(task.prompts(np.array(PROMPTS)), zip(*said, strict=True), strict=True))
    found = Demo(logs, results, sums)
    _plot(found, folder / "demo.png")
    return found


def _ask(arm: Arm) -> list[str]:
    """What a model writes after each prompt; one with numbers does so in text."""
    rows = arm.task.rows(np.array(PROMPTS, dtype=np.int64))
    if isinstance(arm, FoneArm):
        written = arm.numbers.generate(arm.task.prompts(rows.operands), max_new_tokens=1)
        return [line.text for line in written]
    answers = predict(arm, rows)
    return [str(v) if ok else "–" for v, ok in zip(answers.values.tolist(), answers.parsed, strict=True)]


def _plot(found: Demo, path: Path) -> None:
    from matplotlib.figure import Figure

    from ._plot import save_figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for panel, (x, name) in zip(
        figure.subplots(1, 2, sharey=True), (("step", "step"), ("seconds", "seconds")), strict=True
    ):
        for i, (arm, words) in enumerate(ARMS.items()):
            line = found.logs[arm]
            panel.plot(
                [entry[x] for entry in line],
                [100 * entry["validation"] for entry in line],
                marker="o",
                color=f"C{i}",
                label=f"a number is {words} ({found.results[arm]['tokens_per_number']:.1f} tokens)",
            )
        panel.set_xlabel(name)
        panel.set_ylim(-2, 102)
        panel.grid(alpha=0.3)
    figure.axes[0].set_ylabel("sums exactly right, %")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, loc="outside lower center", ncols=len(ARMS))
    config = found.results["fone"]["config"]
    figure.suptitle(
        f"a + b up to 1,000 from {config['rows']:,} rows: {config['validation']} validation rows, one seed",
        fontsize=10,
    )
    save_figure(figure, path)
