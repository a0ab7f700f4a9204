"""BLINK: fourteen kinds of questions that people answer at a glance, with one to four pictures each.

Columns ``idx, question, choices, answer, prompt, image_1 … image_4`` of ``BLINK-Benchmark/BLINK``, a folder
for each kind, as ``eval/test_benchmark.py`` of ``zeyofu/BLINK_Benchmark`` uses them. An answer is a letter in
brackets, and ``hidden`` in the test split, which is left out. What is asked is the published prompt without
the choices at its end, for the question alone does not say what is marked in the pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modgap._errors import FileError
from modgap.tasks._problem import Problem, Representation

from . import _common

_COLUMNS = ("idx", "question", "choices", "answer", "image_1")
_PICTURES = ("image_1", "image_2", "image_3", "image_4")
_CHOICES = re.compile(r"\s*Select from the following (?:choices|options)\b.*", re.S | re.I)


def files(folder: Path) -> list[Path]:
    """Its parquet files."""
    return _common.found(folder, "**/*.parquet", "such as Counting/val-00000-of-00001.parquet")


def read(folder: Path, dials: Any = None) -> Iterator[Problem]:
    """Its questions with a known answer: tasks such as ``blink/counting``.

    Raises:
        FileError: if a file is not of the set, or no answer is known.
    """
    known = False
    for path in files(folder):
        for where, number, row in _common.rows(path, _COLUMNS):
            if "hidden" in str(row["answer"]):
                continue
            known = True
            yield _problem(row, path, where, number)
    if not known:
        raise FileError(
            f"{folder}: every answer is hidden, as in the test split; expected files of split val"
        )


def _problem(row: dict[str, Any], path: Path, where: str, number: int) -> Problem:
    choices = _common.texts(row["choices"], where)
    asked = _CHOICES.sub("", str(row.get("prompt") or "")).strip() or row["question"]
    pictures = tuple(
        _common.picture(row[name], path.parent, where) for name in _PICTURES if row.get(name) is not None
    )
    kind = str(row.get("sub_task") or path.parent.name).lower().replace(" ", "_")
    return _common.problem(
        {
            "problem_id": str(row["idx"]),
            "task": f"blink/{kind}",
            "question": asked,
            "options": list(choices),
            "answer": _common.lettered(row["answer"], choices, where),
            "difficulty": {"pictures": len(pictures)},
            "instruction": "Look at the pictures and answer the question."
            if len(pictures) > 1
            else "Look at the picture and answer the question.",
        },
        [Representation("image", "image", pictures)],
        where,
        number,
        "blink",
    )
