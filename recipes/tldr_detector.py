"""Make the detector of wrong words that ships beside the bundled model.

    python recipes/tldr_detector.py --out detector --work checkpoints/detector

Three steps, each kept under ``--work`` and skipped if it is there: captions that the bundled model and its
earlier self write about scenes they never saw; a data set (``modgap.tldr`` can read it) of true captions,
edited ones, captions that differ from the picture in several ways, and those written captions, all held
against the scene graph; and the training in bfloat16, about half a second of one core a step.

Why captions that differ in several ways: an edit makes one caption in two wrong in one word of fifty, and a
detector learns little from each. A caption of a scene that was changed several times agrees with itself, so
that text alone does not say what is wrong, and has several times as many wrong words.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from bundled_data import TRAIN_BACKGROUNDS, TRAIN_STYLES, world_scene
from safetensors.torch import load_file, save_file

from modgap.doctor.gates import captions_of
from modgap.media import Image
from modgap.models import bundled
from modgap.scenes import Scene, draw_scene, read_json, write_caption, write_json
from modgap.scenes._draws import Draws
from modgap.scenes._edits import in_reading_order
from modgap.tldr import DataConfig, Example, make_examples, natural, perturb, read_examples, write_examples
from modgap.tldr._edit import Piece
from modgap.tldr._network import ALL_PARTS, LoraSettings
from modgap.tldr._sentences import sentences
from modgap.tldr._train import train
from modgap.tldr._train_config import TrainConfig, going_on

PIXELS = 64
"""What the bundled model sees; larger pictures would only be made smaller."""
TYPES = tuple(name for name in perturb.names() if name not in ("small", "text"))
"""The kinds of errors there are in its world, which has no background and no plates."""
CHANGES = (0, 1, 3, 5)
"""How many times a scene is changed before it is told, for each caption of a picture."""
EDITS = (2, 5, 10)
"""How many edits a caption has at most, for each caption of a picture."""
TWIN_SHARES = {
    "counting": 0.35,
    "spatial": 0.2,
    "counterfactual": 0.15,
    "binding": 0.12,
    "attribute": 0.1,
    "object": 0.08,
}
"""Of the twins. Few words of the other captions are counts and relations, and these are learned last."""
SEEDS = {"pictures": 71_000, "written": 72_000, "twins": 73_000, "validation": 74_000, "often": 75_000}
"""Apart from each other, from those of the bundled model, and from those of every evaluation in docs."""


def differing(scene: Scene, rng: np.random.Generator, changes: int) -> Scene:
    """A scene that differs in up to so many ways; each is the twin of an edit."""
    for _ in range(changes):
        perturbation = perturb.load(TYPES[int(rng.integers(len(TYPES)))])
        draws = Draws(rng)
        edit = perturbation.edit(write_caption(scene, rng, "dense", in_order=True), scene, draws)
        twin = None if edit is None else perturbation.twin(scene, edit, draws)
        scene = scene if twin is None else in_reading_order(twin)
    return scene


def picture(scene: Scene, rng: np.random.Generator) -> Image:
    """The scene as the bundled model was shown scenes, drawn large and made smaller."""
    drawn = draw_scene(
        scene,
        pixels=224,
        style=TRAIN_STYLES[rng.integers(len(TRAIN_STYLES))],
        background=TRAIN_BACKGROUNDS[rng.integers(len(TRAIN_BACKGROUNDS))],
    )
    return Image.from_pil(drawn.resize((PIXELS, PIXELS), 1))  # 1: Lanczos, as the processor does it


def about_pictures(n: int) -> Iterator[Example]:
    """For each of ``n`` pictures several captions, from true to wrong in many words."""
    for number in range(n):
        rng = np.random.default_rng([SEEDS["pictures"], number])
        scene = world_scene(rng)
        image = picture(scene, rng)
        for changes in CHANGES:
            text = write_caption(differing(scene, rng, changes), rng, "dense", in_order=True).text
            (example,) = natural([text], [scene])
            name = f"several-{number:06d}"
            yield replace(
                example,
                example_id=f"{name}-{changes}",
                group=name,
                source="several",
                split="train",
                image=image,
            )


def edited_often(n: int) -> Iterator[Example]:
    """For each of ``n`` pictures captions with several edits, each in a sentence of its own.

    They look like the twins and have many times their wrong words, of the types that are learned last most.
    """
    types, shares = list(TWIN_SHARES), list(TWIN_SHARES.values())
    for number in range(n):
        rng = np.random.default_rng([SEEDS["often"], number])
        scene = world_scene(rng)
        image = picture(scene, rng)
        for most in EDITS:
            caption = write_caption(scene, rng, "dense", in_order=True)
            text = caption.text
            whole = sentences(text)
            edited: dict[int, tuple[Piece, ...]] = {}  # by the sentence that it is in
            for type_ in rng.choice(types, p=shares, size=2 * most):
                edit = perturb.load(type_).edit(caption, scene, Draws(rng))
                if edit is not None and len(edited) < most:
                    where = {i for i, (a, b) in enumerate(whole) for p in edit.pieces if a <= p.start < b}
                    if not where & edited.keys():
                        edited |= dict.fromkeys(where, ())
                        edited[min(where)] = edit.pieces
            for piece in sorted((p for pieces in edited.values() for p in pieces), reverse=True):
                text = text[: piece.start] + piece.new + text[piece.end :]
            (example,) = natural([text], [scene])
            name = f"often-{number:06d}"
            yield replace(
                example, example_id=f"{name}-{most}", group=name, source="often", split="train", image=image
            )


def written(folder: Path, n: int) -> Iterator[Example]:
    """Captions that the bundled model and its earlier self wrote, as they are."""
    path = folder / "written.jsonl"
    if not path.exists():
        scenes = [world_scene(np.random.default_rng([SEEDS["written"], i])) for i in range(n)]
        by_model = [captions_of(model, scenes) for model in (bundled.FOLDER, bundled.FOLDER / "early")]
        with path.with_suffix(".partial").open("w") as file:
            for scene, *captions in zip(scenes, *by_model, strict=True):
                file.write(json.dumps({"scene": write_json(scene), "captions": captions}) + "\n")
        path.with_suffix(".partial").rename(path)
    for number, line in enumerate(path.read_text().splitlines()):
        row = json.loads(line)
        scene = read_json(row["scene"])
        image = Image.from_pil(draw_scene(scene, pixels=224))
        name = f"written-{number:06d}"
        # The first third calibrates.
        split = "validation" if number < n // 3 else "train"
        for which, example in enumerate(natural(row["captions"], [scene] * len(row["captions"]))):
            yield replace(
                example, example_id=f"{name}-{which}", group=name, source="written", split=split, image=image
            )


def twins(n: int, validation: int) -> Iterator[Example]:
    """Twins as ``modgap tldr data`` makes them; those for validation have 40 words or more."""
    for number, (kind, share) in enumerate(TWIN_SHARES.items()):
        seed = SEEDS["twins"] + number
        for example in make_examples(DataConfig(round(n * share), seed, (kind,), level="plain")):
            yield replace(
                example,
                example_id=f"{kind}-{example.example_id}",
                group=f"{kind}-{example.group}",
                split="train",
            )
    for example in make_examples(DataConfig(2 * validation, SEEDS["validation"], TYPES, level="plain")):
        if len(example.response.split()) >= 40:
            yield replace(example, split="validation")


def halve(path: Path) -> None:
    """Store a change in half precision, half as large; it is used in float32 all the same."""
    save_file({name: value.half() for name, value in load_file(path).items()}, path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=15_000)
    parser.add_argument("--written", type=int, default=300)
    parser.add_argument("--twins", type=int, default=60_000)
    parser.add_argument("--often", type=int, default=20_000, help="pictures of captions with several edits")
    parser.add_argument("--validation", type=int, default=400)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--model", default="bundled", help="whose eyes: bundled or sibling")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--start", help="detector to go on from")
    parser.add_argument("--reads", default="bidirectional", help="bidirectional, or causal")
    parser.add_argument("--objective", default="token", help="response: the baseline of the paper")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    data = args.work / "data"
    made_of = {name: getattr(args, name) for name in ("pictures", "written", "twins", "validation", "often")}
    if (data / "manifest.json").exists():
        before = json.loads((data / "manifest.json").read_text()).get("arguments", made_of)
        if before != made_of:
            raise SystemExit(f"{data}: made with {before}, not {made_of}; give those, or another --work")
    else:
        examples = [
            *about_pictures(args.pictures),
            *written(args.work, args.written),
            *twins(args.twins, args.validation),
            *edited_often(args.often),
        ]
        print(
            write_examples(examples, data, notes={"seeds": SEEDS, "arguments": made_of}, parquet=True),
            flush=True,
        )
    config = TrainConfig(
        model=args.model,
        objective=args.objective,
        reads=args.reads,
        lora=LoraSettings(rank=16, alpha=32.0, parts=ALL_PARTS),
        steps=args.steps,
        captions=32,
        learning_rate=args.learning_rate,
        bf16=True,
        seed=args.seed,
    )
    if args.start:
        config = going_on(config, args.start)
    train(read_examples(data), config, args.out, say=lambda line: print(line, flush=True))
    halve(args.out / "adapter_model.safetensors")


if __name__ == "__main__":
    main()
