"""What a user types after a flag, read."""

from __future__ import annotations

from collections.abc import Iterable

from modgap._errors import InputError

Dial = str | int | float | bool


def listed(text: str | None) -> tuple[str, ...] | None:
    """``"text, image"`` → ``("text", "image")``; ``None`` stays ``None``."""
    if text is None:
        return None
    return tuple(part.strip() for part in text.split(",") if part.strip())


def dials(settings: Iterable[str] | None, flag: str) -> dict[str, Dial] | None:
    """``["level=hard", "pixels=448"]`` → ``{"level": "hard", "pixels": 448}``; ``None`` stays ``None``.

    Args:
        settings: as typed.
        flag: what they were typed after.

    Raises:
        InputError: if one has no ``=`` or no name, or a name comes twice.
    """
    if settings is None:
        return None
    found: dict[str, Dial] = {}
    for setting in settings:
        name, equals, value = (part.strip() for part in setting.partition("="))
        if not equals or not name:
            raise InputError(f"{flag} {setting!r} is not NAME=VALUE, such as {flag} level=hard")
        if name in found:
            raise InputError(f"{flag} {name} is given twice; give it once")
        found[name] = _dial(value)
    return found


def _dial(text: str) -> Dial:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
