"""Numbers to Fourier features and back: speed against the published formula, and where that formula breaks.

    python benchmarks/fone_codec.py [--numbers 100000] [--rounds 7]

The peer, ``from_formula``, is the published embedding as one would write it with numpy: float64 angles 2πx/T,
cosine and sine, zeros up to the model width (256 columns in the published default), then float32. Its time
without the zeros is printed too, so that the part of the gain that is only their absence can be seen. Times
are processor seconds of one thread, the least of several alternating rounds. "Read back" is the share of
numbers that the decoder of this package, which cancels lower places and so is the best there can be, gets
back exactly.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modgap.fone import FEATURES, Codec

Array = npt.NDArray[Any]
MODEL_WIDTH = 256  # the published default


def from_formula(values: Array, places: int, width: int) -> Array:
    """The published embedding of float64 numbers, zero-padded to ``width`` columns."""
    periods = 10.0 ** np.arange(1, places + 1)
    angles = 2 * np.pi * values[:, None] / periods
    out = np.zeros((len(values), max(width, 2 * places)))
    out[:, 0 : 2 * places : 2] = np.cos(angles)
    out[:, 1 : 2 * places : 2] = np.sin(angles)
    return out.astype(np.float32)


def least_seconds(arms: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Processor seconds of each arm, the least of ``rounds``; arms take turns so that a busy machine hits
    all."""
    best = dict.fromkeys(arms, float("inf"))
    for _ in range(rounds):
        for name, arm in arms.items():
            start = time.process_time()
            arm()
            best[name] = min(best[name], time.process_time() - start)
    return best


def digit_strings(rng: np.random.Generator, count: int, places: int) -> list[str]:
    """Numbers of exactly so many digits."""
    rows = rng.integers(0, 10, (count, places), dtype=np.uint8)
    rows[:, 0] = rng.integers(1, 10, count)
    text = (rows + 48).astype(np.uint8).tobytes().decode()
    return [text[i : i + places] for i in range(0, len(text), places)]


def share_right(found: Sequence[str | None], expected: Sequence[str]) -> float:
    return sum(a == b for a, b in zip(found, expected, strict=True)) / len(expected)


def print_times(seconds: dict[str, float], count: int, peer: str) -> None:
    for name, value in seconds.items():
        ratio = "" if name == peer else f"   {seconds[peer] / value:5.1f} × the formula"
        print(f"  {name:<34}{1e9 * value / count:9.0f} ns{count / value:14,.0f} numbers/s{ratio}")


def compare_speed(rng: np.random.Generator, count: int, rounds: int) -> None:
    """Integers of 13 places, as int64 for both."""
    places = 13
    integers = rng.integers(0, 10**places, count)
    floats = integers.astype(np.float64)
    peer = f"formula, padded to {MODEL_WIDTH}"
    arms: dict[str, Callable[[], object]] = {
        peer: lambda: from_formula(floats, places, MODEL_WIDTH),
        "formula, not padded": lambda: from_formula(floats, places, 0),
    }
    for features in FEATURES:
        codec = Codec(places, features=features, extras=())
        arms[f"codec, {features}"] = lambda codec=codec: codec.encode(integers)
    codec = Codec(places)
    arms["codec, continuous, all extras"] = lambda: codec.encode(integers)
    print(f"{count:,} integers of up to {places} places, encoded")
    print_times(least_seconds(arms, rounds), count, peer)


def time_long_numbers(rng: np.random.Generator, count: int, rounds: int) -> None:
    """Numbers of 60 digits as strings, and the way back."""
    places = 60
    strings = digit_strings(rng, count, places)
    fixed = np.array(strings, dtype="S60")
    lengths = rng.integers(1, places + 1, count).tolist()
    mixed = [f"-{s[:n]}.{s[n:]}" if n < places else s for s, n in zip(strings, lengths, strict=True)]
    codec, wide = Codec(places, extras=()), Codec(places, places)
    rows = codec.encode(strings)
    arms: dict[str, Callable[[], object]] = {
        "encode, Python strings": lambda: codec.encode(strings),
        "encode, array of bytes": lambda: codec.encode(fixed),
        "encode, signs and points, 120 places": lambda: wide.encode(mixed),
        "decode to strings": lambda: codec.decode(rows),
    }
    print(f"\n{count:,} numbers of {places} digits")
    for name, value in least_seconds(arms, rounds).items():
        print(f"  {name:<38}{1e9 * value / count:8.0f} ns{count / value:14,.0f} numbers/s")
    back = share_right(codec.decode(rows), strings)
    there = share_right(wide.decode(wide.encode(mixed)), mixed)
    print(f"  read back: {100 * back:.2f} %, with signs and points {100 * there:.2f} %")


def compare_exactness(rng: np.random.Generator, count: int) -> None:
    """Random integers of so many digits, read back from both kinds of features."""
    print(f"\nread back exactly, {count:,} random integers of each length, in %")
    print(f"  {'digits':>8}{'formula':>10}{'codec':>10}{'bfloat16':>10}{'float16':>10}")
    for places in (8, 13, 15, 16, 17, 18, 20, 60, 300):
        strings = digit_strings(rng, count, places)
        codec = Codec(places, extras=())
        rows = codec.encode(strings)
        bits = rows.view(np.uint32)
        bfloat16 = ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
        floats = np.array([float(s) for s in strings])
        shares = [
            share_right(codec.decode(found), strings)
            for found in (from_formula(floats, places, 0), rows, bfloat16, rows.astype(np.float16))
        ]
        print(f"  {places:>8}" + "".join(f"{100 * share:10.2f}" for share in shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--numbers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    compare_speed(rng, arguments.numbers, arguments.rounds)
    time_long_numbers(rng, arguments.numbers // 5, arguments.rounds)
    compare_exactness(rng, 2_000)


if __name__ == "__main__":
    main()
