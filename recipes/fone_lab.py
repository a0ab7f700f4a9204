"""The arithmetic lab: every arm tuned alike, then accuracy against training rows, over seeds.

    python recipes/fone_lab.py tune   --task add --out runs/fone-tune
    python recipes/fone_lab.py curves --task add --tuned runs/fone-tune/tuned.json --out runs/fone-add
    python recipes/fone_lab.py bases --task add-3 --size tiny --out runs/fone-bases
    modgap fone eval runs/fone-add --picture runs/fone-add/curves.png

``tune`` tries the same learning rates and scales of the first parameters for every arm, at one size of
training data, and keeps the best by *validation* accuracy (of equals the one with the lower loss); test rows
play no part. ``curves`` trains every arm, as tuned, on every number of rows and seed. ``bases`` trains the
published arm with periods base × 10**k for other bases than ten. All go on where they
were stopped and skip what has ended; for two cores give the same command twice, with ``--part 1/2`` and
``--part 2/2``, and ``tune`` once more at the end, which then only reads what is there.

``--plan`` prints what would be trained, and about how long it takes from the seconds a step that are given
below, instead of training.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from modgap.fone._arms import ARMS
from modgap.fone.train import LOG, TrainConfig, train

RATES = (5e-4, 1e-3, 2e-3, 5e-3)  # 5e-3 is the published choice, 1e-4 that for xVal; xVal gets it too
XVAL_RATES = (1e-4, *RATES)
BASES = ((10,), (2, 5, 10), (5,), (7,), (9,), (11,))  # those of the published ablations
INITS = (0.02, None)  # the library's default, and one over the root of the width
SECONDS_A_STEP = {  # about 1.0 M parameters, 256 rows of six digits, one core that others use too
    "fone": 0.12, "fone-products": 0.15, "fone-published": 0.14, "slots": 0.14, "xval": 0.15, "digits": 0.78,
    "digits-reversed": 0.78, "digits-ntl": 0.78, "subword": 0.30, "subword-right": 0.30, "bits": 0.14,
    "abacus": 0.80, "abacus-fone": 0.80,
}  # fmt: skip


def tuning_runs(given: argparse.Namespace) -> Iterator[tuple[Path, TrainConfig]]:
    """Every arm with every rate and scale, one seed."""
    for arm in given.arms:
        for rate in XVAL_RATES if arm == "xval" else RATES:
            for init in INITS:
                config = TrainConfig(
                    task=given.task,
                    arm=arm,
                    rows=given.rows[0],
                    size=given.size,
                    steps=given.steps,
                    batch=given.batch,
                    rate=rate,
                    init=init,
                    test=1,  # not looked at
                    seed=1_000,  # none of those that are reported
                    precision=given.precision,
                )
                yield given.out / f"{arm}-{rate:g}-{init or 'width'}", config


def curve_runs(given: argparse.Namespace) -> Iterator[tuple[Path, TrainConfig]]:
    """Every arm as tuned, on every number of rows and with every seed; few rows first."""
    tuned = json.loads(given.tuned.read_text(encoding="utf-8")) if given.tuned else {}
    for rows in given.rows:
        for arm in given.arms:
            for seed in given.seeds:
                config = replace(
                    _config(given, arm, rows, seed),
                    rate=tuned.get(arm, {}).get("rate", given.rate),
                    init=tuned.get(arm, {}).get("init", given.init),
                )
                yield given.out / f"{arm}-{rows}-{seed}", config


def base_runs(given: argparse.Namespace) -> Iterator[tuple[Path, TrainConfig]]:
    """The published arm with every list of bases, number of rows and seed."""
    for rows in given.rows:
        for bases in BASES:
            for seed in given.seeds:
                config = replace(_config(given, "fone-published", rows, seed), bases=bases)
                yield given.out / f"{'_'.join(map(str, bases))}-{rows}-{seed}", config


def _config(given: argparse.Namespace, arm: str, rows: int, seed: int) -> TrainConfig:
    return TrainConfig(
        task=given.task,
        arm=arm,
        rows=rows,
        size=given.size,
        steps=given.steps,
        batch=given.batch,
        rate=given.rate,
        init=given.init,
        seed=seed,
        precision=given.precision,
    )


def best_settings(folder: Path, arms: list[str]) -> dict[str, dict[str, float | None]]:
    """Rate and scale of each arm with the best validation accuracy, of equals those with the lowest loss."""
    found: dict[str, tuple[float, float]] = {}
    settings: dict[str, dict[str, float | None]] = {}
    for path in sorted(folder.glob("*/result.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        loss = json.loads((path.parent / LOG).read_text(encoding="utf-8").splitlines()[-1])["loss"]
        config = result["config"]
        arm, rate, init = config["arm"], config["rate"], config["init"]
        said = f"{arm:<16} rate {rate:<7g} init {init or 'width':<6}"
        print(f"{said} validation {100 * result['validation']:6.2f} %, loss {loss:.4f}")
        entry = (result["validation"], -loss)
        if arm in arms and entry > found.get(arm, (-1.0, 0.0)):
            found[arm], settings[arm] = entry, {"rate": rate, "init": init}
    return settings


def tell(line: dict[str, Any]) -> None:
    print(
        f"  step {line['step']}: loss {line['loss']:.4f}, validation {100 * line['validation']:.2f} %",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("tune", "curves", "bases"))
    parser.add_argument("--task", default="add")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=ARMS)
    parser.add_argument("--rows", nargs="+", type=int)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-3, help="of arms that are not tuned")
    parser.add_argument("--size", default="small")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tuned", type=Path, help="tuned.json of the first command")
    parser.add_argument("--init", type=float, help="scale of the first parameters of arms that are not tuned")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", default="1/1", help="K/N: every N-th run, beginning with the K-th")
    parser.add_argument("--plan", action="store_true")
    given = parser.parse_args()
    tuning = given.what == "tune"
    curves = given.what == "curves"
    given.rows = given.rows or ([1_600, 3_200, 6_400, 12_800, 25_600] if curves else [12_800])
    given.steps = given.steps or (400 if tuning else 1_200)
    plans = {"tune": tuning_runs, "curves": curve_runs, "bases": base_runs}
    runs = list(plans[given.what](given))
    part, parts = map(int, given.part.split("/"))
    runs = runs[part - 1 :: parts]
    if given.plan:
        seconds = sum(SECONDS_A_STEP[config.arm] * config.steps for _, config in runs)
        for folder, config in runs:
            print(f"{folder}: {config.arm}, {config.rows:,} rows, seed {config.seed}, rate {config.rate:g}")
        print(f"{len(runs)} runs, about {seconds / 3600:.1f} hours on one core")
        return
    torch.set_num_threads(1)
    for number, (folder, config) in enumerate(runs, start=1):
        print(f"{number} of {len(runs)}: {folder}", flush=True)
        result = train(config, folder, listener=tell, device=given.device)
        if not tuning:
            print(f"  test {100 * result['test']['exact']:.2f} %", flush=True)
    if tuning:
        settings = best_settings(given.out, given.arms)
        (given.out / "tuned.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(settings))


if __name__ == "__main__":
    main()
