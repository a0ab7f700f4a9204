"""Fourier components of number vectors: which periods does a model use for numbers?

    from modgap.fone.spectrum import measure_spectrum
    found = measure_spectrum(vectors, np.random.default_rng(0))     # row n is the vector of the number n
    found.outliers, found.probes, found.verdict()

Pretrained models hold numbers in a few periods, 2, 2.5, 5 and 10 above all, that stand out of the rest of the
spectrum (Zhou et al., 2024). Published spectra are judged by eye. Here a period counts if it stands out of
its neighbours by more than any period does when the numbers are shuffled, so that the chance of one or more
false periods in a whole spectrum is at most ``level``.

Spikes alone do not say that a model can tell numbers apart modulo ten, so a linear probe is trained for it,
on some numbers, and tested on others; its control is the same probe with shuffled labels.

**Basis.** The published one has frequencies 2πk/(p−1) on p numbers, where the first and the last number share
all phases and rows are not quite orthogonal. On n = p−1 numbers the same frequencies are an orthonormal
basis; that is used here, and the published one is ``fourier_basis(p, published=True)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modgap._errors import InputError

from ._probe import Probe, probe_modulo

Floats = npt.NDArray[np.float64]

MIN_NUMBERS = 40
"""Fewest numbers of a spectrum: with fewer, period ten has too few neighbours (our choice)."""

LEAST_RATIO = 1.5
"""How far an outlier is above its neighbours at least. A smooth trend bends the spectrum, which with many
columns is significant long before it is a spike (our choice; `tests/fone/test_spectrum.py`)."""

MOST_NAMED = 8
"""Outliers that are named in a sentence or picture; more would not be read."""

_VERSION = 1


@dataclass(frozen=True)
class Component:
    """One frequency of a spectrum.

    Args:
        k: how many periods fit into all numbers, 1 to n/2.
        period: n/k, in numbers.
        norm: length of its cosine and sine coefficients over all columns, before the trend is taken out.
        ratio: power over the median of its neighbours, after that; NaN at long periods, which are not tested.
        p: probability of such a ratio anywhere in the spectrum of shuffled numbers, 0 to 1; NaN likewise.
    """

    k: int
    period: float
    norm: float
    ratio: float
    p: float


@dataclass(frozen=True)
class Spectrum:
    """What ``measure_spectrum`` found.

    Args:
        numbers: how many numbers, 0 to numbers - 1.
        width: columns of their vectors.
        level: chance of one or more false outliers, 0 to 1.
        permutations: how many times numbers were shuffled.
        threshold: ratio above which a component is an outlier.
        components: all frequencies, longest period first.
        outliers: those that stand out, the strongest first.
        probes: linear probes of the number modulo 2, 5 and 10.
    """

    numbers: int
    width: int
    level: float
    permutations: int
    threshold: float
    components: tuple[Component, ...]
    outliers: tuple[Component, ...]
    probes: tuple[Probe, ...]

    def verdict(self) -> str:
        """Two sentences."""
        if self.outliers:
            named = sorted(self.outliers[:MOST_NAMED], key=lambda c: c.period)
            first = "Periods that stand out: " + ", ".join(f"{c.period:.4g}" for c in named)
            if len(self.outliers) > len(named):
                first += f" and {len(self.outliers) - len(named)} weaker ones"
            whole = self.numbers / math.gcd(*(c.k for c in self.outliers))
            if len(self.outliers) > 1 and whole < self.numbers:
                first += f", all of them parts of {whole:.4g}"
            first += "."
        else:
            first = "No period stands out."
        read = [probe for probe in self.probes if probe.p <= 0.05]
        second = "A linear probe reads the number modulo " + ", ".join(
            f"{probe.modulus} in {100 * probe.accuracy:.0f} % (shuffled labels {100 * probe.shuffled:.0f} %)"
            for probe in read
        )
        if not read:
            second = "No linear probe reads the number modulo 2, 5 or 10 better than shuffled labels"
            if self.outliers:
                second += ": spikes without separability"
        return f"{first} {second}."

    def as_json(self) -> dict[str, Any]:
        """All figures as JSON values; what was not tested is null."""

        def number(value: float) -> float | None:
            return None if np.isnan(value) else value

        return {
            "version": _VERSION,
            "numbers": self.numbers,
            "width": self.width,
            "level": self.level,
            "permutations": self.permutations,
            "threshold": self.threshold,
            "verdict": self.verdict(),
            "outlier_periods": [c.period for c in self.outliers],
            "components": [
                {"k": c.k, "period": c.period, "norm": c.norm, "ratio": number(c.ratio), "p": number(c.p)}
                for c in self.components
            ],
            "probes": [probe.as_json() for probe in self.probes],
        }


def fourier_basis(n: int, *, published: bool = False) -> Floats:
    """Real Fourier basis, one row per function: constant, then sine and cosine of k = 1, 2, …

    Args:
        n: how many numbers.
        published: frequencies 2πk/(n−1) in place of 2πk/n; rows are then not quite orthogonal.

    Returns:
        Shape (n, n), float64; orthonormal unless published. For even n (published: odd n) the last frequency
        has a cosine only.
    """
    length = n - 1 if published else n
    x = np.arange(n)
    rows = [np.full(n, 1 / np.sqrt(length))]
    for k in range(1, length // 2 + 1):
        angle = 2 * np.pi * ((k * x) % length) / length
        if 2 * k < length:
            rows.append(np.sqrt(2 / length) * np.sin(angle))
        half = 2 * k == length and not published
        rows.append(np.sqrt((1 if half else 2) / length) * np.cos(angle))
    return np.stack(rows)


def component_norms(vectors: npt.ArrayLike) -> Floats:
    """Length of the coefficients of each frequency over all columns, k = 1 … n/2; shape (n // 2,)."""
    rows = np.asarray(vectors, dtype=np.float64)
    return np.sqrt(_powers(rows) * _degrees(len(rows)))


def usable_count(n: int) -> int:
    """The most numbers, of n, in which the periods of decimal digits fit a whole number of times."""
    return n // 20 * 20 if n >= 100 else n // 10 * 10


def measure_spectrum(
    vectors: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    level: float = 0.01,
    permutations: int = 199,
    moduli: Sequence[int] = (2, 5, 10),
    shuffles: int = 49,
) -> Spectrum:
    """Spectrum, outlier periods and probes of number vectors.

    Args:
        vectors: shape (numbers, width); row n belongs to the number n. Only as many as ``usable_count`` are
            used.
        rng: of the permutations, folds and shuffled labels.
        level: chance of one or more false outliers in the spectrum, 0 to 1.
        permutations: at least 1/level - 1; the default suffices for 0.01 (p is 0.005 at best).
        moduli: of the probes.
        shuffles: of their labels.

    Raises:
        InputError: too few numbers or permutations, or vectors that are not finite.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    if rows.ndim != 2 or usable_count(len(rows)) < MIN_NUMBERS:
        raise InputError(
            f"vectors have shape {rows.shape}: a spectrum needs one row for each number from 0 to "
            f"{MIN_NUMBERS - 1} at least"
        )
    if not np.isfinite(rows).all():
        raise InputError("vectors are not finite: the model they come from overflowed or is damaged")
    if not 0 < level < 1 or (permutations + 1) * level < 1:
        raise InputError(
            f"level {level} cannot be reached with {permutations} permutations: give at least "
            f"{round(1 / level) - 1 if 0 < level < 1 else 199}, and a level between 0 and 1"
        )
    width = rows.shape[1]
    rows = _narrowed(rows[: usable_count(len(rows))])
    n = len(rows)
    trend = _trend(n)
    detrended = rows - trend @ (trend.T @ rows)
    half = _half_window(n)
    ratios = _ratios(_powers(detrended), half)
    highest = np.empty(permutations)
    for i in range(permutations):
        shuffled = detrended[rng.permutation(n)]
        shuffled -= trend @ (trend.T @ shuffled)
        highest[i] = np.nanmax(_ratios(_powers(shuffled), half))
    p = (1 + (highest[:, None] >= ratios).sum(axis=0)) / (permutations + 1)
    p[np.isnan(ratios)] = np.nan
    # The largest ratio that shuffled numbers exceed often enough.
    allowed = int(level * (permutations + 1)) - 1
    threshold = max(float(np.sort(highest)[permutations - 1 - allowed]), LEAST_RATIO)
    norms = component_norms(rows)
    components = tuple(
        Component(k, n / k, float(norms[k - 1]), float(ratios[k - 1]), float(p[k - 1]))
        for k in range(1, n // 2 + 1)
    )
    outliers = [
        c
        for c in components
        if c.p <= level and c.ratio >= LEAST_RATIO and c.ratio == np.nanmax(ratios[max(c.k - 2, 0) : c.k + 1])
    ]
    probes = tuple(probe_modulo(rows, modulus, rng, shuffles=shuffles) for modulus in moduli)
    return Spectrum(
        numbers=n,
        width=width,
        level=level,
        permutations=permutations,
        threshold=threshold,
        components=components,
        outliers=tuple(sorted(outliers, key=lambda c: -c.ratio)),
        probes=probes,
    )


def _narrowed(rows: Floats) -> Floats:
    """Centred rows with the same products in at most n columns: all that follows depends on products only."""
    rows = rows - rows.mean(axis=0)
    if rows.shape[1] <= len(rows):
        return rows
    values, columns = np.linalg.eigh(rows @ rows.T)
    kept = values > values[-1] * 1e-12
    narrow: Floats = columns[:, kept] * np.sqrt(values[kept])
    return narrow if narrow.shape[1] else np.zeros((len(rows), 1))


def _degrees(n: int) -> Floats:
    """Basis functions of each frequency, k = 1 … n/2: two, but one for the last of an even n."""
    degrees = np.full(n // 2, 2.0)
    if n % 2 == 0:
        degrees[-1] = 1.0
    return degrees


def _powers(rows: Floats) -> Floats:
    """Power of each frequency, k = 1 … n/2, per basis function, over all columns."""
    n = len(rows)
    found = np.abs(np.fft.rfft(rows, axis=0)[1:]) ** 2
    degrees = _degrees(n)
    power: Floats = found.sum(axis=1) * (degrees / n) / degrees
    return power


def _trend(n: int) -> Floats:
    """Orthonormal columns that hold size: 1, x, x², x³ and log(1 + x)."""
    x = np.arange(n) / n
    columns = np.stack([x**0, x, x**2, x**3, np.log1p(np.arange(n))], axis=1)
    orthonormal: Floats = np.linalg.qr(columns)[0]
    return orthonormal


def _half_window(n: int) -> int:
    """Neighbours on each side that a component is compared with."""
    return max(2, min(8, n // 30))


def _ratios(powers: Floats, half: int) -> Floats:
    """Power over the median of its neighbours.

    The first ``half`` components are NaN: they have no neighbours on one side, and size, which is in every
    model, is there too.
    """
    padded = np.concatenate([powers, np.full(half, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    neighbours = np.delete(windows, half, axis=1)
    background = np.nanmedian(neighbours, axis=1)
    out = np.full(len(powers), np.nan)
    least = max(1e-9 * float(powers.mean()), 1e-300)  # vectors without any noise have no background
    out[half:] = powers[half:] / np.maximum(background, least)
    return out
