"""What a run was: facts for a reader, and the command that makes it again."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any

from modgap.evaluate import MeasureConfig, RunInfo

_PLACE = ("name", "out")  # where the run lies, not what it is
_SHORT = 12  # characters of a hash that tell runs apart for a reader


def command(config: dict[str, Any]) -> str:
    """The command of a resolved configuration, ``measure`` or ``import``; what is default is left out.

    Args:
        config: the configuration as ``run.json`` holds it, untrusted.

    Returns:
        One line for a shell.
    """
    source = config.get("import")
    if isinstance(source, str):  # not asked here: read from results that someone stored
        return shlex.join(["modgap", "import", source, "…"])
    defaults = {field.name: _default(field) for field in dataclasses.fields(MeasureConfig)}
    words = ["modgap", "measure"]
    for name, value in config.items():
        # model and suite are stated even where they are the default: they say what the run is about.
        if (
            value is None
            or name in _PLACE
            or (name not in ("model", "suite") and value == defaults.get(name))
        ):
            continue
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, dict):
            for dial, setting in value.items():
                words += [flag, f"{dial}={_plain(setting)}"]
        elif isinstance(value, bool):
            words += [flag] if value else []
        elif isinstance(value, list | tuple):
            words += [flag, ",".join(str(item) for item in value)] if value else []
        else:
            words += [flag, str(value)]
    return shlex.join(words)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return list(field.default) if isinstance(field.default, tuple) else field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _plain(setting: Any) -> str:
    return str(setting).lower() if isinstance(setting, bool) else str(setting)


def facts(info: RunInfo) -> list[tuple[str, str]]:
    """Label and value, in the order shown; hashes are shortened, ``run.json`` has them whole."""
    config = info.config
    settings = {k: v for k, v in info.suite.settings.items() if k not in ("suite", "name", "tasks")}
    shown = ", ".join(f"{name} ({modality})" for name, modality in info.suite.representations.items())
    found = [
        ("Model", info.model.name),
        ("Fingerprint", _shorten(info.fingerprint)),
        *((f"Model: {name}", _shorten(_words(value))) for name, value in info.model.fingerprint.items()),
        ("Suite", info.suite.name),
        *((f"Suite: {name}", _words(value)) for name, value in settings.items()),
        ("Shown as", shown),
        ("Problems", f"seed {config.get('seed', 0)}, wording {config.get('wording', 'plain')!r}"),
        ("Replies", _sampling(config)),
        ("Begun", info.created),
        ("Finished", info.finished or "not yet: this run is still growing, or was interrupted"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in info.versions.items())),
    ]
    return [(label, value) for label, value in found if value]


def _sampling(config: dict[str, Any]) -> str:
    temperature, samples = config.get("temperature", 0), config.get("samples", 1)
    how = "greedy" if temperature == 0 else f"temperature {temperature}, top p {config.get('top_p', 1)}"
    each = "one for each question" if samples == 1 else f"{samples} for each question"
    return f"{each}, {how}, strategy {config.get('strategy', 'direct')}"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)
    return _plain(value)


def _shorten(text: str) -> str:
    is_hash = len(text) >= 32 and all(character in "0123456789abcdef" for character in text)
    return f"{text[:_SHORT]}…" if is_hash else text
