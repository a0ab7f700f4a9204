"""Measure, locate and close the modality gap of multimodal language models.

    import modgap

    run = modgap.measure("bundled", "scenes", n=200)
    run.rows()

Everything is loaded when it is first used: importing this package imports none of its parts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._errors import ModgapError as ModgapError

if TYPE_CHECKING:
    from modgap.evaluate import Run as Run
    from modgap.evaluate import measure as measure
    from modgap.evaluate import open_run as open_run
    from modgap.models import load_model as load_model
    from modgap.tasks import load_suite as load_suite

    __version__: str

_LAZY = {
    "Run": "modgap.evaluate",
    "measure": "modgap.evaluate",
    "open_run": "modgap.evaluate",
    "load_model": "modgap.models",
    "load_suite": "modgap.tasks",
}

__all__ = ["ModgapError", "Run", "__version__", "load_model", "load_suite", "measure", "open_run"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # The installed package knows its version; asking costs 20 ms, so only who asks pays.
        from importlib.metadata import version

        return version("modgap")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'modgap' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
