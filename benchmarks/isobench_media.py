"""Pictures of functions and graphs against matplotlib; the whole suite; sound and film of every task.

    python benchmarks/isobench_media.py [--n 30]

matplotlib draws one figure each at the same size with grid, ticks and labels; graphs are placed and drawn on
it by networkx. Both save a PNG. Times are processor time of one core. Sound and film need the extras
``audio`` and ``video``; without one the line says so.
"""

from __future__ import annotations

import argparse
import gc
import io
import time
from collections.abc import Callable
from typing import Any

import matplotlib
import networkx as nx
import numpy as np

from modgap._errors import MissingExtra
from modgap.media import Audio
from modgap.media.speech import seconds
from modgap.tasks import load, names
from modgap.tasks.isobench import _functions

matplotlib.use("agg")

FUNCTIONS = ("parity", "convexity", "breakpoints")
GRAPHS = ("connectivity", "maxflow", "isomorphism")
PIXELS = 448
TASKS = [name for name in names() if name.startswith("isobench/")]


def figure_of(panels: int) -> tuple[Any, list[Any]]:
    """A figure with its axes, drawn without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(panels * PIXELS / 100, PIXELS / 100), dpi=100)
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(1, panels, k + 1) for k in range(panels)]


def saved(figure: Any) -> bytes:
    """The figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", pil_kwargs={"compress_level": 1})
    return buffer.getvalue()


def plot_with_matplotlib(f: Any) -> bytes:
    """A curve with grid, ticks and labels."""
    figure, (axes,) = figure_of(1)
    xs = _functions.sampled(f, PIXELS)
    axes.plot(xs, f.values(xs), color="tab:red", linewidth=2)
    axes.grid(True)
    axes.set_xlabel("x")
    axes.set_ylabel("f(x)")
    return saved(figure)


def graph_with_networkx(matrices: list[Any], network: bool) -> bytes:
    """Nodes placed by springs, then drawn by networkx on matplotlib with numbers, arrows and capacities."""
    figure, panels = figure_of(len(matrices))
    for axes, matrix in zip(panels, matrices, strict=True):
        graph = nx.from_numpy_array(np.array(matrix), create_using=nx.DiGraph if network else nx.Graph)
        places = nx.spring_layout(graph, seed=0)
        nx.draw_networkx(graph, places, ax=axes, node_color="w", edgecolors="k", node_size=400)
        if network:
            nx.draw_networkx_edge_labels(graph, places, nx.get_edge_attributes(graph, "weight"), ax=axes)
        axes.set_axis_off()
    return saved(figure)


def milliseconds(action: Callable[[Any], object], things: list[Any]) -> float:
    """Processor time of one call after a first one; what was there before is not searched for garbage."""
    action(things[0])
    gc.collect()
    gc.freeze()
    start = time.process_time()
    for thing in things:
        action(thing)
    return 1000 * (time.process_time() - start) / len(things)


def compare(task: str, n: int) -> tuple[float, float]:
    """Milliseconds for a picture with ours and with matplotlib."""
    module: Any = load(f"isobench/{task}").module
    style = module.Style()
    problems = [module.sample(np.random.default_rng([3, i]), module.Dials()) for i in range(n)]
    ours = milliseconds(lambda p: module.render(p, "image", style), problems)
    if task in FUNCTIONS:
        return ours, milliseconds(lambda p: plot_with_matplotlib(p.function), problems)

    def draw(p: Any) -> bytes:
        content = module.content(p)
        return graph_with_networkx(list(content) if task == "isomorphism" else [content], task == "maxflow")

    return ours, milliseconds(draw, problems)


def suite() -> None:
    """Time 100 problems of every task in two texts and a picture."""
    total, made = 0.0, 0
    for name in TASKS:
        task = load(name)
        texts = [r for r, modality in task.representations.items() if modality == "text"][:2]
        pictures = [r for r, modality in task.representations.items() if modality == "image"][:1]
        start = time.process_time()
        for index in range(100):
            task.problem(7, index, [*texts, *pictures])
        spent = time.process_time() - start
        total, made = total + spent, made + 1
        print(f"{name:>24}: {spent:5.2f} s for 100 problems as {', '.join([*texts, *pictures])}")
    print(f"{made} tasks: {total:.1f} s of one core, {total / 2:.1f} s of two")


def per_second(name: str, representation: str, n: int) -> str:
    """Problems per second of one core in one representation, and how long the sounds are."""
    task = load(name)
    try:
        problems = [task.problem(7, n, [representation])]  # fills caches
        start = time.process_time()
        problems = [task.problem(7, index, [representation]) for index in range(n)]
    except MissingExtra as error:
        return str(error)
    rate = n / (time.process_time() - start)
    sounds = [part for p in problems for part in p.representations[0].parts if isinstance(part, Audio)]
    spoken = f", {sum(map(seconds, sounds)) / len(sounds):.0f} s of speech each" if sounds else ""
    return f"{rate:.0f} problems per second{spoken}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--n", type=int, default=30, help="pictures, sounds and films of each task")
    n = parser.parse_args().n
    print(f"milliseconds of one core for a picture of {PIXELS} pixels, PNG included, n = {n}")
    print("        task     ours  matplotlib   ratio")
    times = [compare(task, n) for task in (*FUNCTIONS, *GRAPHS)]
    ours, peers = (sum(column) for column in zip(*times, strict=True))
    for task, (own, peer) in zip((*FUNCTIONS, *GRAPHS, "all"), (*times, (ours, peers)), strict=True):
        print(f"{task:>12} {own:>8.1f} {peer:>11.1f} {peer / own:>6.1f}x")
    print()
    suite()
    for representation in ("audio", "video"):
        print(f"\n{representation}, one core, n = {n}")
        for name in TASKS:
            print(f"{name:>24}: {per_second(name, representation, n)}")


if __name__ == "__main__":
    main()
