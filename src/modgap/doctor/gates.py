"""Whether the bundled model is the instrument it should be: its gates, measured on fresh seeds.

    modgap doctor bundled --gates

The gap between words and pictures must be one of access: the skill is there in words, what is asked about is
there in the states of the picture, and the model does not bring the two together, because it was taught few
pictures. Each gate is one sentence of that, with a control where a number alone would say little. Choices (a
block, a penalty) are made on validation scenes and reported on others.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from modgap._errors import FileError, ModelError
from modgap.evaluate import INSTRUCTIONS, Summary, measure, summarize
from modgap.evaluate._statistics import paired_bootstrap
from modgap.media import Text
from modgap.models import Query, Sampling, bundled
from modgap.scenes import Scene

from ._errors_in_captions import caption_errors
from ._gate import LEVEL, Gate, interval, percent, scenes_of
from ._gate_probes import probes

TASKS = ("count", "attribute", "existence", "relation", "depth", "distance", "binding")
TUNED = TASKS[:3]
"""The tasks the bundled model was taught on pictures; the others are latent there."""
SIBLING = "sibling"


def check_gates(
    folder: Path = bundled.FOLDER,
    *,
    n: int = 500,
    seed: int = 101,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Gate]:
    """Measure every gate; the results come as they are known.

    Args:
        folder: of a model made by ``recipes/bundled_model.py``, with ``text_backbone`` and ``sibling`` in it.
        n: problems of each task, and scenes that are captioned.
        seed: of all problems and scenes.
        say: told what is being measured.

    Raises:
        FileError: if a part of the model is missing.
    """
    for part in (folder, folder / "text_backbone", folder / SIBLING):
        if not (part / "config.json").is_file():
            raise FileError(
                f"{part}: no model here; make it with: python recipes/bundled_model.py --out {folder}"
            )
    with tempfile.TemporaryDirectory() as runs:
        say("questions in words and in pictures")
        yield from _accuracies(folder, n, seed, Path(runs))
        say("the sibling, taught every task on pictures")
        yield _sibling(folder / SIBLING, n, seed, Path(runs))
    say("what can be read from the states of pictures")
    yield from probes(folder, n, seed)
    say("captions")
    yield from _captions(folder, n, seed)


def _accuracies(folder: Path, n: int, seed: int, runs: Path) -> Iterator[Gate]:
    run = measure(
        str(folder), "scenes", n=n, seed=seed, tasks=TASKS, set={"level": LEVEL}, dtype="float32", out=runs
    )
    summary = summarize(run.records(), run.problems(media=False))
    (pooled,) = summary.pooled
    text = 100 * pooled.text_accuracy
    yield Gate(
        "words",
        "95 % or more",
        text,
        100 * pooled.text_low,
        100 * pooled.text_high,
        pooled.n,
        "%",
        text >= 95,
    )
    yield from _tuned(summary)
    yield from _latent(summary)
    yield _oracle(run.rows())


def _tuned(summary: Summary) -> Iterator[Gate]:
    for cell in summary.cells:
        task = cell.task.split("/")[1]
        if cell.modality == "image" and task in TUNED:
            yield percent(f"pictures: {task} (tuned)", "85 % or more", cell.correct, cell.n, 85)


def _latent(summary: Summary) -> Iterator[Gate]:
    for cell in summary.cells:
        task = cell.task.split("/")[1]
        if cell.modality != "image" or task in TUNED:
            continue
        chance = 100 * (cell.chance or 0)
        gate = percent(f"pictures: {task}", f"above {chance:.0f} %", cell.correct, cell.n, 0)
        yield Gate(**{**gate.__dict__, "passed": gate.low > chance})
    for gap in summary.gaps:
        task = gap.task.split("/")[1]
        if task not in TUNED:
            yield Gate(
                f"gap: {task}",
                "10 points or more",
                gap.gap_points,
                gap.low_points,
                gap.high_points,
                gap.n,
                "points",
                gap.gap_points >= 10 and gap.low_points > 0,
                f"in words {100 * gap.text_accuracy:.1f} %",
            )


def _oracle(rows: Iterable[dict[str, object]]) -> Gate:
    """A perfect transcript in place of the picture, against words in all forms, on the same problems."""
    scores: dict[object, dict[str, float]] = {}
    for row in rows:
        if row["modality"] == "text":
            scores.setdefault(row["problem_id"], {})[str(row["representation"])] = float(
                row["outcome"] == "correct"
            )
    differences = np.array([each["list"] - np.mean(list(each.values())) for each in scores.values()])
    low, high = paired_bootstrap(differences, np.random.default_rng(0))
    found = 100 * float(differences.mean())
    return Gate(
        "perfect transcript − words",
        "within 2 points",
        found,
        100 * low,
        100 * high,
        len(differences),
        "points",
        abs(found) <= 2,
    )


def _sibling(folder: Path, n: int, seed: int, runs: Path) -> Gate:
    run = measure(
        str(folder),
        "scenes",
        n=n,
        seed=seed,
        tasks=TASKS,
        representations=("image",),
        set={"level": LEVEL},
        dtype="float32",
        out=runs,
    )
    cells = summarize(run.records(), run.problems(media=False)).cells
    return percent(
        "pictures: sibling",
        "95 % or more",
        sum(cell.correct for cell in cells),
        sum(cell.n for cell in cells),
        95,
    )


def captions_of(folder: Path, scenes: Sequence[Scene]) -> list[str]:
    """Greedy dense captions of scenes drawn as the suite draws them.

    Args:
        folder: of a model made by ``recipes/bundled_model.py``.
        scenes: what is drawn.
    """
    from modgap.models import local

    from ._states import picture_of

    model = local.load(str(folder), dtype="float32", device="cpu")
    sampling = Sampling(max_tokens=220)
    queries = [
        Query((Text(INSTRUCTIONS["plain"]), picture_of(scene), Text(bundled.DESCRIBE)), sampling=sampling)
        for scene in scenes
    ]
    captions = [""] * len(scenes)
    for index, reply in model.reply(queries):
        if reply.text is None:
            raise ModelError(f"{folder}: a caption could not be written: {reply.error}")
        captions[index] = reply.text
    return captions


def _captions(folder: Path, n: int, seed: int) -> Iterator[Gate]:
    scenes = scenes_of(seed, 2, n)
    captions = captions_of(folder, scenes)
    errors = caption_errors(captions, scenes, bundled.HABITS)
    rate, spread = errors.rate
    yield interval(
        "captions: false words",
        "1 to 15 %",
        rate,
        spread,
        errors.words,
        0.01 <= rate <= 0.15,
        f"{100 * errors.unread:.1f} % of the text is not readable",
    )
    share, spread = errors.explained
    yield interval(
        "of these, by habit",
        "33 % or more",
        share,
        spread,
        errors.wrong,
        share >= 1 / 3,
        f"{100 * errors.habitual:.0f} % say what is usual in text",
    )
