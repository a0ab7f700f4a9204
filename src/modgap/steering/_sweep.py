"""A sweep: every vector at every block, strength and kind of position, on the same questions.

Vectors and their controls are swept alike and in one go, so that whatever is found for a vector can be held
against what the same search finds for a random direction.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modgap._errors import FileError, InputError
from modgap.evaluate._prompts import build_parts
from modgap.media import Text
from modgap.models import Query
from modgap.models.local._model import LocalModel
from modgap.models.local._steer import Change, MaskMaker
from modgap.models.local._vector import SteeringVector
from modgap.tasks import Problem

from ._reading import Patch
from ._replay import replay

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the directions (our choice: the published grid of 0.1 to 1.0 often chose its upper end)."""

_ARRAYS, _FACTS = "sweep.npz", "sweep.json"


@dataclass(frozen=True)
class Cell:
    """One change of a sweep.

    Args:
        vector: name of the vector.
        control: whether it is a control, which no gain is claimed for.
        block, strength, positions: of the change.
    """

    vector: str
    control: bool
    block: int
    strength: float
    positions: str


@dataclass(frozen=True)
class SweepResult:
    """What came out, question by question.

    Args:
        cells: the changes.
        tasks, groups, problem_ids: of every question; questions about one scene share a group.
        base_right: whether the unchanged model is right.
        base_margin: log-probability of the right option less that of the likeliest wrong one, unchanged.
        right, margin: the same under every change.
    """

    cells: tuple[Cell, ...]
    tasks: tuple[str, ...]
    groups: tuple[str, ...]
    problem_ids: tuple[str, ...]
    base_right: Bool[np.ndarray, " question"]
    base_margin: Float[np.ndarray, " question"]
    right: Bool[np.ndarray, "cell question"]
    margin: Float[np.ndarray, "cell question"]

    def save(self, folder: Path) -> None:
        """Write ``sweep.npz`` and ``sweep.json``.

        Raises:
            FileError: they cannot be written.
        """
        about = {
            "cells": [asdict(cell) for cell in self.cells],
            "tasks": self.tasks,
            "groups": self.groups,
            "problem_ids": self.problem_ids,
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _FACTS).write_text(json.dumps(about) + "\n", encoding="utf-8")
            np.savez_compressed(
                folder / _ARRAYS,
                base_right=self.base_right,
                base_margin=self.base_margin.astype(np.float32),
                right=self.right,
                margin=self.margin.astype(np.float32),
            )
        except OSError as error:
            raise FileError(f"{folder}: cannot be written ({error.strerror})") from error

    def of_task(self, task: str) -> SweepResult:
        """The questions of one task."""
        at = np.array([t == task for t in self.tasks])
        kept = np.flatnonzero(at).tolist()
        return SweepResult(
            self.cells,
            tuple(self.tasks[i] for i in kept),
            tuple(self.groups[i] for i in kept),
            tuple(self.problem_ids[i] for i in kept),
            self.base_right[at],
            self.base_margin[at],
            self.right[:, at],
            self.margin[:, at],
        )


def load_sweep(folder: Path) -> SweepResult:
    """Read what :meth:`SweepResult.save` wrote.

    Raises:
        FileError: a file is missing or damaged.
    """
    try:
        about = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        with (folder / _ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ("base_right", "base_margin", "right", "margin")}
        cells = tuple(Cell(**cell) for cell in about["cells"])
        tasks, groups, ids = (tuple(map(str, about[name])) for name in ("tasks", "groups", "problem_ids"))
        result = SweepResult(cells, tasks, groups, ids, **found)
        shape = (len(cells), len(result.tasks))
        if result.right.shape != shape or result.margin.shape != shape or len(result.base_right) != shape[1]:
            raise ValueError(f"arrays of shape {result.right.shape} for {shape}")
    except OSError as error:
        raise FileError(f"{folder}: no sweep ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise FileError(f"{folder}: a damaged sweep ({error})") from error
    return result


def cells_of(
    vectors: Iterable[SteeringVector],
    *,
    blocks: Sequence[int],
    strengths: Sequence[float] = STRENGTHS,
    positions: Sequence[str] = ("image", "text", "both"),
    masks: Mapping[str, MaskMaker] | None = None,
    control: bool = False,
    names: Sequence[str] | None = None,
) -> list[tuple[Cell, Change]]:
    """Every combination.

    Args:
        vectors: what is added.
        blocks, strengths, positions: the axes of the grid.
        masks: what positions that are not in ``POSITIONS`` stand for.
        control: whether these vectors are controls.
        names: of the vectors; by default concept and method.

    Raises:
        InputError: a block that a vector does not have.
    """
    vectors = list(vectors)
    for vector in vectors:
        if wrong := [block for block in blocks if not 0 <= block < len(vector.directions)]:
            raise InputError(
                f"block {wrong[0]} does not exist: the vector {vector.concept} has blocks 0 to "
                f"{len(vector.directions) - 1}"
            )
    called = names or [f"{vector.concept}/{vector.method}" for vector in vectors]
    return [
        (
            Cell(name, control, block, strength, place),
            Change(vector.directions[block], block, strength, (masks or {}).get(place, place)),  # type: ignore[arg-type]
        )
        for name, vector in zip(called, vectors, strict=True)
        for place in positions
        for block in blocks
        for strength in strengths
    ]


def sweep(
    model: LocalModel,
    problems: Sequence[Problem],
    cells: Sequence[tuple[Cell, Change | Patch]],
    *,
    representation: str = "image",
    prompt: str = "",
    tokens: int | None = None,
    listener: Callable[[int], None] | None = None,
) -> SweepResult:
    """Ask every question under every change.

    Args:
        model: a local model that scores options.
        problems: with options; each is shown in one representation.
        cells: from :func:`cells_of`.
        representation: the one that is shown.
        prompt: text put in front of the instruction, for the control that tells a model in words.
        tokens: see :func:`replay`.
        listener: is told how many questions are done.

    Raises:
        InputError: no question, or one without options or without the representation.
    """
    if not problems:
        raise InputError("no question was given to sweep over")
    queries = [query_of(problem, representation, prompt) for problem in problems]
    found = replay(model, queries, [change for _, change in cells], tokens=tokens, listener=listener)
    truth = np.array([problem.options.index(problem.answer) for problem in problems])
    base_right, base_margin = _judge(found.base[None], truth)
    right, margin = _judge(found.changed, truth)
    return SweepResult(
        tuple(cell for cell, _ in cells),
        tuple(problem.task for problem in problems),
        tuple(problem.group or problem.problem_id for problem in problems),
        tuple(problem.problem_id for problem in problems),
        base_right[0],
        base_margin[0],
        right,
        margin,
    )


def query_of(problem: Problem, representation: str, prompt: str = "") -> Query:
    """The question about one representation of a problem.

    Raises:
        InputError: it has no options, or not this representation.
    """
    shown = next((r for r in problem.representations if r.name == representation), None)
    if shown is None or not problem.options or problem.answer not in problem.options:
        raise InputError(
            f"{problem.problem_id}: a sweep needs options with the answer among them, and the "
            f"representation {representation!r}"
        )
    parts = build_parts(problem, shown)
    if prompt:
        parts = (Text(f"{prompt} "), *parts)
    return Query(parts, problem.options, problem_id=problem.problem_id)


def _judge(scores: Float[np.ndarray, "cell question option"], truth: Any) -> tuple[Any, Any]:
    """Whether the right option is the likeliest, and by how much."""
    at = np.arange(len(truth))
    own = scores[:, at, truth]
    others = scores.copy()
    others[:, at, truth] = -np.inf
    rival = others.max(axis=2)
    return own > rival, own - rival
