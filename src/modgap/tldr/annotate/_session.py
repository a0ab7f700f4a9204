"""Who is asking: a signed cookie with the name of the annotator, and the token of its forms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass

from modgap._errors import InputError

MAX_NAME = 40
"""Longest name of an annotator, in characters."""


@dataclass(frozen=True)
class Session:
    """One browser.

    Args:
        visitor: random.
        name: of the annotator; empty before they signed in.
    """

    visitor: str
    name: str = ""


class Sessions:
    """Makes and reads cookies.

    Args:
        secret: of the store.
        token: that annotators must know, if any; with another token all are signed out.
    """

    def __init__(self, secret: bytes, token: str | None) -> None:
        self.token = token
        self._key = hmac.digest(secret, b"session " + (token or "").encode(), "sha256")

    def read(self, cookie: str | None) -> Session:
        """The session of a cookie, or a new one if there is none or it was not made here."""
        visitor, _, rest = (cookie or "").partition(".")
        name, _, signature = rest.partition(".")
        if hmac.compare_digest(signature.encode(), self._sign(f"cookie {visitor}.{name}").encode()):
            return Session(visitor, base64.urlsafe_b64decode(name).decode())
        return Session(secrets.token_hex(16))

    def write(self, session: Session) -> str:
        """The cookie of a session."""
        name = base64.urlsafe_b64encode(session.name.encode()).decode()
        return f"{session.visitor}.{name}.{self._sign(f'cookie {session.visitor}.{name}')}"

    def form_token(self, session: Session) -> str:
        """What every form and request of this session must send along."""
        return self._sign(f"form {session.visitor} {session.name}")

    def is_form_token(self, session: Session, given: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(given.encode(), self.form_token(session).encode())

    def is_token(self, given: str) -> bool:
        """Whether someone knows the token, in a time that tells nothing about it."""
        wanted = hashlib.sha256((self.token or "").encode()).digest()
        return self.token is None or hmac.compare_digest(hashlib.sha256(given.encode()).digest(), wanted)

    def _sign(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()


def check_name(given: str) -> str:
    """The name of an annotator, without spaces around it.

    Raises:
        InputError: if it is empty, longer than ``MAX_NAME``, or cannot be printed.
    """
    name = unicodedata.normalize("NFC", " ".join(given.split()))
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise InputError(f"A name has 1 to {MAX_NAME} printable characters.")
    return name
