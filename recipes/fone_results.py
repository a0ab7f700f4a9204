"""Tables of the arithmetic lab: arms by training rows, and where they fail.

    python recipes/fone_results.py runs/fone-add-4 --each 500 --out runs/fone-add-4.jsonl

For every number of training rows and every arm: the mean over seeds of the share of test rows that are right
with its 95 % interval, the lowest seed, the share by the length of the longest chain of carries (``--each``
rows of each length, the same for all arms), tokens a number, parameters and seconds. ``--out`` writes a line
per run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from modgap.fone._compare import compare_runs, find_runs
from modgap.fone._strata_rows import carry_rows
from modgap.fone.strata import load_arm
from modgap.fone.train import evaluate, read_result


def by_carries(folder: Path, each: int) -> list[float]:
    """Share of right answers by the length of the longest chain of carries, 0 first; none if each is 0."""
    if not each:
        return []
    arm = load_arm(folder)
    rows = carry_rows(arm.task, np.random.default_rng(0), each)
    return [evaluate(arm, found).exact for found in rows.values()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs, or folders that hold them")
    parser.add_argument("--each", type=int, default=0, help="rows of each length of a chain of carries")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    folders = find_runs(given.runs)
    carries: dict[tuple[str, int], list[list[float]]] = {}
    lines = []
    for folder in folders:
        result = read_result(folder)
        found = by_carries(folder, given.each)
        config = result["config"]
        carries.setdefault((config["arm"], config["rows"]), []).append(found)
        wanted = ("task", "arm", "size", "rows", "steps", "batch", "rate", "init", "weight_decay", "seed")
        line = {name: config[name] for name in wanted}
        line |= {name: result["test"][name] for name in ("exact", "n")} | {"by_carries": found}
        lines.append(line | {name: result[name] for name in ("parameters", "tokens_per_number", "seconds")})
    print(
        "| rows | arm | rate, first, decay | right | 95 % | lowest | by carries | tokens | parameters | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for group in compare_runs(folders):
        config, at = group.config, group.at
        settings = f"{config['rate']:g}, {config['init']:.3g}, {config['weight_decay']:g}"
        shares = np.mean(carries[config["arm"], config["rows"]], axis=0)
        print(
            f"| {config['rows']:,} | `{config['arm']}` | {settings} "
            f"| {100 * group.exact:.2f} | {100 * group.low:.2f} to {100 * group.high:.2f} "
            f"| {100 * group.least:.2f} | {' '.join(f'{100 * share:.0f}' for share in shares)} "
            f"| {group.tokens_per_number:.1f} | {at['transformer'] / 1e6:.2f} M, {at['total'] / 1e6:.2f} M "
            f"| {at['seconds']:.0f} |"
        )
    if given.out:
        given.out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
