"""Extraction, sweep with controls and a held-out test in one go, for ``modgap steer sweep`` and ``demo``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modgap._errors import InputError
from modgap.evaluate._statistics import paired_bootstrap
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change
from modgap.models.local._vector import SteeringVector
from modgap.tasks import Problem, load_suite

from ._back_patch import BackPatched, back_patch
from ._concepts import load_concept
from ._extract import extract, random_like
from ._first_order import rank_agreement, screen, slopes
from ._harm import Harm, harm
from ._plot import draw_curves, draw_sweep
from ._published import PUBLISHED, published_text
from ._reading import Patch
from ._select import Finding, find, max_t
from ._sweep import STRENGTHS, Cell, SweepResult, cells_of, sweep
from ._text_states import text_model

CONCEPTS = ("spatial", "counting", "attribute", "entity")
TASKS = ("count", "relation", "distance", "depth")
ELSEWHERE: dict[str, str | int] = {"style": "mixed", "background": "mixed", "level": "medium"}
"""Dials of pictures that are drawn otherwise: other styles and backgrounds, plates, more in the picture."""


@dataclass(frozen=True)
class Elsewhere:
    """A chosen cell on pictures that are drawn otherwise.

    Args:
        task, vector, positions: what was chosen.
        cell: block and strength.
        n: questions.
        base: accuracy unchanged, 0 to 1.
        gain_points, interval: in percentage points.
        control_points: of the best control cell, chosen on the same questions as this one.
    """

    task: str
    vector: str
    positions: str
    cell: tuple[int, float]
    n: int
    base: float
    gain_points: float
    interval: tuple[float, float]
    control_points: float


@dataclass(frozen=True)
class Study:
    """Everything that a study found.

    Args:
        result: the sweep.
        findings: one for each task, vector and kind of position.
        elsewhere: the best finding of each task, on pictures drawn otherwise; only of the suite ``scenes``.
        any_effect: task → smallest p-value of any cell on the margins, adjusted over the whole grid, for
            vectors and for controls.
        prompt_points: task → gain of the words in the prompt instead, in percentage points.
        back_patched: one for each task, if image positions were swept: late states in earlier blocks instead.
        harm: one for each task, of its best finding: what the cell does to the other tasks and to text.
        screening: Spearman's correlation of first-order effects with the exact ones, over the cells that were
            swept; ``None`` if nothing was screened.
    """

    result: SweepResult
    findings: tuple[Finding, ...]
    elsewhere: tuple[Elsewhere, ...]
    any_effect: dict[str, tuple[float, float]]
    prompt_points: dict[str, float]
    back_patched: tuple[BackPatched, ...]
    harm: tuple[Harm, ...] = ()
    screening: float | None = None

    def save(self, folder: Path) -> None:
        """Write the sweep, ``findings.json``, ``sweep.png`` and ``curves.png``."""
        self.result.save(folder)
        about: dict[str, Any] = {
            "findings": [one.as_json() for one in self.findings],
            "elsewhere": [asdict(one) for one in self.elsewhere],
            "smallest_p_any_cell": self.any_effect,
            "prompt_points": self.prompt_points,
            "back_patched": [asdict(one) for one in self.back_patched],
            "harm": [asdict(one) for one in self.harm],
            "screening_spearman": self.screening,
        }
        (folder / "findings.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        draw_sweep(self.result, folder / "sweep.png")
        draw_curves(self.result, folder / "curves.png")


def study(
    model: LocalModel,
    backbone: str,
    *,
    concepts: Sequence[str] = CONCEPTS,
    vectors: Sequence[SteeringVector] = (),
    suite: str = "scenes",
    tasks: Sequence[str] | None = None,
    method: str = "meanshift",
    n: int = 60,
    level: str = "plain",
    blocks: Sequence[int] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    positions: Sequence[str] = ("image", "text", "both"),
    keep: int | None = None,
    seed: int = 0,
    listener: Callable[[str], None] | None = None,
) -> Study:
    """Extract, sweep, choose on some scenes and count on others.

    Args:
        model: the multimodal model.
        backbone: the text-only model; a name that :func:`text_model` takes.
        concepts: names for :func:`load_concept`; of the first of them the controls are made.
        vectors: further vectors, from files say.
        suite: what :func:`modgap.tasks.load_suite` takes; its problems need pictures and options.
        tasks: of the suite; by default ``TASKS`` of ``scenes``, and all of another.
        method: of extraction.
        n: questions of each task.
        level: of the scenes; another suite has none.
        blocks, strengths, positions: the grid; ``published`` stands for :func:`published_text`.
        keep: sweep only so many cells of each vector and kind of positions, those that first-order effects on
            other scenes rank first for some task; by default all.
        seed: of everything.
        listener: told what is going on.

    Raises:
        InputError: nothing to sweep.
    """
    say = listener or (lambda text: None)
    read = text_model(backbone)
    loaded = [load_concept(name) for name in concepts]
    say("vectors from text")
    own = [
        extract(read, c, method, against=[o for o in loaded if o is not c], seed=seed) for c in loaded
    ] + list(vectors)
    if not own:
        raise InputError("no concept and no vector was given to sweep")
    controls = _controls(own, loaded, read, method, seed)
    at = list(range(len(model.pretrained.anatomy.blocks)) if blocks is None else blocks)
    masks = {PUBLISHED: published_text(model)} if PUBLISHED in positions else {}
    grid = {"blocks": at, "strengths": strengths, "positions": positions, "masks": masks}
    cells = cells_of(own, names=_told_apart(own), **grid)  # type: ignore[arg-type]
    cells += cells_of(
        controls.values(),
        control=True,
        names=list(controls),
        **grid,  # type: ignore[arg-type]
    )
    problems = _asked(suite, tasks, n, seed, level)
    expected = None
    if keep is not None:
        say(f"first-order effects of {len(cells):,} changes, on other scenes")
        kept = set()
        others = _asked(suite, tasks, n, seed, level, others=True)
        for task in dict.fromkeys(problem.task for problem in others):
            of_task = [problem for problem in others if problem.task == task]
            kept |= {cell for cell, _ in screen(slopes(model, of_task, positions=positions), cells, keep)}
        cells = [entry for entry in cells if entry[0] in kept]
        expected = slopes(model, problems, positions=positions)
    say(f"{len(cells):,} changes on {len(problems):,} questions")
    result = sweep(model, problems, cells, listener=lambda done: say(f"{done} of {len(problems)} questions"))
    findings = find(result, seed=seed)
    say("other pictures, other tasks, text")
    elsewhere, harmed = [], []
    for task in dict.fromkeys(result.tasks):
        best = max((one for one in findings if one.task == task), key=lambda one: one.beyond_points)
        number, control = _best_cells(result.of_task(task), best)
        harmed.append(harm(model, result, task, number, cells[number][1], seed))
        if suite == "scenes":
            elsewhere.append(_elsewhere(model, best, [cells[number], cells[control]], n, seed))
    words = {c.name: sorted({anchor for anchor, _ in c.sentences}) for c in loaded}
    return Study(
        result,
        tuple(findings),
        tuple(elsewhere),
        _any_effect(result, seed),
        _prompted(model, problems, result, words) if words else {},
        tuple(back_patch(model, problems, blocks=at, seed=seed))
        if "image" in positions and len(at) > 1
        else (),
        tuple(harmed),
        None if expected is None else rank_agreement(expected, result, cells),
    )


def _told_apart(vectors: Sequence[SteeringVector]) -> list[str]:
    """Concept and method of each vector, numbered where two have the same."""
    names: list[str] = []
    for vector in vectors:
        name = f"{vector.concept}/{vector.method}"
        again = sum(other.partition(" (")[0] == name for other in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return names


def problems_of(tasks: Sequence[str], n: int, seed: int, **dials: Any) -> list[Problem]:
    """Questions of the suite ``scenes``, in pictures."""
    suite = load_suite("scenes", tasks=tuple(tasks), **dials)
    return list(suite.problems(n, seed, ("image",)))


def _asked(
    suite: str, tasks: Sequence[str] | None, n: int, seed: int, level: str, *, others: bool = False
) -> list[Problem]:
    """The questions of a sweep, or as many others."""
    if suite == "scenes":
        return problems_of(tasks or TASKS, n, seed + 500 * others, level=level)
    drawn = load_suite(suite, tasks=tasks).problems(n, seed, ("image",), offset=n * others)
    found = [problem for problem in drawn if problem.answer in problem.options]
    if not found:
        more = f" after the first {n} of each task; a screened sweep needs twice as many" if others else ""
        raise InputError(f"{suite}: no question with a picture and options{more}")
    return found


def _controls(
    own: Sequence[SteeringVector], concepts: Sequence[Any], read: Any, method: str, seed: int
) -> dict[str, SteeringVector]:
    found = {
        "random 1": random_like(own[0], seed + 1),
        "random 2": random_like(own[-1], seed + 2),
        "opposite sign": SteeringVector(own[0].concept, "opposite", -own[0].directions, {}),
    }
    if concepts:
        among = "meanshift" if method in ("others", "matched") else method
        found["shuffled anchors"] = extract(read, concepts[0], among, seed=seed, shuffled=True)
    return found


def _best_cells(part: SweepResult, best: Finding) -> tuple[int, int]:
    """The best cell of a finding's vector and positions, and that of the controls, on all its questions."""

    def first(chosen: Callable[[Cell], bool]) -> int:
        return max(
            (i for i, cell in enumerate(part.cells) if cell.positions == best.positions and chosen(cell)),
            key=lambda i: (part.right[i].mean(), part.margin[i].mean()),
        )

    return first(lambda cell: cell.vector == best.vector), first(lambda cell: cell.control)


def _elsewhere(
    model: LocalModel, best: Finding, cells: Sequence[tuple[Cell, Change | Patch]], n: int, seed: int
) -> Elsewhere:
    """Two cells, a vector's and a control's, on other pictures."""
    problems = problems_of((best.task.rpartition("/")[2],), n, seed + 1000, **ELSEWHERE)
    there = sweep(model, problems, cells)
    gain = there.right.astype(float) - there.base_right
    low, high = paired_bootstrap(gain[0], np.random.default_rng(seed), there.groups)
    cell = cells[0][0]
    return Elsewhere(
        best.task,
        best.vector,
        best.positions,
        (cell.block, cell.strength),
        len(problems),
        float(there.base_right.mean()),
        100 * float(gain[0].mean()),
        (100 * low, 100 * high),
        100 * float(gain[1].mean()),
    )


def _any_effect(result: SweepResult, seed: int) -> dict[str, tuple[float, float]]:
    found = {}
    control = np.array([cell.control for cell in result.cells])
    for task in dict.fromkeys(result.tasks):
        part = result.of_task(task)
        p = max_t(part.margin - part.base_margin, part.groups, seed)
        found[task] = (float(p[~control].min()), float(p[control].min()))
    return found


def _prompted(
    model: LocalModel, problems: Sequence[Problem], result: SweepResult, words: dict[str, list[str]]
) -> dict[str, float]:
    """The rival that costs nothing: the anchor words of every concept, in front of the instruction."""
    gains: dict[str, list[float]] = {}
    for anchors in words.values():
        told = sweep(model, problems, [], prompt=f"Think of these words: {', '.join(anchors)}.")
        for task in dict.fromkeys(result.tasks):
            at = np.array([t == task for t in result.tasks])
            gains.setdefault(task, []).append(
                100 * float(told.base_right[at].mean() - result.base_right[at].mean())
            )
    return {task: max(values) for task, values in gains.items()}
