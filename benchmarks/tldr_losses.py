"""How a detector should learn from rare errors: four losses, the same data, steps and seed.

    modgap tldr data data -n 8000 --seed 71 --design several --level plain --pixels 64
    python benchmarks/tldr_losses.py data --work runs/losses --bf16 [--steps 150]

*plain* as published, the head's bias at 0; *prior*, the bias at the log-odds of a right token (what modgap
does by default); *weighted*, a wrong token counts ten times; *focal* (Lin et al. 2017, exponent 2). The last
two begin with the bias of *prior*. Average precision of wrong words on the split test of the data, with
intervals over groups, and the paired difference to *prior*. A training that is there already is not repeated.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from modgap.tldr import load_detector, read_examples
from modgap.tldr._detector_files import DETECTOR
from modgap.tldr._measures import draw_areas, interval_of, pool_words
from modgap.tldr._measures_report import items_of
from modgap.tldr._train import TrainConfig, train

LOSSES = {
    "prior": TrainConfig(),
    "plain": TrainConfig(prior_bias=False),
    "weighted": TrainConfig(wrong_weight=10.0),
    "focal": TrainConfig(focal=2.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", default="sibling", help="one whose eyes see what is wrong")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bf16", action="store_true", help="half the time where the processor has it")
    args = parser.parse_args()
    examples = list(read_examples(args.data))
    test = [example for example in examples if example.split == "test"]
    base = None
    for name, loss in LOSSES.items():
        folder = args.work / name
        if not (folder / DETECTOR).exists():
            config = replace(
                loss, model=args.model, steps=args.steps, captions=32, seed=args.seed, bf16=args.bf16
            )
            train(examples, config, folder, say=lambda line: print(line, flush=True))
        pool = pool_words(test, load_detector(str(folder)).score(items_of(test)))
        drawn, seen = draw_areas(pool, np.random.default_rng(args.seed))
        low, high = interval_of(drawn[:, 0])
        base = drawn if base is None else base
        change = [100 * x for x in interval_of(drawn[:, 0] - base[:, 0])]
        print(
            f"{name:9} AP {100 * seen[0]:5.1f} ({100 * low:.1f} to {100 * high:.1f})  "
            f"prevalence {100 * seen[2]:.1f}  difference to prior "
            f"({change[0]:+.1f} to {change[1]:+.1f})  {len(test):,} captions  {len(pool.bad):,} words",
            flush=True,
        )


if __name__ == "__main__":
    main()
