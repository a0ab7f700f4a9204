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
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modgap._errors import FileError, ModelError
from modgap.evaluate import INSTRUCTIONS, Summary, measure, summarize
from modgap.evaluate._probes import fit_probe
from modgap.evaluate._statistics import Interval, paired_bootstrap, wilson
from modgap.media import Text
from modgap.models import Query, Sampling, bundled
from modgap.scenes import COLORS, FILLS, SHAPES, SIZES, Scene
from modgap.tasks.scenes import LEVELS, sample_world

from ._errors_in_captions import caption_errors

TASKS = ("count", "attribute", "existence", "relation", "depth", "distance", "binding")
TUNED = TASKS[:3]
"""The tasks the bundled model was taught on pictures; the others are latent there."""

LEVEL = "plain"
ATTRIBUTES = {"color": COLORS, "shape": SHAPES, "size": SIZES, "fill": FILLS}
SIBLING = "sibling"
PROBE_SCENES = (1500, 300)
"""Scenes to train probes and to choose among them (our choice: about 600 objects in every ninth)."""


@dataclass(frozen=True)
class Gate:
    """One requirement and what was found.

    Args:
        name: what it is about.
        wanted: the requirement, in words.
        found: the figure.
        low: lower end of its 95 % interval.
        high: upper end.
        n: problems, objects or words behind it.
        unit: ``%`` or ``points``.
        passed: whether the requirement is met.
        note: a control, or a choice made on validation data.
    """

    name: str
    wanted: str
    found: float
    low: float
    high: float
    n: int
    unit: str
    passed: bool
    note: str = ""


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
    yield from _probes(folder, n, seed)
    say("captions")
    yield from _captions(folder, n, seed)


def _percent(name: str, wanted: str, k: float, n: int, least: float, note: str = "") -> Gate:
    low, high = wilson(k, n)
    return Gate(name, wanted, 100 * k / n, 100 * low, 100 * high, n, "%", 100 * k / n >= least, note)


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
            yield _percent(f"pictures: {task} (tuned)", "85 % or more", cell.correct, cell.n, 85)


def _latent(summary: Summary) -> Iterator[Gate]:
    for cell in summary.cells:
        task = cell.task.split("/")[1]
        if cell.modality != "image" or task in TUNED:
            continue
        chance = 100 * (cell.chance or 0)
        gate = _percent(f"pictures: {task}", f"above {chance:.0f} %", cell.correct, cell.n, 0)
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
    return _percent(
        "pictures: sibling",
        "95 % or more",
        sum(cell.correct for cell in cells),
        sum(cell.n for cell in cells),
        95,
    )


def _scenes(seed: int, part: int, count: int) -> list[Scene]:
    return [sample_world(np.random.default_rng([seed, part, i]), LEVELS[LEVEL]) for i in range(count)]


def _probes(folder: Path, n: int, seed: int) -> Iterator[Gate]:
    from modgap.models.local._load import LoadOptions, load_pretrained

    from ._states import image_states, word_states

    train, chosen = PROBE_SCENES
    scenes = _scenes(seed, 1, train + chosen + n)
    parts = (slice(0, train), slice(train, train + chosen), slice(train + chosen, None))
    instruction = INSTRUCTIONS["plain"]
    pretrained = load_pretrained(str(folder), LoadOptions(dtype="float32", device="cpu"))
    seen = image_states(pretrained, scenes, instruction)
    for name in ("shape", "color"):
        yield _read_out(seen, scenes, parts, name)
    yield _place(seen, scenes, parts)
    written = word_states(folder / "text_backbone", scenes[: train + chosen], instruction)
    yield _transfers([_transfer(seen, written, scenes, (train, chosen), name) for name in ATTRIBUTES])


def _ninth(scene: Scene, index: int) -> int:
    thing = scene.objects[index]
    return thing.y * 3 // 100 * 3 + thing.x * 3 // 100


def _positions(ninth: int, side: int) -> list[int]:
    """Image positions that a ninth of the picture overlaps, of ``side`` × ``side``."""

    def span(third: int) -> range:
        return range(third * side // 3, -(-(third + 1) * side // 3))

    return [row * side + column for row in span(ninth // 3) for column in span(ninth % 3)]


def _cells(
    seen: np.ndarray, scenes: list[Scene], part: slice, ninth: int, name: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """States over one ninth and what stands there: a value of an attribute, or whether anything does."""
    side = round(seen.shape[1] ** 0.5)
    rows, labels = [], []
    for row, scene in enumerate(scenes[part], start=part.start):
        here = [thing for i, thing in enumerate(scene.objects) if _ninth(scene, i) == ninth]
        if name is None:
            rows.append(row)
            labels.append(int(bool(here)))
        elif here:
            rows.append(row)
            labels.append(ATTRIBUTES[name].index(getattr(here[0], name)))
    states = seen[rows][:, _positions(ninth, side)].reshape(len(rows), -1)
    return states, np.array(labels)


def _best_block(
    seen: np.ndarray, scenes: list[Scene], parts: tuple[slice, slice, slice], name: str | None, classes: int
) -> tuple[int, np.ndarray]:
    """The block whose states a linear probe reads best on validation scenes, and its hits on test scenes."""
    train, validation, test = parts
    best: tuple[float, int, list[np.ndarray]] = (-1.0, 0, [])
    for block in range(len(seen)):
        score, hits = 0.0, []
        for ninth in range(9):
            states = [_cells(seen[block], scenes, part, ninth, name) for part in (train, validation, test)]
            probe = fit_probe(*states[0], classes, states[1])
            score += probe.accuracy(*states[1])
            hits.append(np.stack([probe.scores(states[2][0]).argmax(1), states[2][1]]))
        if score > best[0]:
            best = (score, block, hits)
    return best[1], np.concatenate(best[2], axis=1)


def _read_out(seen: np.ndarray, scenes: list[Scene], parts: tuple[slice, slice, slice], name: str) -> Gate:
    block, found = _best_block(seen[::2], scenes, parts, name, len(ATTRIBUTES[name]))
    right = found[0] == found[1]
    return _percent(
        f"probe: {name}",
        "90 % or more",
        int(right.sum()),
        right.size,
        90,
        f"after block {2 * block}; chance {100 / len(ATTRIBUTES[name]):.0f} %",
    )


def _place(seen: np.ndarray, scenes: list[Scene], parts: tuple[slice, slice, slice]) -> Gate:
    block, found = _best_block(seen[::2], scenes, parts, None, 2)
    right = found[0] == found[1]
    return _percent(
        "probe: place",
        "90 % or more",
        int(right.sum()),
        right.size,
        90,
        f"a ninth is occupied, after block {2 * block}; always no: {100 * (1 - found[1].mean()):.0f} %",
    )


def _transfers(found: Sequence[Gate]) -> Gate:
    """Concepts whose probe, trained on words, reads pictures better than always saying the same."""
    above = [gate for gate in found if gate.passed]
    said = "; ".join(
        f"{gate.name} {gate.found:.1f} % ({gate.low:.1f} to {gate.high:.1f}), {gate.note}" for gate in found
    )
    share = float(len(above))
    return Gate("words → pictures", "two of four", share, share, share, found[0].n, "", share >= 2, said)


def _transfer(
    seen: np.ndarray, written: list[np.ndarray], scenes: list[Scene], sizes: tuple[int, int], name: str
) -> Gate:
    """A probe trained on words of the text backbone, read on pictures; the block is chosen on validation."""
    train, chosen = sizes
    values = ATTRIBUTES[name]
    side = round(seen.shape[2] ** 0.5)
    labels = np.array([values.index(getattr(o, name)) for scene in scenes for o in scene.objects])
    owner = np.array([row for row, scene in enumerate(scenes) for _ in scene.objects])
    places = [_positions(_ninth(scene, i), side) for scene in scenes for i in range(len(scene.objects))]
    split = int((owner < train).sum())
    words = int((owner < train + chosen).sum())
    best: tuple[float, int, np.ndarray, float] = (-1.0, 0, np.empty(0), 0.0)
    rng = np.random.default_rng(0)
    for block in range(len(seen)):
        states = np.stack(
            [seen[block, row, where].mean(axis=0) for row, where in zip(owner, places, strict=True)]
        )
        mean = states[:words].mean(axis=0)
        held = (written[block][split:], labels[split:words])
        probe = fit_probe(written[block][:split], labels[:split], len(values), held)
        score = probe.accuracy(states[split:words], labels[split:words], mean=mean)
        if score > best[0]:
            right = probe.scores(states[words:], mean=mean).argmax(axis=1) == labels[words:]
            shuffled = fit_probe(written[block][:split], rng.permutation(labels[:split]), len(values), held)
            control = shuffled.accuracy(states[words:], labels[words:], mean=mean)
            best = (score, block, right, control)
    _, block, right, control = best
    chance = 100 * max(np.bincount(labels[words:])) / len(labels[words:])
    gate = _percent(
        name,
        f"above {chance:.0f} %",
        int(right.sum()),
        right.size,
        0,
        f"most frequent {chance:.0f} %, shuffled labels {100 * control:.0f} %, after block {block}",
    )
    return Gate(**{**gate.__dict__, "passed": gate.low > chance})


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
    scenes = _scenes(seed, 2, n)
    captions = captions_of(folder, scenes)
    errors = caption_errors(captions, scenes, bundled.HABITS)
    rate, spread = errors.rate
    yield _interval(
        "captions: false words",
        "1 to 15 %",
        rate,
        spread,
        errors.words,
        0.01 <= rate <= 0.15,
        f"{100 * errors.unread:.1f} % of the text is not readable",
    )
    share, spread = errors.explained
    yield _interval(
        "of these, by habit",
        "33 % or more",
        share,
        spread,
        errors.wrong,
        share >= 1 / 3,
        f"{100 * errors.habitual:.0f} % say what is usual in text",
    )


def _interval(
    name: str, wanted: str, share: float, spread: Interval, n: int, passed: bool, note: str
) -> Gate:
    return Gate(name, wanted, 100 * share, 100 * spread.low, 100 * spread.high, n, "%", passed, note)
