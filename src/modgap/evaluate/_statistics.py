"""Intervals and paired tests: pure functions of numbers, with numpy alone.

Every difference between modalities is paired and every interval resamples *groups* (problems that share one
scene or photo), because answers about one scene are not independent. Two choices are unusual:

- The bootstrap draws how often each *distinct* group total occurs (a multinomial count) where there are few
  of them, instead of 10,000 × n indices. The distribution is the same, the cost no longer grows with n.
- The p-value of a mean difference is the exact sign-flip test. For one right-or-wrong pair per group it
  *is* the exact McNemar test, so one definition covers several text forms, several samples and clustered
  problems too.

Fractions are 0 to 1 here; only names that end in ``_points`` are percentage points.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modgap._errors import InputError

Floats = NDArray[np.float64]
DRAWS = 10_000
"""Bootstrap draws (our choice: an end of a 95 % interval then moves by about 3 % of the standard error)."""

_NORMAL = NormalDist()
_MAX_LATTICE = 2_000_000  # longest exact sign-flip distribution, in points; beyond it flips are drawn
_CELLS_PER_CHUNK = 4_000_000  # of resampled indices held at once: about 50 MB


class Interval(NamedTuple):
    """A two-sided interval."""

    low: float
    high: float


def wilson(k: float, n: int, level: float = 0.95) -> Interval:
    """Score interval of a proportion (Wilson 1927, JASA 22:209).

    Args:
        k: successes, 0 to ``n``; may be fractional (means over samples).
        n: trials; 0 gives the interval (0, 1).
        level: confidence, 0 to 1.

    Returns:
        The interval, in fractions.

    Raises:
        InputError: if ``k`` is not between 0 and ``n``, or ``level`` not between 0 and 1.
    """
    if not 0 <= k <= n:
        raise InputError(f"wilson: k = {k} successes of n = {n}; k must lie between 0 and n")
    if n == 0:
        return Interval(0.0, 1.0)
    z = normal_quantile(level)
    share = k / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the bound is the observed share in closed form; rounding must not move it inside.
    return Interval(0.0 if k == 0 else max(0.0, centre - half), 1.0 if k == n else min(1.0, centre + half))


def normal_quantile(level: float) -> float:
    """Standard normal quantile of a two-sided level: 1.96 for 0.95.

    Raises:
        InputError: if ``level`` is not strictly between 0 and 1.
    """
    if not 0 < level < 1:
        raise InputError(f"level {level} is not a confidence level; give one between 0 and 1, such as 0.95")
    return float(_NORMAL.inv_cdf((1 + level) / 2))


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided exact McNemar test (McNemar 1947; the binomial form with p = 1/2).

    Args:
        b: pairs in which only the first is right.
        c: pairs in which only the second is right.

    Returns:
        The p-value, computed in whole numbers: min(1, 2 · P(X ≤ min(b, c))) for X ~ Binomial(b + c, 1/2).

    Raises:
        InputError: if a count is negative.
    """
    if b < 0 or c < 0:
        raise InputError(f"mcnemar_exact: counts are {b} and {c}; both must be 0 or more")
    term = tail = 1
    for i in range(1, min(b, c) + 1):
        term = term * (b + c - i + 1) // i
        tail += term
    return min(1.0, 2 * tail / (1 << (b + c)))


def sign_flip_test(sums: ArrayLike, rng: np.random.Generator, draws: int = 100_000) -> float:
    """Two-sided test that the mean of paired differences is zero, by flipping the sign of whole groups.

    Under the null hypothesis the two modalities are exchangeable in each group, so each group's total is as
    likely as its negative (Fisher 1935). Totals that are multiples of a common step, which shares of a few
    forms and samples are, give the exact distribution by convolution; with one right-or-wrong pair per
    group it is McNemar's. Otherwise flips are drawn and the p-value is (1 + hits) / (1 + draws) (Phipson
    and Smyth 2010).

    Args:
        sums: total difference of each group.
        rng: only used when flips are drawn.
        draws: number of drawn flips.

    Returns:
        The p-value.
    """
    magnitudes = np.abs(np.asarray(sums, dtype=np.float64))
    magnitudes = magnitudes[magnitudes > 1e-12]
    observed = abs(float(np.asarray(sums, dtype=np.float64).sum()))
    if len(magnitudes) == 0:
        return 1.0
    step = _common_step(magnitudes)
    if step is None or magnitudes.sum() / step > _MAX_LATTICE:
        flipped = _flipped_sums(magnitudes, rng, draws)
        return (1 + int((flipped >= observed * (1 - 1e-9)).sum())) / (1 + draws)
    steps, counts = np.unique(np.rint(magnitudes / step).astype(np.int64), return_counts=True)
    if len(steps) == 1:
        n, total = int(counts[0]), int(counts[0]) * int(steps[0])
        fewer = (total - round(observed / step)) // (2 * int(steps[0]))
        return mcnemar_exact(n - fewer, fewer)
    pmf = np.ones(1)
    for size, count in zip(steps, counts, strict=True):
        spread = np.zeros(int(size) * int(count) + 1)
        spread[:: int(size)] = _binomial_half(int(count))
        pmf = _convolve(pmf, spread)
    # Index i of the distribution is a total of 2·i − S steps, S the sum of all magnitudes.
    totals = np.abs(2 * np.arange(len(pmf)) - int((steps * counts).sum()))
    return float(min(1.0, pmf[totals >= round(observed / step)].sum()))


def _common_step(magnitudes: Floats) -> float | None:
    """Largest 1/d, d ≤ 5040, of which all magnitudes are multiples; ``None`` if there is none."""
    for denominator in (
        1,
        2,
        3,
        4,
        5,
        6,
        8,
        10,
        12,
        15,
        16,
        20,
        24,
        30,
        32,
        60,
        64,
        100,
        120,
        840,
        1000,
        2520,
        5040,
    ):
        scaled = magnitudes * denominator
        if np.all(np.abs(scaled - np.rint(scaled)) < 1e-6):
            return 1 / denominator
    return None


def _binomial_half(n: int) -> Floats:
    """Probabilities of Binomial(n, 1/2) for 0 … n."""
    k = np.arange(1, n + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))]) - n * math.log(2)
    return np.asarray(np.exp(logs))


def _convolve(a: Floats, b: Floats) -> Floats:
    if min(len(a), len(b)) < 500:
        return np.convolve(a, b)
    size = len(a) + len(b) - 1
    product = np.fft.irfft(np.fft.rfft(a, size) * np.fft.rfft(b, size), size)
    return np.maximum(product, 0.0)  # the transform leaves noise of about 1e-17 of either sign


def _flipped_sums(magnitudes: Floats, rng: np.random.Generator, draws: int) -> Floats:
    rows = max(1, _CELLS_PER_CHUNK // len(magnitudes))
    parts = []
    for start in range(0, draws, rows):
        signs = rng.integers(0, 2, size=(min(rows, draws - start), len(magnitudes)), dtype=np.int8)
        parts.append(np.abs((2.0 * signs - 1.0) @ magnitudes))
    return np.concatenate(parts)


def group_codes(groups: Sequence[Hashable]) -> NDArray[np.int64]:
    """Number groups 0, 1, … in order of first appearance."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(group, len(seen)) for group in groups], dtype=np.int64)


def resample_totals(
    rows: ArrayLike, rng: np.random.Generator, draws: int = DRAWS, strata: ArrayLike | None = None
) -> Floats:
    """Column totals over groups drawn with replacement.

    Args:
        rows: one row per group, shape (groups, columns).
        rng: source of the draws.
        draws: number of resamples.
        strata: a code per group; groups are drawn within their stratum, so that the number of groups of
        each kind is the same in every draw. ``None`` draws from all.

    Returns:
        Totals, shape (draws, columns).
    """
    table = np.asarray(rows, dtype=np.float64)
    if strata is None:
        return _resample(table, rng, draws)
    codes = np.asarray(strata)
    totals = np.zeros((draws, table.shape[1]))
    for code in np.unique(codes):
        totals += _resample(table[codes == code], rng, draws)
    return totals


def _resample(table: Floats, rng: np.random.Generator, draws: int) -> Floats:
    groups = len(table)
    distinct, counts = np.unique(table, axis=0, return_counts=True)
    if len(distinct) * 8 <= groups or len(distinct) == 1:
        return np.asarray(rng.multinomial(groups, counts / groups, size=draws) @ distinct)
    chunk = max(1, _CELLS_PER_CHUNK // groups)
    totals = np.empty((draws, table.shape[1]))
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        drawn = rng.integers(0, groups, size=(rows, groups), dtype=np.int32)
        if table.shape[1] <= 2:
            for column, values in enumerate(table.T):
                alike = np.ptp(values) == 0  # the sizes of single problems: no need to look them up
                totals[start : start + rows, column] = (
                    groups * values[0] if alike else values[drawn].sum(axis=1)
                )
        else:
            drawn += np.arange(rows, dtype=np.int32)[:, None] * groups
            weights = np.bincount(drawn.ravel(), minlength=rows * groups).reshape(rows, groups)
            totals[start : start + rows] = weights @ table
    return totals


def paired_bootstrap(
    differences: ArrayLike,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of the mean of paired differences, by whole groups (Efron and Tibshirani 1993).

    When all groups have the same mean difference the bootstrap has nothing to vary and would claim
    certainty; then :func:`constant_interval` is given instead.

    Args:
        differences: one per problem, each −1 to 1.
        rng: source of the draws.
        groups: the group of each problem; ``None`` makes every problem its own.
        draws: number of resamples.
        level: confidence, 0 to 1.

    Returns:
        The interval of the mean difference, in fractions.

    Raises:
        InputError: if there are no differences, or the groups are not as many.
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.size == 0:
        raise InputError("paired_bootstrap: no differences were given; at least one pair is needed")
    codes = np.arange(len(values)) if groups is None else group_codes(groups)
    if len(codes) != len(values):
        raise InputError(
            f"paired_bootstrap: {len(values)} differences but {len(codes)} groups; give one group each"
        )
    sizes = np.bincount(codes).astype(np.float64)
    sums = np.bincount(codes, weights=values)
    if np.ptp(sums / sizes) < 1e-12:
        return constant_interval(float(values.mean()), len(sizes), level)
    totals = resample_totals(np.column_stack([sums, sizes]), rng, draws)
    return percentile_interval(totals[:, 0] / totals[:, 1], level)


def percentile_interval(draws: ArrayLike, level: float = 0.95) -> Interval:
    """The middle ``level`` of bootstrap draws."""
    normal_quantile(level)  # refuses what is not a level
    low, high = np.quantile(np.asarray(draws), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def constant_interval(value: float, n: int, level: float = 0.95) -> Interval:
    """Interval of a mean of differences when all ``n`` observed ones equal ``value``.

    If a share q of problems differed from ``value``, none of n would be seen with probability (1 − q)ⁿ; the
    exact bound of Clopper and Pearson (1934) for zero events is q = 1 − ((1 − level) / 2)^(1/n). Those
    problems may have any difference from −1 to 1, which bounds the mean whatever its distribution.

    Args:
        value: the common difference, −1 to 1.
        n: independent groups observed.
        level: confidence, 0 to 1.

    Returns:
        The interval, in fractions.
    """
    normal_quantile(level)
    share = 1 - ((1 - level) / 2) ** (1 / n)
    return Interval(value - share * (1 + value), value + share * (1 - value))


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjusted p-values (Holm 1979), in the order given.

    Raises:
        InputError: if a value is not between 0 and 1.
    """
    for p in p_values:
        if not 0 <= p <= 1:
            raise InputError(f"holm: {p} is not a p-value; expected numbers between 0 and 1")
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


def design_effect(differences: ArrayLike, groups: Sequence[Hashable]) -> float:
    """Variance of the mean over what independent problems would give, at least 1 (Kish 1965)."""
    values = np.asarray(differences, dtype=np.float64)
    centred = values - values.mean()
    independent = float((centred**2).sum())
    if independent < 1e-12:
        return 1.0
    clustered = float((np.bincount(group_codes(groups), weights=centred) ** 2).sum())
    return max(1.0, clustered / independent)


def minimum_detectable_gap(n: float, discordance: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest true gap that a paired test finds with the given power (Miettinen 1968, solved for the gap).

    With d the gap and ψ the discordance, √n·d = z(1−α/2)·√ψ + z(power)·√(ψ − d²) is a quadratic in d. The
    gap cannot exceed the discordance; where the solution would, ψ = d is solved instead (all disagreements
    on one side).

    Args:
        n: independent pairs; divide by the design effect when problems share groups.
        discordance: share of pairs that differ, 0 to 1 (for shares of several forms: the mean squared
        difference).
        power: chance to find it, 0 to 1.
        alpha: two-sided level of the test.

    Returns:
        The gap as a fraction, at most 1: 1 says that no gap is found reliably with so few pairs.

    Raises:
        InputError: if ``n`` is not positive or ``discordance`` not between 0 and 1.
    """
    if n <= 0 or not 0 <= discordance <= 1:
        raise InputError(
            f"minimum_detectable_gap: n = {n}, discordance = {discordance}; "
            "n must be above 0 and discordance between 0 and 1"
        )
    a, b = normal_quantile(1 - alpha), _NORMAL.inv_cdf(power)
    gap = (a * math.sqrt(n * discordance) + b * math.sqrt(discordance * max(0.0, n + b * b - a * a))) / (
        n + b * b
    )
    if gap >= discordance:
        root = (a * math.sqrt(n) + math.sqrt(max(0.0, a * a * n - (n + b * b) * (a * a - b * b)))) / (
            n + b * b
        )
        gap = max(discordance, root**2)
    return min(1.0, gap)
