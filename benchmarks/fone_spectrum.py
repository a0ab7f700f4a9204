"""How often the spectrum of number vectors sees a period that is not there, and how weak a wave it sees.

    python benchmarks/fone_spectrum.py [--seeds 200] [--waves 50] [--kinds noise,size]

False alarms: spectra with one or more outliers, of vectors without any period, at the default level of 0.01
for a whole spectrum; the interval is Wilson's 95 %. Each kind of vectors is what a model may hold without
periods: noise, noise of unequal columns, size, a random walk, numbers of unequal length. Power: how often a
planted wave of period 10 is found; its amplitude is in units of the noise of an entry.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from modgap.fone import measure_spectrum

Floats = npt.NDArray[np.float64]
AMPLITUDES = (0.1, 0.2, 0.3, 0.5)


def sizes(n: int) -> Floats:
    """How large a number is, in five ways, none of them periodic."""
    x = np.arange(n)
    columns = np.stack([np.log1p(x), np.sqrt(x), x / n, np.sin(2 * x / n), np.tanh(x / 50)], axis=1)
    scaled: Floats = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return scaled


def unequal(rng: np.random.Generator, n: int, width: int) -> Floats:
    return rng.standard_normal((n, width)) @ (rng.standard_normal((width, width)) / np.arange(1, width + 1))


def sized(rng: np.random.Generator, n: int, width: int) -> Floats:
    return 3 * sizes(n) @ rng.standard_normal((5, width)) + rng.standard_normal((n, width))


def lengths(rng: np.random.Generator, n: int, width: int) -> Floats:
    x = np.arange(n)
    return rng.standard_normal((n, width)) * np.where((x < 10) | (x % 100 == 0), 5, 1)[:, None]


NULLS: dict[str, Callable[[np.random.Generator, int, int], Floats]] = {
    "noise": lambda rng, n, width: rng.standard_normal((n, width)),
    "unequal columns": unequal,
    "size": sized,
    "random walk": lambda rng, n, width: rng.standard_normal((n, width)).cumsum(axis=0),
    "unequal lengths": lengths,
}


def wave(rng: np.random.Generator, n: int, width: int, amplitude: float) -> Floats:
    """Size, noise, and period ten in a plane of its own."""
    angle = 2 * np.pi * np.arange(n) / 10
    plane = np.linalg.qr(rng.standard_normal((width, 2)))[0] * math.sqrt(width)
    return sized(rng, n, width) + amplitude * np.stack([np.cos(angle), np.sin(angle)], axis=1) @ plane.T


def wilson(found: int, n: int) -> tuple[float, float]:
    """95 % interval of a share."""
    z = 1.96
    middle = (found + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(found * (n - found) / n + z * z / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--waves", type=int, default=50, help="seeds of each amplitude")
    parser.add_argument("--kinds", default=",".join(NULLS), help="which vectors without a period")
    parser.add_argument("--numbers", type=int, default=100)
    parser.add_argument("--width", type=int, default=32)
    given = parser.parse_args()
    n, width, seeds = given.numbers, given.width, given.seeds
    start = time.process_time()
    print(f"{n} numbers, {width} columns, level 0.01 for a whole spectrum, seeds 0 to {seeds - 1}")
    total = 0
    kinds = [name for name in given.kinds.split(",") if name]
    for name in kinds:
        make = NULLS[name]
        alarms = 0
        for seed in range(seeds):
            rows = make(np.random.default_rng(seed), n, width)
            alarms += bool(measure_spectrum(rows, np.random.default_rng(10_000 + seed), moduli=()).outliers)
        total += alarms
        low, high = wilson(alarms, seeds)
        print(f"false alarms, {name:<16} {alarms:4d} of {seeds}  {100 * alarms / seeds:5.2f} %  "
              f"({100 * low:.2f} to {100 * high:.2f})")  # fmt: skip
    trials = max(seeds * len(kinds), 1)
    low, high = wilson(total, trials)
    print(f"false alarms, all {total} of {trials}  {100 * total / trials:.2f} %  "
          f"({100 * low:.2f} to {100 * high:.2f})")  # fmt: skip
    tried = given.waves
    for amplitude in AMPLITUDES:
        hits = others = 0
        for seed in range(tried):
            rng = np.random.default_rng(seed)
            found = measure_spectrum(wave(rng, n, width, amplitude), rng, moduli=()).outliers
            hits += any(c.period == 10 for c in found)
            others += any(c.period != 10 for c in found)
        print(f"period 10 at amplitude {amplitude:<4} found in {hits} of {tried}, another one in {others}")
    print(f"{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
