"""CLEVR, the questions that count: "How many ... are there?" with a number from 0 to 10.

``questions/CLEVR_val_questions.json`` with ``questions``: ``image_filename``, ``split``, ``question``,
``answer`` and ``program``, beside the pictures in ``images/val``, as the first release has them and
``question_generation/generate_questions.py`` of ``facebookresearch/clevr-dataset-gen`` writes them. A
question counts if the last step of its program is ``count``. The test split has no answers and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from modgap._errors import FileError
from modgap.tasks._media_files import media_part
from modgap.tasks._problem import Problem, Representation

from . import _common

_EXPECTED = "questions/CLEVR_val_questions.json beside images/val"


class _Step(msgspec.Struct):
    function: str | None = None
    type: str | None = None  # its name in the first release


class _Question(msgspec.Struct):
    question: str
    image_filename: str
    split: str = "val"
    answer: str | int | None = None
    program: list[_Step] = []


class _File(msgspec.Struct):
    questions: list[_Question]


def files(folder: Path) -> list[Path]:
    """Its files of questions."""
    return _common.found(folder, "**/*questions.json", _EXPECTED)


def read(folder: Path, dials: Any = None) -> Iterator[Problem]:
    """Its questions that count: task ``clevr/count``.

    Raises:
        FileError: if a file is not of the set, has no answers, or a picture is missing.
    """
    for path in files(folder):
        root = path.parent.parent if path.parent.name == "questions" else path.parent
        for number, one in enumerate(
            _common.read_json(path, _File, f"the questions of CLEVR, {_EXPECTED}").questions
        ):
            where = f"{path}, question {number}"
            if one.answer is None or not one.program:
                raise FileError(
                    f"{where}: has no answer or program, as in the test split; expected train or val"
                )
            if "count" not in (one.program[-1].function, one.program[-1].type):
                continue
            counted = str(one.answer)
            image = media_part(f"images/{one.split}/{one.image_filename}", "image", root, where)
            yield _common.problem(
                {
                    "problem_id": f"{one.split}-{number:06d}",
                    "task": "clevr/count",
                    "question": one.question,
                    "answer": counted,
                    "answer_kind": "integer",
                    "group": f"{one.split}-{one.image_filename}",
                    "difficulty": {
                        "count": int(counted) if counted.isdecimal() and len(counted) < 3 else -1,
                        "steps": len(one.program),
                    },
                    "instruction": "Look at the picture and answer the question.",
                },
                [Representation("image", "image", (image,))],
                where,
                number + 1,
                "clevr",
            )
