"""Pictures of a spectrum and of a map of modules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from modgap._errors import FileError

from .spectrum import LEAST_RATIO, MOST_NAMED, Spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .modules import Modules

_APART = 0.04  # of the width of the picture, between two names


def plot_spectrum(spectrum: Spectrum, path: Path, title: str) -> None:
    """Draw the spectrum and the probes.

    Args:
        spectrum: what was found.
        path: ending in .png or .svg.
        title: of the picture.

    Raises:
        FileError: it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    norms, ratios = figure.subplots(2, 1, sharex=True)
    k = np.array([c.k for c in spectrum.components])
    norms.plot(k, [c.norm for c in spectrum.components], color="#3b6ea5", linewidth=1)
    norms.set_ylabel("norm of the component")
    norms.set_ylim(bottom=0)
    probes = ", ".join(
        f"mod {p.modulus} {100 * p.accuracy:.0f} % (shuffled {100 * p.shuffled:.0f} %)"
        for p in spectrum.probes
    )
    norms.set_title(f"{title}\nlinear probe: {probes}" if probes else title, fontsize=10)
    ratios.plot(k, [c.ratio for c in spectrum.components], color="#3b6ea5", linewidth=1)
    ratios.axhline(spectrum.threshold, color="#b3452c", linestyle="--", linewidth=1)
    ratios.set_title(
        f"dashed: {100 * spectrum.level:g} % of shuffled spectra go above it; {LEAST_RATIO:g} at least",
        fontsize=8,
        loc="left",
        color="#b3452c",
    )
    ratios.set_yscale("log")
    # Room for the names of the highest.
    norms.margins(y=0.1)
    ratios.margins(y=0.1)
    ratios.set_ylabel("power over that of neighbours")
    ratios.set_xlabel(f"component k: period {spectrum.numbers}/k")
    named: list[int] = []
    for component in spectrum.outliers[:MOST_NAMED]:
        # Names of neighbours would overlap; the stronger one has come first.
        if any(abs(component.k - other) < _APART * len(k) for other in named):
            continue
        named.append(component.k)
        for axes, height in ((norms, component.norm), (ratios, component.ratio)):
            axes.annotate(
                f"{component.period:.4g}",
                (component.k, height),
                textcoords="offset points",
                xytext=(0, 3),
                ha="center",
                fontsize=8,
            )
    save_figure(figure, path)


def plot_modules(modules: Modules, path: Path, title: str) -> None:
    """Draw which component every attention and MLP writes: blocks against periods.

    Args:
        modules: what was found.
        path: ending in .png or .svg.
        title: of the picture.

    Raises:
        FileError: it cannot be written.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    n = modules.numbers
    maps = {"attention": modules.attention, "MLP": modules.mlp}
    highest = max(*(float(rows.max()) for rows in maps.values()), 1e-12)
    figure = Figure(figsize=(9, 2.2 + 0.36 * len(modules.mlp)), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for ax, (name, rows) in zip(axes, maps.items(), strict=True):
        image = ax.imshow(
            np.maximum(rows, highest * 1e-3),
            aspect="auto",
            origin="lower",
            interpolation="nearest",
            norm=LogNorm(highest * 1e-3, highest),
            extent=(0.5, n // 2 + 0.5, 0.5, len(rows) + 0.5),
            cmap="viridis",
        )
        ax.set_ylabel(f"block, {name}")
        ax.set_yticks(range(1, len(rows) + 1, max(1, len(rows) // 8)))
    # The periods of decimal digits, and 100, which every picture of numbers is read by.
    marks = {n // period if period != 2.5 else 2 * n // 5: period for period in (100, 10, 5, 2.5, 2)}
    ticks = {k: f"{period:g}" for k, period in marks.items() if k >= 1}
    axes[1].set_xticks(list(ticks), list(ticks.values()))
    axes[1].set_xlabel("period of the component, in numbers")
    figure.colorbar(image, ax=axes, label="mean norm of the component", shrink=0.9)
    figure.suptitle(f"{title}: logits of the numbers 0 to {n - 1} after “{modules.template}”", fontsize=10)
    save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> None:
    from matplotlib import rc_context

    try:
        # The same picture gives the same bytes: no date, and ids that do not change.
        with rc_context({"svg.hashsalt": "modgap"}):
            figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error}") from error
