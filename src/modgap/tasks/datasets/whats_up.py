"""What'sUp, controlled pictures A and B: which of four captions says where one thing is to another.

``controlled_images_dataset.json`` (A) and ``controlled_clevr_dataset.json`` (B) are lists of ``image_path``
and ``caption_options``, the first of which is right, as ``dataset_zoo/aro_datasets.py`` of
``amitakamath/whatsup_vlms`` reads them. Pictures are looked for by the path given and by its last two parts.

The right caption is always first there, so captions are rotated by the number of the item. Options and answer
are rotated together, and an answer is the caption itself: a reply by letter and one in words mean the same.
Pictures of the same two things are one group, as in the published accuracies of pairs and sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from os.path import isfile
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from modgap._errors import FileError
from modgap.media import Image
from modgap.tasks._media_files import cut
from modgap.tasks._problem import Problem, Representation

from . import _common

_SETS = {"controlled_images_dataset.json": "a", "controlled_clevr_dataset.json": "b"}


class _Item(msgspec.Struct):
    image_path: str
    caption_options: list[str]


def files(folder: Path) -> list[Path]:
    """Those of its two lists that are there."""
    expected = " or ".join(_SETS)
    listed = [path for path in _common.found(folder, "**/*.json", expected) if path.name in _SETS]
    if not listed:
        raise FileError(f"{folder}: holds no list of the set; expected {expected}")
    return listed


def read(folder: Path, dials: Any = None) -> Iterator[Problem]:
    """Its pictures: tasks ``whats_up/a`` and ``whats_up/b``."""
    for path in files(folder):
        short = _SETS[path.name]
        for number, item in enumerate(_common.read_json(path, list[_Item], "image_path and caption_options")):
            where = f"{path}, item {number}"
            captions = _common.texts(item.caption_options, where)
            if len(captions) < 2:
                raise FileError(f"{where}: {len(captions)} captions; expected the right one and others")
            turn = number % len(captions)
            things = PurePosixPath(item.image_path).stem.split("_")
            yield _common.problem(
                {
                    "problem_id": f"{short}-{number:04d}",
                    "task": f"whats_up/{short}",
                    "question": "Which caption describes the picture?",
                    "options": [*captions[turn:], *captions[:turn]],
                    "answer": captions[0],
                    "group": f"{short}-{things[0]}-{things[-1]}",
                    "difficulty": {"relation": things[1]} if len(things) > 1 else {},
                    "instruction": "Look at the picture and answer the question.",
                },
                [Representation("image", "image", (_picture(item.image_path, path.parent, where),))],
                where,
                number + 1,
                "whats_up",
            )


def _picture(given: str, folder: Path, where: str) -> Image:
    """The list has paths from where its authors ran it: ``data/controlled_images/x.jpeg``."""
    short = "/".join(PurePosixPath(given).parts[-2:])
    for name in (given, short):
        if not name.startswith("/") and ".." not in name and _is_file(folder / name):
            return _common.picture(name, folder, where)
    raise FileError(f"{where}: picture {cut(given)} is not there; expected {cut(short)} in {folder}")


def _is_file(path: Path) -> bool:
    return isfile(path)  # noqa: PTH113  # Path.is_file raises at names that are too long
