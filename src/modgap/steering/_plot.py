"""Pictures of what was found: dose and response, the heat map of a sweep, and its curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modgap._errors import FileError

from ._dose import Dose
from ._sweep import SweepResult


def draw_doses(doses: Sequence[Dose], path: Path) -> None:
    """One panel a value: share of answers that become it, against strength, at the block that was chosen.

    Raises:
        FileError: the file cannot be written.
    """
    columns = min(4, len(doses))
    rows = -(-len(doses) // columns)
    figure, axes = _figure(rows, columns, 2.7, 2.3)
    for axis, one in zip(axes.flat, doses, strict=False):
        block = one.chosen[0]
        at = one.blocks.index(block)
        x = [0.0, *one.strengths]
        for arm, style in (("value", "C0o-"), ("random", "C7s--"), ("wrong", "C1^:")):
            label = {"value": one.value, "wrong": f"wrong ({one.wrong_value})"}.get(arm, arm)
            axis.plot(x, [one.base, *one.shares[arm][at]], style, label=label, markersize=4)
        axis.set_title(f"{one.value}, block {block}", fontsize=9)
        axis.set_ylim(-0.03, 1.03)
        axis.legend(fontsize=7, frameon=False)
    for axis in axes.flat[len(doses) :]:
        axis.axis("off")
    figure.supxlabel("strength", fontsize=9)
    figure.supylabel("share of answers that become the value", fontsize=9)
    _save(figure, path)


def draw_sweep(result: SweepResult, path: Path) -> None:
    """Accuracy under every change less accuracy without, in points: vectors across, tasks and positions down.

    Raises:
        FileError: the file cannot be written.
    """
    vectors = list(dict.fromkeys(cell.vector for cell in result.cells))
    places = list(dict.fromkeys(cell.positions for cell in result.cells))
    tasks = list(dict.fromkeys(result.tasks))
    blocks = sorted({cell.block for cell in result.cells})
    strengths = sorted({cell.strength for cell in result.cells})
    figure, axes = _figure(len(tasks) * len(places), len(vectors), 1.7, 1.6)
    most = 1.0
    panels = []
    for row, (task, place) in enumerate((t, p) for t in tasks for p in places):
        part = result.of_task(task)
        for column, vector in enumerate(vectors):
            grid = np.full((len(strengths), len(blocks)), np.nan)
            for number, cell in enumerate(part.cells):
                if cell.vector == vector and cell.positions == place:
                    gain = 100 * (part.right[number].mean() - part.base_right.mean())
                    grid[strengths.index(cell.strength), blocks.index(cell.block)] = gain
            most = max(most, float(np.nanmax(np.abs(grid))))
            panels.append((axes[row, column], grid, task, place, vector, row, column))
    shown = None
    for axis, grid, task, place, vector, row, column in panels:
        shown = axis.imshow(grid, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto", origin="lower")
        axis.set_xticks(range(len(blocks)), blocks, fontsize=6)
        axis.set_yticks(range(len(strengths)), [f"{s:g}" for s in strengths], fontsize=6)
        if row == 0:
            axis.set_title(vector.replace("/", "\n"), fontsize=8)
        if column == 0:
            axis.set_ylabel(f"{task.rpartition('/')[2]}\n{place}", fontsize=8)
    figure.supxlabel("block", fontsize=9)
    bar = figure.colorbar(shown, ax=axes, shrink=0.6, pad=0.01)
    bar.set_label("change of accuracy, points", fontsize=8)
    _save(figure, path)


def draw_curves(result: SweepResult, path: Path) -> None:
    """Change of accuracy against strength: for each vector its best block, controls in grey; a panel for each
    task and kind of position. The best block is the one with the highest accuracy, so curves look better than
    a held-out count.

    Raises:
        FileError: the file cannot be written.
    """
    places = list(dict.fromkeys(cell.positions for cell in result.cells))
    tasks = list(dict.fromkeys(result.tasks))
    figure, axes = _figure(len(tasks), len(places), 2.8, 2.0)
    for row, task in enumerate(tasks):
        part = result.of_task(task)
        gains = 100 * (part.right.mean(axis=1) - part.base_right.mean())
        for column, place in enumerate(places):
            axis = axes[row, column]
            axis.axhline(0, color="black", linewidth=0.8)
            curves: dict[tuple[str, bool], dict[int, list[tuple[float, float]]]] = {}
            for cell, gain in zip(part.cells, gains.tolist(), strict=True):
                if cell.positions == place:
                    blocks = curves.setdefault((cell.vector, cell.control), {})
                    blocks.setdefault(cell.block, []).append((cell.strength, gain))
            for number, ((vector, control), blocks) in enumerate(curves.items()):
                block = max(blocks, key=lambda b: max(gain for _, gain in blocks[b]))
                x, y = zip((0.0, 0.0), *sorted(blocks[block]), strict=True)
                style = {"color": "C7", "alpha": 0.6} if control else {"color": f"C{number % 7}"}
                axis.plot(x, y, ".-", label=f"{vector.partition('/')[0]}, block {block}", **style)
            axis.legend(fontsize=5, frameon=False)
            if row == 0:
                axis.set_title(place, fontsize=9)
            if column == 0:
                axis.set_ylabel(task.rpartition("/")[2], fontsize=9)
    figure.supxlabel("strength", fontsize=9)
    figure.supylabel("change of accuracy, points", fontsize=9)
    _save(figure, path)


def _figure(rows: int, columns: int, width: float, height: float) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        rows,
        columns,
        figsize=(width * columns + 0.8, height * rows + 0.6),
        squeeze=False,
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        pyplot.close(figure)
