"""Captions per second that a detector scores, in batches with shared pictures, against one at a time.

    python benchmarks/tldr_scoring.py [DETECTOR FOLDER]

Eight pictures with sixteen captions each, dense ones and single sentences, on the bundled model. The peer is
the same detector with one caption in each call, as a loop over captions would do it: every picture is read
again for each of its captions. Without a folder the head is random, which costs the same. Processor time,
best of three, in one process and one thread; the scores of both ways are compared.

What is gained depends on how much of the reading is shared: a picture takes 16 positions here, and hundreds
in large models, beside the 90 of a dense caption or the 10 of a sentence.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from modgap.media import Image
from modgap.models import bundled
from modgap.scenes import draw_scene, write_caption
from modgap.tasks.scenes import LEVELS, sample_world
from modgap.tldr import Item, TokenScores
from modgap.tldr._detector import DetectorConfig, TldrDetector
from modgap.tldr._detector_files import load_trained
from modgap.tldr._network import new_head

PICTURES, CAPTIONS, REPEATS = 8, 16, 3


def items(*, dense: bool) -> list[Item]:
    """Captions of pictures; all of a picture one after the other."""
    made = []
    for seed in range(PICTURES):
        rng = np.random.default_rng([91_000, seed])
        scene = sample_world(rng, LEVELS["plain"])
        image = Image.from_pil(draw_scene(scene))
        for _ in range(CAPTIONS):
            text = write_caption(scene, rng, "dense").text
            made.append(Item(image, text if dense else f"{rng.choice(text.split('. '))}."))
    return made


def random_detector() -> TldrDetector:
    pretrained = bundled.load().pretrained
    head = new_head(pretrained, 0.02)
    torch.manual_seed(0)
    torch.nn.init.normal_(head.weight, std=0.1)
    return TldrDetector(pretrained, head, DetectorConfig(base="bundled", weights=""))


def best(run: Callable[[], list[TokenScores]]) -> tuple[float, list[TokenScores]]:
    seconds, found = float("inf"), []
    for _ in range(REPEATS):
        began = time.process_time()
        found = run()
        seconds = min(seconds, time.process_time() - began)
    return seconds, found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("detector", type=Path, nargs="?")
    args = parser.parse_args()
    torch.set_num_threads(1)
    detector = random_detector() if args.detector is None else load_trained(args.detector, device="cpu")
    for dense in (True, False):
        asked = items(dense=dense)
        detector.score(asked[:2])  # the first pass allocates
        together, one = best(lambda: detector.score(asked))  # noqa: B023
        apart, other = best(lambda: [detector.score([item])[0] for item in asked])  # noqa: B023
        difference = max(float(np.abs(a.bad - b.bad).max()) for a, b in zip(one, other, strict=True))
        tokens = sum(len(scores.bad) for scores in one) / len(asked)
        print(f"{len(asked)} captions of {PICTURES} pictures, {tokens:.0f} tokens each")
        print(f"  in batches  {len(asked) / together:6.0f} captions a second")
        print(f"  one by one  {len(asked) / apart:6.0f} captions a second")
        print(f"  ratio       {apart / together:6.1f}   largest difference of a score {difference:.1e}")


if __name__ == "__main__":
    main()
