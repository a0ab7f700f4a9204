"""From what a user types after ``--model`` to a model: the file name is the registry.

Every module or package beside this file whose name has no leading underscore is a model adapter of that
name. It offers ``load(argument: str, **options) -> Model``, naming each option it accepts. Packages outside
this repository add adapters through the entry point group ``modgap.models`` (name = module).

    bundled, random                a name
    endpoint:MODEL, replay:PATH    a name and, after the first colon, its argument
    ./folder, org/name             a model folder or a hub id, answered by the adapter ``local``
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType

from modgap._errors import InputError, ModelError, UnknownName

from ._query import Model

ENTRY_POINTS = "modgap.models"
"""Entry point group through which other packages add adapters."""

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
"""What a hub id looks like: ``org/name``."""


def load_model(spec: str, **options: object) -> Model:
    """Load a model by what names it.

    Args:
        spec: a name, ``name:argument``, an existing model folder, or a hub id ``org/name``. A name wins over
            a folder called the same; write ``./name`` for the folder.
        options: of that model. Those that are ``None`` count as not given.

    Returns:
        The model, ready to answer.

    Raises:
        UnknownName: if nothing is called so.
        InputError: if the model does not accept one of the options.
        ModelError, FileError, MissingExtra: if it cannot be loaded; the message says why.
    """
    name, argument = _split(spec)
    module = _module(name)
    load = getattr(module, "load", None)
    if not callable(load):
        raise ModelError(f"the model adapter {name!r} has no function load(argument, **options)")
    given = {option: value for option, value in options.items() if value is not None}
    _check_options(name, load, given)
    model: Model = load(argument, **given)
    return model


def names() -> dict[str, str]:
    """Names of all adapters, each with one line that says what it is, in alphabetical order.

    An adapter of another package that cannot be imported is listed with the reason, so that it does not
    hide the others.
    """
    lines: dict[str, str] = {}
    for name in _all_names():
        try:
            lines[name] = (_module(name).__doc__ or "").strip().partition("\n")[0]
        except Exception as error:
            lines[name] = f"cannot be loaded: {error}"
    return lines


def _split(spec: str) -> tuple[str, str]:
    """Name of the adapter and its argument."""
    known = _all_names()
    name, colon, argument = spec.partition(":")
    if name in known and (colon or spec == name):
        return name, argument
    looks_like_path = spec.startswith((".", "/", "~")) or Path(spec).is_absolute()
    if looks_like_path or HUB_ID.fullmatch(spec) or Path(spec).is_dir():
        return "local", spec
    raise UnknownName("model", spec, (*known, "a model folder", "a hub id org/name"))


def _own_names() -> tuple[str, ...]:
    package = importlib.import_module(__package__)
    return tuple(found.name for found in pkgutil.iter_modules(package.__path__) if found.name[0] != "_")


def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}


def _all_names() -> tuple[str, ...]:
    return tuple(sorted({*_own_names(), *_entry_points()}))


def _module(name: str) -> ModuleType:
    """Import one adapter. A name of this package cannot be taken over by another package."""
    if name in _own_names():
        return importlib.import_module(f"{__package__}.{name}")
    module: ModuleType = _entry_points()[name].load()
    return module


def _check_options(name: str, load: object, given: dict[str, object]) -> None:
    parameters = inspect.signature(load).parameters.values()  # type: ignore[arg-type]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    accepted = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    refused = [option for option in given if option not in accepted]
    if refused:
        what = "option" if len(refused) == 1 else "options"
        raise InputError(
            f"model {name!r} does not accept the {what} {', '.join(refused)}; "
            f"it accepts {', '.join(accepted) or 'none'}"
        )
