"""Do first-order effects rank the cells of a sweep as exact runs do, and what do they cost?

    python benchmarks/steering_screening.py [-n 30]

Four vectors (three concepts and a random direction) at all 8 blocks, 5 strengths and 3 kinds of positions of
the bundled model, on questions of two tasks. Printed for each strength: Spearman's correlation over blocks
and vectors of the mean gain of margin, first order against exact; then, over the whole grid of a vector, how
often the four cells that first order ranks first hold the best cell, and what the best of the four falls
short of it. CPU time of one thread.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from modgap.models import load_model
from modgap.models.local._model import LocalModel
from modgap.steering import cells_of, extract, load_concept, random_like, screen, slopes, sweep, text_model
from modgap.steering._first_order import spearman
from modgap.steering._study import problems_of

STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
POSITIONS = ("image", "text", "both")
KEEP = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-n", type=int, default=30, help="questions of each task (default: 30)")
    n = parser.parse_args().n
    torch.set_num_threads(1)
    model = load_model("bundled")
    assert isinstance(model, LocalModel)
    read = text_model("bundled")
    vectors = [extract(read, load_concept(name)) for name in ("spatial", "counting", "attribute")]
    vectors.append(random_like(vectors[0], 1))
    names = ["spatial", "counting", "attribute", "random"]
    grid = {"blocks": range(8), "strengths": STRENGTHS, "positions": POSITIONS}
    cells = cells_of(vectors, names=names, **grid)  # type: ignore[arg-type]
    problems = problems_of(("count", "relation"), n, 0, level="plain")
    slopes(model, problems[:2])  # the first pass is slower
    began = time.process_time()
    found = slopes(model, problems)
    first = time.process_time() - began
    began = time.process_time()
    result = sweep(model, problems, cells)
    exact = time.process_time() - began
    predicted = np.array([found.gain(change).mean() for _, change in cells])
    margins = (result.margin - result.base_margin).mean(axis=1)
    print(f"n = {len(problems)}, {len(cells)} cells; Spearman's correlation, first order against exact")
    print(f"{'strength':10}", *(f"{place:>8}" for place in POSITIONS))
    for strength in STRENGTHS:
        row = []
        for place in POSITIONS:
            at = [i for i, (c, _) in enumerate(cells) if (c.strength, c.positions) == (strength, place)]
            row.append(spearman(predicted[at], margins[at]))
        print(f"{strength:<10g}", *(f"{value:8.2f}" for value in row))
    kept = {cell for cell, _ in screen(found, cells, KEEP)}
    hits, short = 0, []
    for name in names:
        for place in POSITIONS:
            at = [i for i, (c, _) in enumerate(cells) if (c.vector, c.positions) == (name, place)]
            gains = {i: 100 * (result.right[i].mean() - result.base_right.mean()) for i in at}
            best = max(gains.values())
            of_kept = max(gains[i] for i in at if cells[i][0] in kept)
            hits += of_kept == best
            short.append(best - of_kept)
    print(
        f"first {KEEP} of {len(cells) // 12} cells hold the best accuracy of a vector in {hits} of 12 grids;"
    )
    print(f"their best falls short of it by {np.mean(short):.1f} points on average, {max(short):.1f} at most")
    print(f"{first:.1f} s for the effects of all cells, {exact:.1f} s for exact runs: {exact / first:.0f} x")


if __name__ == "__main__":
    main()
