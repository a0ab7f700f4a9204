"""How a question is put: one strategy per file, and the file name is the strategy's name."""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

from modgap._errors import UnknownName

from ._interface import Asking as Asking
from ._interface import Context as Context
from ._interface import Strategy as Strategy


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
    return cast(Strategy, importlib.import_module(f"{__name__}.{name}").ask)
