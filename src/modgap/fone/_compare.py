"""Runs of the arithmetic lab side by side: means over seeds with intervals, and curves.

Runs that differ in their seed alone are one group. Its interval is that of the mean over seeds (Student's t,
so two seeds say little and one says nothing), which is what a repetition of the experiment would vary; the
Wilson interval in ``result.json`` is that of one model on its test rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modgap._errors import FileError

from .train import read_result

# Student's t, two-sided 95 %, for 1 to 9 degrees of freedom.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


AXES = {
    "rows": "training rows",
    "transformer": "parameters (hollow: with tokens and numbers)",
    "seconds": "seconds of training",
}
"""What accuracy is drawn against: a key of ``Group.at`` and its name."""


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone.

    Args:
        config: what they share.
        seeds: theirs, ascending.
        exact: mean share of test rows that are right, 0 to 1.
        low, high: 95 % interval of that mean, within 0 and 1; NaN for one seed, Wilson's of one run if all
            have the same.
        least, most: of the runs.
        n: test rows of each.
        unparsed: mean number of answers that are no numbers.
        rmse, r2, log_smape: means, NaN where a run has none.
        tokens_per_number: of operands and answers of the test rows.
        at: mean training rows, parameters of the transformer and in total, and seconds.
    """

    config: dict[str, Any]
    seeds: tuple[int, ...]
    exact: float
    low: float
    high: float
    least: float
    most: float
    n: int
    unparsed: float
    rmse: float
    r2: float
    log_smape: float
    tokens_per_number: float
    at: dict[str, float]


def compare_runs(folders: Sequence[Path]) -> list[Group]:
    """Read finished runs and group them; groups by task, size, test rows, training rows and arm.

    Raises:
        FileError: a folder without a result.
    """
    kept: dict[str, list[dict[str, Any]]] = {}
    for folder in folders:
        result = read_result(folder)
        try:
            shared = {k: v for k, v in result["config"].items() if k != "seed"}
            kept.setdefault(json.dumps(shared, sort_keys=True), []).append(result)
        except (KeyError, AttributeError) as error:
            raise FileError(f"{folder}: its result has no configuration of a FoNE run") from error
    groups = [_group(results) for results in kept.values()]
    return sorted(
        groups, key=lambda g: (g.config["task"], g.config["size"], g.n, g.config["rows"], g.config["arm"])
    )


def find_runs(folders: Sequence[Path]) -> list[Path]:
    """Finished runs among folders and directly inside them.

    Raises:
        FileError: there is none.
    """
    found = []
    for folder in folders:
        inside = sorted(path.parent for path in folder.glob("*/result.json"))
        found += [folder] if (folder / "result.json").is_file() else inside
    if not found:
        raise FileError(
            f"{', '.join(map(str, folders))}: no finished FoNE run: give folders of modgap fone train, or a "
            "folder that holds them"
        )
    return found


def plot_curves(groups: Sequence[Group], path: Path) -> None:
    """Draw accuracy against rows, parameters and time; arms with several tokens a number are dashed.

    Rows have a line per arm and size. Parameters and time are those of the runs of an arm with the most rows,
    full with the transformer's parameters alone and hollow with those of tokens and numbers too. A panel of
    which nothing varies is left out.

    Args:
        groups: of one task, from ``compare_runs``.
        path: ending in .png or .svg.

    Raises:
        FileError: it cannot be written.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    from ._plot import save_figure

    colors = colormaps["tab20"]
    arms = sorted({g.config["arm"] for g in groups})
    sizes = sorted({g.config["size"] for g in groups})
    panels = ["seconds"]
    if len({(g.at["transformer"], g.at["total"]) for g in groups}) > 1:
        panels.insert(0, "transformer")
    if len({g.at["rows"] for g in groups}) > 1:
        panels.insert(0, "rows")
    figure = Figure(figsize=(5 * len(panels), 4.2), layout="constrained")
    for panel, axis in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for i, arm in enumerate(arms):
            own = [g for g in groups if g.config["arm"] == arm]
            most = max(g.at["rows"] for g in own)
            lines = [[g for g in own if g.at["rows"] == most]]
            if axis == "rows":
                lines = [[g for g in own if g.config["size"] == size] for size in sizes]
            for line in filter(None, lines):
                _draw(panel, sorted(line, key=lambda g: g.at[axis]), axis, colors(i % 20), len(sizes) > 1)
        values = [g.at[axis] for g in groups]
        if max(values) > 8 * min(values):
            panel.set_xscale("log")
            panel.set_xticks(sorted(set(values)) if axis == "rows" else [min(values), max(values)])
            panel.minorticks_off()
        else:
            panel.locator_params(axis="x", nbins=4)
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.set_xlabel(AXES[axis])
        panel.set_ylim(-2, 102)
        panel.set_ylabel("test answers exactly right, %")
        panel.grid(alpha=0.3)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=8, loc="outside right center")
    seeds = sorted({len(g.seeds) for g in groups})
    tasks = ", ".join(sorted({g.config["task"] for g in groups}))
    said = "–".join(map(str, seeds[:: max(len(seeds) - 1, 1)]))
    figure.suptitle(f"{tasks}: mean over seeds ({said} each); bars: 95 % of the mean", fontsize=10)
    save_figure(figure, path)


def _draw(panel: Any, line: Sequence[Group], axis: str, color: Any, with_size: bool) -> None:
    """One line of one arm."""
    first = line[0]
    several = first.tokens_per_number > 1
    size = f" {first.config['size']}" if with_size and axis == "rows" else ""
    x, y = [g.at[axis] for g in line], [100 * g.exact for g in line]
    style = {"marker": "s" if several else "o", "color": color, "markersize": 4}
    label = f"{first.config['arm']}{size}, {first.tokens_per_number:.1f} tokens a number"
    below = [100 * (g.exact - g.low) if math.isfinite(g.low) else 0.0 for g in line]
    above = [100 * (g.high - g.exact) if math.isfinite(g.high) else 0.0 for g in line]
    bars = (np.maximum(below, 0), np.maximum(above, 0))  # Wilson's of one run may leave the mean out
    panel.errorbar(x, y, bars, linestyle="--" if several else "-", capsize=2, label=label, **style)
    if axis == "transformer":
        panel.plot([g.at["total"] for g in line], y, linestyle="none", markerfacecolor="none", **style)


def _group(results: Sequence[dict[str, Any]]) -> Group:
    results = sorted(results, key=lambda r: int(r["config"]["seed"]))
    exact = [float(r["test"]["exact"]) for r in results]
    mean = float(np.mean(exact))
    low = high = math.nan
    if len(exact) > 1:
        quantile = _T[len(exact) - 2] if len(exact) - 2 < len(_T) else 1.96
        half = quantile * float(np.std(exact, ddof=1)) / math.sqrt(len(exact)) if len(set(exact)) > 1 else 0.0
        low, high = max(mean - half, 0.0), min(mean + half, 1.0)
        if not half:  # seeds that agree do not make a mean certain
            low, high = float(results[0]["test"]["low"]), float(results[0]["test"]["high"])

    def mean_of(name: str) -> float:
        values = [r["test"][name] for r in results]
        return math.nan if any(v is None for v in values) else float(np.mean(values))

    return Group(
        config={k: v for k, v in results[0]["config"].items() if k != "seed"},
        seeds=tuple(int(r["config"]["seed"]) for r in results),
        exact=mean,
        low=low,
        high=high,
        least=min(exact),
        most=max(exact),
        n=int(results[0]["test"]["n"]),
        unparsed=mean_of("unparsed"),
        rmse=mean_of("rmse"),
        r2=mean_of("r2"),
        log_smape=mean_of("log_smape"),
        tokens_per_number=float(results[0]["tokens_per_number"]),
        at={
            "rows": float(results[0]["config"]["rows"]),
            "transformer": float(results[0]["parameters"]["transformer"]),
            "total": float(results[0]["parameters"]["total"]),
            "seconds": float(np.mean([r["seconds"] for r in results])),
        },
    )
