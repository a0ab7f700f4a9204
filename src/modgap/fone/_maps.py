"""Maps of accuracy over the lengths of both numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from modgap._errors import InputError

from .strata import Stratum

_COLUMNS = 3


def plot_maps(found: Mapping[str, Sequence[Stratum]], path: Path) -> None:
    """Draw a map per run: digits of the first number against those of the second.

    Args:
        found: strata by the name of their run, see ``measure_strata``.
        path: ending in .png or .svg.

    Raises:
        InputError: no run has strata by lengths.
        FileError: it cannot be written.
    """
    from matplotlib.figure import Figure

    from ._plot import save_figure

    maps = {name: grid for name, strata in found.items() if (grid := _grid(strata)) is not None}
    if not maps:
        raise InputError("no run has pairs of lengths: its task does not draw two numbers freely")
    columns = min(len(maps), _COLUMNS)
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(4.2 * columns + 0.8, 4.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[len(maps) :]:
        panel.remove()
    panels = panels[: len(maps)]
    for panel, (name, grid) in zip(panels, maps.items(), strict=True):
        size = len(grid)
        image = panel.imshow(
            100 * grid, origin="lower", vmin=0, vmax=100, extent=(0.5, size + 0.5, 0.5, size + 0.5)
        )
        panel.set_title(f"{Path(name).name}\nmean {100 * np.nanmean(grid):.2f} %", fontsize=9)
        for axis in (panel.xaxis, panel.yaxis):
            axis.get_major_locator().set_params(integer=True)
        panel.set_xlabel("digits of the second number")
    for panel in panels[::columns]:
        panel.set_ylabel("digits of the first number")
    figure.colorbar(image, ax=list(panels), label="exactly right, %", shrink=0.8)
    save_figure(figure, path)


def _grid(strata: Sequence[Stratum]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]] | None:
    """Accuracy by lengths, shape (lengths, lengths), first number first; None without such strata."""
    pairs = {tuple(map(int, s.name.split(" and "))): s.score.exact for s in strata if s.kind == "lengths"}
    if not pairs:
        return None
    size = max(max(pair) for pair in pairs)
    grid = np.full((size, size), np.nan)
    for (i, j), exact in pairs.items():
        grid[i - 1, j - 1] = exact
    return grid
