"""How a question is put: one strategy per file, and the file name is the strategy's name."""

from __future__ import annotations

import importlib
import pkgutil

from modgap._errors import UnknownName
from modgap.tasks import Problem, Representation

from ._interface import Ask as Ask
from ._interface import Asking as Asking
from ._interface import Context as Context
from ._interface import Strategy as Strategy
from ._interface import Transcribed as Transcribed

VERSION = 1
"""Raised whenever a strategy other than ``direct`` puts a question differently: it is part of the keys."""

CONTROLS = ("blank_image", "oracle_transcript", "swapped_image", "transcript_only")
"""Strategies that no one would use to get an answer: they say what another one's result is due to."""


def names() -> tuple[str, ...]:
    """Names of all strategies, in alphabetical order; nothing is imported."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def load(name: str) -> Strategy:
    """The strategy of that name.

    Raises:
        UnknownName: if there is none.
    """
    if name not in names():
        raise UnknownName("strategy", name, names())
    module = importlib.import_module(f"{__name__}.{name}")
    return Strategy(
        name,
        module.ask,
        getattr(module, "applies", _always),
        getattr(module, "NEEDS_TEXT", False),
        getattr(module, "NEEDS_OTHER", False),
    )


def _always(problem: Problem, representation: Representation) -> bool:
    return True
