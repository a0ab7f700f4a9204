"""The key of an endpoint: read from the environment, sent in one header, shown nowhere."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from modgap._errors import InputError, ModelError

from ._settings import Settings

DEFAULT_KEY_ENV = "OPENAI_API_KEY"

_PLACEHOLDER = 8
"""Keys shorter than this are taken for placeholders ("EMPTY", "none"), in characters (our choice)."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Key:
    """A key whose value no ``repr`` shows, so that a traceback with local variables does not either."""

    value: str = field(repr=False)

    @property
    def header(self) -> str:
        """Value of the ``Authorization`` header."""
        return f"Bearer {self.value}"

    @property
    def is_secret(self) -> bool:
        """Long enough to be more than a placeholder."""
        return len(self.value) >= _PLACEHOLDER

    def hide(self, text: str) -> str:
        """``text`` with the key replaced."""
        return text.replace(self.value, "***")


def read_key(settings: Settings) -> Key | None:
    """The key to send.

    Returns:
        The key, or ``None`` to send none: no variable was named, and the default one is unset or the
        connection is plain http to another machine.

    Raises:
        ModelError: if the named variable is unset or does not hold a key.
        InputError: if the key is also written in a setting that is stored in the run folder.
    """
    parts = urlsplit(settings.url)
    name = settings.key_env or DEFAULT_KEY_ENV
    if settings.key_env is None and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        return None
    value = os.environ.get(name, "").strip()
    if not value:
        if settings.key_env is None:
            return None
        raise ModelError(f"environment variable {name} is not set; set it to the key of {settings.host}")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ModelError(
            f"environment variable {name} does not hold a key; expected one line of ASCII, no spaces"
        )
    key = Key(value)
    stored = json.dumps([settings.model, settings.url, dict(settings.extra_body)])
    if key.is_secret and key.hide(stored) != stored:
        raise InputError(
            f"the key in {name} is also in model, url or extra_body, which are stored; remove it there"
        )
    return key


def key_hint(settings: Settings, key: Key | None) -> str:
    """What to do when the server does not accept the key, or the lack of one."""
    name = settings.key_env or DEFAULT_KEY_ENV
    if key is not None:
        return f"check the key in the environment variable {name}"
    if os.environ.get(name):
        return f"no key was sent over plain http to another machine; to send it, name {name} as key_env"
    return f"no key was sent; set the environment variable {name}, or name another with key_env"
