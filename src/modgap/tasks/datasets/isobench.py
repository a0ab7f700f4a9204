"""IsoBench as published: ten tasks, each problem in text and as a picture, with labels that are checked.

Columns of ``isobench/IsoBench``, a folder for each of its ten configurations, as its card lists them
(``xlim`` is accepted for ``domain``). Texts are shown as published; graphs, published as a matrix only, also
as LaTeX and as a story. A row is a problem of the task of the same name here, so its replies are read alike.

Every label is checked by the solvers of these tasks, and ``difficulty["gold"]`` says how that ended:
``confirmed``, ``unchecked`` (no exact solver decides, as for science and for most games that were resigned)
or ``corrected``: then the answer is ours, and ``difficulty["published"]`` is theirs. A problem with more than
one right label is left out. ``gold="published"`` keeps all problems and labels as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modgap._errors import FileError
from modgap.media import Text
from modgap.tasks._problem import Problem, Representation
from modgap.tasks._settings import setting
from modgap.tasks.isobench._common import INSTRUCTION

from . import _common, _formulas
from ._isobench_rows import ITEMS, Item


@dataclass(frozen=True)
class Dials:
    """Which labels are right."""

    gold: str = setting(
        "checked", "labels checked by exact solvers, or as published", one_of=("checked", "published")
    )


def files(folder: Path) -> list[Path]:
    """Its parquet files, those of each configuration together."""
    every = _common.found(folder, "**/*.parquet", "such as math_parity/validation-00000-of-00001.parquet")
    known = [path for path in every if _config(path)]
    if not known:
        raise FileError(
            f"{folder}: no folder or file is named after a configuration; expected {', '.join(ITEMS)}"
        )
    return known


def _config(path: Path) -> str | None:
    return next((name for name in ITEMS if path.parent.name == name or path.name.startswith(name)), None)


def read(folder: Path, dials: Dials) -> Iterator[Problem]:
    """Its problems.

    Args:
        folder: of all configurations, or of one, or a file named after one.
        dials: which labels are right.

    Raises:
        FileError: at the first row that is not as published.
        MissingExtra: if pyarrow is not installed.
    """
    for path in files(folder):
        config = _config(path) or ""
        short, columns, item_of = ITEMS[config]
        for where, number, row in _common.rows(path, ("image", "label", "id", *columns)):
            try:
                item = item_of(row)
            except (TypeError, ValueError, KeyError, OverflowError) as error:
                raise FileError(f"{where}: {error}; expected a row of {config} as published") from error
            kept = _problem(item, short, row, path, where, number, dials)
            if kept is not None:
                yield kept


def _problem(
    item: Item, short: str, row: dict[str, Any], path: Path, where: str, number: int, dials: Dials
) -> Problem | None:
    answer, difficulty = item.label, {}
    if dials.gold == "checked":
        if item.solved == _formulas.DEGENERATE:
            return None
        answer = item.solved or item.label
        state = "unchecked" if item.solved is None else "confirmed" if answer == item.label else "corrected"
        difficulty = {"gold": state} | ({"published": item.label} if state == "corrected" else {})
    shown = [Representation(name, "text", (Text(text),)) for name, text in item.texts.items() if text.strip()]
    shown.append(Representation("image", "image", (_common.picture(row["image"], path.parent, where),)))
    fields = {
        "problem_id": f"{short}-{row['id']}",
        "task": f"isobench/{short}",
        "question": item.question,
        "answer": answer,
        "options": list(item.options) or None,
        "answer_kind": item.kind,
        "group": item.group or f"{short}-{row['id']}",
        "difficulty": difficulty,
        "instruction": INSTRUCTION,
    }
    return _common.problem(fields, shown, where, number, "isobench")
