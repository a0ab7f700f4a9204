"""The kinds of errors, one file each; the file name is the type.

A file defines ``edit``, which changes a true caption, ``twin``, which changes the scene so that the edited
caption is the true one, and ``KINDS``, the kinds of facts that it may touch (see
:class:`modgap.tldr.Perturbation`). The types are those of table 8 of the TLDR paper.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import cast

from modgap._errors import UnknownName
from modgap.tldr._edit import Perturbation


@cache
def names() -> tuple[str, ...]:
    """All types in alphabetical order; nothing is imported."""
    here = [str(Path(__file__).parent)]
    return tuple(sorted(m.name for m in pkgutil.iter_modules(here) if not m.name.startswith("_")))


def load(name: str) -> Perturbation:
    """The file of a type.

    Raises:
        UnknownName: if there is none.
    """
    if name not in names():
        raise UnknownName("perturbation type", name, names())
    return cast(Perturbation, importlib.import_module(f"modgap.tldr.perturb.{name}"))
