"""Look at the models on the way from stage C to D: six grades of one model, on the same 500 scenes.

    python recipes/bundled_graded.py --folder checkpoints/bundled --model src/modgap/models/weights/bundled

Writes, for each grade, its dense captions and its answers (``recipes/graded/NAME.jsonl.gz``, one line a
scene) and its accuracies and exact rate of false words (``recipes/graded/summary.json``). The weights
are not kept: captions and answers are what a law about graded models is tested on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

import modgap
from modgap.doctor._errors_in_captions import caption_errors
from modgap.doctor._gate import LEVEL
from modgap.doctor.gates import TASKS, captions_of
from modgap.models.bundled import HABITS
from modgap.scenes import Scene, write_json
from modgap.tasks.scenes import LEVELS, sample_world

SEED = 500
"""Of the scenes and problems; nothing is trained on them."""


def fixed_scenes(n: int) -> list[Scene]:
    """The scenes every grade describes."""
    return [sample_world(np.random.default_rng([SEED, i]), LEVELS[LEVEL]) for i in range(n)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("checkpoints/bundled"))
    parser.add_argument("--model", type=Path, default=Path("src/modgap/models/weights/bundled"))
    parser.add_argument("--out", type=Path, default=Path("recipes/graded"))
    parser.add_argument("-n", type=int, default=500)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    scenes = fixed_scenes(args.n)
    summary = {}
    for path in sorted((args.folder / "graded").glob("*.safetensors")):
        with tempfile.TemporaryDirectory() as folder:
            for file in args.model.glob("*.json*"):
                shutil.copy(file, folder)
            shutil.copy(args.model / "chat_template.jinja", folder)
            model = AutoModelForImageTextToText.from_pretrained(args.model)
            model.load_state_dict(load_file(path))
            model.save_pretrained(folder)
            captions = captions_of(Path(folder), scenes)
            run = modgap.measure(
                folder,
                "scenes",
                n=args.n,
                seed=SEED,
                tasks=TASKS,
                representations=("image",),
                set={"level": LEVEL},
                dtype="float32",
                out=Path(folder) / "runs",
            )
            rows = run.rows()
        errors = caption_errors(captions, scenes, HABITS)
        summary[path.stem] = {
            "false_word_rate": errors.rate[0],
            "false_word_rate_interval": list(errors.rate[1]),
            "explained_by_habits": errors.explained[0],
            "unread": errors.unread,
            **{
                f"accuracy/{task}": float(
                    np.mean([row["outcome"] == "correct" for row in rows if row["task"] == f"scenes/{task}"])
                )
                for task in TASKS
            },
        }
        with gzip.open(args.out / f"{path.stem}.jsonl.gz", "wt") as file:
            for index, (scene, caption) in enumerate(zip(scenes, captions, strict=True)):
                answers = {
                    row["task"]: row["answer"]
                    for row in rows
                    if row["problem_id"].startswith(f"{row['task']}-{SEED}-{index:06d}")
                }
                line = {"scene": json.loads(write_json(scene)), "caption": caption, "answers": answers}
                file.write(json.dumps(line) + "\n")
        print(path.stem, summary[path.stem], flush=True)
    (args.out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
