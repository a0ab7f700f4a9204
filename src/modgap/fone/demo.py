"""A number as one token against a number as digits, in two minutes: sums of two numbers up to a thousand.

    found = run_demo(Path("fone-demo"))
    found.sums            # [("12+34=", "46", "46"), …]: prompt, the model with numbers, the model with digits

Both models have the same transformer of 0.1 M parameters, the same rows and the same number of steps; the
figures are of one seed and show what happens, not how well either can be made to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modgap._errors import FileError

from ._arms import FoneArm
from .strata import load_arm
from .train import LOG, TrainConfig, predict, train

ARMS = {"fone": "a number is one token", "digits": "a number is its digits"}
PROMPTS = ((12, 34), (7, 8), (250, 250), (999, 1), (481, 366), (58, 942))

Listener = Callable[[str, dict[str, Any]], None]
"""Is told the arm and every line of its log."""


@dataclass(frozen=True)
class Demo:
    """What the demonstration shows.

    Args:
        logs: the lines of the log of each arm.
        results: the result of each arm.
        sums: prompt, and what either model writes after it.
    """

    logs: dict[str, list[dict[str, Any]]]
    results: dict[str, dict[str, Any]]
    sums: list[tuple[str, str, str]]


def demo_config(arm: str, seed: int = 0, steps: int = 500) -> TrainConfig:
    """How an arm of the demonstration is trained."""
    return TrainConfig(
        task="add-3",
        arm=arm,
        rows=4_000,
        size="tiny",
        steps=steps,
        batch=128,
        rate=4e-3,  # our choice; the same for both
        validation=500,
        test=2_000,
        every=max(steps // 10, 1),
        seed=seed,
    )


def run_demo(folder: Path, *, seed: int = 0, steps: int = 500, listener: Listener | None = None) -> Demo:
    """Train both models, draw their curves and ask them a few sums.

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
    numbers, digits = load_arm(folder / "fone"), load_arm(folder / "digits")
    assert isinstance(numbers, FoneArm)
    task = numbers.task
    rows = task.rows(np.array(PROMPTS, dtype=np.int64))
    prompts = task.prompts(rows.operands)
    written = numbers.numbers.generate(prompts, max_new_tokens=1)
    answers = predict(digits, rows)
    said = [str(v) if ok else "–" for v, ok in zip(answers.values.tolist(), answers.parsed, strict=True)]
    sums = [(p, w.text, s) for p, w, s in zip(prompts, written, said, strict=True)]
    found = Demo(logs, results, sums)
    _plot(found, folder / "demo.png")
    return found


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
                label=f"{words} ({found.results[arm]['tokens_per_number']:.1f} tokens)",
            )
        panel.set_xlabel(name)
        panel.set_ylim(-2, 102)
        panel.grid(alpha=0.3)
    figure.axes[0].set_ylabel("sums exactly right, %")
    figure.axes[0].legend(fontsize=8, loc="center right")
    config = found.results["fone"]["config"]
    figure.suptitle(
        f"a + b up to 1,000 from {config['rows']:,} rows: {config['validation']} validation rows, one seed",
        fontsize=10,
    )
    save_figure(figure, path)
