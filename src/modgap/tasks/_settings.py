"""Settings of a task: declared once as a frozen dataclass, checked together.

    @dataclass(frozen=True)
    class Dials:
        max_objects: int = setting(5, "most objects in a scene", low=1, high=8)

    dials = resolve([Dials], {"max_objects": "6"})[0]

Values may be text, as they come from a command line. All that is wrong is reported in one error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

from modgap._errors import InputError, UnknownName

Value = bool | int | float | str


def setting(
    default: Value,
    help_text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    one_of: Sequence[str] = (),
) -> Any:
    """A field of a settings dataclass.

    Args:
        default: its value if none is given; also fixes the type.
        help_text: what it does, with its unit.
        low: smallest value accepted.
        high: largest value accepted.
        one_of: the values accepted, for a name.
    """
    meta = {"help": help_text, "low": low, "high": high, "one_of": tuple(one_of)}
    return dataclasses.field(default=default, metadata=meta)


def check_order(settings: object, low: str, high: str, *, equal: bool = True) -> None:
    """Check two settings that are the ends of a range.

    Args:
        settings: an instance of a settings dataclass, from its ``__post_init__``.
        low: name of the lower end.
        high: name of the upper end.
        equal: whether both may be the same.

    Raises:
        InputError: if the lower end is above the upper one.
    """
    first, last = getattr(settings, low), getattr(settings, high)
    if first > last or (first == last and not equal):
        fault = "more" if equal else "not less"
        raise InputError(f"{low} {first} is {fault} than {high} {last}; lower the one or raise the other")


def describe(kinds: Sequence[type]) -> dict[str, tuple[Value, str]]:
    """Name of every setting → (default, help text)."""
    return {
        f.name: (_default(f), str(f.metadata["help"])) for kind in kinds for f in dataclasses.fields(kind)
    }


def resolve(
    kinds: Sequence[type],
    given: Mapping[str, object],
    presets: Sequence[Mapping[str, Any]] = (),
) -> list[Any]:
    """Build settings from what was given.

    Args:
        kinds: settings dataclasses made of :func:`setting` fields.
        given: name → value, a value also as text; ``level`` names a preset.
        presets: for each of ``kinds``, level → instance that gives the defaults; may be shorter.

    Returns:
        One instance for each of ``kinds``.

    Raises:
        InputError: naming every setting that does not exist or is out of range, in one message.
    """
    names = {f.name: f for kind in kinds for f in dataclasses.fields(kind)}
    levels = sorted({level for preset in presets for level in preset})
    problems = []
    accepted: dict[str, Value] = {}
    level = given.get("level")
    if level is not None and level not in levels:
        problems.append(str(UnknownName("level", str(level), levels)))
    for name, value in given.items():
        if name == "level":
            continue
        if name not in names:
            problems.append(str(UnknownName("setting", name, [*names, *(["level"] if levels else [])])))
            continue
        try:
            accepted[name] = _value(names[name], value)
        except InputError as error:
            problems.append(str(error))
    made = []
    for number, kind in enumerate(kinds):
        preset = presets[number] if number < len(presets) else {}
        base = preset.get(str(level)) or kind()
        own = {f.name: accepted[f.name] for f in dataclasses.fields(kind) if f.name in accepted}
        try:
            made.append(dataclasses.replace(base, **own))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("; ".join(problems))
    return made


def _default(field: dataclasses.Field[Any]) -> Value:
    default: Any = field.default
    return cast(Value, default)


def _value(field: dataclasses.Field[Any], value: object) -> Value:
    """Check one value and bring it to the type of the default."""
    kind = type(_default(field))
    meta = field.metadata
    if kind is bool:
        text = str(value).casefold()
        if text not in ("true", "false", "yes", "no", "1", "0"):
            raise InputError(f"{field.name} {value!r:.60} is not accepted; give true or false")
        return text in ("true", "yes", "1")
    if kind is str:
        if meta["one_of"] and value not in meta["one_of"]:
            raise UnknownName(field.name, str(value), meta["one_of"])
        return str(value)
    low, high = meta["low"], meta["high"]
    number: int | float
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = int(value) if kind is int else float(value)
        if number != float(value) or not low <= number <= high:  # int(3.5) is 3
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        what = "a whole number" if kind is int else "a number"
        raise InputError(
            f"{field.name} {value!r:.60} is not accepted; give {what} from {low} to {high}"
        ) from error
    return number
