"""Seconds for the bootstrap of a paired gap, against scipy's bootstrap of the same problems in the same run.

    python benchmarks/statistics_speed.py

10,000 draws of 10,000 problems, one core. scipy resamples problems one by one and knows no groups, so it is
the peer for ungrouped problems only. "right or wrong" has three distinct differences, "shares" as many as
problems.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import scipy.stats

from modgap.evaluate._statistics import paired_bootstrap

PROBLEMS = DRAWS = 10_000


def seconds(call: Callable[[], object], repeats: int = 3) -> float:
    """Shortest of ``repeats`` calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    rng = np.random.default_rng(0)
    right_or_wrong = rng.choice([-1.0, 0.0, 1.0], p=[0.05, 0.7, 0.25], size=PROBLEMS)
    shares = rng.uniform(-1, 1, size=PROBLEMS)
    scenes = [i // 4 for i in range(PROBLEMS)]
    peer = seconds(
        lambda: scipy.stats.bootstrap(
            (right_or_wrong,), np.mean, n_resamples=DRAWS, method="percentile", rng=rng, batch=200
        ),
        repeats=1,
    )
    print(f"{DRAWS:,} draws of {PROBLEMS:,} problems")
    print(f"scipy.stats.bootstrap        {peer:8.3f} s")
    for name, values, groups in (
        ("right or wrong", right_or_wrong, None),
        ("right or wrong, 4 a scene", right_or_wrong, scenes),
        ("shares", shares, None),
    ):
        mine = seconds(lambda values=values, groups=groups: paired_bootstrap(values, rng, groups))
        print(f"{name:28} {mine:8.3f} s   {peer / mine:6.1f} × faster than scipy")


if __name__ == "__main__":
    main()
