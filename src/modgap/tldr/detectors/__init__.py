"""Detectors that need no training of the model, one file each; the file name is the name of the detector.

A file defines ``load(model) -> Detector`` for a :class:`modgap.models.local._model.LocalModel`. A detector
that was trained is a folder, and is loaded by :func:`modgap.tldr.load_detector`, which knows these names too.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from modgap._errors import UnknownName
from modgap.tldr._scores import Detector

if TYPE_CHECKING:
    from modgap.models.local._model import LocalModel


class _File(Protocol):
    def load(self, model: LocalModel) -> Detector: ...


@cache
def names() -> tuple[str, ...]:
    """All names in alphabetical order; nothing is imported."""
    here = [str(Path(__file__).parent)]
    return tuple(sorted(m.name for m in pkgutil.iter_modules(here) if not m.name.startswith("_")))


def load(name: str, model: LocalModel) -> Detector:
    """The detector of that name on a model.

    Raises:
        UnknownName: if there is none.
    """
    if name not in names():
        raise UnknownName("detector", name, names())
    file = cast(_File, importlib.import_module(f"modgap.tldr.detectors.{name}"))
    return file.load(model)
