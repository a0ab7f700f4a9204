"""CV-Bench: counting and relations in plane pictures, depth and distance in space; 2,638 questions.

Columns ``idx, type, task, image, question, choices, answer, source`` of ``nyu-visionx/CV-Bench`` in
``test_2d.parquet`` and ``test_3d.parquet``, as public loaders of it use them (MTEB, VLMEvalKit); an answer is
a letter in brackets. Some pictures are asked about more than once and are one group.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modgap.tasks._problem import Problem, Representation

from . import _common

_COLUMNS = ("idx", "task", "image", "question", "choices", "answer")


def files(folder: Path) -> list[Path]:
    """Its parquet files."""
    return _common.found(folder, "**/*.parquet", "test_2d.parquet and test_3d.parquet")


def read(folder: Path, dials: Any = None) -> Iterator[Problem]:
    """Its questions: tasks ``cv_bench/count``, ``relation``, ``depth`` and ``distance``."""
    for path in files(folder):
        for where, number, row in _common.rows(path, _COLUMNS):
            choices = _common.texts(row["choices"], where)
            image = _common.picture(row["image"], path.parent, where)
            yield _common.problem(
                {
                    # 2D and 3D are numbered on their own in older copies.
                    "problem_id": f"{row.get('type') or path.stem}-{row['idx']}",
                    "task": f"cv_bench/{str(row['task']).lower()}",
                    "question": row["question"],
                    "options": list(choices),
                    "answer": _common.lettered(row["answer"], choices, where),
                    "group": image.sha256[:16],
                    "difficulty": {"source": str(row["source"])} if row.get("source") else {},
                    "instruction": "Look at the picture and answer the question.",
                },
                [Representation("image", "image", (image,))],
                where,
                number,
                "cv_bench",
            )
