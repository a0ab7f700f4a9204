"""The arithmetic lab: every arm tuned alike, then accuracy against training rows, over seeds.

    python recipes/fone_lab.py tune   --task add --out runs/fone-tune
    python recipes/fone_lab.py curves --task add --tuned runs/fone-tune/tuned.json --out runs/fone-add
    python recipes/fone_lab.py bases --task add-3 --size tiny --out runs/fone-bases
    modgap fone eval runs/fone-add --picture runs/fone-add/curves.png

``tune`` tries the same learning rates and scales of the first parameters for every arm, with ``--decays``
also the same weight decays, at one number of training rows: all for a quarter of ``--steps``, and the best
two of each arm for all of them. Those with the highest *validation* accuracy are kept, of equals those with
the lower loss; test rows play no part.

``curves`` trains every arm, as tuned, on every number of rows and seed. ``bases`` trains the published arm
with periods base × 10**k for other bases than ten. All go on where they were stopped and skip what has ended.

Arms whose numbers are several tokens train with matrix products in bfloat16, which is two to three times as
fast here; arms whose numbers are values keep float32, in which their inputs are exact. ``--precision`` asks
for one of them.

``--plan`` prints what would be trained, and about how long it takes from the seconds a step that are given
below, instead of training.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from modgap.fone._arms import ARMS
from modgap.fone._backbone import SIZES
from modgap.fone._token_arm import CUTS
from modgap.fone.train import LOG, TrainConfig, train

RATES = (1e-3, 3e-3, 1e-2)  # 5e-3 is the published choice, 1e-4 that for xVal; xVal gets it too
XVAL_RATES = (1e-4, *RATES)
BASES = ((10,), (2, 5, 10), (5,), (7,), (9,), (11,))  # those of the published ablations
INITS = (0.02, "width")  # the library's default, and one over the root of the width
DECAY = TrainConfig.weight_decay
KEPT, SHORTER = 2, 4  # settings of each arm that are tried for all steps; what part of them the others are
SECONDS_A_STEP = {  # `small`, 256 rows of six digits, one core; `tiny` takes a quarter
    name: 0.09 if name not in CUTS else 0.11 if name.startswith("subword") else 0.19 for name in ARMS
}


def tune(given: argparse.Namespace) -> dict[str, dict[str, float | None]]:
    """What is best for every arm: all settings for a part of the steps, the best of them for all steps."""
    first = list(tuning_runs(given))
    run_all([(given.out / "short" / name, replace(c, steps=-(-c.steps // SHORTER))) for name, c in first])
    ranked = ranking(given.out / "short", [name for name, _ in first])
    kept = [(given.out / name, c) for name, c in first if name in ranked[c.arm][:KEPT]]
    run_all(kept)
    settings = {}
    for arm, names in ranking(given.out, [folder.name for folder, _ in kept]).items():
        config = next(c for folder, c in kept if folder.name == names[0])
        settings[arm] = {"rate": config.rate, "init": config.init, "weight_decay": config.weight_decay}
    return settings


def tuning_runs(given: argparse.Namespace) -> Iterator[tuple[str, TrainConfig]]:
    """Every arm with every rate, scale and decay, one seed that none of those that are reported is."""
    for arm in given.arms:
        for rate in XVAL_RATES if arm == "xval" else RATES:
            for init, decay in itertools.product(INITS, given.decays):
                config = _config(given, arm, given.rows[0], 1_000)
                first = SIZES[given.size].hidden ** -0.5 if init == "width" else init
                config = replace(config, rate=rate, init=first, weight_decay=decay, test=1)
                yield f"{arm}-{rate:g}-{init}{'' if decay == DECAY else f'-{decay:g}'}", config


def ranking(folder: Path, names: list[str]) -> dict[str, list[str]]:
    """Names of these runs by arm, the best validation accuracy first, of equals the lowest loss."""
    found: dict[str, list[tuple[float, float, str]]] = {}
    for path in (folder / name / "result.json" for name in sorted(names)):
        result = json.loads(path.read_text(encoding="utf-8"))
        log = [json.loads(line) for line in (path.parent / LOG).read_text(encoding="utf-8").splitlines()]
        loss = next(line["validation_loss"] for line in log if line["step"] == result["best_step"])
        print(f"{path.parent.name:<28} validation {100 * result['validation']:6.2f} %, loss {loss:.4f}")
        found.setdefault(result["config"]["arm"], []).append((-result["validation"], loss, path.parent.name))
    return {arm: [name for *_, name in sorted(entries)] for arm, entries in found.items()}


def curve_runs(given: argparse.Namespace) -> Iterator[tuple[Path, TrainConfig]]:
    """Every arm as tuned, on every number of rows and with every seed; few rows first."""
    tuned = json.loads(given.tuned.read_text(encoding="utf-8")) if given.tuned else {}
    for rows in given.rows:
        for seed in given.seeds:
            for arm in given.arms:
                yield (
                    given.out / f"{arm}-{rows}-{seed}",
                    replace(_config(given, arm, rows, seed), **tuned.get(arm, {})),
                )


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
        validation=given.validation,
        test=given.test,
        every=max(given.steps // 5, 1),
        seed=seed,
        precision=given.precision or ("bfloat16" if arm in CUTS else "float32"),
    )


def run_all(runs: list[tuple[Path, TrainConfig]], device: str = "cpu") -> None:
    """Train what has not ended, one after the other."""
    for number, (folder, config) in enumerate(runs, start=1):
        print(f"{number} of {len(runs)}: {folder}", flush=True)
        result = train(config, folder, listener=tell, device=device)
        print(f"  test {100 * result['test']['exact']:.2f} %, n = {result['test']['n']:,}", flush=True)


def show_plan(runs: list[tuple[Path, TrainConfig]]) -> None:
    """What would be trained, and how long that takes."""
    for folder, config in runs:
        print(f"{folder}: {config.arm}, {config.rows:,} rows, seed {config.seed}, rate {config.rate:g}")
    seconds = sum(
        SECONDS_A_STEP[c.arm] * c.batch / 256 * c.steps / (4 if c.size == "tiny" else 1) for _, c in runs
    )
    print(f"{len(runs)} runs, about {seconds / 3600:.1f} hours on one core")


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
    parser.add_argument("--steps", type=int, default=1_200)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-3, help="of arms that are not tuned")
    parser.add_argument("--decays", nargs="+", type=float, default=[DECAY], help="weight decays to tune over")
    parser.add_argument("--size", default="small")
    parser.add_argument("--validation", type=int, default=2_000, help="rows to choose by")
    parser.add_argument("--test", type=int, default=4_000, help="rows to report on")
    parser.add_argument("--precision", help="float32 or bfloat16. Default: by the arm, see above")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tuned", type=Path, help="tuned.json of the first command")
    parser.add_argument("--init", type=float, help="scale of the first parameters of arms that are not tuned")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plan", action="store_true")
    given = parser.parse_args()
    given.rows = given.rows or ([12_800] if given.what != "curves" else [3_200, 12_800, 25_600])
    torch.set_num_threads(1)
    if given.what == "tune":
        runs = [(given.out / name, config) for name, config in tuning_runs(given)]
    else:
        runs = list(curve_runs(given) if given.what == "curves" else base_runs(given))
    if given.plan:
        show_plan(runs)
    elif given.what == "tune":
        settings = tune(given)
        (given.out / "tuned.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(settings))
    else:
        run_all(runs, given.device)


if __name__ == "__main__":
    main()
