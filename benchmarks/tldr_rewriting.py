"""What rewriting a caption while it is written does to its exact errors, against correcting it afterwards.

    python benchmarks/tldr_rewriting.py [--detector sibling] [--writing sibling-causal] [--scenes 100]

The bundled model captions rendered scenes: greedily; greedily, then corrected (flagged words decoded again,
as by ``modgap tldr correct``); and with every flagged word taken back at once (``modgap tldr detect --stream
PICTURE --writer bundled --on-flag rewrite``). False words are counted against the scene graph. Differences to
the greedy captions are paired, scenes drawn again.
"""

from __future__ import annotations

import argparse

import numpy as np

from modgap.evaluate._statistics import percentile_interval, resample_totals
from modgap.models import load_model
from modgap.models.local._model import LocalModel
from modgap.scenes import read_caption
from modgap.tldr import Example, Item, load_detector
from modgap.tldr._correct import correct
from modgap.tldr._correct_redecode import Redecoder
from modgap.tldr._detector import TldrDetector
from modgap.tldr._rates_captions import captions_of_scenes
from modgap.tldr._write import write
from modgap.tldr.annotate._words import words


def counts(example: Example, text: str) -> list[float]:
    """False words, words that state something, all words, unread characters, all characters, 1."""
    if example.scene is None:
        raise ValueError(f"{example.example_id} has no scene")
    reading = read_caption(text, example.scene)
    unread = sum(end - start for start, end in reading.unread)
    false = sum(not word.holds for word in reading.words)
    return [false, len(reading.words), len(words(text)), unread, len(text), 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--detector", default="sibling", help="that corrects afterwards")
    parser.add_argument("--writing", default="sibling-causal", help="that judges while writing; causal")
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--threshold", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=60)
    args = parser.parse_args()
    detector, writing, model = (
        load_detector(args.detector),
        load_detector(args.writing),
        load_model("bundled"),
    )
    if not isinstance(writing, TldrDetector) or not isinstance(model, LocalModel):
        raise SystemExit("--writing takes a trained detector")
    greedy = captions_of_scenes(model, args.scenes, args.seed)
    corrected = correct(detector, Redecoder(model), greedy, "flags", threshold=args.threshold)
    rewritten, back = [], 0
    for example in greedy:
        item = Item(example.image, "", example.prompt)
        events = list(write(writing, model, item, threshold=args.threshold))
        rewritten.append(events[-1].text)
        back += sum(event.kind == "back" for event in events)
    for name, texts in (
        ("greedy", [example.response for example in greedy]),
        ("corrected afterwards", [one.after for one in corrected]),
        ("rewritten while written", rewritten),
    ):
        report(name, greedy, texts)
    print(f"{back} words taken back in {args.scenes} captions; threshold {args.threshold}, seed {args.seed}")


def report(name: str, greedy: list[Example], texts: list[str]) -> None:
    """Print false words of 100, their change, length, and what cannot be read."""
    now = np.array([counts(example, text) for example, text in zip(greedy, texts, strict=True)])
    base = np.array([counts(example, example.response) for example in greedy])
    drawn = resample_totals(np.hstack([now, base]), np.random.default_rng(0), 2000)
    change = 100 * (drawn[:, 0] / drawn[:, 1] - drawn[:, 6] / drawn[:, 7])
    low, high = percentile_interval(change)
    total, old = now.sum(axis=0), base.sum(axis=0)
    value = 100 * (total[0] / total[1] - old[0] / old[1])
    print(
        f"{name:24} false of 100 {100 * total[0] / total[1]:5.2f}  "
        f"change {value:+.2f} ({low:+.2f} to {high:+.2f})  "
        f"words {total[2] / total[5]:.1f}  unread {100 * total[3] / total[4]:.1f} %"
    )


if __name__ == "__main__":
    main()
