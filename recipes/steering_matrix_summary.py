"""Tables and chart of ``steering_matrix.py``, from the outcomes it collected.

Its folders hold everything, margins included, and are large. ``recipes/steering/outcomes.json`` has what
every table is made of: right or wrong of each question of the test sets under each cell, as bits, and which
of them are about one scene; of the validation only the scores by which cells were chosen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from modgap.evaluate._statistics import group_codes, holm, paired_bootstrap, sign_flip_test
from modgap.steering import SweepResult, load_sweep
from modgap.steering._sweep import Cell

mpl.use("Agg")
from matplotlib import pyplot

ARMS = ("meanshift", "probe", "sae", "prompt", "controls")
SEED = 0


@dataclass(frozen=True)
class Outcomes:
    """What came out on one task.

    Args:
        order: accuracy and mean margin of every cell on validation, by which cells were chosen.
        sets: the test and the other scenes; margins are not kept.
    """

    order: dict[Cell, tuple[float, float]]
    sets: dict[str, SweepResult]


def collect(folder: Path, tasks: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """What the folders of a matrix say, as JSON; tasks that are not complete are left out."""
    codes: dict[str, int] = {}
    found: dict[str, Any] = {}
    for task in tasks:
        if not all((folder / task / name / "sweep.npz").is_file() for name in names):
            continue
        validation = load_sweep(folder / task / "validation")
        sets: dict[str, Any] = {
            "validation": [
                [*astuple(cell), round(float(right.mean()), 6), round(float(margin.mean()), 6)]
                for cell, right, margin in zip(
                    validation.cells, validation.right, validation.margin, strict=True
                )
            ]
        }
        for name in names:
            one = load_sweep(folder / task / name)
            sets[name] = {
                "scenes": [codes.setdefault(group, len(codes)) for group in one.groups],
                "base": _bits(one.base_right),
                "right": [
                    [*astuple(cell), _bits(row)] for cell, row in zip(one.cells, one.right, strict=True)
                ],
            }
        found[task] = sets
    return found


def read(about: dict[str, Any]) -> dict[str, Outcomes]:
    """Task → what :func:`collect` gave."""
    found = {}
    for task, sets in about.items():
        order = {Cell(*cell): (right, margin) for *cell, right, margin in sets["validation"]}
        results = {}
        for name, one in sets.items():
            if name == "validation":
                continue
            scenes = tuple(map(str, one["scenes"]))
            n = len(scenes)
            right = np.array([_from_bits(bits, n) for *_, bits in one["right"]])
            results[name] = SweepResult(
                tuple(Cell(*cell) for *cell, _ in one["right"]),
                (task,) * n,
                scenes,
                scenes,
                _from_bits(one["base"], n),
                np.zeros(n),
                right,
                np.zeros(right.shape),
            )
        found[task] = Outcomes(order, results)
    return found


def _bits(right: np.ndarray) -> str:
    return np.packbits(right).tobytes().hex()


def _from_bits(bits: str, n: int) -> np.ndarray:
    return np.unpackbits(np.frombuffer(bytes.fromhex(bits), dtype=np.uint8), count=n).astype(bool)


@dataclass(frozen=True)
class Row:
    """One vector at one kind of position on one task, on the test; points with 95 % intervals."""

    task: str
    positions: str
    concept: str
    at: str
    n: int
    base: float
    gain: float
    interval: tuple[float, float]
    control: float
    beyond: float
    p: float
    p_holm: float = 1.0


def difference(part: SweepResult, number: int) -> np.ndarray:
    """Outcome under a cell less outcome without, question by question."""
    found: np.ndarray = part.right[number].astype(float) - part.base_right
    return found


def chosen(one: Outcomes, name: str, arm: str, positions: str | None = None) -> int:
    """Of the cells of an arm that were asked in a set, the one that was best on validation."""
    cells = one.sets[name].cells
    at = [
        i
        for i, cell in enumerate(cells)
        if (cell.control if arm == "controls" else cell.vector.endswith(f"/{arm}"))
        and positions in (None, cell.positions)
    ]
    return max(at, key=lambda number: one.order[cells[number]])


def rows_of(task: str, one: Outcomes, names: Sequence[str]) -> list[Row]:
    """The mean differences of one task on some sets, each beside the best control at the same positions."""
    test = pooled([one.sets[name] for name in names])
    rng, codes = np.random.default_rng(SEED), group_codes(test.groups)
    found = []
    for number, cell in enumerate(test.cells):
        if cell.control or not cell.vector.endswith("/meanshift"):
            continue
        gain = difference(test, number)
        control = difference(test, chosen(one, names[0], "controls", cell.positions))
        low, high = paired_bootstrap(gain, rng, test.groups)
        p = max(sign_flip_test(np.bincount(codes, weights=x), rng) for x in (gain, gain - control))
        if gain.mean() <= 0 or gain.mean() <= control.mean():
            p = 1.0  # a help is claimed, not a harm
        found.append(
            Row(
                task,
                cell.positions,
                cell.vector.partition("/")[0],
                f"{cell.block}@{cell.strength:g}",
                len(gain),
                float(test.base_right.mean()),
                100 * float(gain.mean()),
                (100 * low, 100 * high),
                100 * float(control.mean()),
                100 * float((gain - control).mean()),
                p,
            )
        )
    return found


def pooled(parts: Sequence[SweepResult]) -> SweepResult:
    """Sweeps of the same cells on different scenes as one."""
    first = parts[0]
    assert all(part.cells == first.cells for part in parts)
    return SweepResult(
        first.cells,
        tuple(task for part in parts for task in part.tasks),
        tuple(group for part in parts for group in part.groups),
        tuple(name for part in parts for name in part.problem_ids),
        np.concatenate([part.base_right for part in parts]),
        np.concatenate([part.base_margin for part in parts]),
        np.concatenate([part.right for part in parts], axis=1),
        np.concatenate([part.margin for part in parts], axis=1),
    )


def adjusted(rows: Sequence[Row]) -> list[Row]:
    """With Holm's adjustment over all rows."""
    return [replace(row, p_holm=p) for row, p in zip(rows, holm([row.p for row in rows]), strict=True)]


def verdict(rows: Sequence[Row]) -> str:
    """How many rows are claimed, and the largest gain."""
    n = " or ".join(f"{n:,}" for n in sorted({row.n for row in rows}))
    claimed = sum(row.p_holm < 0.05 for row in rows)
    best, least = max(rows, key=lambda row: row.gain), min(rows, key=lambda row: (row.p_holm, row.p))
    return (
        f"n = {n} a task; {claimed} of {len(rows)} cells claimed (bold)\n"
        f"largest gain {best.gain:+.1f} [{best.interval[0]:+.1f}, {best.interval[1]:+.1f}], best control "
        f"there {best.control:+.1f} ({best.concept} on {best.task}, {best.positions}, {best.at})\n"
        f"smallest p {least.p:.3f}, after Holm {least.p_holm:.3f} ({least.concept} on {least.task}, "
        f"{least.positions})"
    )


def elsewhere(found_of: dict[str, Outcomes], names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Arm → set (or ``all``) → mean gain over tasks, and its 95 % interval, which resamples scenes."""
    found: dict[str, dict[str, list[float]]] = {}
    for arm in ARMS:
        parts: dict[str, list[tuple[str, float]]] = {}
        for one in found_of.values():
            for name in names:
                there = one.sets[name]
                gain = difference(there, chosen(one, name, arm)) / len(there.groups) / len(found_of)
                parts.setdefault(name, []).extend(zip(there.groups, gain.tolist(), strict=True))
        parts["all"] = [(g, x / len(names)) for name in names for g, x in parts[name]]
        found[arm] = {}
        for name, shares in parts.items():
            codes = group_codes([g for g, _ in shares])
            sums = np.bincount(codes, weights=[x for _, x in shares])
            half = 1.96 * float(np.sqrt(len(sums)) * sums.std(ddof=1))
            mean = float(sums.sum())
            found[arm][name] = [100 * x for x in (mean, mean - half, mean + half)]
    return found


def draw(found: dict[str, dict[str, list[float]]], path: Path) -> None:
    """A bar for each method, a dot for each kind of scene."""
    figure, axis = pyplot.subplots(figsize=(5.4, 3.2), layout="constrained")
    label = {"meanshift": "MeanShift", "probe": "probe", "sae": "SAE", "prompt": "prompt"}
    for x, (arm, sets) in enumerate(found.items()):
        mean, low, high = sets["all"]
        color = "C7" if arm == "controls" else "C0"
        axis.bar(x, mean, 0.6, color=color, alpha=0.6)
        axis.errorbar(x, mean, [[mean - low], [high - mean]], color="black", capsize=4)
        for k, (name, marker) in enumerate(zip([n for n in sets if n != "all"], "o^s", strict=True)):
            axis.plot(x + 0.12 * (k - 1), sets[name][0], marker, color="C1", label=name if x == 0 else None)
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set_xticks(range(len(found)), [label.get(arm, "random,\nshuffled,\nopposite") for arm in found])
    axis.set_ylabel("mean gain on other scenes, points")
    axis.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def summarise(outcomes: dict[str, Outcomes], names: Sequence[str], folder: Path) -> None:
    """Print tables as markdown, and write ``matrix.json`` and ``ood.png``.

    Args:
        outcomes: of every task.
        names: the sets other than the test.
        folder: where to write.
    """
    tasks = list(outcomes)
    rows = [row for task, one in outcomes.items() for row in rows_of(task, one, ["test"])]
    there = [row for task, one in outcomes.items() for row in rows_of(task, one, names)]
    rows, there = adjusted(rows), adjusted(there)
    concepts = list(dict.fromkeys(row.concept for row in rows))
    for place in dict.fromkeys(row.positions for row in rows):
        print(f"\n{place}\n\n| task | before | {' | '.join(concepts)} | best control |")
        print("|---" * (len(concepts) + 3) + "|")
        for task in tasks:
            mine = [row for row in rows if (row.task, row.positions) == (task, place)]
            cells = [
                f"{'**' * (row.p_holm < 0.05)}{row.gain:+.1f}{'**' * (row.p_holm < 0.05)} "
                f"[{row.interval[0]:+.1f}, {row.interval[1]:+.1f}] ({row.at})"
                for row in mine
            ]
            print(f"| {task} | {100 * mine[0].base:.1f} | {' | '.join(cells)} | {mine[0].control:+.1f} |")
    print(f"\n{verdict(rows)}")
    print(f"\non other scenes: {verdict(there)}")
    others = elsewhere(outcomes, names)
    print(f"\n| method | {' | '.join(names)} | all |\n" + "|---" * (len(names) + 2) + "|")
    for arm, sets in others.items():
        cells = ["{:+.1f} [{:+.1f}, {:+.1f}]".format(*sets[name]) for name in (*names, "all")]
        print(f"| {arm} | {' | '.join(cells)} |")
    about = {
        "rows": [vars(row) for row in rows],
        "rows_elsewhere": [vars(row) for row in there],
        "elsewhere": others,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "matrix.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    draw(others, folder / "ood.png")
