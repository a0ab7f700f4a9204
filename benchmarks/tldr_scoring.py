"""Captions per second that a detector scores, in batches with shared pictures, against one at a time.

    python benchmarks/tldr_scoring.py [DETECTOR FOLDER]

Eight pictures with sixteen captions each, dense ones and single sentences, on the bundled model. The peer is
the same detector with one caption in each call, as a loop over captions would do it: every picture is read
again for each of its captions. Without a folder the head is random, which costs the same. Processor time,
best of three, in one process and one thread; the scores of both ways are compared.

What is gained depends on how much of the reading is shared. A picture takes 16 positions in the bundled
model, beside the 90 of a dense caption or the 10 of a sentence; models for photographs give it hundreds. So
dense captions are also scored with the bundled model's shape for pictures of 256×256, which take 256
positions (random weights, which cost the same).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from modgap.media import Image
from modgap.models import bundled, local
from modgap.models.local._load import Pretrained
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


def for_photographs(folder: Path, side: int = 256) -> Pretrained:
    """A model with the bundled one's shape and random weights, for pictures of so many pixels."""
    model = bundled.load().pretrained.model
    config = model.config
    config.vision_config.image_size = side
    torch.manual_seed(0)
    type(model)(config).save_pretrained(folder)
    for file in bundled.FOLDER.glob("*.j*"):
        if file.name not in ("config.json", "processor_config.json"):
            (folder / file.name).write_bytes(file.read_bytes())
    processor = json.loads((bundled.FOLDER / "processor_config.json").read_text())
    patches = side // config.vision_config.patch_size
    processor["image_seq_len"] = (patches // config.scale_factor) ** 2
    for name in ("size", "max_image_size"):
        processor["image_processor"][name] = {"longest_edge": side}
    (folder / "processor_config.json").write_text(json.dumps(processor))
    return local.load(str(folder), dtype="float32").pretrained


def random_detector(pretrained: Pretrained) -> TldrDetector:
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
    if args.detector is None:
        detector = random_detector(bundled.load().pretrained)
    else:
        detector = load_trained(args.detector, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        larger = random_detector(for_photographs(Path(folder)))
    for name, scored_by, dense in (
        ("dense", detector, True),
        ("sentences", detector, False),
        ("dense, pictures of 256 positions", larger, True),
    ):
        asked = items(dense=dense)
        scored_by.score(asked[:2])  # the first pass allocates
        together, one = best(lambda: scored_by.score(asked))  # noqa: B023
        apart, other = best(lambda: [scored_by.score([item])[0] for item in asked])  # noqa: B023
        difference = max(float(np.abs(a.bad - b.bad).max()) for a, b in zip(one, other, strict=True))
        tokens = sum(len(scores.bad) for scores in one) / len(asked)
        print(f"{name}: {len(asked)} captions of {PICTURES} pictures, {tokens:.0f} tokens each")
        print(f"  in batches  {len(asked) / together:6.0f} captions a second")
        print(f"  one by one  {len(asked) / apart:6.0f} captions a second")
        print(f"  ratio       {apart / together:6.1f}   largest difference of a score {difference:.1e}")


if __name__ == "__main__":
    main()
